--- What forked processes have inherited: nothing of the process that made them but what they use.
-- A descriptor that a new process does not let go of keeps a connection, a pipe or the PID file's
-- lock alive, and is a door for a job.
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local world = require "spec.support.world"

local CODE = [[
  local resque = require "resque"
  local gates = os.getenv "GATES"
  local function stay(name)
    io.open(gates .. "/soon", "w"):close()
    os.rename(gates .. "/soon", gates .. "/" .. name) -- no descriptor of it is open by now
    while not io.open(gates .. "/go") do os.execute "sleep 0.05" end
  end
  resque.job("Stay").perform = function() stay "performing" end
  local hang = io.open(gates .. "/hang")
  if hang then hang:close() stay "loading" end]]

describe("of the descriptors of manager and worker", function()
  local w, run

  -- What the descriptors of a process are, without those that every process has (0, 1, 2, the log)
  -- and those that this spec has given to the program.
  local function kinds(pid)
    local list, given = {}, { [w.dir .. "/log"] = true }
    for _, target in pairs(proc.descriptors(uv.os_getpid())) do
      given[target] = true
    end
    for fd, target in pairs(proc.descriptors(pid)) do
      if fd > 2 and not given[target] then
        list[#list + 1] = target:match "^(%w+):" or target:match "%[(.+)%]" or target:match "[^/]+$"
      end
    end
    table.sort(list)
    return list
  end

  local function here(name)
    clock.wait_until(function()
      return uv.fs_stat(w.dir .. "/" .. name)
    end, 10, name)
  end

  before_each(function()
    w = world.new()
    run = w:start_idle {
      APP_INCLUDE = w:write_jobs("stay.lua", CODE), BLOCKING = "1", COUNT = "3",
      PIDFILE = w.dir .. "/pid", LOGFILE = w.dir .. "/log",
    }
  end)
  after_each(function()
    io.open(w.dir .. "/go", "w"):close()
    w:close()
  end)

  it("a job has none but the pipe of its report", function()
    w:job("Stay", {})
    here "performing"
    assert.same({ "pipe" }, kinds(run:jobs()[1]))
  end)

  it("a worker has none but its own", function()
    for _, worker in ipairs(run:workers()) do
      local count = {}
      for _, kind in ipairs(kinds(worker)) do
        count[kind] = (count[kind] or 0) + 1
      end
      -- Its wake-up pipe, and two pipes for the output of jobs; where its own stdout and stderr are
      -- pipes, it has opened those anew.
      assert.is_true(count.pipe >= 1 + 4 and count.pipe <= 1 + 4 + 2)
      count.pipe = nil
      assert.same({ socket = 1, signalfd = 1 }, count)
    end
  end)

  it("the check of APP_INCLUDE has none but the pipe of its report", function()
    io.open(w.dir .. "/hang", "w"):close()
    run:signal "sighup"
    here "loading"
    local workers, check = {}, nil
    for _, pid in ipairs(run:workers()) do
      workers[pid] = true
    end
    for _, pid in ipairs(proc.children(run.pid)) do
      check = not workers[pid] and pid or check
    end
    assert.same({ "pipe" }, kinds(check))
  end)
end)
