--- One manager, one worker, and a job that is stopped at a named place of the program
-- (src/base/stopat.h) while something happens to one of them. Says what has become of the job.
local uv = require "luv"
local clock = require "spec.support.clock"
local conservation = require "spec.support.conservation"
local killing = require "spec.support.killing"
local proc = require "spec.support.proc"
local world = require "spec.support.world"

local stopping = {}
local Stage = {}
Stage.__index = Stage

-- Places that a job's process passes.
local IN_JOB = { isolate = true, load = true, token = true, started = true, perform = true,
  result = true, reported = true }
-- Places that a worker without a job passes when another one has left, and where it is the manager.
local AT_START = { start_worker = true, born = true, register = true, registered = true }
local AT_END = { unregister = true }
local OF_MANAGER = { start_worker = true, bury = true, account = true, accounted = true }
local AFTER_DEATH = { bury = true, account = true, accounted = true }

function stopping.stage(program)
  world.server { args = { "--appendonly", "yes", "--appendfsync", "always" } }
  local self = setmetatable({ world = world.new(), program = program, jobs = {}, count = 0 }, Stage)
  self.stops = self.world.dir .. "/stops"
  assert(uv.fs_mkdir(self.stops, 448))
  self:start()
  return self
end

function Stage:start()
  self.run = self.world:start({
    QUEUE = "q", INTERVAL = "0.02", VERBOSE = "1", APP_INCLUDE = world.fixtures .. "/kill.lua",
    RL_STOPAT = self.stops, RESQUE_TERM_TIMEOUT = "1",
  }, { program = self.program })
  self.log_from = 1
end

function Stage:close()
  self.world:close()
end

-- What the manager that runs, and its worker, have logged since the scene began.
function Stage:log()
  return self.run.process:err():sub(self.log_from)
end

function Stage:wait(condition, what)
  return clock.wait_until(condition, 8, function()
    return what .. "; the log:\n" .. self.earlier .. self:log()
  end)
end

function Stage:worker()
  for _, pid in ipairs(proc.children(self.run.pid)) do
    local name = killing.comm(pid)
    if name ~= "resque-lua" and proc.alive(pid) then
      return pid
    end
  end
end

local function idle(self)
  local worker = self.run.process:running() and self:worker()
  return worker and killing.comm(worker) == "idle" and worker
end

function Stage:push()
  self.count = self.count + 1
  local id = ("job%d"):format(self.count)
  local args = '[{"seconds":0,"text":"é"}]'
  self.jobs[id] = true
  self.world:job("Kill_Job", nil, { queue = "q", id = id, args = args })
  return id
end

function Stage:arm(place)
  assert(io.open(self.stops .. "/" .. place, "w")):close()
end

-- The process that stopped at a place; nil if none has yet.
function Stage:find(place)
  local worker = self:worker()
  local candidates = { self.run.pid, worker, worker and killing.child_of(worker) }
  for i = 1, 3 do
    local pid = candidates[i]
    if pid and killing.stopped(pid) and killing.comm(pid) == place then
      return pid
    end
  end
end

function Stage:wait_stopped(place)
  return self:wait(function()
    return self:find(place)
  end, "a process stopped at " .. place)
end

-- ---- one scene

-- Brings a process to the place, with a job that it has or will have: its pid, and the job's id.
function Stage:bring(place)
  local worker = self:wait(function() return idle(self) end, "the worker is idle")
  if AFTER_DEATH[place] then
    self:arm "perform"
    local id = self:push()
    self:wait_stopped "perform"
    self:arm(place)
    uv.kill(worker, "sigkill")
    return self:wait_stopped(place), id
  elseif AT_START[place] or AT_END[place] then
    self:arm(place)
    uv.kill(worker, "sigquit")
    return self:wait_stopped(place), self:push()
  elseif place == "idle" then
    self:arm(place)
    return self:wait_stopped(place), self:push()
  end
  self:arm(place == "committed" and "reserve" or place)
  local id = self:push()
  if place ~= "committed" then
    return self:wait_stopped(place), id
  end
  local at_reserve = self:wait_stopped "reserve" -- so that the first brings the second along
  id = self:push()
  self:arm(place)
  uv.kill(at_reserve, "sigcont")
  return self:wait_stopped(place), id
end

--- Acts on the process that stopped, or on the worker or manager it belongs to.
local faults = {}

function faults.child(self)
  uv.kill(killing.child_of(self:worker()), "sigkill")
end

function faults.worker(self)
  local worker = self:worker()
  uv.kill(worker, "sigkill")
  self:wait(function() -- else its job might go on first
    return not proc.alive(worker)
  end, "the worker is dead")
end

function faults.manager(self, scene)
  scene.leaving = self:worker()
  uv.kill(self.run.pid, "sigkill")
  self.run.process:wait(5)
  self.earlier = self.earlier .. self:log()
  scene.left_log = self.run.process
  scene.left_from = self.log_from
  self:start()
end

for _, name in ipairs { "TERM", "INT", "QUIT", "USR1", "USR2", "CONT", "HUP" } do
  faults[name] = function(self, scene)
    uv.kill(OF_MANAGER[scene.place] and self.run.pid or self:worker(), "sig" .. name:lower())
  end
