--- Workers of other implementations beside ours: what their pruning sees of us on the same host,
-- and whom our pruning removes. Not about jobs and records; those are in interop_spec.
local uv = require "luv"
local clock = require "spec.support.clock"
local process = require "spec.support.process"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

local w <const> = scene.fresh()

-- How a starting worker of theirs learns which pids of its host are workers. Who is registered with
-- this host name and is not in the list loses its registration and its running job.
local LOOKS = {
  Ruby = [[ps -A -o pid,command | grep -E "[r]esque:work|[r]esque:\sStarting|[r]esque-[0-9]" ]]
    .. [[| grep -v "resque-web"]],
  ["php-resque"] = "ps -A -o pid,command | grep [r]esque",
}

local function seen_by(command)
  local _, out = process.run({ "sh", "-c", command }, { dir = w.dir })
  local pids = {}
  for pid in out:gmatch "[^\n]+" do
    pids[pid:match "^%s*(%d+)"] = true
  end
  return pids
end

-- Every registered worker is a process that each of them counts as alive.
local function all_seen(moment)
  for who, command in pairs(LOOKS) do
    local ids = w:on("SMEMBERS", "workers") -- before ps: who registers between the two is no news
    local pids = seen_by(command)
    assert.is_true(#ids > 0)
    for _, id in ipairs(ids) do
      assert.is_true(pids[id:match "^[^:]*:(%d+):"], ("%s misses %s %s"):format(who, id, moment))
    end
  end
end

describe("a worker that Ruby or php starts on our host", function()
  local settings = {
    { "by default", {} },
    { "under env -i", {}, wrap = { "env", "-i" } },
    { "with RESQUE_PROCLINE_PREFIX", { RESQUE_PROCLINE_PREFIX = "my app: " } },
    { "with a queue resque-web", { QUEUE = "resque-web,default" } },
    { "with 300 queues", { QUEUE = "default" .. (",some_queue"):rep(299) } },
    { "with *", { QUEUE = "*", COUNT = "2" } },
  }
  for _, row in ipairs(settings) do
    it("sees ours " .. row[1], function()
      local opts = row.wrap and { wrap = row.wrap, args = {
        "-q", "default", "-I", world.fixtures .. "/jobs.lua", "-r", w.server:backend(),
        "-p", w.prefix, "--interval", "0.1",
      } }
      local run = w:start_idle(row[2], opts)
      all_seen "idle"
      w:push("default", '{"class":"resque-web","args":[]}')
      w:wait_processed(1)
      if not row.wrap then -- whose jobs know neither ledger nor gates
        w:job("Gate", { gate = "a" })
        w:wait_ledger "start a"
        all_seen "busy"
        w:open_gate "a"
        w:wait_ledger "end a"
      end
      run:signal "sigusr2"
      clock.wait_until(function()
        return #run:workers "Paused" == (tonumber(row[2].COUNT) or 1)
      end)
      all_seen "paused"
    end)
  end

  it("sees ours from before they are registered until after they are not any more", function()
    local run = w:start_idle { COUNT = "3", QUEUE = "default" }
    for _ = 1, 5 do
      for _, pid in ipairs(run:workers()) do
        uv.kill(pid, "sigquit") -- the manager makes new ones
      end
      for who, command in pairs(LOOKS) do
        local before = w:on("SMEMBERS", "workers")
        local pids = seen_by(command)
        for _, id in ipairs(before) do
          if not pids[id:match "^[^:]*:(%d+):"] then
            assert.equal(0, w:on("SISMEMBER", "workers", id), who .. " misses " .. id)
          end
        end
      end
    end
  end)
end)

describe("our pruning", function()
  local LOCK = "pruning_dead_workers_in_progress"
  local OLD = "2012-01-16T05:42:55+00:00"
  -- An old heartbeat, but never twice the same.
  local BEAT = [[
    local n = redis.call("INCR", "beats")
    redis.call("HSET", KEYS[1], "ruby:17:mail", ("2012-01-16T%02d:%02d:%02d+00:00"):format(
      n / 3600 % 24, n / 60 % 60, n % 60))]]
  local FAST = { RESQUE_HEARTBEAT = "0.2", RESQUE_PRUNE = tostring(math.ceil(2 * clock.slow)),
    WORKER_HOST = "web1" }

  -- A worker of somebody else's, with a job. beat: its heartbeat, if it has one.
  local function register(id, beat)
    w:on("SADD", "workers", id)
    w:on("SET", "worker:" .. id .. ":started", "2012-01-16 05:00:00 +0000")
    w:on("SET", "worker:" .. id, '{"queue":"mail","run_at":"2012-01-16T05:42:55Z",'
      .. '"payload":{"class":"Theirs","args":[1]}}')
    if beat then
      w:on("HSET", "workers:heartbeat", id, beat)
    end
  end

  local function is_there(id)
    return w:on("SISMEMBER", "workers", id) == 1
  end

  local function wait_gone(id)
    clock.wait_until(function()
      return not is_there(id)
    end, 10, id .. " is pruned")
  end

  local function redis_time(ahead)
    local now = tonumber(w.server:call("TIME")[1]) + ahead
    return os.date("!%Y-%m-%dT%H:%M:%S+00:00", now)
  end

  it("leaves alone who never beat, who beats, and what it cannot read", function()
    local host = io.open("/proc/sys/kernel/hostname"):read "l"
    local alone = {
      host .. ":999999:mail", -- php: no heartbeat, and the process is not there
      host .. ":999998:*", host .. ":999997", "nonsense", "far:1-poller:mail",
    }
    for _, id in ipairs(alone) do
      register(id)
    end
    register("ruby:17:mail", redis_time(3600))
    register("odd:18:mail", "yesterday")
    register("odd:19:mail", "")
    w:on("SET", "worker:ping:far:20", '{"time":1,"name":"far:20","queues":"mail"}') -- node
    register("dead:21:mail", OLD) -- proof that it looked
    local before = #w:on("SMEMBERS", "workers")
    w:start_idle(FAST)
    wait_gone "dead:21:mail"
    for _, id in ipairs { "ruby:17:mail", "odd:18:mail", "odd:19:mail", table.unpack(alone) } do
      assert.is_true(is_there(id), id)
      assert.is_string(w:on("GET", "worker:" .. id), id)
    end
    assert.is_string(w:on("GET", "worker:ping:far:20"))
    assert.equal(before, #w:on("SMEMBERS", "workers")) -- the dead one went, ours came
    assert.equal(1, #w:failed())
  end)

  it("takes a heartbeat that changes between two looks for a sign of life", function()
    register("ruby:17:mail", OLD)
    local beats = process.start({ "redis-benchmark", "-s", w.server.socket, "-c", "1",
      "-n", "100000000", "EVAL", BEAT, "1", w:key "workers:heartbeat" }, { dir = w.dir })
    clock.wait_until(function()
      return w:on("HGET", "workers:heartbeat", "ruby:17:mail") ~= OLD
    end, 5, "it beats")
    local function looks()
      return w.server:command_counts().hgetall or 0
    end
    local before = looks()
    w:start_idle(FAST)
    clock.wait_until(function()
      return looks() >= before + 6
    end, 10, "the manager has looked")
    assert.is_true(is_there "ruby:17:mail")
    beats:finish()
    wait_gone "ruby:17:mail"
  end)

  it("is done once, however many managers see the same", function()
    register("ruby:17:mail", OLD)
    for _ = 1, 3 do
      w:start_idle(FAST)
    end
    wait_gone "ruby:17:mail"
    clock.stays_false(function() end, 0.5) -- the others look again
    local records = w:failed()
    assert.equal(1, #records)
    assert.equal("Worker ruby:17:mail did not gracefully exit while processing Theirs",
      records[1].error)
    assert.equal("Resque::PruneDeadWorkerDirtyExit", records[1].exception)
    assert.equal(1, w:stat "failed")
    assert.equal(1, w:stat "processed")
    assert.is_nil(w:on("GET", "worker:ruby:17:mail:started"))
    assert.is_nil(w:on("HGET", "workers:heartbeat", "ruby:17:mail"))
  end)

  it("needs no turn of its own: a manager is not kept from it by others that only look", function()
    local looked = w.server:command_counts().hgetall or 0
    for _ = 1, 3 do
      w:start_idle(FAST)
    end
    clock.wait_until(function()
      return (w.server:command_counts().hgetall or 0) >= looked + 9
    end, 5, "all of them look")
    -- Ruby's workers take the lock once, when they start: it must be free while we only look
    assert.is_true(clock.stays_false(function()
      return w:on("EXISTS", LOCK) == 1
    end, 1))
  end)

  it("leaves a dead worker to its own manager, who knows more, while that lives", function()
    local run = w:start_idle { RESQUE_HEARTBEAT = "0.1" }
    local pid = run:worker()
    w:job("Gate", { gate = "never" })
    w:wait_ledger "start never"
    run:signal "sigstop"
    uv.kill(pid, "sigkill")
    local other = w:start_idle { QUEUE = "other", RESQUE_HEARTBEAT = "0.1" }
    clock.stays_false(function() return w:failed()[1] end, 0.5) -- several looks
    assert.equal(0, #w:failed())
    assert.equal(2, w:on("SCARD", "workers"))
    run:signal "sigcont"
    w:wait_processed(1, 5)
    assert.matches(":" .. run.pid .. "$", w:failed()[1].pruned_by)
    other:stop()
  end)

  it("waits while a worker of Ruby's prunes, and gives the lock back", function()
    register("ruby:17:mail", OLD)
    w:on("SET", LOCK, "web2:18:*", "EX", 60)
    w:start_idle(FAST)
    assert.is_true(clock.stays_false(function()
      return not is_there "ruby:17:mail"
    end, 1.5))
    assert.equal("web2:18:*", w:on("GET", LOCK))
    w:on("DEL", LOCK)
    wait_gone "ruby:17:mail"
    clock.wait_until(function()
      return w:on("EXISTS", LOCK) == 0
    end, 5, "the lock is free again")
  end)

  it("records the job of a worker with many queues, whose id is long", function()
    local id = "ruby:17:mail" .. (",some_queue"):rep(200)
    register(id, OLD)
    w:start_idle(FAST)
    wait_gone(id)
    assert.equal("Theirs", w:failed()[1].payload.class)
    assert.is_nil(w:on("GET", "worker:" .. id))
  end)

  it("goes on behind a worker it cannot look at", function()
    register("bad:16:mail", OLD)
    w:on("RPUSH", "lua:proc:bad:16:mail", "no hash")
    for n = 1, 5 do
      register(("ruby:%d:mail"):format(n), OLD)
    end
    local run = w:start_idle(FAST)
    for n = 1, 5 do
      wait_gone(("ruby:%d:mail"):format(n))
    end
    run.process:wait_for "looking for dead workers failed: WRONGTYPE"
    wait_gone "bad:16:mail" -- its heartbeat tells enough
  end)

  it("records a job whose payload peers can show, even from a record that is none", function()
    register("ruby:17:mail", OLD)
    w:on("SET", "worker:ruby:17:mail", "{broken \xff")
    w:start_idle(FAST)
    wait_gone "ruby:17:mail"
    local records, raw = w:failed()
    assert.equal(1, #records)
    assert.is_string(records[1].payload.class)
    assert.is_truthy(utf8.len(raw[1]))
    assert.same({ "table", "table" }, { type(records[1].payload.args), type(records[1].backtrace) })
  end)
end)

describe("a worker whose name somebody else has taken while Redis had forgotten it", function()
  it("takes another name, and lets the other's job alone", function()
    local run = w:start_idle()
    local id = w:on("SMEMBERS", "workers")[1]
    local theirs = '{"token":"fedcba9876543210:1","queue":"mail","run_at":"x","payload":{}}'
    w:on("SET", "worker:" .. id, theirs)
    w:job("Note", { n = 1 })
    w:wait_processed(1)
    assert.equal(theirs, w:on("GET", "worker:" .. id))
    assert.matches("held by another worker", run:err())
    local ids = w:on("SMEMBERS", "workers")
    table.sort(ids)
    assert.same({ id, (id:gsub(":", "~2:", 1)) }, ids)
  end)
end)
