--- A fleet under load whose processes are killed: one manager, two workers, and their jobs, of a
-- build with stop points (src/base/stopat.h). It knows which process is what, where in a job's life
-- each one is, and what must become of the job that a kill hits.
local uv = require "luv"
local clock = require "spec.support.clock"
local conservation = require "spec.support.conservation"
local folder = require "spec.support.folder"
local proc = require "spec.support.proc"
local process = require "spec.support.process"
local world = require "spec.support.world"

local killing = {}
local Fleet = {}
Fleet.__index = Fleet

local QUEUES = { "high", "low" }
local FEED_BELOW, FEED = 8, 12 -- jobs
local SLOWEST = 0.004 -- seconds a job takes

-- Stop points -> steps of a job's life. A worker that watches is where its job is.
local STEPS = {
  born = "between", register = "between", registered = "between", idle = "between",
  unregister = "between", start_worker = "between", bury = "between", account = "between",
  accounted = "between",
  reserve = "reserve", check = "check", start = "start", watch = "start", isolate = "start",
  load = "load", token = "started", started = "started", perform = "perform", result = "result",
  reported = "result", decide = "decide", commit = "commit", committed = "commit",
}
killing.steps = { "reserve", "check", "start", "load", "started", "perform", "result", "decide",
  "commit", "between" }

-- ---- the program

--- The build with stop points, made when it is not there or older than the sources.
function killing.program()
  local build, dir = world.build .. "/stop", folder.make "make"
  local code, out, err = process.run({
    "flock", world.build .. "/.stop.lock", -- several spec files may want it at once
    "make", "-s", "BUILD=" .. build, "CPPFLAGS=-DRL_STOPAT", "SAN=" .. (os.getenv "SAN" or ""),
    build .. "/resque-lua",
  }, { dir = dir, seconds = 280, env = { MAKEFLAGS = false, MAKELEVEL = false } })
  folder.remove(dir)
  if code ~= 0 then
    error("make of the build with stop points:\n" .. out .. err)
  end
  return build .. "/resque-lua"
end

-- ---- the fleet

function killing.fleet(program)
  local self = setmetatable({
    world = world.new(), program = program, jobs = {}, serial = 0, leaving = {}, tally = {},
    expected = {}, unannounced = { worker = 0, child = 0, all = 0 }, looks = 0,
  }, Fleet)
  self.stops = self.world.dir .. "/stops"
  assert(uv.fs_mkdir(self.stops, 448))
  self:start()
  return self
end

function Fleet:start()
  self.run = self.world:start({
    QUEUE = table.concat(QUEUES, ","), COUNT = "2", INTERVAL = "0.02", VERBOSE = "0",
    BLOCKING = math.random(2) == 1 and "1" or "0", PIDFILE = self.world.dir .. "/pid",
    APP_INCLUDE = world.fixtures .. "/kill.lua", RL_STOPAT = self.stops,
  }, { program = self.program })
end

