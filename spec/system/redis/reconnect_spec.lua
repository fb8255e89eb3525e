--- Redis misbehaving under a running worker: gone and back, connections cut, scripts forgotten,
-- keys of the wrong type, errors of a server in trouble. No job is lost, none runs twice.
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

-- A server that keeps its data when it is killed.
local w <const> = scene.fresh {
  tcp = true, args = { "--appendonly", "yes", "--appendfsync", "always" },
}
local run
after_each(function()
  w.server:call("CONFIG", "SET", "maxmemory", "0")
end)

local function works(name)
  w:job("Note", { n = name })
  w:wait_ledger("^Note " .. name .. "$")
end

local function push_notes(count)
  for n = 1, count do
    w:job("Note", { n = n })
  end
  return count
end

-- `count` jobs are done once each, and nothing is anywhere else.
local function once_each(count)
  w:wait_processed(count)
  local seen = {}
  for _, line in ipairs(w:ledger()) do
    assert.is_nil(seen[line], line .. " twice")
    seen[line] = true
  end
  local sum = w:account()
  assert.equal(count, sum.processed)
  assert.equal(0, sum.queued + sum.working + sum.failed + sum.overflow)
end

describe("Redis killed and started again", function()
  local function restart()
    w.server:kill()
    w.server:launch()
  end

  it("while idle: the next job runs within half a second", function()
    run = w:start_idle()
    local worker = run:worker()
    restart()
    local began = clock.now()
    works "after"
    assert.is_true(clock.now() - began < clock.limit(1))
    assert.equal(worker, run:worker())
    once_each(1)
  end)

  it("while idle in BLOCKING: still woken at once", function()
    run = w:start_idle { BLOCKING = "1", INTERVAL = "60" }
    restart()
    works "first"
    local began = clock.now()
    works "second"
    assert.is_true(clock.now() - began < clock.limit(0.3))
  end)

  it("during a job: the job goes on, and its result is written when Redis is back", function()
    run = w:start_idle()
    local id = w:job("Gate", { gate = "a" }, { track = true })
    w:wait_ledger "start a"
    w.server:kill()
    w:open_gate "a"
    w:wait_ledger "end a"
    run.process:wait_for "[Rr]edis"
    w.server:launch()
    w:wait_processed(1)
    assert.equal(4, w:status(id).status)
    works "next"
    once_each(2)
  end)

  it("three times under load: every job once", function()
    local count = push_notes(300)
    run = w:start { COUNT = "2" }
    for round = 1, 3 do
      clock.wait_until(function()
        return #w:ledger() > round * 60
      end, 20, "jobs run")
      restart()
    end
    w:wait_processed(count, 40)
    assert.equal(count, #w:ledger())
    once_each(count)
  end)

  it("empty: the worker registers again and goes on", function()
    run = w:start_idle()
    w.server:call "FLUSHALL"
    clock.wait_until(function()
      return #w:on("SMEMBERS", "workers") == 1
    end, 10, "it is registered again")
    works "after"
  end)
end)

describe("connections cut by CLIENT KILL", function()
  it("at any moment: every job once", function()
    local count = push_notes(200)
    run = w:start { COUNT = "2" }
    -- After each cut, a moment to get somewhere: a machine that is too slow for the next one must
    -- not stand still for ever.
    local cuts, done = 0, 0
    while done < count do
      w.server:call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
      cuts = cuts + 1
      clock.wait_until(function()
        return w:stat "processed" > done
      end, 20, "a job is processed after a cut")
      uv.sleep(math.random(0, 15))
      done = w:stat "processed"
    end
    assert.is_true(cuts > 5)
    once_each(count)
  end)
end)

describe("a connection cut", function()
  local function cut()
    w.server:call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
  end

  local function beat()
    return w:on("HGET", "workers:heartbeat", w:on("SMEMBERS", "workers")[1])
  end

  -- The worker sends signs of life, and does not turn in circles for it.
  local function beats()
    local worker = run:worker()
    local last, ticks = beat(), proc.cpu_ticks(worker)
    clock.wait_until(function()
      return beat() ~= last
    end, 5, "the worker has sent a sign of life")
    last = beat()
    clock.wait_until(function()
      return beat() ~= last
    end, 5, "and another")
    assert.is_true(proc.cpu_ticks(worker) - ticks < 20)
  end

  local BACKENDS = { ["by TCP"] = true, ["by a socket"] = false }
  for how, tcp in pairs(BACKENDS) do
    it(how .. " during a long job: the worker still beats", function()
      run = w:start_idle { RESQUE_HEARTBEAT = "0.3", REDIS_BACKEND = w.server:backend(tcp) }
      w:job("Gate", { gate = "a" })
      w:wait_ledger "start a"
      cut()
      beats()
      w:open_gate "a"
      w:wait_processed(1)
    end)
  end

  it("while paused: the worker still beats", function()
    run = w:start_idle { RESQUE_HEARTBEAT = "0.3" }
    run:signal "sigusr2"
    run:wait_title "^Paused"
    cut()
    beats()
  end)
end)

describe("SCRIPT FLUSH", function()
  it("between any two trips: every job once", function()
    local count = push_notes(100)
    run = w:start()
    clock.wait_until(function()
      w.server:call("SCRIPT", "FLUSH")
      return w:stat "processed" >= count
    end, 30, "all jobs are processed")
    once_each(count)
  end)
end)

describe("a key of the wrong type:", function()
  it("a queue is skipped, others work", function()
    w:on("SADD", "queues", "bad", "good")
    w:on("SET", "queue:bad", "text")
    run = w:start_idle { QUEUE = "bad,good" }
    w:job("Note", { n = 1 }, { queue = "good" })
    w:wait_processed(1)
    assert.equal("text", w:on("GET", "queue:bad"))
    w:on("DEL", "queue:bad")
    once_each(1)
  end)

  it("failed: the record goes to failed:overflow", function()
    w:on("SET", "failed", "text")
    run = w:start_idle()
    w:job("Raise", { message = "kept" })
    w:wait_processed(1)
    assert.equal("text", w:on("GET", "failed"))
    assert.matches("kept", w:on("LRANGE", "failed:overflow", 0, -1)[1])
    assert.equal(1, w:stat "failed")
    works "next"
  end)

  it("failed and failed:overflow: the job stays in the record until they are mended", function()
    w:on("SET", "failed", "text")
    w:on("SET", "failed:overflow", "text")
    run = w:start_idle()
    w:job("Raise", { message = "kept" })
    run.process:wait_for "failed"
    local id = w:on("SMEMBERS", "workers")[1]
    assert.equal(1, w:on("EXISTS", "worker:" .. id))
    assert.equal(0, w:stat "processed")
    w:on("DEL", "failed", w:key "failed:overflow")
    w:wait_processed(1, 15)
    assert.matches("kept", w:failed()[1].error)
  end)

  it("the same, and the worker has to leave: the job has run, it is not put back", function()
    w:on("SET", "failed", "text")
    w:on("SET", "failed:overflow", "text")
    run = w:start_idle()
    w:job("Raise", { message = "lost" })
    run.process:wait_for "writing a job's end"
    assert.same({ 0, 0 }, { run:stop(15) })
    assert.equal(0, w:queued())
    assert.equal(1, w:on("EXISTS", "worker:" .. w:on("SMEMBERS", "workers")[1]))
    w:on("DEL", "failed", w:key "failed:overflow")
    run = w:start_idle()
    w:wait_processed(1)
    assert.equal("Resque::PruneDeadWorkerDirtyExit", w:failed()[1].exception)
  end)

  it("a counter: the job is done all the same", function()
    w:on("RPUSH", "stat:processed", "not a number")
    run = w:start_idle()
    w:job("Note", { n = 1 })
    w:wait_ledger "Note 1"
    clock.wait_until(function()
      return next(w:records()) == nil
    end, 5, "the job is done")
    w:on("DEL", "stat:processed")
    works "2"
    once_each(1) -- the first one's count went with the broken counter
  end)

  it("queues, for a worker of *: it waits and goes on when it is mended", function()
    w:on("SET", "queues", "text")
    run = w:start { QUEUE = "*" }
    run.process:wait_for "WRONGTYPE"
    w:on("DEL", "queues")
    works "after"
  end)
end)

describe("a server in trouble:", function()
  local troubles = {
    ["out of memory"] = {
      function() w.server:call("CONFIG", "SET", "maxmemory", "1") end,
      function() w.server:call("CONFIG", "SET", "maxmemory", "0") end,
    },
    ["a replica (READONLY)"] = {
      function() w.server:call("REPLICAOF", "127.0.0.1", "1") end,
      function() w.server:call("REPLICAOF", "NO", "ONE") end,
    },
    ["password changed and changed back"] = {
      function()
        w.server:call("ACL", "SETUSER", "default", "resetpass", ">other")
        w.server:call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
      end,
      function() w.server:call("ACL", "SETUSER", "default", "nopass") end,
    },
    ["stopped for a second"] = {
      function() uv.kill(w.server.process.pid, "sigstop") end,
      function()
        clock.stays_false(function() end, 1)
        uv.kill(w.server.process.pid, "sigcont")
      end,
    },
  }
  it("refusing to write: it is asked now and then, not all the time", function()
    run = w:start_idle()
    local function connections()
      local text = w.server:call("INFO", "stats"):match "total_connections_received:(%d+)"
      return math.tointeger(tonumber(text))
    end
    w:job("Gate", { gate = "a" })
    w:wait_ledger "start a"
    w.server:call("REPLICAOF", "127.0.0.1", "1")
    w:open_gate "a"
    run.process:wait_for "READONLY"
    local before, began = connections(), clock.now()
    clock.stays_false(function() end, 1)
    assert.is_true(connections() - before < 40 * (clock.now() - began))
    uv.kill(run:worker(), "sigkill")
    run.process:wait_for "not accounted for yet"
    clock.stays_false(function() end, 1)
    assert.is_true(connections() - before < 60 * (clock.now() - began))
    assert.equal(1, select(2, run:err():gsub("not accounted for yet", "")))
    w.server:call("REPLICAOF", "NO", "ONE")
    w:wait_processed(1)
    works "next"
  end)

  for name, trouble in pairs(troubles) do
    it(name .. " passes, nothing is lost and the worker stays", function()
      run = w:start_idle()
      local worker = run:worker()
      w:job("Gate", { gate = "a" })
      w:job("Note", { n = "queued" })
      w:wait_ledger "start a"
      trouble[1]()
      w:open_gate "a"
      w:wait_ledger "end a"
      assert.is_true(clock.stays_false(function()
        return not run.process:running() or not proc.alive(worker)
      end, 0.3))
      trouble[2]()
      w:wait_processed(2, 20)
      assert.equal(worker, run:worker())
      assert.same({}, (w:failed()))
      once_each(2)
    end)
  end
end)
