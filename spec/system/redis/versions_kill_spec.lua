--- Two versions on one Redis under load and kills: the managers of an earlier build
-- (spec/support/old_build.lua) and of this one serve the same queues; jobs, workers and whole
-- managers are killed, jobs are stopped, and a manager that died comes back as the other version.
-- No job is lost, none runs twice that had not crashed. KILLS=1000 goes on until so many.
local uv = require "luv"
local checker = require "spec.support.checker"
local clock = require "spec.support.clock"
local conservation = require "spec.support.conservation"
local ledger_lines = require "spec.support.ledger_lines"
local old_build = require "spec.support.old_build"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

local SEED = tonumber(os.getenv "SEED") or os.time()
local KILLS = tonumber(os.getenv "KILLS") or clock.sanitized and 60 or 200
local FORGIVEN = 3 -- crashes
local QUEUES = { "high", "low" }
local FEED_BELOW, FEED = 8, 12 -- jobs

local OLD, why_not = old_build.program()

local JOBS = [[
  local Work = resque.job "Work"
  function Work:perform()
    local stat = io.open "/proc/self/stat"
    ledger.write("start", self.job.id, tostring(stat:read "n"), tostring(self.job.attempts))
    stat:close()
    resque.sleep(self.args.seconds)
    ledger.write("end", self.job.id)
  end
]]

local w <const> = scene.fresh()
local jobs, serial, runs, asked = {}, 0, {}, {}

local function feed()
  if w:queued "high" + w:queued "low" >= FEED_BELOW then
    return
  end
  for _ = 1, FEED do
    serial = serial + 1
    local id = ("job%d"):format(serial)
    local args = ('[{"seconds":%.4f,"text":"é\\u0000\\/"}]'):format(math.random() * 0.01)
    jobs[id] = world.payload("Work", args, id)
    w:job("Work", nil, { queue = QUEUES[math.random(2)], id = id, args = args, track = true })
  end
end

local function check()
  return conservation.check(w, jobs, true)
end

-- `place` of the two: a manager, in whichever version.
local function start(place, program)
  runs[place] = w:start({
    QUEUE = "high,low", COUNT = "2", INTERVAL = "0.02", VERBOSE = "0", RESQUE_HEARTBEAT = "0.2",
    RESQUE_PRUNE = tostring(math.ceil(3 * clock.slow)), ON_CRASH = "requeue:" .. FORGIVEN,
    BLOCKING = tostring(math.random(0, 1)), APP_INCLUDE = w.dir .. "/jobs.lua",
  }, { program = program })
end

local function kill(pid)
  return pid and uv.kill(pid, "sigkill")
end

-- A process that some worker of this manager runs a job in.
local function kill_job(run)
  return kill(run:jobs()[1])
end

-- One that has registered: before that it may be the check of APP_INCLUDE.
local function kill_worker(run)
  local workers = run:workers(math.random(2) == 1 and "Waiting" or "Forked")
  return workers[1] and kill(workers[math.random(#workers)])
end

-- Its host goes down, and is upgraded, or gets its old program back, before it comes up.
local function kill_manager(run, place)
  local below = proc.descendants(run.pid)
  kill(run.pid)
  for _, pid in ipairs(below) do
    kill(pid)
  end
  run.process:wait(5)
  start(place, math.random(2) == 1 and OLD or world.program)
  return true
end

-- As `workers kill` sends it. No kill of ours: nothing crashes by it.
local function stop_job()
  local worker, record = next(w:records())
  if worker then
    asked[record:match '"id":"([^"]+)"'] = true
    w.server:call("PUBLISH", w:key "lua:control",
      ("kill %s %s"):format(record:match '"token":"([^"]+)"', worker))
  end
end

local KINDS = { kill_job, kill_job, kill_worker, kill_worker, kill_manager }

local function round()
  local place = math.random(2)
  feed()
  if math.random(4) == 1 then
    stop_job()
  end
  local killed = KINDS[math.random(#KINDS)](runs[place], place)
  uv.sleep(math.random(0, 20)) -- at a moment of no meaning
  check()
  return killed and 1 or 0
end

-- Every worker that is registered lives: the dead are accounted for, which takes an older manager
-- as long as a heartbeat counts.
local function all_live(workers)
  for id in pairs(workers) do
    if not proc.alive(checker.pid_of(id)) then
      return false
    end
  end
  return true
end

-- No more jobs, no more kills: all are over, and everybody leaves.
local function drain()
  clock.wait_until(function()
    local seen = check()
    return #seen.queue == 0 and #seen.record == 0 and all_live(seen.workers)
  end, 60, function()
    return "all jobs are over; the logs:\n" .. runs[1]:err():sub(-2000) .. runs[2]:err():sub(-2000)
  end)
  for _, run in ipairs(runs) do
    local code, signal = run:stop(20)
    assert.message(run:err()).same({ 0, 0 }, { code, signal })
  end
end

-- What has failed was stopped, or crashed once too often; what ran again had crashed.
local function judge()
  local counts = ledger_lines.count(w:ledger())
  local ended = {}
  for _, failure in ipairs((w:failed())) do
    local id = failure.payload.id
    ended[failure.exception] = (ended[failure.exception] or 0) + 1
    assert.is_true(failure.exception == "Resque::PoisonJob"
      or failure.exception == "Resque::Cancelled" and asked[id], id .. " " .. failure.exception)
  end
  for id in pairs(jobs) do
    assert.is_nil(counts["repeat"][id], id .. " ran twice with the same number of crashes")
    assert.is_true((counts.start[id] or 0) <= 1 + FORGIVEN, id)
  end
  return ended
end

describe("two versions under load and kills", function()
  if not OLD then
    it("lose no job, and run none twice that had not crashed", function()
      pending(why_not)
    end)
    return
  end

  it("lose no job, and run none twice that had not crashed", function()
    print(("\nSEED=%d spec/run system versions_kill   # the same kills again"):format(SEED))
    math.randomseed(SEED)
    w:write_jobs("jobs.lua", JOBS)
    start(1, OLD)
    start(2, world.program)
    local killed = 0
    while killed < KILLS do
      killed = killed + round()
    end
    drain()
    local ended = judge()
    local left = checker.new {}
    left:gone(conservation.snapshot(w))
    assert.same({}, left.problems)
    print(("%d jobs, %d kills; %d were stopped, %d crashed too often"):format(serial, killed,
      ended["Resque::Cancelled"] or 0, ended["Resque::PoisonJob"] or 0))
  end)
end)
