--- Signal × state of the worker. The state is read from the title before the signal is sent;
-- each row says what must come of it within 100 ms, and what is in Redis then.
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local running = require "spec.support.running"
local scene = require "spec.support.scene"

-- "Within 100 ms" on a machine that does other things too.
local PROMPT = 0.3

describe("signals", function()
  local w <const> = scene.fresh()
  local run, job -- job: the pid that ran a job when the signal was sent
  local log_from -- where the log goes on from there

  -- A job that waits in one of its methods.
  local function in_stage(method)
    return function()
      run = w:start_idle { VVERBOSE = "1" }
      w:job("Stages", { gate = method })
      w:wait_ledger("^" .. method)
      run:wait_title "^Forked"
    end
  end

  -- How to bring the worker into a state; each ends with a title that proves it.
  local states = {
    idle = function()
      run = w:start_idle { INTERVAL = "60" }
    end,
    ["idle in BLOCKING"] = function()
      run = w:start_idle { INTERVAL = "60", BLOCKING = "1" }
    end,
    perform = function()
      run = w:start_idle { INTERVAL = "60", VVERBOSE = "1" }
      w:job("Gate", { gate = "a" })
      w:job("Note", { n = "next" })
      run:signal "sigusr2" -- looks at its queues again after CONT
      run:wait_title "^Paused"
      run:signal "sigcont"
      w:wait_ledger "start a"
      run:wait_title "^Forked"
      assert.matches("^Processing default since .* %[Gate%]$", running.words(run:wait_job()))
    end,
    setUp = in_stage "setUp",
    tearDown = in_stage "tearDown",
    ["a job that never looks up"] = function()
      run = w:start_idle()
      w:job("Spin", {})
      w:wait_ledger "start spin"
      run:wait_title "^Forked"
    end,
    paused = function()
      run = w:start_idle { INTERVAL = "60" }
      run:signal "sigusr2"
      run:wait_title "^Paused"
      w:job("Note", { n = "while paused" })
    end,
    ["Redis does not answer"] = function()
      run = w:start_idle()
      uv.kill(w.server.process.pid, "sigstop")
      clock.wait_until(function()
        return proc.stat(w.server.process.pid).state == "T"
      end)
    end,
    ["Redis is gone"] = function()
      run = w:start_idle()
      w.server:kill()
      run.process:wait_for "[Rr]edis"
    end,
  }

  local function redis_back()
    uv.kill(w.server.process.pid, "sigcont")
    if not w.server.process:running() then
      w.server:launch()
    end
  end

  -- The process ends with code 0 in time; nothing of it is left.
  local function leaves(limit)
    local began = clock.now()
    local below = proc.descendants(run.pid)
    local code, signal = run.process:wait(10)
    assert.same({ 0, 0 }, { code, signal })
    assert.is_true(run.process.ended_at - began < clock.limit(limit or PROMPT),
      ("it took %.3f s"):format(run.process.ended_at - began))
    for _, pid in ipairs(below) do
      assert.is_false(proc.alive(pid), "a process was left: " .. tostring(proc.title(pid)))
    end
  end

  -- The last call and the last words of worker and manager are waited for a second each.
  local function leaves_soon()
    leaves(3.5)
  end

  local function leaves_clean()
    leaves()
    assert.same({}, w:on("SMEMBERS", "workers"))
    assert.same({}, w.server:call("KEYS", "*worker:*"))
    assert.equal(0, w:on("HLEN", "workers:heartbeat"))
  end

  local function killed_job(class)
    local records = w:failed()
    assert.equal(1, #records)
    assert.equal(class, records[1].payload.class)
    assert.equal("Resque::DirtyExit", records[1].exception)
    assert.matches("^Job killed by signal 9 %(SIGKILL%), by its worker for SIG", records[1].error)
    assert.equal(1, w:stat "failed")
  end

  local function leaves_and_kills(class, queued)
    return function()
      leaves_clean()
      killed_job(class)
      assert.equal(1, w:stat "processed")
      assert.equal(queued, w:queued())
    end
  end

  -- Nothing visible changes, and the worker works on.
  local function stays(title)
    return function()
      local worker = run:worker()
      assert.is_true(clock.stays_false(function()
        return not run.process:running() or run:worker() ~= worker
          or not running.words(worker):match(title)
      end, 0.1))
      assert.same({}, (w:failed()))
    end
  end

  -- Waits until the worker has what its manager was told. The manager is told once more: when it
  -- says that it passes this on, it has passed on the first.
  local function wait_passed_on(name)
    local line = ("passing %s on to 1 workers"):format(name:upper())
    local function times()
      return select(2, run:err():sub(log_from):gsub(line, ""))
    end
    for n = 1, 2 do
      clock.wait_until(function()
        return times() == n
      end, nil, name .. " is passed on")
      if n == 1 then
        run:signal(name)
      end
    end
  end

  local function finishes_job_and_leaves(gate)
    return function()
      wait_passed_on "sigquit"
      assert.is_true(clock.stays_false(function()
        return not proc.alive(job)
      end, 0.1))
      w:open_gate(gate)
      leaves_clean()
      assert.same({}, (w:failed()))
      assert.equal(1, w:stat "processed")
    end
  end

  local function kills_job_and_goes_on(class)
    return function()
      local began = clock.now()
      clock.wait_until(function()
        return w:stat "failed" == 1
      end, 5)
      assert.is_true(clock.now() - began < clock.limit(PROMPT))
      assert.is_false(proc.alive(job))
      killed_job(class)
      w:job("Note", { n = "after" })
      run:signal "sigcont" -- an idle worker with a long INTERVAL looks again
      w:wait_ledger "Note"
      assert.is_true(run.process:running())
    end
  end

  local function pauses_after_job()
    wait_passed_on "sigusr2"
    w:open_gate "a"
    run:wait_title "^Paused"
    assert.equal(1, w:stat "processed")
    assert.equal(1, w:queued())
    run:signal "sigcont"
    w:wait_ledger "Note next"
  end

  -- State, signals, what comes of each of them.
  local rows = {
    { "idle", "TERM INT QUIT", leaves_clean },
    { "idle", "USR1 CONT HUP", stays "^Waiting" },
    { "idle", "USR2", function()
      run:wait_title("^Paused", PROMPT)
    end },
    { "idle in BLOCKING", "TERM QUIT", leaves_clean },
    { "idle in BLOCKING", "USR2", function()
      run:wait_title("^Paused", PROMPT)
      w:job("Note", { n = "paused" })
      assert.is_true(clock.stays_false(function()
        return w:queued() == 0
      end, 0.2))
      run:signal "sigcont"
      w:wait_ledger("Note paused", PROMPT)
    end },
    { "perform", "TERM INT", leaves_and_kills("Gate", 1) },
    { "perform", "QUIT", finishes_job_and_leaves "a" },
    { "perform", "USR1", kills_job_and_goes_on "Gate" },
    { "perform", "USR2", pauses_after_job },
    { "perform", "CONT HUP", stays "^Forked" },
    { "setUp", "TERM", leaves_and_kills("Stages", 0) },
    { "setUp", "QUIT", finishes_job_and_leaves "setUp" },
    { "setUp", "USR1", kills_job_and_goes_on "Stages" },
    { "tearDown", "TERM", leaves_and_kills("Stages", 0) },
    { "tearDown", "QUIT", finishes_job_and_leaves "tearDown" },
    { "a job that never looks up", "TERM", leaves_and_kills("Spin", 0) },
    { "a job that never looks up", "USR1", kills_job_and_goes_on "Spin" },
    { "paused", "TERM INT QUIT", leaves_clean },
    { "paused", "USR1 USR2 HUP", stays "^Paused" },
    { "paused", "CONT", function()
      w:wait_ledger("Note while paused", PROMPT)
    end },
    { "Redis does not answer", "TERM INT QUIT", leaves_soon },
    { "Redis is gone", "TERM INT QUIT", leaves },
    { "Redis is gone", "USR1", function()
      redis_back()
      w:job("Note", { n = "back" })
      w:wait_ledger "Note back"
    end },
  }
  local function is_so(state, name, comes_of_it)
    it(("SIG%s while %s"):format(name, state), function()
      finally(redis_back)
      states[state]()
      job, log_from = run:jobs()[1], #run:err() + 1
      run:signal("sig" .. name:lower())
      comes_of_it()
    end)
  end
  for _, row in ipairs(rows) do
    for name in row[2]:gmatch "%u%w+" do
      is_so(row[1], name, row[3])
    end
  end

  it("a second TERM during a graceful stop means now", function()
    states.perform()
    run:signal "sigquit"
    assert.is_true(clock.stays_false(function()
      return not run.process:running()
    end, 0.1))
    run:signal "sigterm"
    leaves_and_kills("Gate", 1)()
  end)

  it("TERM to a worker alone ends its job, and the manager starts another worker", function()
    states.perform()
    local worker = run:worker()
    uv.kill(worker, "sigterm")
    clock.wait_until(function()
      local now = run:worker()
      return now and now ~= worker
    end, 5, "another worker")
    killed_job "Gate"
    w:wait_ledger "Note next"
  end)
end)

describe("a worker with COUNT=3", function()
  local w <const> = scene.fresh()
  local run

  before_each(function()
    run = w:start_idle { COUNT = "3" }
    for _, gate in ipairs { "a", "b", "c" } do
      w:job("Gate", { gate = gate })
      w:wait_ledger("start " .. gate)
    end
  end)

  it("passes TERM on: all jobs killed and recorded, exit 0", function()
    assert.equal(3, #run:jobs())
    run:signal "sigterm"
    assert.same({ 0, 0 }, { run.process:wait(5) })
    assert.equal(3, #w:failed())
    assert.same({}, w:on("SMEMBERS", "workers"))
  end)

  it("passes QUIT on: waits for every job, exit 0", function()
    run:signal "sigquit"
    w:open_gate "a"
    w:open_gate "b"
    w:wait_processed(2)
    assert.is_true(run.process:running())
    w:open_gate "c"
    assert.same({ 0, 0 }, { run.process:wait(5) })
    assert.same({}, (w:failed()))
    assert.equal(3, w:stat "processed")
  end)

  it("passes USR2 and CONT on", function()
    run:signal "sigusr2"
    for _, gate in ipairs { "a", "b", "c" } do
      w:open_gate(gate)
    end
    clock.wait_until(function()
      return #run:workers "Paused" == 3
    end, 5, "three workers are paused")
    w:job("Note", { n = 1 })
    run:signal "sigcont"
    w:wait_ledger "Note 1"
  end)
end)
