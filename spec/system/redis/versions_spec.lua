--- A fleet that is upgraded host by host: workers of an earlier build (spec/support/old_build.lua)
-- and of this one serve one Redis, stop each other's jobs, and account for each other's dead.
-- What becomes of such a fleet under load is in versions_kill_spec.
local uv = require "luv"
local clock = require "spec.support.clock"
local conservation = require "spec.support.conservation"
local doctor = require "spec.support.doctor"
local process = require "spec.support.process"
local proc = require "spec.support.proc"
local old_build = require "spec.support.old_build"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

local OLD, why_not = old_build.program()
local NEW = world.program

local JOBS = [[
  local function job(name, perform)
    local class = resque.job(name)
    class.perform = function(self)
      ledger.write("start", self.job.id, self.job.attempts)
      return perform(self)
    end
    return class
  end
  job("Note", function(self) return self.args.text end)
  job("Gate", function(self)
    ledger.wait_gate(self.args.gate)
    return "through " .. self.args.gate
  end)
  job("Twice", function(self) ledger.wait_gate(self.args.gate) end).on_crash = "requeue:1"
]]

-- A worker waits in it with the job in its record, which has not started.
local HOOK = [[
  resque.on("beforeFork", function(job)
    if job.class == "Unborn" then
      ledger.write("held", os.getenv "WHO")
      ledger.wait_gate "born"
    end
  end)
  job("Unborn", function() end)
]]

local w <const> = scene.fresh()
local jobs

-- An older manager cannot prove that a worker of ours has died: it goes by its heartbeat.
local PRUNE = tostring(math.ceil(2 * clock.slow))

-- Starts a manager where jobs wait already.
local function start_at_work(program, env)
  local all = { APP_INCLUDE = w.dir .. "/jobs.lua", RESQUE_HEARTBEAT = "0.2",
    RESQUE_PRUNE = program == OLD and PRUNE or nil }
  for name, value in pairs(env or {}) do
    all[name] = value
  end
  return w:start(all, { program = program })
end

-- Starts one, and waits until its worker does for jobs.
local function start(program, env)
  local run = start_at_work(program, env)
  local count = tonumber(env and env.COUNT) or 1
  clock.wait_until(function()
    run.process:must_not_fail()
    return #run:workers "Waiting" == count
  end, 20, function()
    return "the workers wait; the log:\n" .. run:err()
  end)
  return run
end

-- A command of that program: its exit code, what it wrote.
local function command(program, ...)
  local code, out, err = process.run({ program, ... }, { env = w:env(), clean = true, dir = w.dir })
  return code, out, err
end

local function succeed(program, ...)
  local code, out, err = command(program, ...)
  assert.equal(0, code, err .. out)
  return out
end

local function put(class, args, queue)
  local id = w:job(class, args, { track = true, queue = queue })
  jobs[id] = world.payload(class, args, id)
  return id
end

