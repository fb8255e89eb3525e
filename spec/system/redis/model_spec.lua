--- The model of spec/model: a part of its states, the scripts against it on a real Redis, and every
-- seeded bug. spec/model/run looks at all states. Starts first.
-- Without sanitizers: nothing that is compiled takes part.
local conform = require "spec.model.conform"
local proc = require "spec.support.proc"
local search = require "spec.model.search"
local show = require "spec.model.show"
local uv = require "luv"
local redis = require "spec.model.redis"
local worlds = require "spec.model.worlds"

local MOST = 1000000 -- states of one world

local function world_of(world, bug)
  return { jobs = world.jobs, requeue = world.requeue, limits = world.few, most = MOST, bug = bug }
end

-- A worker that is told so can do nothing until somebody accounts for the record.
local function nobody_is_deaf()
  for _, of_state in pairs(redis.calls()) do
    for command, result in pairs(of_state) do
      local late = command:find "^unregister" -- of the one who had the name before
      assert.is_true(not result[2]:find "CONFLICT" or late ~= nil, command .. ": " .. result[2])
    end
  end
end

describe("the model", function()
  local calls = conform.collect()

  for _, world in ipairs(worlds.all) do
    it("keeps every law: " .. world.name, function()
      local found = search.run(world_of(world))
      assert.is_nil(found.problem, found.problem and show.way(found))
      assert.is_true(found.complete)
      nobody_is_deaf()
      calls:add(world)
      print(("\n%s: %d states, %d steps"):format(world.name, found.states, found.steps))
    end)
  end

  it("does what the scripts do on a real Redis", function()
    local same, problems = calls:compare(2000)
    assert.same({}, problems)
    assert.is_true(same > 100)
  end)

  it("is noticed when it does something else", function()
    local other = conform.collect()
    search.run { jobs = 2, limits = { late = 1 }, most = 5000, bug = "reserve_does_not_resume" }
    other:add {}
    local _, problems = other:compare()
    assert.is_true(#problems > 0)
  end)

  for _, bug in ipairs(worlds.bugs) do
    it("finds the bug: " .. bug[2], function()
      local found = search.run { jobs = 2, requeue = bug.requeue, limits = bug[3], bug = bug[1],
        most = 1000000 }
      assert.is_truthy(found.problem)
      assert.equal(found.depth + 1, #found.way)
    end)
  end
end)

-- A function of that name, as Lua or C write it.
local function defines(text, name)
  return text:find("function " .. name .. "%(") or text:find("\n[%w_ %*]-[ %*]" .. name .. "%(")
end

describe("what the model mirrors", function()
  it("is there", function()
    local mirrored, missing = 0, {}
    local scan = uv.fs_scandir "spec/model"
    for file in function() return uv.fs_scandir_next(scan) end do
      for path, name in proc.read("spec/model/" .. file):gmatch
        "\n%-%- (%l+/[%w_/]+%.%l+):? ?([%w_]*)\n" do
        local text = assert(proc.read(path), path .. " is not there")
        if name ~= "" and not defines(text, name) then
          missing[#missing + 1] = path .. ": " .. name
        end
        mirrored = mirrored + 1
      end
    end
    assert.same({}, missing)
    assert.is_true(mirrored > 35, tostring(mirrored))
  end)
end)
