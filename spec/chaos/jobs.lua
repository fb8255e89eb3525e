-- The jobs of a campaign (spec/chaos/plan.lua). Each says when it starts, and when it ends, unless
-- it ends in another way.
local resque = require "resque"
local ledger = require "ledger"

local function own_pid()
  local file = assert(io.open "/proc/self/stat")
  local pid = file:read "n"
  file:close()
  return ("%d"):format(pid)
end

local function job(name, act, fields)
  local class = resque.job("Chaos_" .. name, fields)
  function class:perform()
    ledger.write("start", self.job.id, own_pid(), tostring(self.job.attempts))
    local result = act(self)
    ledger.write("end", self.job.id)
    return result
  end
end

local function wait(self)
  resque.sleep(self.args.ms / 1000)
end

job("Noop", function() end)
job("Work", wait)
job("Hold", wait)
job("Text", function(self)
  return self.args.text
end)
job("Numbers", function(self)
  return self.args
end)
-- Two processes that outlive the job, one of them in a session of its own.
job("Family", function()
  os.execute "sleep 60 & setsid sleep 60 &"
end)
job("Skip", function(self)
  ledger.write("end", self.job.id)
  resque.dont_perform "not today"
end)
job("Bow", function(self)
  ledger.write("exit", self.job.id)
  os.exit(0)
end)
job("Raise", function(self)
  error("raised by " .. self.job.id)
end)
job("Leave", function()
  os.exit(3)
end)
job("Late", function()
  while true do end
end, { timeout = 0.3 })
job("Hungry", function()
  return ("x"):rep(1 << 26)
end, { memory = "16M" })

-- Not by $PPID: that is the worker, once this process has been killed.
local function die()
  os.execute("kill -9 " .. own_pid())
end

job("Die", die)
job("Sturdy", wait, { on_crash = "requeue:3" })
job("Again", function(self)
  if self.job.attempts == 0 then
    die()
  end
end, { on_crash = "requeue:3" })
job("Poison", die, { on_crash = "requeue:2" })
