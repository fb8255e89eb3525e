--- spec/chaos/run, once everything is built and on its paths.
local campaign = require "spec.chaos.campaign"
local faults = require "spec.chaos.faults"
local process = require "spec.support.process"
local report = require "spec.chaos.report"
local world = require "spec.support.world"

local function number(name, otherwise)
  local value = tonumber(os.getenv(name) or otherwise)
  if not value or value < 0 then
    error(name .. ": a number expected", 0)
  end
  return math.tointeger(value) or value
end

-- FAULTS is how many, or the name of the only kind.
local function choose_faults(jobs)
  local text = os.getenv "FAULTS"
  if text == "redis" then
    return number("RESTARTS", 100), { redis_kill = 1 }
  end
  return number("FAULTS", jobs // 10), faults.shares
end

local seed, jobs = number("SEED", os.time()), number("JOBS", 10000)
local count, shares = choose_faults(jobs)
local replay = ("SEED=%d JOBS=%d FAULTS=%s%s spec/chaos/run"):format(seed, jobs,
  os.getenv "FAULTS" or count, os.getenv "RESTARTS" and " RESTARTS=" .. count or "")
io.stdout:setvbuf "line"
print(replay)
local run = campaign.start { seed = seed, jobs = jobs, faults = count, fault_shares = shares }
local ok, problems = xpcall(run.run, debug.traceback, run)
if ok then
  io.write(report.text(run, problems, replay))
else
  io.write(tostring(problems), "\nNOT KEPT: the campaign itself failed\nthe same again: ", replay,
    "\n")
end
if os.getenv "SAVE" then
  run:save(os.getenv "SAVE")
end
run:close()
world.finish()
process.finish_all()
os.exit(ok and #problems == 0 and 0 or 1)
