--- READONLY, MASTERDOWN, LOADING, BUSY, MISCONF, NOPERM: a server that is there and refuses. Each
-- trouble in each state of a worker. It backs off and stays as it is;
-- afterwards everything is done once. (The fail-over itself is in rollback_spec.)
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local resp = require "spec.support.resp"
local scene = require "spec.support.scene"

local w <const> = scene.fresh {
  tcp = true, args = { "--appendonly", "yes", "--appendfsync", "no" },
}
local run

local function config(...)
  return w.server:call("CONFIG", "SET", ...)
end

-- So many keys and so slow that loading them takes a second; nothing of the tests before. Between
-- two of them the server answers: it looks around once in 1,024 bytes.
local function restart_slowly()
  config("rdbcompression", "no")
  w.server:call("EVAL", [[
    for i = 1, 50 do redis.call("SET", "slow:" .. i, ("x"):rep(2048)) end]], 0)
  w.server:call "BGREWRITEAOF"
  clock.wait_until(function()
    return w.server:call("INFO", "persistence"):find "aof_rewrite_in_progress:0"
  end, 5, "the file is written anew")
  w.server:kill()
  w.server:spawn("--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024")
  clock.wait_until(function()
    local client = resp.connect(w.server.socket)
    return client and (client:try "PING").err
  end, 5, "the server is there, and loads")
end

-- A BGSAVE that fails: its process is killed. From then on Redis refuses to write.
local function break_saving()
  config("save", "3600 1")
  config("rdb-key-save-delay", "1000000")
  w.server:call "BGSAVE"
  local child = clock.wait_until(function()
    return proc.children(w.server.process.pid)[1]
  end, 5, "the server saves")
  uv.kill(child, "sigkill")
  clock.wait_until(function()
    return w.server:call("INFO", "persistence"):find "rdb_last_bgsave_status:err"
  end, 5, "the server knows that it cannot save")
end

-- How each begins and ends. `says`: what the log of somebody must say who wants to write then.
-- `keeps_out`: nobody can start a worker.
local TROUBLES = {
  { "BUSY", says = "BUSY", keeps_out = true,
    begin = function()
      config("busy-reply-threshold", "20")
      local endless = resp.connect(w.server.socket)
      endless:send("EVAL", "while true do end", "0")
      return endless
    end,
    finish = function(endless)
      w.server:call("SCRIPT", "KILL")
      endless:read() -- it is over
      endless:close()
    end },
  { "LOADING", says = "LOADING", keeps_out = true,
    begin = restart_slowly,
    finish = function()
      w.server:await()
    end },
  { "MASTERDOWN", says = "MASTERDOWN", keeps_out = true,
    begin = function()
      config("replica-serve-stale-data", "no")
      w.server:call("REPLICAOF", "127.0.0.1", "1")
    end,
    finish = function()
      w.server:call("REPLICAOF", "NO", "ONE")
      config("replica-serve-stale-data", "yes")
    end },
  { "READONLY", says = "READONLY",
    begin = function()
      w.server:call("REPLICAOF", "127.0.0.1", "1")
    end,
    finish = function()
      w.server:call("REPLICAOF", "NO", "ONE")
    end },
  { "MISCONF", says = "MISCONF",
    begin = break_saving,
    finish = function()
      config("save", "")
      config("rdb-key-save-delay", "0")
    end },
  { "OOM", -- our scripts get by: see lua/server/lib/call.lua
    begin = function()
      config("maxmemory", "1")
    end,
    finish = function()
      config("maxmemory", "0")
    end },
}

-- A worker that says each time what is wrong, not only the first.
local function start_idle(env)
  env = env or {}
  env.VVERBOSE = "1"
  run = w:start_idle(env)
  return run:worker()
end

-- Runs `meanwhile` while the server is in trouble, and lets that last for a while.
local function during(trouble, meanwhile)
  local state = trouble.begin()
  local ok, err = pcall(function()
    meanwhile()
    if trouble.says then
      run.process:wait_for(trouble.says, 5)
    end
    assert.is_true(clock.stays_false(function()
      return not run.process:running()
    end, 0.2))
  end)
  trouble.finish(state)
  assert(ok, err)
end

-- `count` jobs were started and ended once each, `failed` of them failed; nothing is left anywhere.
local function accounted(count, failed)
  w:wait_processed(count, 20)
  local sum = w:account()
  assert.same({ 0, 0, count, failed, 0 },
    { sum.queued, sum.working, sum.processed, sum.failed, sum.overflow })
  local seen = {}
  for _, line in ipairs(w:ledger()) do
    assert.is_nil(seen[line], line .. " twice")
    seen[line] = true
  end
end