end

-- Every connection but our own.
function faults.cut(self)
  self.world.server:call("CLIENT", "KILL", "TYPE", "normal")
end

function faults.redis(self)
  self.world.server:kill()
  self.world.server:launch()
end

-- What `job ID --kill` sends for the job in the worker's record, if there is one by now.
function faults.order(self, scene)
  local w = self.world
  local worker, record = next(w:records())
  local text = worker and ("kill %s %s"):format(record:match '"token":"([^"]+)"', worker)
  if not text then
    return
  end
  self:wait(function()
    return w.server:call("PUBLISH", w:key "lua:control", text) > 0
  end, "the manager listens")
  if not OF_MANAGER[scene.place] then
    self:wait(function()
      return self:log():find("passing on the order", 1, true)
    end, "the order has come to the worker")
  end
end

stopping.faults = { "child", "worker", "manager", "TERM", "INT", "QUIT", "USR1", "USR2", "CONT",
  "HUP", "cut", "redis", "order" }

-- A worker in "watch" is overtaken by its job: by then it has ended.
function Stage:settle(scene)
  if scene.place == "watch" then
    self:wait(function()
      local child = killing.child_of(scene.pid)
      return not child or not proc.alive(child)
    end, "the job has ended")
  end
end

local KILLS = { TERM = true, INT = true, USR1 = true, order = true }

-- Lets the one that stopped go on; a job that is being killed does not get to see that.
function Stage:go_on(scene)
  if IN_JOB[scene.place] and KILLS[scene.fault] then
    self:wait(function()
      return not proc.alive(scene.pid)
    end, "the job is killed")
  end
  uv.kill(scene.pid, "sigcont")
end

-- A pause holds until it is taken back; what made the worker itself go on did that already.
function Stage:end_pause(scene)
  if scene.fault == "USR2" and IN_JOB[scene.place] then
    self:wait(function()
      local worker = self:worker()
      return worker and (proc.title(worker) or ""):find("Paused", 1, true)
    end, "the worker pauses")
    uv.kill(self:worker(), "sigcont")
  end
end

-- A signal that ends the manager: another one is started.
function Stage:replace_manager(scene)
  local ends = scene.fault == "TERM" or scene.fault == "INT" or scene.fault == "QUIT"
  if OF_MANAGER[scene.place] and ends then
    assert(self.run.process:wait(5) == 0, "the manager's exit code")
    self.earlier = self.earlier .. self:log()
    self:start()
  end
end

-- Until both jobs are over, whoever ended them.
function Stage:play_out(scene)
  self:wait(function()
    local seen = conservation.check(self.world, self.jobs)
    local gone = not scene.leaving or not proc.alive(scene.leaving)
    return #seen.queue == 0 and #seen.record == 0 and gone and idle(self)
  end, "all jobs are over")
  if scene.left_log then
    self.earlier = self.earlier .. scene.left_log:err():sub(scene.left_from)
  end
end

-- What became of the job, in the words of the table.
function Stage:fate(id)
  local log = self.earlier .. self:log()
  local failed = self.world:failed()
  for _, failure in ipairs(failed) do
    if failure.payload.id == id then
      local prune = failure.exception == "Resque::PruneDeadWorkerDirtyExit"
      return prune and "prune" or failure.exception == "Resque::DirtyExit" and "dirty"
        or failure.exception == "Resque::Cancelled" and "stop" or failure.exception
    end
  end
  local back = log:find("put back (Job{q} | " .. id, 1, true)
    or log:find("its job had not started and is put back", 1, true)
  return back and "back" or "done"
end

local function check_ledger(self, id, fate)
  local starts, ends = conservation.ledger(self.world)
  local started, ended = starts[id] or 0, ends[id] or 0
  if fate == "done" or fate == "back" then
    assert(started == 1 and ended == 1,
      ("%s started %d times, ended %d"):format(id, started, ended))
  else
    assert(started <= 1, id .. " started " .. started .. " times")
  end
end

--- Stops somebody at the place, does it, lets all go on to the end.
-- @return what has become of the job: "done", "back" (put back by who had it, done later), "dirty"
--   (failed as a killed job), "prune" (failed as a dead worker's), "stop" (failed as ordered)
function Stage:play(place, fault)
  local scene = { place = place, fault = fault }
  self.log_from, self.earlier = #self.run.process:err() + 1, ""
  local id
  if fault == "order" then -- a manager that has stopped cannot begin to listen
    self:wait(function()
      return self.world:listeners() > 0
    end, "the manager listens")
  end
  scene.pid, id = self:bring(place)
  self:settle(scene)
  faults[fault](self, scene)
  self:go_on(scene)
  self:replace_manager(scene)
  self:end_pause(scene)
  self:play_out(scene)
  local fate = self:fate(id)
  check_ledger(self, id, fate)
  return fate
end

--- Whether a fault has a process to strike at this place.
function stopping.possible(place, fault)
  return fault == "child" and IN_JOB[place]
    or fault == "worker" and not OF_MANAGER[place]
    or fault ~= "child" and fault ~= "worker"
end

return stopping
