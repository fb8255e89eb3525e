--- Random signals, very many, to a manager, its workers and their jobs while they work: nothing is
-- lost, nothing runs twice, nobody hangs. Their order follows from SEED (printed); SIGNALS is how
-- many: SIGNALS=1000000 SEED=7 spec/run system fault/signals
local uv = require "luv"
local clock = require "spec.support.clock"
local conservation = require "spec.support.conservation"
local proc = require "spec.support.proc"
local running = require "spec.support.running"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

local SEED = tonumber(os.getenv "SEED") or os.time()
local SIGNALS = tonumber(os.getenv "SIGNALS") or (clock.sanitized and 5000 or 50000)
local FEED, LOOK, REFRESH = 200, 2000, 50 -- every so many signals

-- Of a thousand signals to a process, how many of each kind. What ends a worker or its job is rare,
-- so that some work is done in between.
local function deck(counts)
  local list = {}
  for name, count in pairs(counts) do
    for _ = 1, count do
      list[#list + 1] = name
    end
  end
  table.sort(list)
  return list
end
local HARMLESS = { sigchld = 200, sigwinch = 150, sigurg = 150, sigpipe = 100, sigcont = 300 }
local function with(more)
  for name, count in pairs(HARMLESS) do
    more[name] = more[name] or count
  end
  return deck(more)
end
local TO = {
  manager = with { sigusr2 = 15, sigusr1 = 4, sighup = 4, sigstop = 4 },
  worker = with { sigusr2 = 30, sigusr1 = 10, sighup = 10, sigstop = 10, sigterm = 2, sigint = 2,
    sigquit = 3, sigkill = 1 },
  job = deck { sigchld = 300, sigwinch = 300, sigurg = 300, sigcont = 80, sigstop = 10, sigterm = 3,
    sigkill = 3, sigsegv = 2, sigquit = 1, sigabrt = 1 },
}

describe("random signals", function()
  local w <const> = scene.fresh()
  local run, jobs, serial

  before_each(function()
    jobs, serial = {}, 0
    w:write_jobs("storm.lua", [[
      Storm = { perform = function(self)
        ledger.write("start", self.job.id)
        resque.sleep(self.args.seconds)
        ledger.write("end", self.job.id)
      end }]])
  end)

  local function feed()
    local payloads = {}
    for _ = 1, math.max(0, 30 - w:queued()) do
      serial = serial + 1
      local id = "job" .. serial
      jobs[id] = true
      payloads[#payloads + 1] = world.payload("Storm", { seconds = math.random() * 0.004 }, id)
    end
    if payloads[1] then
      w:push("default", table.unpack(payloads))
    end
  end

  -- Who there is now: {pid, kind}.
  local function processes()
    local list = { { run.pid, "manager" } }
    for _, worker in ipairs(proc.children(run.pid)) do
      if (running.words(worker) or ""):find "^%u" then
        list[#list + 1] = { worker, "worker" }
        for _, job in ipairs(proc.children(worker)) do
          list[#list + 1] = { job, "job" }
        end
      end
    end
    return list
  end

  local stopped = {}
  local function continue_all()
    for pid in pairs(stopped) do
      uv.kill(pid, "sigcont")
      stopped[pid] = nil
    end
  end

  local function storm()
    local sent, list = {}, {}
    for n = 1, SIGNALS do
      if n % FEED == 1 then
        feed()
      end
      if n % REFRESH == 1 then
        continue_all()
        uv.sleep(math.random(0, 3)) -- ms: some work is done between two bursts
        list = processes()
      end
      if n % LOOK == 0 then
        conservation.check(w, jobs)
        assert.is_true(run.process:running(), run:err():sub(-2000))
      end
      local target = list[math.random(#list)]
      local cards = TO[target[2]]
      local name = cards[math.random(#cards)]
      uv.kill(target[1], name)
      sent[name] = (sent[name] or 0) + 1
      stopped[target[1]] = name == "sigstop" or (name ~= "sigcont" and stopped[target[1]]) or nil
    end
    continue_all()
    return sent
  end

  local function drain()
    clock.wait_until(function()
      for _, process in ipairs(processes()) do
        uv.kill(process[1], "sigcont") -- paused or stopped, it goes on
      end
      clock.stays_false(function() end, 0.05)
      local sum = w:account()
      return sum.queued + sum.working == 0
    end, 60, function()
      return "all jobs are done; the log:\n" .. run:err():sub(-3000)
    end)
  end

  it("50,000 of them (SIGNALS=1000000): nothing lost, nothing twice, no deadlock", function()
    math.randomseed(SEED)
    print(("SEED=%d SIGNALS=%d"):format(SEED, SIGNALS))
    run = w:start_idle { COUNT = "3", INTERVAL = "0.02", VERBOSE = "0",
      APP_INCLUDE = w.dir .. "/storm.lua" }
    local sent = storm()
    drain()
    local seen, at = conservation.check(w, jobs)
    local starts, ends = conservation.ledger(w)
    local done = 0
    for id in pairs(jobs) do
      local failed = at[id] == "failed"
      assert.is_true((starts[id] or 0) <= 1, id .. " was started twice")
      assert.is_true(failed or (starts[id] == 1 and ends[id] == 1), id .. " is done, unrun")
      done = done + (failed and 0 or 1)
    end
    assert.is_true(done > 0)
    for _, record in ipairs((w:failed())) do
      assert.matches("DirtyExit$", record.exception)
    end
    assert.same({ 0, 0 }, { run:stop(20) })
    assert.same({}, w:on("SMEMBERS", "workers"))
    print(("%d jobs: %d done, %d killed; %d signals, of them %d USR1, %d TERM, %d KILL, %d STOP")
      :format(serial, done, #seen.failed, SIGNALS, sent.sigusr1 or 0, sent.sigterm or 0,
      sent.sigkill or 0, sent.sigstop or 0))
  end)
end)
