--- The checker finds what it is there for: each mistake of spec/chaos/bugs.lua, made in a copy of
-- the product, is told with its invariant. SEED gives the same jobs and faults again.
local bugs = require "spec.chaos.bugs"
local campaign = require "spec.chaos.campaign"
local checker = require "spec.chaos.checker"
local plan = require "spec.chaos.plan"
local seeded = require "spec.chaos.seeded"
local uv = require "luv"

local SEED = tonumber(os.getenv "SEED") or 1
local QUIET = { jobs = 120, faults = 0 }

local function run(options, program, lua_path, breaks)
  local opts = { seed = SEED, program = program, lua_path = lua_path, seconds = 30, drain = 2,
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

local function texts(problems)
  local list = {}
  for i, problem in ipairs(problems) do
    list[i] = i <= 20 and problem.invariant .. ": " .. problem.text or nil
  end
  return table.concat(list, "\n")
end

describe("the checker", function()
  local dir

  setup(function()
    dir = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/resque-bugs.XXXXXX"))
  end)
  teardown(function()
    os.execute(("rm -rf %q"):format(dir))
  end)

  it("finds nothing wrong with the product", function()
    for _, bug in ipairs(bugs) do
      assert(checker.invariants[bug.breaks], bug.breaks)
    end
    local options = { jobs = 300, faults = 0, shares = plan.shares() }
    assert.equal("", texts(run(options)))
    options = { jobs = 300, faults = 0, ordered = true, fleets = 1, count = 1, producers = 1 }
    assert.equal("", texts(run(options)))
  end)

  for _, bug in ipairs(bugs) do
    if not os.getenv "BUG" or bug.name:find(os.getenv "BUG", 1, true) then
      it(("finds %s broken when %s"):format(bug.breaks, bug.name), function()
        local program, lua_path = seeded.make(bug, dir)
        local problems = run(bug.run, program, lua_path, bug.breaks)
        seeded.remove(bug, dir)
        local found
        for _, problem in ipairs(problems) do
          found = found or problem.invariant == bug.breaks and problem.text
        end
        assert(found, ("SEED=%d: found only:\n%s"):format(SEED, texts(problems)))
      end)
    end
  end
end)
