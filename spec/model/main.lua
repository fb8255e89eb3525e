-- The program behind spec/model/run: all worlds, all bugs, and the table.
local conform = require "spec.model.conform"
local search = require "spec.model.search"
local show = require "spec.model.show"
local worlds = require "spec.model.worlds"

local STATES = math.tointeger(tonumber(os.getenv "STATES" or 3000000))
local CALLS = 30000 -- made on a real Redis, about

collectgarbage("setpause", 300) -- most of what there is stays
io.stdout:setvbuf "line"
local calls, failed, sum = conform.collect(), 0, 0

print(("%-14s %10s %11s %6s %8s"):format("world", "states", "steps", "depth", "seconds"))
for _, world in ipairs(worlds.all) do
  local began = os.clock()
  local found = search.run { jobs = world.jobs, requeue = world.requeue, limits = world.limits,
    most = STATES }
  sum = sum + found.states
  print(("%-14s %10d %11d %6d %8.1f  %s"):format(world.name, found.states, found.steps, found.depth,
    os.clock() - began, found.complete and "all there are" or "cut off"))
  if found.problem then
    failed = failed + 1
    print(show.way(found))
  end
  calls:add(world)
end
print(("%-14s %10d"):format("in all", sum))

local same, problems = calls:compare(CALLS)
print(("\n%d different calls of scripts in these; %d made on a real Redis, %d the same"):format(
  #calls.list, same + #problems, same))
for i = 1, math.min(#problems, 5) do
  print("  " .. problems[i])
end
failed = failed + #problems

for _, bug in ipairs(worlds.bugs) do
  local found = search.run { jobs = 2, requeue = bug.requeue, limits = bug[3], bug = bug[1],
    most = 2000000 }
  print(("\nbug: %s (%s): %s"):format(bug[2], bug[1], found.problem or "NOT FOUND"))
  if found.problem then
    print(show.way(found))
  else
    failed = failed + 1
  end
end
os.exit(failed == 0)
