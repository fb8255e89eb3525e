--- What forked processes have inherited: nothing of the process that made them but what they use.
-- A descriptor that a new process does not let go of keeps a connection, a pipe or the PID file's
-- lock alive, and is a door for a job.
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local uv = require "luv"
local world = require "spec.support.world"

local w
before_each(function()
  w = world.new()
end)
after_each(function()
  w:close()
end)

-- Writes what the process that loads it has open, a line for each: its parent, then the targets. A
-- shell looks, as Lua would have to open something.
local INCLUDE = [[
os.execute [=[line=$(ps -o ppid= -p $PPID; for file in /proc/$PPID/fd/*; do
    readlink "$file" | tr -d ' '
  done)
  echo $line >>"$GATES/seen"]=]
local hold, fault = resque.job "Hold", resque.job "Fault"
function hold:perform()
  ledger.write "holds"
  ledger.wait_gate "hold"
end
function fault:perform()
  os.execute "kill -9 $PPID"
  resque.sleep(10)
end
resque.on("onFailure", function() end)
]]

-- Nothing of what the specs' own caller has open comes in.
local CLOSED = { "bash", "-c", [[
for file in /proc/$$/fd/*; do
  [ "${file##*/}" -le 2 ] || eval "exec ${file##*/}>&-"
done
exec "$@"]], "closed" }

-- The kinds of some targets, sorted, in a line: files of the test's folder by their names.
local function kinds(targets)
  local list = {}
  for _, target in pairs(targets) do
    list[#list + 1] = target:match "^(%l+):%[%d+%]$" or target:match "^anon_inode:%[(%l+)%]$"
      or target:match "/p%d+%.(%l+)$" or target:match "([^/]*)$"
  end
  table.sort(list)
  return table.concat(list, " ")
end

-- What the processes wrote that loaded the file, in turn: whose child it was, and the kinds.
local function seen()
  local list = {}
  for line in (proc.read(w.dir .. "/seen") or ""):gmatch "[^\n]+" do
    local targets = {}
    for target in line:gmatch "%S+" do
      targets[#targets + 1] = target
    end
    local parent = math.tointeger(tonumber(table.remove(targets, 1)))
    list[#list + 1] = { parent = parent, kinds = kinds(targets) }
  end
  return list
end

local function wait_seen(count)
  return clock.wait_until(function()
    local list = seen()
    return #list >= count and list
  end, 10, function()
    return ("%d processes wrote what they have open, not %d"):format(count, #seen())
  end)
end

local function start(env)
  env = env or {}
  env.APP_INCLUDE = w:write_jobs("include.lua", INCLUDE)
  env.PIDFILE, env.LOGFILE, env.BLOCKING = w.dir .. "/pid", w.dir .. "/log", "1"
  return w:start_idle(env, { wrap = CLOSED })
end

-- Standard input, output, error, the log; and what is said about the job or the check.
local THROW_AWAY = "err log null out pipe"
local JOB = "log null pipe pipe pipe"
-- Besides: both ends of two pipes for the output of jobs, the pipe in which its manager calls it,
-- its connection.
local WORKER = "err log null out pipe pipe pipe pipe pipe signalfd socket"
-- And while a job runs: its process, and what that reports.
local WORKS = "err log null out pidfd pipe pipe pipe pipe pipe pipe signalfd socket"
-- The calling ends for two workers, and the connections for accounting, changes and orders.
local MANAGER = "err log null out pid pipe pipe signalfd socket socket socket"

describe("the descriptors", function()
  it("of each process are its own", function()
    local run = start { COUNT = "2" }
    assert.equal(MANAGER, kinds(proc.descriptors(run.pid)))
    for _, worker in ipairs(run:workers()) do
      assert.equal(WORKER, kinds(proc.descriptors(worker)))
    end
    w:job "Hold"
    w:wait_ledger "holds"
    local job = run:wait_job()
    assert.equal(JOB, kinds(proc.descriptors(job)))
    assert.equal(WORKS, kinds(proc.descriptors(proc.stat(job).parent)))
  end)

  it("of a check by the manager, at start and at HUP, are what it needs", function()
    local run = start { COUNT = "2" }
    run:signal "sighup"
    for _, check in ipairs(wait_seen(2)) do
      assert.same({ parent = run.pid, kinds = THROW_AWAY }, check)
    end
  end)

  it("of a check by a worker that starts no job are what it needs", function()
    local run = start()
    local worker = run:worker()
    w:write("include.lua", "nothing here")
    w:job "Hold"
    clock.wait_until(function()
      return (select(2, w:run { "workers" })):find("blocked", 1, true)
    end, 10, "the worker is blocked")
    w:on("DEL", "queue:default")
    local before = #seen()
    w:write_jobs("include.lua", INCLUDE)
    assert.same({ parent = worker, kinds = THROW_AWAY }, wait_seen(before + 1)[before + 1])
  end)

  it("of onFailure's process are those of a job's", function()
    local run = start()
    w:job "Fault"
    local list = wait_seen(3)
    local job = { parent = run:worker(), kinds = JOB }
    assert.same({ { parent = run.pid, kinds = THROW_AWAY }, job, job }, list)
  end)

  it("of the first check in the background do not keep the command waiting", function()
    local include = w:write_jobs("include.lua", INCLUDE)
    local run = w:start({
      APP_INCLUDE = include, BACKGROUND = "1", PIDFILE = w.dir .. "/pid", LOGFILE = w.dir .. "/log",
      INTERVAL = "0",
    }, { wrap = CLOSED })
    assert.equal(0, (run.process:wait(10)))
    assert.equal(THROW_AWAY, seen()[1].kinds)
    clock.wait_until(function()
      return not uv.fs_stat(w.dir .. "/pid")
    end, 10, "it has ended")
  end)
end)
