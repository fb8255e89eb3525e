--- A running resque-lua: the manager that was started, its workers and their jobs, told apart by
-- their titles.
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"

local running = {}
local Running = {}
Running.__index = Running

function running.new(process)
  return setmetatable({ process = process, pid = process.pid }, Running)
end

-- A title without "resque-1.0: " and whatever RESQUE_PROCLINE_PREFIX put before it; nil for other
-- programs.
local function words(pid)
  return (proc.title(pid) or ""):match "resque%-%d[%d.]*: (.*)"
end
running.words = words

-- Descendants whose title starts with one of the words. All of them: a daemon's manager may be
-- deeper.
local function titled(pid, ...)
  local list = {}
  for _, below in ipairs(proc.descendants(pid)) do
    local text = words(below)
    for _, word in ipairs { ... } do
      if text and text:sub(1, #word) == word and proc.alive(below) then
        list[#list + 1] = below
        break
      end
    end
  end
  return list
end

--- Pids of the workers, in the order of their start; only those whose title starts with `word`
-- when given.
function Running:workers(word)
  if word then
    return titled(self.pid, word)
  end
  return titled(self.pid, "Starting", "Waiting", "Forked", "Paused")
end

--- The worker of a COUNT=1 run.
function Running:worker()
  return self:workers()[1]
end

--- Pids of the processes that run jobs.
function Running:jobs()
  return titled(self.pid, "Processing")
end

--- Waits until the worker's title (without "resque-1.0: ") matches; returns the captures.
function Running:wait_title(pattern, seconds)
  local seen
  return clock.wait_until(function()
    local pid = self:worker()
    seen = pid and words(pid)
    self.process:must_not_fail()
    return seen and seen:match(pattern)
  end, seconds, function()
    return ("the title matches %q; it is %q; the log:\n%s"):format(pattern, tostring(seen),
      self.process:err():sub(-2000))
  end)
end

--- Waits for a job process; returns its pid.
function Running:wait_job(seconds)
  return clock.wait_until(function()
    self.process:must_not_fail()
    return self:jobs()[1]
  end, seconds, function()
    return "a job runs; the log:\n" .. self.process:err():sub(-2000)
  end)
end

--- Sends a signal to the manager, as people do.
function Running:signal(name)
  uv.kill(self.pid, name)
end

--- QUIT, and waits: exit code, signal.
function Running:stop(seconds)
  self:signal "sigquit"
  return self.process:wait(seconds or 10)
end

function Running:err()
  return self.process:err()
end

return running
