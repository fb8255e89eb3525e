--- Processes as an operator sees them: titles, PID file, background, PID 1, what is left behind.
local uv = require "luv"
local clock = require "spec.support.clock"
local namespace = require "spec.support.namespace"
local proc = require "spec.support.proc"
local process = require "spec.support.process"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

local w <const> = scene.fresh()

-- What ps says, as in docs/running.md: pid -> command.
local function ps()
  local _, out = process.run({ "ps", "-e", "-ww", "-o", "pid,command" }, { dir = w.dir })
  local list = {}
  for pid, command in out:gmatch "%s*(%d+) ([^\n]*)" do
    list[math.tointeger(tonumber(pid))] = command
  end
  return list
end

local WHEN = "%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d"

describe("process titles", function()
  local function check(run)
    w:job("Gate", { gate = "a" }, { queue = "mail" })
    w:wait_ledger "start a"
    local job, worker = run:wait_job(), run:worker()
    run:wait_title "^Forked"
    local seen = ps()
    assert.matches("^resque%-1%.0: Monitoring 1 child", seen[run.pid])
    assert.matches("^resque%-1%.0: Forked " .. job .. " at " .. WHEN .. "$", seen[worker])
    assert.matches("^resque%-1%.0: Processing mail since " .. WHEN .. " %[Gate%]$", seen[job])
    w:open_gate "a"
    run:wait_title "^Waiting"
    assert.equal("resque-1.0: Waiting for mail,default", ps()[worker])
    run:signal "sigusr2"
    run:wait_title "^Paused"
    assert.equal("resque-1.0: Paused", ps()[worker])
  end

  it("are what ps shows", function()
    check(w:start_idle { QUEUE = "mail,default" })
  end)

  it("have their full length under env -i", function()
    local run = w:start({}, { wrap = { "env", "-i" }, args = {
      "-q", "mail,default", "-I", world.fixtures .. "/jobs.lua", "-r", w.server:backend(),
      "-p", w.prefix, "--interval", "0.1",
    } })
    run:wait_title "^Waiting for mail,default$"
    w:push("mail", '{"class":"Nobody","args":[]}')
    w:wait_processed(1)
  end)

  it("count the children", function()
    local run = w:start_idle { COUNT = "3" }
    assert.matches("^resque%-1%.0: Monitoring 3 children", ps()[run.pid])
  end)

  it("begin with RESQUE_PROCLINE_PREFIX", function()
    local run = w:start_idle { RESQUE_PROCLINE_PREFIX = "app1-" }
    assert.equal("app1-resque-1.0: Waiting for default", proc.title(run:worker()))
  end)

  it("never say resque-web or resque-lua, for the sake of Ruby's pruning", function()
    local run = w:start_idle { QUEUE = "resque-web" }
    assert.equal("resque-1.0: Waiting for resque_web", proc.title(run:worker()))
    for pid, title in pairs(ps()) do
      if pid == run.pid or pid == run:worker() then
        assert.is_nil(title:find("resque-lua", 1, true))
      end
    end
  end)
end)

