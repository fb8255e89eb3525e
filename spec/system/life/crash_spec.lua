--- ON_CRASH: what becomes of jobs whose process, worker or machine dies under them.
local uv = require "luv"
local clock = require "spec.support.clock"
local conservation = require "spec.support.conservation"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

describe("a crashed job", function()
  local w <const> = scene.fresh()

  -- Jobs that say how often they have crashed before, and then do something.
  local JOBS = [[
    local function job(name, perform)
      local class = resque.job(name)
      class.perform = function(self)
        ledger.write("start", self.job.id or "-", self.job.attempts)
        return perform(self)
      end
      return class
    end
    local function die() os.execute "kill -9 $PPID" resque.sleep(10) end
    job("Die", die)
    job("Other", function() end)
    job("DieOnce", function(self) if self.job.attempts == 0 then die() end return "done" end)
    job("Gate", function(self) ledger.wait_gate(self.job.attempts) end)
    job("Exit", function(self) os.exit(self.args.code) end)
    job("Raise", function() error "no" end)
    job("Segv", function() os.execute "kill -SEGV $PPID" resque.sleep(10) end)
  ]]

  local function start(on_crash, env, opts)
    local all = { ON_CRASH = on_crash, APP_INCLUDE = w:write_jobs("app.lua", JOBS) }
    for name, value in pairs(env or {}) do
      all[name] = value
    end
    return w:start(all, opts)
  end

  local function attempts_keys()
    return w.server:call("KEYS", w:key "lua:attempts:*")
  end

  local function starts(id)
    local list = {}
    for _, line in ipairs(w:ledger()) do
      local who, attempts = line:match "^start (%S+) (%d+)$"
      if who == (id or "-") then
        list[#list + 1] = tonumber(attempts)
      end
    end
    return list
  end

  local function accounted(jobs, failed)
    local sum = w:account()
    assert.same({ 0, 0, jobs, failed, 0 },
      { sum.queued, sum.working, sum.processed, sum.failed, sum.overflow })
    assert.equal(failed, w:stat "failed")
  end

  local function wait_log(run, pattern, seconds)
    return run.process:wait_for(pattern, seconds or 5)
  end

  -- kill -9 of a manager and all below it.
  local function kill_all(run)
    local pids = proc.descendants(run.pid)
    uv.kill(run.pid, "sigkill")
    for _, pid in ipairs(pids) do
      uv.kill(pid, "sigkill")
    end
    run.process:wait(5)
    clock.wait_until(function()
      return proc.none_alive(pids)
    end, 5, "all are gone")
  end

  it("has failed, at once and for good, if nothing is said", function()
    start(nil)
    local id = w:job("Die", {}, { track = true })
    w:wait_processed(1)
    assert.same({ 0 }, starts(id))
    assert.equal("Resque::DirtyExit", w:failed()[1].exception)
    assert.equal(1, w:failed()[1].attempt)
    accounted(1, 1)
  end)

  it("is put back so often as is said, then it has failed as poison", function()
    local run = start "requeue:3"
    local id = w:job("Die", {}, { track = true })
    w:wait_processed(1)
    assert.same({ 0, 1, 2, 3 }, starts(id))
    local failure = w:failed()[1]
    assert.same({ "Resque::PoisonJob", 4 }, { failure.exception, failure.attempt })
    assert.equal("Job crashed 4 times, of which ON_CRASH forgives 3. The last time: "
      .. "Job killed by signal 9 (SIGKILL)", failure.error)
    assert.equal(3, w:status(id).status)
    accounted(1, 1)
    assert.same({}, attempts_keys())
    for i = 1, 3 do
      wait_log(run, "put back %(Job{default} | " .. id
        .. " | Die%)[^\n]*SIGKILL%) %(crash " .. i .. "; 3 are forgiven%)")
    end
    wait_log(run, "failed %(Job[^\n]*Resque::PoisonJob")
  end)

  it("goes to the end of its queue, so that it holds up nobody", function()
    start "requeue:1"
    w:on("SADD", "queues", "default")
    w.server:call("EVAL", "for i = 1, 3 do redis.call('RPUSH', KEYS[1], ARGV[i]) end", 1,
      w:key "queue:default", world.payload("Die", {}, "bad"), world.payload("Other", {}, "a"),
      world.payload("Other", {}, "b"))
    w:wait_processed(3)
    assert.same({ "start bad 0", "start a 0", "start b 0", "start bad 1" }, w:ledger())
  end)

  it("is done when it goes well the second time, and counts once", function()
    start "requeue:3"
    local id = w:job("DieOnce", {}, { track = true })
    w:wait_processed(1)
    assert.same({ 4, "done" }, { w:status(id).status, w:status(id).result })
    assert.same({ 0, 1 }, starts(id))
    accounted(1, 0)
    assert.same({}, attempts_keys())
  end)

  it("without an id is counted by its bytes, of which there may be several", function()
    start "requeue:2"
    w:push("default", '{"class":"Die","args":[]}', '{"class":"Die","args":[]}')
    w:wait_processed(2)
    local list = starts()
    assert.is_true(#list >= 3 and #list <= 6, table.concat(list, " "))
    for _, failure in ipairs(w:failed()) do
      assert.equal("Resque::PoisonJob", failure.exception)
      assert.same({ class = "Die", args = {} }, failure.payload)
    end
    accounted(2, 2)
  end)

  -- How it ends, its class and arguments, and whether that is a crash.
  for _, row in ipairs {
    { "os.exit(3)", "Exit", { code = 3 }, true }, { "SIGSEGV", "Segv", {}, true },
    { "an error", "Raise", {}, false }, { "os.exit(0)", "Exit", { code = 0 }, false },
  } do
    it(("by %s is %s"):format(row[1], row[4] and "put back" or "not put back"), function()
      start "requeue:1"
      local id = w:job(row[2], row[3])
      w:wait_processed(1)
      assert.same(row[4] and { 0, 1 } or { 0 }, starts(id))
    end)
  end

  it("by USR1 is not put back: that was meant for it", function()
    local run = start "requeue:1"
    local id = w:job("Gate", {})
    w:wait_ledger "^start"
    run:signal "sigusr1"
    w:wait_processed(1)
    assert.same({ 0 }, starts(id))
    assert.matches("SIGUSR1", w:failed()[1].error)
  end)

  for _, how in ipairs {
    { "TERM", "sigterm", {} }, { "INT", "sigint", {} },
    { "TERM with TERM_CHILD", "sigterm", { TERM_CHILD = "1" } },
    { "a second TERM with GRACEFUL_TERM", "sigterm", { GRACEFUL_TERM = "1" }, true },
    { "TERM after RESQUE_TERM_TIMEOUT", "sigterm",
      { GRACEFUL_TERM = "1", RESQUE_TERM_TIMEOUT = "0.2" } },
  } do
    it(("by %s of a deploy waits for the next worker"):format(how[1]), function()
      local run = start("requeue:1", how[3])
      local id = w:job("Gate", {}, { track = true })
      w:wait_ledger "^start"
      run:signal(how[2])
      clock.wait_until(function()
        if how[4] then
          run:signal(how[2])
        end
        return not run.process:running()
      end, 10, "it leaves")
      assert.equal(0, (run.process:wait(5)))
      assert.equal(1, w:status(id).status)
      assert.equal(1, w:queued())
      assert.equal(0, w:stat "processed")
      w:open_gate "1"
      start "requeue:1"
      w:wait_processed(1)
      assert.same({ 0, 1 }, starts(id))
      accounted(1, 0)
    end)
  end

  it("with its worker is put back by the manager, at once", function()
    local run = start "requeue:1"
    local id = w:job("Gate", {}, { track = true })
    w:wait_ledger "^start"
    uv.kill(run:worker(), "sigkill")
    w:wait_ledger(("^start %s 1"):format(id))
    w:open_gate "1"
    w:wait_processed(1)
    accounted(1, 0)
    wait_log(run, "has died %(reaped%); its job is put back at the end of its queue: Gate")
    assert.same({}, attempts_keys())
  end)

  it("with its worker too often is poison", function()
    local run = start "requeue:1"
    local id = w:job("Gate", {}, { track = true })
    for attempt = 0, 1 do
      w:wait_ledger(("^start %s %d"):format(id, attempt))
      uv.kill(run:worker(), "sigkill")
    end
    w:wait_processed(1)
    local failure = w:failed()[1]
    assert.same({ "Resque::PoisonJob", 2 }, { failure.exception, failure.attempt })
    assert.matches("^Job crashed 2 times, .* Worker .* did not gracefully exit", failure.error)
    assert.equal(3, w:status(id).status)
    accounted(1, 1)
  end)

  it("with everything on its machine is put back by the next start there", function()
    local run = start "requeue:1"
    local id = w:job("Gate", {}, { track = true })
    w:wait_ledger "^start"
    kill_all(run)
    assert.equal(1, w:account().working)
    start(nil) -- the policy is that of the worker that died
    w:wait_ledger(("^start %s 1"):format(id))
    w:open_gate "1"
    w:wait_processed(1)
    assert.same({ 0, 1 }, starts(id))
    accounted(1, 0)
  end)

  it("whose worker dies each time before it has begun is poison after the fifth", function()
    local run = start(nil, { APP_INCLUDE = w:write_jobs("hook.lua", JOBS .. [[
      resque.on("beforeFork", function(job)
        if job.class == "Die" then os.execute "kill -9 $PPID" end
      end)
    ]]) })
    local id = w:job("Die", {}, { track = true })
    w:job("Other", {})
    w:wait_processed(2, 20)
    assert.same({}, starts(id))
    local failure = w:failed()[1]
    assert.equal("Resque::PoisonJob", failure.exception)
    assert.matches("^Its worker died 5 times before the job started", failure.error)
    assert.equal(3, w:status(id).status)
    assert.equal(4, select(2, run.process:err():gsub("had not started and is put back", "")))
    accounted(2, 1)
    assert.same({}, attempts_keys())
  end)

  it("is in one place at any moment", function()
    start("requeue:5", { COUNT = "2" })
    local jobs = {}
    for i = 1, 30 do
      jobs["j" .. i] = true
      w:job(i % 3 == 0 and "Die" or "DieOnce", {}, { id = "j" .. i, track = true })
    end
    clock.wait_until(function()
      conservation.check(w, jobs, true)
      return w:stat "processed" == 30
    end, 20, "all are done")
    accounted(30, 10)
    for i = 1, 30 do
      assert.equal(i % 3 == 0 and 6 or 2, #starts("j" .. i))
    end
    assert.same({}, attempts_keys())
  end)

  it("tells onFailure only of the last, as poison", function()
    local text = JOBS .. [[
      resque.on("onFailure", function(err, job) ledger.write("told", err.name, job.attempts) end)
    ]]
    start("requeue:2", { APP_INCLUDE = w:write_jobs("told.lua", text) })
    local id = w:job("Die", {})
    w:wait_processed(1)
    w:wait_ledger "^told"
    assert.same({ 0, 1, 2 }, starts(id))
    assert.equal("told Resque::PoisonJob 2", w:ledger()[4])
    assert.equal(4, #w:ledger())
  end)

  describe("whose table says something else than its worker", function()
    -- Worker, table, and how often it runs.
    local rows = {
      { nil, "requeue:2", { 0, 1, 2 } }, { "requeue:5", "requeue:1", { 0, 1 } },
      { "requeue:2", "fail", { 0 } }, { "requeue:1", "requeue:1", { 0, 1 } },
    }
    for _, row in ipairs(rows) do
      it(("%s, not %s: it is obeyed"):format(row[2], row[1]), function()
        start(row[1], { APP_INCLUDE = w:write_jobs("own.lua",
          ("%s\nresque.job('Die').on_crash = %q"):format(JOBS, row[2])) })
        local id = w:job("Die", {}, { track = true })
        local other = w:job("Other", {})
        w:wait_processed(2)
        assert.same(row[3], starts(id))
        assert.same({ 0 }, starts(other))
        assert.equal(#row[3], w:failed()[1].attempt)
        assert.equal(3, w:status(id).status)
        accounted(2, 1)
      end)

      it(("%s, not %s: so it is when the worker dies, or the machine"):format(row[2], row[1]),
        function()
          local env = { APP_INCLUDE = w:write_jobs("own.lua",
            ("%s\nresque.job('Gate').on_crash = %q"):format(JOBS, row[2])) }
          local run = start(row[1], env)
          local id = w:job("Gate", {})
          for attempt = 0, #row[3] - 1 do
            w:wait_ledger(("^start %s %d"):format(id, attempt))
            if attempt % 2 == 0 then
              kill_all(run)
              run = start(row[1], env)
            else
              uv.kill(run:worker(), "sigkill")
            end
          end
          w:wait_processed(1)
          assert.same(row[3], starts(id))
          assert.equal(#row[3], w:failed()[1].attempt)
          accounted(1, 1)
        end)
    end

    it("is not begun if that cannot be told to Redis", function()
      start(nil, { APP_INCLUDE = w:write_jobs("own.lua", JOBS .. [[
        resque.job("Other").on_crash = "requeue:2"
        resque.on("afterFork", function(job)
          resque.redis("SET", resque.key("worker:" .. job.worker), "taken away")
        end)
      ]]) })
      local id = w:job("Other", {})
      clock.wait_until(function()
        return w:on("EXISTS", "worker:" .. (next(w:records()) or "")) == 1
          and next(w:records()) and select(2, next(w:records())) == "taken away"
      end, 5, "the record is somebody else's")
      clock.stays_false(function()
        return #starts(id) > 0
      end, 0.3)
    end)

    it("waits, not begun, while Redis is read-only or away, and then runs", function()
      start(nil, { APP_INCLUDE = w:write_jobs("own.lua", JOBS .. [[
        resque.job("DieOnce").on_crash = "requeue:2"
        resque.on("afterFork", function() ledger.write "forked" ledger.wait_gate "go" end)
      ]]) })
      local id = w:job("DieOnce", {})
      w:wait_ledger "^forked"
      w.server:call("REPLICAOF", "127.0.0.1", "1")
      w.server:call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
      w:open_gate "go"
      w.runs[1].process:wait_for "on_crash cannot be told to Redis yet: READONLY"
      assert.same({}, starts(id))
      w.server:call("REPLICAOF", "NO", "ONE")
      w:wait_processed(1)
      assert.same({ 0, 1 }, starts(id))
      accounted(1, 0)
    end)

    it("says why it failed then, in words", function()
      start(nil, { APP_INCLUDE = w:write_jobs("own.lua", JOBS .. [[
        resque.job("Other").on_crash = "requeue:2"
        resque.on("afterFork", function() resque.redis "MULTI" end)
      ]]) })
      local id = w:job("Other", {})
      w:wait_processed(1)
      assert.same({}, starts(id))
      local failure = w:failed()[1]
      assert.equal("Resque::CrashPolicyError", failure.exception)
      assert.matches("^on_crash of job class Other cannot be kept: .*MULTI", failure.error)
    end)

    it("is told to the worker's Redis, whatever set_backend says", function()
      start(nil, { APP_INCLUDE = w:write_jobs("own.lua", JOBS .. [[
        resque.set_backend "localhost:1"
        resque.job("DieOnce").on_crash = "requeue:2"
      ]]) })
      w:job("DieOnce", {})
      w:wait_processed(1)
      accounted(1, 0)
    end)

    it("opens a connection only then", function()
      start("requeue:2", { APP_INCLUDE = w:write_jobs("own.lua", JOBS .. [[
        resque.job("Other").on_crash = "requeue:2"
      ]]) })
      w:job("Other", {})
      w:job("Other", {})
      w:wait_processed(1)
      local function connections()
        return w.server:call("INFO", "stats"):match "total_connections_received:(%d+)"
      end
      local before = connections()
      w:job("Other", {})
      w:wait_processed(3)
      assert.equal(before, connections())
    end)

    for _, wrong in ipairs { '"requeue"', '"requeue:0"', '"requeue:1001"', "3", "{}" } do
      it("fails where it says " .. wrong, function()
        start(nil, { APP_INCLUDE = w:write_jobs("own.lua",
          ("%s\nresque.job('Other').on_crash = %s"):format(JOBS, wrong)) })
        local id = w:job("Other", {})
        w:wait_processed(1)
        assert.same({}, starts(id))
        assert.equal("Resque::BadJobTable", w:failed()[1].exception)
        assert.matches("^on_crash of job class Other is .*'fail' or 'requeue:N'",
          w:failed()[1].error)
      end)
    end
  end)

  it("keeps what it wrote last for the record", function()
    start("requeue:1", { APP_INCLUDE = w:write_jobs("says.lua", [[
      resque.job("Says").perform = function(self)
        print("attempt " .. self.job.attempts) os.exit(1)
      end
    ]]) })
    w:job("Says", {})
    w:wait_processed(1)
    assert.equal("attempt 1\n", w:failed()[1].output)
  end)
end)