-- With which numbers of crashes before it a job was started.
local function starts(id)
  local list = {}
  for _, line in ipairs(w:ledger()) do
    local who, attempts = line:match "^start (%S+) (%d+)$"
    list[#list + 1] = who == id and tonumber(attempts) or nil
  end
  return list
end

local function wait_start(id, attempts)
  w:wait_ledger(("^start %s %d$"):format(id, attempts or 0), 20)
end

-- kill -9 of a manager and all below it, as when its machine dies.
local function kill_all(run)
  local pids = proc.descendants(run.pid)
  table.insert(pids, 1, run.pid)
  for _, pid in ipairs(pids) do
    uv.kill(pid, "sigkill")
  end
  run.process:wait(5)
  clock.wait_until(function()
    for _, pid in ipairs(pids) do
      if proc.alive(pid) then
        return false
      end
    end
    return true
  end, 5, "all of them are gone")
end

local function worker_id()
  local ids = w:on("SMEMBERS", "workers")
  assert.equal(1, #ids)
  return ids[1]
end

-- Nothing waits, nobody works; so many are done and failed.
local function settled(processed, failed)
  w:wait_processed(processed, 20)
  local sum = w:account()
  assert.same({ 0, 0, processed, failed, 0 },
    { sum.queued, sum.working, sum.processed, sum.failed, sum.overflow })
end

-- Whose program is which: { who, program, the other's name, the other's program }.
local PAIRS = { { "the new one", NEW, "the old one", OLD }, { "the old one", OLD, "the new one",
  NEW } }

local function each_way(name, test)
  for _, pair in ipairs(PAIRS) do
    it((name:gsub("OURS", pair[1]):gsub("THEIRS", pair[3])), function()
      test(pair[2], pair[4])
    end)
  end
end

describe("beside an older resque-lua", function()
  if not OLD then
    it("nothing is lost, stopped wrongly or run twice", function()
      pending(why_not)
    end)
    return
  end

  before_each(function()
    jobs = {}
    w:write_jobs("jobs.lua", JOBS)
  end)
  after_each(function()
    conservation.check(w, jobs, true)
  end)

  describe("a job", function()
    each_way("that THEIRS runs is stopped by an order of OURS", function(ours, theirs)
      start(theirs)
      local id = put("Gate", { gate = "never" })
      wait_start(id)
      succeed(ours, "job", id, "--kill")
      local failure = w:failed()[1]
      assert.same({ "Resque::Cancelled", id }, { failure.exception, failure.payload.id })
      assert.equal(3, w:status(id).status)
      local next_id = put("Note", {})
      wait_start(next_id)
      settled(2, 1)
    end)

    each_way("that a worker of THEIRS has is stopped by OURS, and no other", function(ours, theirs)
      start(theirs, { COUNT = "2" })
      start(ours, { QUEUE = "other" })
      local first, other = put("Gate", { gate = "never" }), put("Gate", { gate = "a" })
      local third = put("Gate", { gate = "a" }, "other")
      for _, id in ipairs { first, other, third } do
        wait_start(id)
      end
      for id, record in pairs(w:records()) do
        if record:find(first, 1, true) then
          succeed(ours, "workers", "kill", id)
        end
      end
      w:open_gate "a"
      settled(3, 1)
      assert.equal(first, w:failed()[1].payload.id)
    end)

    each_way("that waits, put in for THEIRS, is taken out by OURS", function(ours)
      local id = put("Note", {})
      succeed(ours, "job", id, "--kill")
      assert.equal(3, w:status(id).status)
      assert.equal(0, w:account().queued)
      jobs[id] = nil
    end)

    each_way("of THEIRS is shown by OURS: running, done, with its result", function(ours, theirs)
      start(theirs)
      local id = put("Gate", { gate = "a" })
      wait_start(id)
      assert.matches("running", succeed(ours, "job", id))
      assert.matches(worker_id():gsub("%p", "%%%0") .. "\t[^\n]*Gate", succeed(ours, "workers"))
      w:open_gate "a"
      settled(1, 0)
      assert.matches("complete", succeed(ours, "job", id))
      assert.matches("through a", succeed(ours, "job", id))
    end)

    each_way("put in by OURS wakes a worker of THEIRS", function(ours, theirs)
      start(theirs, { BLOCKING = "1", INTERVAL = "60" })
      local out = succeed(ours, "enqueue", "default", "Note", '{"text":"x"}', "--track")
      jobs[out:match "%x+"] = "{}" -- with a time of its own
      wait_start(out:match "%x+")
      settled(1, 0)
    end)
  end)

  describe("a worker", function()
    each_way("of THEIRS that died with its machine is accounted for by OURS when that starts there",
      function(ours, theirs)
        local run = start(theirs)
        local id = put("Gate", { gate = "never" })
        wait_start(id)
        kill_all(run)
        start(ours)
        settled(1, 1)
        local failure = w:failed()[1]
        assert.same({ "Resque::PruneDeadWorkerDirtyExit", id },
          { failure.exception, failure.payload.id })
        assert.equal(1, #w:on("SMEMBERS", "workers"))
      end)

    each_way("of THEIRS whose machine is another is accounted for by its heartbeat",
      function(ours, theirs)
        local run = start(theirs, { WORKER_HOST = "web1" })
        local id = put("Gate", { gate = "never" })
        wait_start(id)
        local dead = worker_id()
        w:on("HSET", "lua:proc:" .. dead, "boot", "of another machine")
        kill_all(run)
        start(ours, { WORKER_HOST = "web2", RESQUE_PRUNE = PRUNE })
        settled(1, 1)
        assert.equal("Resque::PruneDeadWorkerDirtyExit", w:failed()[1].exception)
        assert.equal(0, w:on("EXISTS", "lua:proc:" .. dead))
      end)

    each_way("of THEIRS that lives is left alone by OURS, which looks often", function(ours, theirs)
      start(theirs)
      local id = put("Gate", { gate = "a" })
      wait_start(id)
      local looked = w.server:command_counts().hgetall or 0
      start(ours, { QUEUE = "other" })
      clock.wait_until(function()
        return (w.server:command_counts().hgetall or 0) >= looked + 5
      end, 20, "the manager has looked")
      assert.equal(2, w:on("SCARD", "workers"))
      w:open_gate "a"
      settled(1, 0)
    end)

    each_way("of THEIRS that is told to leave puts back what OURS then runs", function(ours, theirs)
      w:write_jobs("jobs.lua", JOBS .. HOOK)
      local run = start(theirs, { WHO = "a" })
      local id = put("Unborn", {})
      w:wait_ledger "^held a$"
      run:signal "sigterm" -- heard when the hook is through
      w:open_gate "born"
      assert.same({ 0, 0 }, { run.process:wait(20) })
      assert.equal(1, w:queued())
      start_at_work(ours, { WHO = "b" })
      settled(1, 0)
      assert.same({ 0 }, starts(id))
    end)

    each_way("of THEIRS and one of OURS die before a job starts: both are counted, it runs once",
      function(ours, theirs)
        w:write_jobs("jobs.lua", JOBS .. HOOK)
        local id = put("Unborn", {})
        for times, program in ipairs { theirs, ours, theirs } do
          w:on("DEL", "pause-all-workers")
          local run = start_at_work(program, { WHO = tostring(times) })
          w:wait_ledger("^held " .. times .. "$")
          w:on("SET", "pause-all-workers", "true")
          uv.kill(run:worker(), "sigkill")
          clock.wait_until(function()
            return w:on("HGET", "lua:attempts:" .. id, "unstarted") == tostring(times)
          end, 20, "the death is counted")
          assert.same({ 1, 1 }, { w:queued(), w:status(id).status })
          run:stop()
        end
        w:on("DEL", "pause-all-workers")
        w:open_gate "born"
        start_at_work(ours, { WHO = "last" })
        settled(1, 0)
        assert.same({ 0 }, starts(id))
        assert.equal(0, w:on("EXISTS", "lua:attempts:" .. id))
      end)
  end)

  describe("ON_CRASH", function()
    each_way("of a dead worker of THEIRS is kept by OURS, and its crashes are counted on",
      function(ours, theirs)
        local id = put("Gate", { gate = "never" })
        for attempts, program in ipairs { theirs, ours, theirs } do
          local run = start_at_work(program, { ON_CRASH = "requeue:2" })
          wait_start(id, attempts - 1)
          kill_all(run)
        end
        start(ours, { ON_CRASH = "requeue:2" })
        settled(1, 1)
        assert.same({ 0, 1, 2 }, starts(id))
        assert.same({ "Resque::PoisonJob", 3 }, { w:failed()[1].exception, w:failed()[1].attempt })
        assert.equal(0, w:on("EXISTS", "lua:attempts:" .. id))
      end)

    each_way("of a job's table is kept by OURS where THEIRS died", function(ours, theirs)
      local run = start(theirs)
      local id = put("Twice", { gate = "a" })
      wait_start(id)
      kill_all(run)
      start_at_work(ours)
      wait_start(id, 1)
      w:open_gate "a"
      settled(1, 0)
    end)

    each_way("puts back in a deploy from THEIRS to OURS what runs then", function(ours, theirs)
      local run = start(theirs, { ON_CRASH = "requeue:1" })
      local id = put("Gate", { gate = "a" })
      wait_start(id)
      start(ours, { ON_CRASH = "requeue:1" })
      run:signal "sigterm"
      wait_start(id, 1)
      assert.same({ 0, 0 }, { run.process:wait(10) })
      w:open_gate "a"
      settled(1, 0)
      assert.same({ 0, 1 }, starts(id))
    end)
  end)

  describe("a Redis that comes back with older data", function()
    local function save_copy()
      w.server:call "SAVE"
      assert(uv.fs_copyfile(w.server.dir .. "/dump.rdb", w.server.dir .. "/copy.rdb"))
    end

    local function roll_back()
      w.server:kill()
      assert(uv.fs_copyfile(w.server.dir .. "/copy.rdb", w.server.dir .. "/dump.rdb"))
      w.server:launch()
      os.remove(w.server.dir .. "/dump.rdb") -- the next test's server starts empty
    end

    each_way("has the job of a worker of THEIRS that lives: done there, OURS leaves it",
      function(ours, theirs)
        local run = start(theirs)
        local other = start(ours, { QUEUE = "other" })
        local id = put("Gate", { gate = "a" })
        wait_start(id)
        save_copy()
        w:open_gate "a"
        w:wait_processed(1)
        run:wait_title "^Waiting" -- the worker has heard that it is
        roll_back()
        run.process:wait_for("is back after its end", 20)
        settled(1, 0)
        assert.same({ 0 }, starts(id))
        assert.is_nil(other:err():find("has died", 1, true))
      end)

    each_way("has the job of a worker of THEIRS that has left: failed, by OURS, and not run again",
      function(ours, theirs)
        local run = start(theirs)
        local id = put("Gate", { gate = "a" })
        wait_start(id)
        save_copy()
        w:open_gate "a"
        w:wait_processed(1)
        run:stop()
        roll_back()
        start(ours)
        settled(1, 1)
        assert.same({ 0 }, starts(id))
      end)
  end)

  describe("the doctor", function()
    it("names the older workers, which know less than every worker of this one", function()
      start(OLD)
      local older = worker_id()
      start(NEW, { QUEUE = "other" })
      local text = doctor.assert_found(w, "features", "warn", "^workers of different versions").text
      assert.is_truthy(text:find(older .. " (features 0), and this", 1, true))
    end)

    it("of the older one sees nothing wrong with ours", function()
      start(NEW)
      local out = select(2, command(OLD, "doctor"))
      assert.is_truthy(out:find("\nok\theartbeats\t", 1, true), out)
      for line in out:gmatch "[^\n]+" do
        assert.is_nil(line:match "^fail\t.*worker" or line:match "^warn\t.*worker")
      end
    end)
  end)
end)