--- Keeps a few jobs in the queues.
function Fleet:feed()
  local w = self.world
  if w:queued "high" + w:queued "low" >= FEED_BELOW then
    return
  end
  for _ = 1, FEED do
    self.serial = self.serial + 1
    local id = ("job%d"):format(self.serial)
    local args = ('[{"seconds":%.4f,"text":"%s é\\u0000\\/%s"}]'):format(
      math.random() * SLOWEST, id, ("x"):rep(math.random(0, 300)))
    self.jobs[id] = world.payload("Kill_Job", args, id)
    w:job("Kill_Job", nil,
      { queue = QUEUES[math.random(#QUEUES)], id = id, args = args, track = true })
  end
end

--- One look at everything: raises when the law does not hold at this instant.
function Fleet:check()
  self.looks = self.looks + 1
  return conservation.check(self.world, self.jobs, true)
end

-- ---- who is who

local function comm(pid)
  return ((proc.read(("/proc/%d/comm"):format(pid)) or ""):gsub("\n", ""))
end
killing.comm = comm

local function stopped(pid)
  local stat = proc.stat(pid)
  return stat ~= nil and stat.state == "T"
end
killing.stopped = stopped

-- Workers of this manager and of the ones before it.
function Fleet:workers()
  local list = {}
  if not self.run.process:running() then
    error(("the manager ended by itself, with %d; the log:\n%s"):format(self.run.process.code,
      self:log()), 0)
  end
  for _, pid in ipairs(proc.children(self.run.pid)) do
    local stat = proc.stat(pid)
    if stat and stat.state ~= "Z" and comm(pid) ~= "resque-lua" then -- the check of APP_INCLUDE
      list[#list + 1] = pid
    end
  end
  for pid in pairs(self.leaving) do
    if proc.alive(pid) then
      list[#list + 1] = pid
    else
      self.leaving[pid] = nil
    end
  end
  return list
end

local function child_of(worker)
  return proc.children(worker)[1]
end
killing.child_of = child_of

--- Where a worker is in the life of a job; one that watches is where its job is.
function killing.place_of(worker)
  local place = comm(worker)
  local child = place == "watch" and child_of(worker)
  return child and comm(child) or place
end

-- The pid in a worker's id: host:pid:queues.
local function pid_of(worker_id)
  return math.tointeger(tonumber(worker_id:match "^[^:]*:(%d+):"))
end
killing.pid_of = pid_of

--- A worker that is registered and knows it, of the manager that runs; nil if there is none yet.
function Fleet:registered_worker()
  for id in pairs(self:check().workers) do
    local pid = pid_of(id)
    local stat = proc.stat(pid)
    local known = comm(pid) ~= "register" and comm(pid) ~= "registered"
    if known and stat and stat.parent == self.run.pid and stat.state ~= "Z" then
      return pid
    end
  end
end

--- The stopped process that shows this place: its pid, and the worker it belongs to.
function Fleet:find_stopped(place)
  if stopped(self.run.pid) and comm(self.run.pid) == place then
    return self.run.pid
  end
  for _, worker in ipairs(self:workers()) do
    if stopped(worker) and comm(worker) == place then
      return worker, worker
    end
    local child = child_of(worker)
    if child and stopped(child) and comm(child) == place then
      return child, worker
    end
  end
end

--- The record of a worker: id, token; nil if it has none.
function Fleet:record_of(worker)
  for _, record in ipairs(self:check().record) do
    if pid_of(record.worker) == worker then
      return record
    end
  end
end

--- The id of the job of a worker that is stopped; its bytes must be the ones that were enqueued.
function Fleet:job_of(worker)
  self:check() -- what the worker had sent before it stopped is done after this
  local record = self:record_of(worker)
  if record then
    local text = self.world:on("GET", "worker:" .. record.worker)
    assert(text:find(self.jobs[record.id], 1, true), "other bytes: " .. text)
    return record.id
  end
end

-- ---- kills

function Fleet:note(victim, place)
  local row = self.tally[victim] or {}
  self.tally[victim] = row
  local step = STEPS[place] or "between"
  row[step] = (row[step] or 0) + 1
  row.all = (row.all or 0) + 1
end

--- What may become of a job now: some of the words "back", "dirty" (killed as a job), "prune" (died
-- with its worker), "done".
function Fleet:expect(id, fates, why)
  if id then
    self.expected[id] = self.expected[id] or {}
    table.insert(self.expected[id], { fates = fates, why = why })
  end
end

--- Turns the world until a condition holds: jobs are fed, the law is checked.
function Fleet:until_true(condition, seconds, what)
  local look_at = 0
  return clock.wait_until(function()
    if not self.dry then
      self:feed()
    end
    if clock.now() > look_at then
      self:check()
      look_at = clock.now() + 0.05
    end
    return condition()
  end, seconds, what)
end

local function kill(pid, name)
  return uv.kill(pid, name or "sigkill")
end

function Fleet:wait_gone(pids, seconds)
  self:until_true(function()
    for _, pid in ipairs(pids) do
      if pid and proc.alive(pid) then
        return false
      end
    end
    return true
  end, seconds, function()
    local lines = {}
    for _, pid in ipairs(pids) do
      local stat = proc.stat(pid) or {}
      lines[#lines + 1] = ("%d %s %s %s"):format(pid, stat.state, comm(pid), proc.title(pid))
    end
    return "the processes ended:\n  " .. table.concat(lines, "\n  ")
  end)
end

function Fleet:log()
  return self.run.process:err():sub(-3000)
end

--- Asks the next process that passes this place to stop there, and waits for it: its pid, and its
-- worker's. `trigger` is called with a worker, once there is one, if nothing leads there by itself.
function Fleet:stop_at(place, trigger)
  assert(io.open(self.stops .. "/" .. place, "w")):close()
  self.dry = place == "idle"
  local pid, worker, pulled
  self:until_true(function()
    pid, worker = self:find_stopped(place)
    if not pid and trigger and not pulled then
      pulled = self:registered_worker()
      if pulled then
        trigger(self, pulled)
      end
    end
    return pid
  end, 15, function()
    return "a process stopped at " .. place .. "; the log:\n" .. self:log()
  end)
  self.dry = false
  return pid, worker
end

--- Ends a job's process; waits until its worker has written what became of the job.
function Fleet:kill_child(child, worker)
  local token = self:record_of(worker).token
  kill(child)
  self:until_true(function()
    local record = self:record_of(worker)
    return not record or record.token ~= token
  end, 2, function()
    return "the end of a killed job is written; the log:\n" .. self:log()
  end)
end

--- Ends a worker; waits until it, and what was below it, is gone and accounted for.
function Fleet:kill_worker(worker)
  local child = child_of(worker)
  kill(worker)
  self:wait_gone({ worker, child }, 2)
  self:until_true(function()
    for id in pairs(self:check().workers) do
      if pid_of(id) == worker then
        return false
      end
    end
    return true
  end, 2, function()
    return ("worker %d is accounted for; the log:\n%s"):format(worker, self:log())
  end)
end

--- Kills the manager and starts another at once; `before` says when what is stopped may go on.
-- Its workers finish their jobs and leave.
function Fleet:kill_manager(go_on)
  local workers = self:workers()
  kill(self.run.pid)
  self.run.process:wait(5)
  for _, pid in ipairs(workers) do
    self.leaving[pid] = true
  end
  if math.random(2) == 1 and go_on then
    kill(go_on, "sigcont")
  end
  self:start()
  if go_on then
    kill(go_on, "sigcont")
  end
  self:wait_gone(workers, 10)
end

--- kill -9 of the whole tree at one moment, and a new manager.
function Fleet:kill_all()
  local pids = { self.run.pid }
  for _, worker in ipairs(self:workers()) do
    pids[#pids + 1] = worker
    pids[#pids + 1] = child_of(worker)
  end
  for _, pid in ipairs(pids) do
    kill(pid)
  end
  self.run.process:wait(5)
  self:wait_gone(pids, 5)
  self:start()
end

-- ---- the end

--- No more jobs: waits until all are done, stops the fleet, returns the last snapshot's places.
function Fleet:drain()
  self.dry = true
  self:until_true(function()
    local seen = self:check()
    return #seen.queue == 0 and #seen.record == 0
  end, 60, function()
    return "all jobs are done; the log:\n" .. self:log()
  end)
  self.run:stop(10)
  local seen, at = self:check()
  local left = next(seen.workers)
  assert(not left, "still registered after the end: " .. tostring(left))
  return at
end

function Fleet:close()
  for pid in pairs(self.leaving) do
    kill(pid, "sigkill")
  end
  self.world:close()
end

return killing
