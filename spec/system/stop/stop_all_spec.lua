--- A stop that reaches every process of a service, or one of them twice: whether the job ends is
-- its worker's decision alone.
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local NUMBERS = { sighup = 1, sigint = 2, sigquit = 3, sigusr1 = 10, sigusr2 = 12, sigterm = 15 }
local EVENTS_BOARD = 34 -- SIGRTMIN of glibc
local ORDERS = {
  { "manager", "worker", "job" }, { "manager", "job", "worker" }, { "worker", "manager", "job" },
  { "worker", "job", "manager" }, { "job", "manager", "worker" }, { "job", "worker", "manager" },
}

describe("a stop that reaches every process", function()
  local w <const> = scene.fresh()
  local run, pids

  -- Waits until the process has nothing of it to hear any more.
  local function heard(pid, signal)
    local bit = 1 << (NUMBERS[signal] - 1)
    clock.wait_until(function()
      local waiting = proc.status(pid, "ShdPnd")
      return not waiting or tonumber(waiting, 16) & bit == 0
    end, 10, signal .. " is heard")
  end

  local function send(who, signal)
    uv.kill(pids[who], signal)
    heard(pids[who], signal)
  end

  local function begin(env, class, args)
    run = w:start_idle(env)
    w:job(class or "Gate", args or { gate = "a" })
    w:wait_ledger "^start"
    run:wait_title "^Forked"
    pids = { manager = run.pid, worker = run:worker(), job = run:wait_job() }
  end

  local function is_done()
    w:wait_processed(1)
    assert.same({}, (w:failed()))
    assert.matches("^end", w:ledger()[2])
  end

  local function leaves_when_the_job_is_done()
    assert.is_true(proc.alive(pids.job))
    w:open_gate "a"
    assert.same({ 0, 0 }, { run.process:wait(10) })
    is_done()
    assert.same({}, w:on("SMEMBERS", "workers"))
  end

  local function goes_on_when_the_job_is_done()
    assert.is_true(proc.alive(pids.job))
    w:open_gate "a"
    is_done()
    run:signal "sigcont"
    w:job("Note", { n = "next" })
    w:wait_ledger "Note next"
    assert.equal(pids.worker, run:worker())
  end

  local rows = {
    { "sigterm", { GRACEFUL_TERM = "1" }, leaves_when_the_job_is_done },
    { "sigint", { GRACEFUL_TERM = "1" }, leaves_when_the_job_is_done },
    { "sigquit", {}, leaves_when_the_job_is_done },
    { "sigusr2", {}, goes_on_when_the_job_is_done },
    { "sighup", {}, goes_on_when_the_job_is_done },
  }
  for _, row in ipairs(rows) do
    it(row[1]:upper():sub(4) .. ", in every order, leaves the job alone", function()
      begin(row[2])
      for _, order in ipairs(row[3] == goes_on_when_the_job_is_done and ORDERS or { ORDERS[1] }) do
        for _, who in ipairs(order) do
          send(who, row[1])
        end
      end
      row[3]()
    end)
  end
  for i = 2, #ORDERS do
    it(("TERM with GRACEFUL_TERM: %s"):format(table.concat(ORDERS[i], ", ")), function()
      begin { GRACEFUL_TERM = "1" }
      for _, who in ipairs(ORDERS[i]) do
        send(who, "sigterm")
      end
      leaves_when_the_job_is_done()
    end)
  end

  it("TERM, the manager's after a second: what it passes on is no second one", function()
    begin { GRACEFUL_TERM = "1" }
    send("worker", "sigterm")
    local since = clock.now()
    clock.wait_until(function()
      return clock.now() - since > 1.5
    end)
    for _ = 1, 3 do
      send("manager", "sigterm")
    end
    heard(pids.worker, "sigterm")
    leaves_when_the_job_is_done()
  end)

  -- Sends TERM again and again until the job is ended: not before a second has gone by.
  local function insist(who)
    begin { GRACEFUL_TERM = "1" }
    local since = clock.now()
    send(who, "sigterm")
    clock.wait_until(function()
      uv.kill(pids[who], "sigterm")
      return not proc.alive(pids.job)
    end, 20, "the job is ended")
    assert.is_true(clock.now() - since >= 1)
    clock.wait_until(function()
      return w:stat "failed" == 1
    end, 10, "it is recorded")
    assert.matches("SIGKILL.*by its worker for SIGTERM", w:failed()[1].error)
  end
  for _, who in ipairs { "manager", "worker" } do
    it(("TERM to the %s again, a second later, means now"):format(who), function()
      insist(who)
    end)
  end

  it("INT to the manager a second after QUIT means now", function()
    begin { GRACEFUL_TERM = "1" }
    send("manager", "sigquit")
    clock.wait_until(function()
      uv.kill(pids.manager, "sigint")
      return not run.process:running()
    end, 20, "it leaves")
    assert.matches("SIGKILL.*by its worker for SIGINT", w:failed()[1].error)
  end)

  it("TERM while APP_INCLUDE is loaded lets the job begin and end", function()
    local file = w:write_jobs("slow.lua", [[
      if os.getenv "GATES" and io.open(os.getenv "GATES" .. "/slow") then
        ledger.write "start loading"
        ledger.wait_gate "a"
      end
      resque.job "Gate".perform = function() ledger.write "end" end]])
    run = w:start_idle { GRACEFUL_TERM = "1", APP_INCLUDE = file }
    w:write("slow", "")
    w:job "Gate"
    w:wait_ledger "^start"
    pids = { manager = run.pid, worker = run:worker(), job = run:wait_job() }
    for _, who in ipairs(ORDERS[6]) do
      send(who, "sigterm")
    end
    leaves_when_the_job_is_done()
  end)

  it("reaches the process that tries APP_INCLUDE out, and the check is not disturbed", function()
    local file = w:write_jobs("told.lua", [[
      os.execute "kill -HUP $PPID; kill -TERM $PPID"
      resque.job "Noop".perform = function() end]])
    w:start_idle { APP_INCLUDE = file }
    w:job "Noop"
    w:wait_processed(1)
    assert.same({}, (w:failed()))
  end)

  describe("with TERM_CHILD", function()
    it("raises TermException no sooner than RESQUE_PRE_SHUTDOWN_TIMEOUT is over", function()
      begin({ TERM_CHILD = "1", RESQUE_PRE_SHUTDOWN_TIMEOUT = "0.5" }, "Polite")
      local since = clock.now()
      for _, who in ipairs(ORDERS[5]) do
        send(who, "sigterm")
      end
      w:wait_ledger "^told false SIGTERM"
      assert.is_true(clock.now() - since >= 0.5)
      assert.same({ 0, 0 }, { run.process:wait(10) })
      assert.equal("Resque::TermException", w:failed()[1].exception)
    end)

    it("comes again and again for more than a second: the job's time is not shortened", function()
      begin { TERM_CHILD = "1", RESQUE_PRE_SHUTDOWN_TIMEOUT = "300" }
      local since = clock.now()
      clock.wait_until(function()
        for _, who in ipairs(ORDERS[1]) do
          send(who, "sigterm")
        end
        return clock.now() - since > 1.2
      end, 20, "a second has gone by")
      leaves_when_the_job_is_done()
    end)

    it("reaches a job that waits in a system call, whoever sends TERM, too", function()
      local file = w:write_jobs("waits.lua", [[
        resque.job "Waits".perform = function()
          os.execute("mkfifo " .. os.getenv "GATES" .. "/fifo")
          ledger.write "start"
          io.open(os.getenv "GATES" .. "/fifo")
        end]])
      begin({ TERM_CHILD = "1", RESQUE_TERM_TIMEOUT = "30", APP_INCLUDE = file }, "Waits")
      clock.wait_until(function()
        return proc.stat(pids.job).state == "S"
      end, 10, "it waits")
      for _, who in ipairs(ORDERS[2]) do
        uv.kill(pids[who], "sigterm")
      end
      assert.same({ 0, 0 }, { run.process:wait(20) })
      assert.equal("Resque::TermException", w:failed()[1].exception)
    end)
  end)

  it("does not end onFailure, which a job that was killed by it is due", function()
    local file = w:write_jobs("tells.lua", [[
      resque.job "Long".perform = function() ledger.write "start" resque.sleep(60) end
      resque.on("onFailure", function()
        ledger.write "telling"
        ledger.wait_gate "a"
        ledger.write "told"
      end)]])
    begin({ APP_INCLUDE = file }, "Long")
    send("worker", "sigterm")
    w:wait_ledger "^telling"
    send("manager", "sigterm")
    heard(pids.worker, "sigterm")
    local pid = clock.wait_until(function()
      return proc.children(pids.worker)[1]
    end, 5, "onFailure runs")
    for name in pairs(NUMBERS) do
      uv.kill(pid, name)
    end
    assert.is_true(clock.stays_false(function()
      return not proc.alive(pid)
    end, 0.1))
    w:open_gate "a"
    w:wait_ledger "^told"
    assert.same({ 0, 0 }, { run.process:wait(10) })
  end)
end)

