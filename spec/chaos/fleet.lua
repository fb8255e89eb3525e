--- Managers under load, whose processes can be told apart: a manager, its workers, their jobs; and
-- managers that were told to leave or whose workers outlive them.
--
-- Knows what was done to whom: `injected` counts, per worker pid, what may explain a failed job.
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local running = require "spec.support.running"

local fleet = {}
local Fleet = {}
Fleet.__index = Fleet

local LEAVE = 30 -- seconds (opts.leave) until a manager that was told to leave must have left

-- Exit codes of a manager that found no Redis, or a broken APP_INCLUDE, when it started.
local NO_REDIS, NO_INCLUDE = 4, 3

-- What this process has open (its connections) is none of the fleet's business; a socket of ours in
-- a worker and in its job would look like one of theirs.
local CLOSE_ALL = { "bash", "-c", [[
  for fd in /proc/$$/fd/*; do
    fd=${fd##*/}
    [ "$fd" -le 2 ] || [ "$fd" -eq 255 ] || eval "exec $fd>&-"
  done
  exec "$@"]], "--" }

--- Starts one.
-- @param world spec.support.world
-- @param env what its manager gets
-- @param opts program, injected = a table the counts go to, count = workers, leave = seconds
function fleet.start(world, env, opts)
  local self = setmetatable({ world = world, env = env, opts = opts, injected = opts.injected,
    leaving = {}, orphans = {}, problems = {}, restarts = 0 }, Fleet)
  self:launch()
  return self
end