for _, trouble in ipairs(TROUBLES) do
  describe(trouble[1], function()
    it("while a job runs: its end is written when that has passed, the next one runs", function()
      local worker = start_idle()
      w:job("Gate", { gate = "a" }, { track = true, id = "x1" })
      w:job("Note", { n = "queued" })
      w:wait_ledger "start a"
      during(trouble, function()
        w:open_gate "a"
        w:wait_ledger "end a"
      end)
      accounted(2, 0)
      assert.equal(4, w:status("x1").status)
      assert.equal(worker, run:worker())
    end)

    it("while idle: it is asked now and then, and the next job runs soon after", function()
      start_idle { INTERVAL = "0.05", COUNT = "2", RESQUE_HEARTBEAT = "0.2" }
      local function commands()
        return tonumber(w.server:call("INFO", "stats"):match "total_connections_received:(%d+)")
      end
      local workers, before, first = run:workers(), commands(), clock.now()
      during(trouble, function() end)
      local began = clock.now()
      w:job("Note", { n = "after" })
      accounted(1, 0)
      assert.is_true(clock.now() - began < clock.limit(2), clock.now() - began)
      assert.same(workers, run:workers())
      local made = commands() - (trouble[1] == "LOADING" and 0 or before)
      local most = 60 + 20 * (clock.now() - first) -- four of ours, each some five times a second
      assert.is_true(made < most, made .. " connections")
    end)

    it("while a worker is killed in a job: the job is accounted for once, a new worker works",
      function()
        local worker = start_idle()
        w:job("Gate", { gate = "a" })
        w:job("Note", { n = "queued" })
        w:wait_ledger "start a"
        during(trouble, function()
          uv.kill(worker, "sigkill")
        end)
        accounted(2, 1)
        assert.equal("Resque::PruneDeadWorkerDirtyExit", w:failed()[1].exception)
        assert.not_equal(worker, run:worker())
        assert.equal(1, #w:on("SMEMBERS", "workers"))
      end)

    it("at the start: it waits until that has passed, and works", function()
      local state = trouble.begin()
      run = w:start()
      local ok, err = pcall(function()
        if trouble.keeps_out then
          run.process:wait_for(trouble.says .. ".*waiting until that has passed")
        end
        assert.is_true(clock.stays_false(function()
          return not run.process:running()
        end, 0.3))
      end)
      trouble.finish(state)
      assert(ok, err)
      w:job("Note", { n = "first" })
      accounted(1, 0)
    end)

    if trouble.keeps_out then
      it("at the start, and told to leave: it does", function()
        local state = trouble.begin()
        run = w:start()
        local ok, code, signal = pcall(function()
          run.process:wait_for "waiting until that has passed"
          run:signal "sigterm"
          return run.process:wait(10)
        end)
        trouble.finish(state)
        assert.same({ true, 0, 0 }, { ok, code, signal })
        assert.equal(0, #w:on("SMEMBERS", "workers"))
      end)
    end

    it("while a worker is told to leave: it writes the end of its job first, and leaves", function()
      local worker = start_idle()
      w:job("Gate", { gate = "a" })
      w:job("Note", { n = "queued" })
      w:wait_ledger "start a"
      during(trouble, function()
        uv.kill(worker, "sigterm")
      end)
      accounted(2, 1)
      assert.matches("SIGTERM", w:failed()[1].error)
      assert.is_false(proc.alive(worker))
      assert.equal(1, #w:on("SMEMBERS", "workers"))
    end)
  end)
end

describe("WRONGTYPE on one key:", function()
  -- Makes a key something that it must not be.
  local function spoil(key)
    w:on("DEL", key)
    w:on(key:find "^stat" and "RPUSH" or "ZADD", key, 1, "odd")
  end

  local HARMLESS = { "job:x1:status", "pause-all-workers", "workers:heartbeat", "stat:processed",
    "stat:failed", "pruning_dead_workers_in_progress" }
  for _, key in ipairs(HARMLESS) do
    it(key .. ": jobs run all the same, and it is left alone", function()
      start_idle { RESQUE_HEARTBEAT = "0.1" }
      spoil(key)
      for _, class in ipairs { "Gate", "Raise" } do
        w:job(class, { gate = "a" }, { id = class == "Gate" and "x1" or "x2" })
      end
      w:job("Note", { n = "after" })
      w:wait_ledger "start a"
      local manager, worker = run.pid, run:worker()
      clock.stays_false(function() end, 0.25) -- a few signs of life
      w:open_gate "a"
      w:wait_ledger "Note after"
      clock.wait_until(function()
        return next(w:records()) == nil
      end, 5, "the last job is done")
      assert.same({ manager, worker }, { run.pid, run:worker() })
      assert.equal(1, #w:failed())
      assert.not_equal("string", w:on("TYPE", key))
      assert.same({ 0, 0 }, { run:stop() })
    end)
  end

  local function own_record()
    return "worker:" .. w:on("SMEMBERS", "workers")[1]
  end
  local BLOCKING = {
    ["the set of workers"] = { key = function() return "workers" end, says = "WRONGTYPE" },
    ["the record of a worker"] = { key = own_record, says = "held by another worker" },
  }
  for name, row in pairs(BLOCKING) do
    it(name .. ": it waits, and goes on when that is mended", function()
      local worker = start_idle()
      local key = row.key()
      spoil(key)
      w:job("Note", { n = "waits" })
      run.process:wait_for(row.says)
      assert.is_true(clock.stays_false(function()
        return w:queued() ~= 1 or not run.process:running()
      end, 0.3))
      w:on("DEL", key)
      accounted(1, 0)
      assert.equal(worker, run:worker())
    end)
  end

  it("the record of a worker: the others work", function()
    start_idle { COUNT = "2", RESQUE_HEARTBEAT = "0.1" }
    spoil(own_record())
    for n = 1, 20 do
      w:job("Note", { n = n })
    end
    w:wait_processed(20)
    assert.equal(20, #w:ledger())
  end)
end)

describe("NOPERM", function()
  it("in the middle of work: it says so, waits, and goes on when the right is back", function()
    w.server:call("ACL", "SETUSER", "worker", "reset", "on", ">secret", "~*", "&*", "+@all")
    local worker = start_idle { REDIS_BACKEND = ("redis://worker:secret@127.0.0.1:%d"):format(
      w.server.port) }
    w:job("Gate", { gate = "a" })
    w:job("Note", { n = "queued" })
    w:wait_ledger "start a"
    w.server:call("ACL", "SETUSER", "worker", "-evalsha", "-eval")
    w:open_gate "a"
    run.process:wait_for "NOPERM"
    assert.is_nil(run:err():find("secret", 1, true))
    w.server:call("ACL", "SETUSER", "worker", "+evalsha", "+eval")
    accounted(2, 0)
    assert.equal(worker, run:worker())
  end)
end)
