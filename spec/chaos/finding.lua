--- The checker finds what it is there for: each mistake of spec/chaos/bugs.lua, made in a copy of
-- the product, is told with its invariant. SEED gives the same jobs and faults again, BUG=words
-- only the mistakes whose names have these words. Two spec files use it, at the same time.
local bugs = require "spec.chaos.bugs"
local campaign = require "spec.chaos.campaign"
local checker = require "spec.support.checker"
local folder = require "spec.support.folder"
local plan = require "spec.chaos.plan"
local report = require "spec.chaos.report"
local seeded = require "spec.chaos.seeded"

local SEED = tonumber(os.getenv "SEED") or 1
local TRIES = 5 -- which instruction a fault hits is the machine's
local QUIET = { jobs = 120, faults = 0 }

local function run(seed, options, program, lua_path, breaks)
  local opts = { seed = seed, program = program, lua_path = lua_path, seconds = 30, drain = 2,
    leave = 2 }
  for _, list in ipairs { QUIET, options or {} } do
    for name, value in pairs(list) do
      opts[name] = value
    end
  end
  local one = campaign.start(opts)
  local ok, problems = xpcall(one.run, debug.traceback, one, function(problems)
    for _, problem in ipairs(problems) do
      if problem.invariant == breaks then
        return true
      end
    end
  end)
  one:close()
  return ok and problems or error(problems, 0)
end

local finding = {}

--- The mistakes in files of a folder: src or lua.
function finding.bugs(place)
  local list = {}
  for _, bug in ipairs(bugs) do
    assert(checker.invariants[bug.breaks], bug.breaks)
    local wanted = bug.name:find(os.getenv "BUG" or "", 1, true)
    if wanted and bug.file:find(place .. "/", 1, true) == 1 then
      list[#list + 1] = bug
    end
  end
  return list
end

local function is_found(bug, problems)
  for _, problem in ipairs(problems) do
    if problem.invariant == bug.breaks then
      return true
    end
  end
  return false
end

--- Makes a mistake and runs campaigns until its invariant was found broken; raises if none did it.
function finding.find(bug)
  local dir = folder.make "bugs"
  local program, lua_path = seeded.make(bug, dir)
  local found, problems
  for try = 0, TRIES - 1 do
    problems = run(SEED + try, bug.run, program, lua_path, bug.breaks)
    found = is_found(bug, problems)
    if found then
      break
    end
  end
  seeded.remove(bug, dir)
  folder.remove(dir)
  if not found then
    error(("SEED=%d and on: found only:\n%s"):format(SEED, report.problems(problems)), 0)
  end
end

--- What is wrong with the product as it is: "" if nothing.
function finding.nothing()
  local patient = { jobs = 300, shares = plan.shares(), drain = 30, leave = 30 }
  local ordered = { jobs = 300, ordered = true, fleets = 1, count = 1, producers = 1, drain = 30,
    leave = 30 }
  return report.problems(run(SEED, patient))
    .. report.problems(run(SEED, ordered))
end

return finding