describe("PIDFILE", function()
  it("holds the manager's pid and is removed at exit", function()
    local path = w.dir .. "/worker.pid"
    local run = w:start_idle { PIDFILE = path, COUNT = "2" }
    assert.equal(run.pid, tonumber(proc.read(path)))
    run:stop()
    assert.is_nil(proc.read(path))
  end)

  for name, signal in pairs { TERM = "sigterm", INT = "sigint" } do
    it("is removed after " .. name .. " too", function()
      local path = w.dir .. "/worker.pid"
      local run = w:start_idle { PIDFILE = path }
      run:signal(signal)
      run.process:wait(5)
      assert.is_nil(proc.read(path))
    end)
  end

  it("is refused while a live process holds it: exit 1, naming the pid", function()
    local path = w.dir .. "/worker.pid"
    local run = w:start_idle { PIDFILE = path }
    local code, _, err = w:run({}, { QUEUE = "default", PIDFILE = path })
    assert.equal(1, code)
    assert.matches(tostring(run.pid), err)
    assert.truthy(err:find(path, 1, true))
    assert.equal(run.pid, tonumber(proc.read(path)))
    assert.equal(1, #w:on("SMEMBERS", "workers"))
  end)

  local stale = { ["a dead pid"] = "999999999\n", ["nothing"] = "", ["nonsense"] = "hello\n",
    ["the pid of somebody else"] = "1\n" }
  for name, text in pairs(stale) do
    it("that is stale is replaced: " .. name, function()
      local path = w:write("worker.pid", text)
      local run = w:start_idle { PIDFILE = path }
      assert.equal(run.pid, tonumber(proc.read(path)))
    end)
  end

  it("after kill -9 does not stand in the way", function()
    local path = w.dir .. "/worker.pid"
    local first = w:start_idle { PIDFILE = path }
    local below = proc.descendants(first.pid)
    first:signal "sigkill"
    first.process:wait(5)
    local second = w:start_idle { PIDFILE = path }
    assert.equal(second.pid, tonumber(proc.read(path)))
    clock.wait_until(function()
      return proc.none_alive(below)
    end, 5, "the workers of the dead manager are gone")
  end)

  local impossible = {
    ["in a missing folder"] = "/nonexistent/x.pid",
    ["that is a folder"] = "/tmp",
  }
  for name, path in pairs(impossible) do
    it(name .. " is refused, naming it", function()
      local code, _, err = w:run({}, { QUEUE = "default", PIDFILE = path })
      assert.equal(1, code)
      assert.truthy(err:find(path, 1, true))
      assert.matches("hint: ", err)
    end)
  end
end)

describe("BACKGROUND", function()
  it("returns at once, works on as a daemon, and ends by its PID file", function()
    local path, log = w.dir .. "/worker.pid", w.dir .. "/worker.log"
    local code, _, err = w:run({}, {
      QUEUE = "default", BACKGROUND = "1", PIDFILE = path, LOGFILE = log, INTERVAL = "0.1",
    })
    assert.equal(0, code, err)
    local pid
    clock.wait_until(function()
      pid = tonumber(proc.read(path) or "")
      return pid
    end, 5, "the PID file is there")
    finally(function()
      uv.kill(pid, "sigkill")
    end)
    pid = math.tointeger(pid)
    local stat = proc.stat(pid)
    assert.not_equal(uv.os_getpid(), stat.parent)
    assert.not_equal(proc.stat(uv.os_getpid()).session, stat.session)
    for fd = 0, 2 do
      assert.equal("/dev/null", proc.descriptors(pid)[fd])
    end
    w:job("Echo", { a = 1 })
    w:wait_processed(1)
    assert.matches("Starting worker", proc.read(log))
    uv.kill(pid, "sigquit")
    clock.wait_until(function()
      return not proc.alive(pid)
    end, 5, "the daemon ends")
    assert.is_nil(proc.read(path))
    assert.same({}, w:on("SMEMBERS", "workers"))
  end)

  it("still says at start what is wrong, with its exit code", function()
    local env = { BACKGROUND = "1", QUEUE = "default", REDIS_BACKEND = "127.0.0.1:1" }
    local code, _, err = w:run({}, env)
    assert.equal(4, code)
    assert.matches("127%.0%.0%.1:1", err)
    env.APP_INCLUDE = "/nonexistent.lua"
    assert.equal(3, (w:run({}, env)))
  end)

  it("waits for beforeFirstFork, and says that it failed", function()
    w:write_jobs("refuses.lua", [[resque.on("beforeFirstFork", function() error "not today" end)]])
    local code, _, err = w:run({}, {
      BACKGROUND = "1", QUEUE = "default", APP_INCLUDE = "refuses.lua", COUNT = "2",
    }, { cwd = w.dir })
    assert.equal(3, code)
    assert.matches("not today", err)
  end)
end)

describe("as PID 1", function()
  -- A container's worker: nobody else reaps, and the kernel drops signals PID 1 does not ask for.
  -- Where no pid namespace may be made (inside such a container), what is asked for still shows.
  local WRAP = {}
  setup(function()
    local dir = world.new()
    WRAP = namespace.wrap(dir.dir)
    dir:close()
  end)

  local function start()
    local run = w:start(nil, { wrap = WRAP })
    w:job("Gate", { gate = "a" })
    w:wait_ledger "start a"
    local manager = WRAP[1] and proc.children(run.pid)[1] or run.pid
    return run, manager
  end

  it("asks for every signal it knows", function()
    local _, manager = start()
    local status = proc.read("/proc/" .. manager .. "/status")
    if WRAP[1] then
      assert.equal("1", status:match "NSpid:%s+%d+%s+(%d+)")
    end
    local blocked = tonumber(status:match "SigBlk:%s+(%x+)", 16) -- they are read from a signalfd
    local known = {
      HUP = 1, INT = 2, QUIT = 3, USR1 = 10, USR2 = 12, TERM = 15, CHLD = 17, CONT = 18,
    }
    for name, number in pairs(known) do
      assert.equal(1, blocked >> (number - 1) & 1, name)
    end
  end)

  for _, row in ipairs { { "sigterm", 1 }, { "sigquit", 0 } } do
    it("leaves on " .. row[1], function()
      local run, manager = start()
      uv.kill(manager, row[1])
      if row[1] == "sigquit" then
        w:open_gate "a"
      end
      assert.same({ 0, 0 }, { run.process:wait(5) })
      assert.equal(row[2], #w:failed())
      assert.same({}, w:on("SMEMBERS", "workers"))
    end)
  end

  it("reaps what others orphan", function()
    w:write("orphan.lua", [[
      Orphan = {perform = function() os.execute "(setsid sh -c 'sleep 0.05' &) " end}]])
    local run = w:start({ APP_INCLUDE = w.dir .. "/orphan.lua" }, { wrap = WRAP })
    for _ = 1, 5 do
      w:job "Orphan"
    end
    w:wait_processed(5)
    clock.wait_until(function()
      for _, pid in ipairs(proc.descendants(run.pid)) do
        local stat = proc.stat(pid)
        if stat and stat.state == "Z" then
          return false
        end
      end
      return true
    end, 5, "no zombie is left")
  end)
end)

describe("a long job", function()
  it("piles up no zombies", function()
    local jobs = w:write_jobs("orphans.lua", [[
      Orphans = {perform = function()
        for _ = 1, 20 do os.execute "(true &)" end
        ledger.write "made"
        ledger.wait_gate "a"
      end}]])
    local run = w:start_idle { APP_INCLUDE = jobs, RESQUE_HEARTBEAT = "0.2" }
    w:job "Orphans"
    w:wait_ledger "made"
    local worker, job = run:worker(), run:wait_job()
    clock.wait_until(function()
      local children = proc.children(worker)
      return #children == 1 and children[1] == job and #proc.children(job) == 0
    end, 5, "only the job is left")
    assert.is_true(proc.alive(job))
    w:open_gate "a"
    w:wait_processed(1)
    assert.same({}, (w:failed()))
  end)
end)

describe("a worker that dies", function()
  it("is replaced, and its job is recorded within two seconds", function()
    local run = w:start_idle { COUNT = "2" }
    w:job("Gate", { gate = "a" })
    w:wait_ledger "start a"
    local worker, job
    clock.wait_until(function()
      worker, job = run:workers "Forked"[1], run:jobs()[1]
      return worker
    end)
    local began = clock.now()
    uv.kill(worker, "sigkill")
    clock.wait_until(function()
      return not proc.alive(job)
    end, 1, "the job of the dead worker is gone")
    assert.is_true(clock.now() - began < clock.limit(0.3))
    clock.wait_until(function()
      return #w:failed() == 1 and #run:workers "Waiting" == 2
    end, 2, "the job is recorded and the worker replaced")
    local record = w:failed()[1]
    assert.equal("Resque::PruneDeadWorkerDirtyExit", record.exception)
    assert.matches("^Worker [^ ]+:" .. worker
      .. ":default did not gracefully exit while processing Gate$", record.error)
    assert.equal(2, #w:on("SMEMBERS", "workers"))
    assert.equal(1, w:stat "processed")
  end)

  it("with its manager leaves a job that the next start accounts for", function()
    local run = w:start_idle()
    w:job("Gate", { gate = "a" }, { track = true })
    w:wait_ledger "start a"
    local pids = proc.descendants(run.pid)
    run:signal "sigkill"
    for _, pid in ipairs(pids) do
      uv.kill(pid, "sigkill")
    end
    run.process:wait(5)
    clock.wait_until(function()
      return not proc.alive(pids[1])
    end, 5, "the worker is dead")
    assert.equal(1, w:account().working)
    w:start_idle()
    clock.wait_until(function()
      return #w:failed() == 1
    end, 3, "the job is recorded")
    assert.equal(0, w:account().working)
    assert.equal(1, #w:on("SMEMBERS", "workers"))
  end)
end)

describe("a manager that waits for its last job", function()
  it("does not turn in circles, also when a worker was to be started again", function()
    local run = w:start_idle { COUNT = "2" }
    w:job("Gate", { gate = "a" })
    w:wait_ledger "start a"
    for n = 1, 3 do -- each new start is later than the one before
      local idle = clock.wait_until(function()
        return run:workers "Waiting"[1]
      end, 10)
      uv.kill(idle, "sigkill")
      clock.wait_until(function()
        return select(2, run:err():gsub("starting another", "")) == n
      end, 5, "the manager has seen it")
    end
    run:signal "sigquit"
    clock.stays_false(function() end, 1.5)
    local ticks = proc.cpu_ticks(run.pid)
    clock.stays_false(function() end, 0.5)
    assert.is_true(proc.cpu_ticks(run.pid) - ticks < 10)
    w:open_gate "a"
    assert.same({ 0, 0 }, { run.process:wait(5) })
  end)
end)

describe("a manager that is killed", function()
  it("takes its idle workers along; a job is finished first", function()
    local run = w:start_idle()
    w:job("Gate", { gate = "a" })
    w:wait_ledger "start a"
    local pids = proc.descendants(run.pid)
    run:signal "sigkill"
    run.process:wait(5)
    w:open_gate "a"
    w:wait_ledger "end a"
    w:wait_processed(1)
    clock.wait_until(function()
      return proc.none_alive(pids)
    end, 5, "the worker left")
    assert.same({}, (w:failed()))
    assert.same({}, w:on("SMEMBERS", "workers"))
  end)
end)

-- Runs the program on a terminal of its own, with `before` in front of exec; returns the process
-- that holds the terminal, and the manager's pid.
local function on_terminal(before)
  local command = before .. "exec " .. world.program
  local holder = process.start({ "script", "-qec", command, "/dev/null" },
    { env = w:env { QUEUE = "default", INTERVAL = "0.1" }, clean = true, dir = w.dir })
  local manager
  clock.wait_until(function()
    for _, pid in ipairs(proc.descendants(holder.pid)) do
      if (proc.title(pid) or ""):find("Monitoring 1", 1, true) then
        manager = pid
      end
    end
    return manager and #w:on("SMEMBERS", "workers") == 1
  end, 10, "the worker is registered")
  return holder, manager
end

local function ended(pid, seconds)
  clock.wait_until(function()
    return not proc.alive(pid)
  end, seconds, "the manager ended")
end

describe("a terminal that goes away", function()
  it("takes the program along", function()
    local holder, manager = on_terminal ""
    holder:finish()
    ended(manager, 5)
    clock.wait_until(function()
      return #w:on("SMEMBERS", "workers") == 0
    end, 5, "the worker has left")
  end)

  it("is nothing to a program that nohup started", function()
    local holder, manager = on_terminal "trap '' HUP; "
    uv.kill(manager, "sighup")
    assert.is_true(clock.stays_false(function()
      return not proc.alive(manager)
    end, 0.3))
    holder:finish()
    w:job("Noop", {})
    w:wait_processed(1)
    uv.kill(manager, "sigquit")
    ended(manager, 5)
  end)
end)

describe("a program that was started by `helper & exec resque-lua`", function()
  it("leaves the helper alone when a worker dies", function()
    local run = w:start({}, { wrap = { "sh", "-c", 'sleep 60 & exec "$@"', "sh" } })
    run:wait_title "^Waiting"
    local helper
    for _, pid in ipairs(proc.children(run.pid)) do
      helper = proc.title(pid) == "sleep 60" and pid or helper
    end
    local worker = run:worker()
    uv.kill(worker, "sigkill")
    clock.wait_until(function()
      local now = run:worker()
      return now and now ~= worker
    end, 5, "there is another worker")
    assert.is_true(proc.alive(helper))
    uv.kill(helper, "sigkill")
    clock.wait_until(function()
      return not proc.stat(helper)
    end, 5, "the helper is reaped")
  end)
end)