describe("signals to a job's process alone", function()
  local w <const> = scene.fresh()

  local function send_all(pid)
    for name, number in pairs(NUMBERS) do
      uv.kill(pid, name)
      clock.wait_until(function()
        local waiting = proc.status(pid, "ShdPnd")
        return not waiting or tonumber(waiting, 16) & 1 << (number - 1) == 0
      end)
    end
  end

  -- A job that waits in a system call, sleeps, and waits for a program.
  local WAITS = [[
    resque.job "Waits".perform = function()
      local fifo = os.getenv "GATES" .. "/fifo"
      os.execute("mkfifo " .. fifo)
      ledger.write "start waiting"
      local file = assert(io.open(fifo))
      ledger.write("read", assert(file:read "l"))
      file:close()
      ledger.write "start sleeping"
      ledger.write("slept", tostring(resque.sleep(0.5)))
    end]]

  for _, term_child in ipairs { "", "1" } do
    it(("do nothing, not even to what it waits for, TERM_CHILD=%s"):format(term_child), function()
      local run = w:start_idle { APP_INCLUDE = w:write_jobs("waits.lua", WAITS),
        TERM_CHILD = term_child, JOB_TIMEOUT = "60" }
      w:job "Waits"
      w:wait_ledger "^start waiting"
      local job = run:wait_job()
      send_all(job)
      local fifo = assert(uv.fs_open(w.dir .. "/fifo", "r+", 0))
      send_all(job)
      uv.fs_write(fifo, "line\n")
      uv.fs_close(fifo)
      w:wait_ledger "^start sleeping"
      send_all(job)
      uv.kill(job, EVENTS_BOARD) -- as its worker would, who has not told it anything
      w:wait_processed(1)
      assert.same({}, (w:failed()))
      assert.same({ "start waiting", "read line", "start sleeping", "slept true" }, w:ledger())
    end)
  end
end)