function Fleet:launch()
  self.run = self.world:start(self.env, { program = self.opts.program, wrap = CLOSE_ALL })
  self.world.runs[#self.world.runs] = nil -- those that have ended need not be remembered there
  self.run.log_at = 0
  self.run.met_broken = self.broken
end

function Fleet:problem(...)
  self.problems[#self.problems + 1] = string.format(...)
end

--- Tells it that APP_INCLUDE is broken from now on, or mended.
function Fleet:break_include(broken)
  self.broken = broken
  self.run.met_broken = self.run.met_broken or broken
end

-- ---- who is who

-- The word a worker's title begins with; nil for a process that is no worker (yet).
local function worker_word(pid)
  local text = running.words(pid)
  local word = text and text:match "^%a+"
  return (word == "Waiting" or word == "Forked" or word == "Paused" or word == "Starting") and word
end

--- Pids of its workers; not before the manager is past what can refuse to start.
function Fleet:workers()
  local list = {}
  local title = running.words(self.run.pid)
  if not title or not title:find "^Monitoring" then
    return list
  end
  for _, pid in ipairs(proc.children(self.run.pid)) do
    if worker_word(pid) and proc.alive(pid) then
      list[#list + 1] = pid
    end
  end
  return list
end

--- The process of a worker's job: nil if it has none.
function fleet.child_of(worker)
  for _, pid in ipairs(proc.children(worker)) do
    if (running.words(pid) or ""):find "^Processing" and proc.alive(pid) then
      return pid
    end
  end
end

--- Whether all its workers wait for jobs.
function Fleet:idle()
  local workers = self:workers()
  for _, pid in ipairs(workers) do
    if worker_word(pid) ~= "Waiting" then
      return false
    end
  end
  return #workers == self.opts.count
end

-- ---- what is done to them

--- Notes that something was done that may make a job of this worker's fail.
function Fleet:note(cause, worker)
  local counts = self.injected[cause]
  counts[worker] = (counts[worker] or 0) + 1
end

--- A signal to a worker that ends its job, or may.
function Fleet:tell(worker, name)
  self:note("told", worker)
  return uv.kill(worker, name)
end

--- The manager is gone: its workers finish and leave; another manager takes its place.
function Fleet:kill_manager()
  uv.kill(self.run.pid, "sigstop")
  for _, pid in ipairs(proc.children(self.run.pid)) do
    self.orphans[pid] = true
    self:note("told", pid) -- by the kernel, with QUIT
  end
  uv.kill(self.run.pid, "sigkill")
  self.run.process:wait(5)
  self:read_log(self.run)
  self:launch()
end

-- Every program that a job of this fleet has started (the worker's own environment is where its
-- title is shown).
local function marked(mark)
  local list = {}
  local scan = uv.fs_scandir "/proc"
  for name in function() return uv.fs_scandir_next(scan) end do
    local text = name:match "^%d+$" and proc.read("/proc/" .. name .. "/environ")
    if text and text:find(mark, 1, true) then
      list[#list + 1] = math.tointeger(tonumber(name))
    end
  end
  return list
end

--- Programs that jobs of this fleet have left behind.
function Fleet:leftovers()
  return marked("CHAOS_FLEET=" .. self.env.CHAOS_FLEET)
end

-- Stops a process and adds it, and what is below it, to a list: who is stopped starts nobody.
local function freeze(pid, list)
  if uv.kill(pid, "sigstop") == 0 then
    list[#list + 1] = pid
    for _, below in ipairs(proc.children(pid)) do
      freeze(below, list)
    end
  end
end

-- Every process of this fleet, stopped; `workers` gets the workers' pids.
function Fleet:freeze_all(workers)
  local list = {}
  for _, run in ipairs { self.run, table.unpack(self.leaving) } do
    run.killed = true
    freeze(run.pid, list)
    table.move(proc.children(run.pid), 1, 1000, #workers + 1, workers)
  end
  for pid in pairs(self.orphans) do
    workers[#workers + 1] = pid
    freeze(pid, list)
  end
  return list
end

--- As when the machine stops: everything of this fleet, what is leaving and what jobs left behind
-- too.
function Fleet:end_all()
  local workers = {}
  local pids = self:freeze_all(workers)
  for _, pid in ipairs(workers) do
    self:note("worker", pid)
  end
  repeat
    for _, pid in ipairs(pids) do
      uv.kill(pid, "sigkill")
    end
    uv.run "nowait"
    pids = self:leftovers()
  until #pids == 0
  for _, run in ipairs { self.run, table.unpack(self.leaving) } do
    run.process:wait(5)
  end
end

--- The same, and another start.
function Fleet:kill_all()
  self:end_all()
  self:read_log(self.run)
  self:launch()
end

-- All that are in one of two lists; a worker may start between the lists and the signal.
function Fleet:note_told(...)
  local all = {}
  for _, list in ipairs { ... } do
    for _, pid in ipairs(list) do
      all[pid] = true
    end
  end
  for pid in pairs(all) do
    self:note("told", pid)
  end
end

--- A deploy: the manager is told to leave, another is there at once.
function Fleet:replace(name)
  local before = proc.children(self.run.pid)
  self.run:signal(name)
  self:note_told(before, proc.children(self.run.pid))
  self.run.leave_by = clock.now() + (self.opts.leave or LEAVE) * clock.slow
  self.leaving[#self.leaving + 1] = self.run
  self:launch()
end

-- ---- in passing

-- What a manager says of a worker that ended by itself.
local ENDED = "worker process %d+ ended with exit code %d+"
local KILLED = "worker process %d+ was killed by (%u+)"

--- Looks at what was logged since the last time.
function Fleet:read_log(run)
  local file = io.open(run.process.err_path)
  if not file then
    return
  end
  file:seek("set", run.log_at)
  local text = file:read "a"
  file:close()
  run.log_at = run.log_at + #text
  for line in text:gmatch "[^\n]+" do
    local signal = line:match(KILLED)
    if line:find(ENDED) or signal and signal ~= "SIGKILL" then
      self:problem("%s", line)
    end
  end
end

function Fleet:read_logs()
  self:read_log(self.run)
  for _, run in ipairs(self.leaving) do
    self:read_log(run)
  end
end

local function last_words(run)
  return run.process:err():sub(-600)
end

-- A manager ended by itself: only one that could not start may.
function Fleet:judge_refusal(run)
  local code, signal = run.process.code, run.process.signal
  if not (code == NO_REDIS or code == NO_INCLUDE and run.met_broken) then
    self:problem("manager %d ended with code %d, signal %d; it wrote: %s", run.pid, code, signal,
      last_words(run))
  end
end

-- A manager that was told to leave: whether that is still to be awaited.
function Fleet:see_off(run)
  if run.process:running() then
    if clock.now() > run.leave_by and not run.late then
      run.late = true
      self:problem("manager %d does not leave; it wrote: %s", run.pid, last_words(run))
    end
    return true
  end
  self:read_log(run)
  if not run.killed and not (run.process.code == 0 and run.process.signal == 0) then
    self:judge_refusal(run)
  end
  os.remove(run.process.out_path)
  os.remove(run.process.err_path)
  return false
end

--- Starts a manager again that could not start because Redis was away, as systemd would.
function Fleet:tend()
  local still = {}
  for _, run in ipairs(self.leaving) do
    if self:see_off(run) then
      still[#still + 1] = run
    end
  end
  self.leaving = still
  for pid in pairs(self.orphans) do
    self.orphans[pid] = proc.alive(pid) or nil
  end
  if not self.run.process:running() then
    self:judge_refusal(self.run)
    self.restarts = self.restarts + 1
    self:launch()
  end
end

--- Stops it and waits.
function Fleet:stop()
  self.run:signal "sigquit"
  self.run.leave_by = clock.now() + (self.opts.leave or LEAVE) * clock.slow
  self.leaving[#self.leaving + 1] = self.run
  clock.wait_until(function()
    local still = {}
    for _, run in ipairs(self.leaving) do
      if self:see_off(run) then
        still[#still + 1] = run
      end
    end
    self.leaving = still
    for pid in pairs(self.orphans) do
      self.orphans[pid] = proc.alive(pid) or nil
    end
    return #still == 0 and not next(self.orphans)
  end, (self.opts.leave or LEAVE) + 1, "a fleet has left")
end

return fleet
