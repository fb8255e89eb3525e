--- A small campaign in which every invariant must hold: what the specs of campaigns share. SEED
-- gives the same jobs and faults again.
local campaign = require "spec.chaos.campaign"
local report = require "spec.chaos.report"

local SEED = tonumber(os.getenv "SEED") or os.time()

--- Runs it; raises what does not hold, all of it. The module is this function.
-- @param opts of campaign.start, without seed
-- @return the campaign, closed
return function(opts)
  print(("\nSEED=%d ./spec/run chaos   # the same jobs and faults again"):format(SEED))
  opts.seed = SEED
  local one = campaign.start(opts)
  local ok, problems = xpcall(one.run, debug.traceback, one)
  one:close()
  if not ok or problems[1] then
    error(ok and report.problems(problems) or problems, 0)
  end
  return one
end
