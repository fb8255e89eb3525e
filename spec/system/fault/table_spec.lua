--- spec/FAULTS.md names tests that exist: for each `file`: "words" the words stand in that file,
-- and no fault is without a test.
local proc = require "spec.support.proc"
local world = require "spec.support.world"

local TABLE = assert(proc.read(world.root .. "/spec/FAULTS.md"))

-- {fault =, happens =, tests =} of every row.
local function rows()
  local list = {}
  for line in TABLE:gmatch "[^\n]+" do
    local fault, happens, tests = line:match "^| (.-) | (.-) | (.-) |$"
    if fault and fault ~= "Fault" then
      list[#list + 1] = { fault = fault, happens = happens, tests = tests }
    end
  end
  return list
end

describe("the table of faults", function()
  it("has rows of three cells, each with a test", function()
    local list = rows()
    local lines = select(2, TABLE:gsub("\n|", "")) - 2 * select(2, TABLE:gsub("\n| Fault ", ""))
    assert.equal(lines, #list) -- no row was overlooked
    assert.is_true(#list > 60)
    for _, row in ipairs(list) do
      assert.matches('`[%w_/]+_?%w*%.%a+`: "', row.tests, row.fault)
    end
  end)

  it("names tests that exist", function()
    local texts, seen = {}, 0
    for _, row in ipairs(rows()) do
      for file, names in row.tests:gmatch '`([%w_/]+%.%a+)`: ([^`]+)' do
        texts[file] = texts[file] or assert(proc.read(world.root .. "/spec/" .. file), file)
        for name in names:gmatch '"(.-)"' do
          assert.is_truthy(texts[file]:find(name, 1, true), ("%s has no %q"):format(file, name))
          seen = seen + 1
        end
      end
    end
    assert.is_true(seen > 100)
  end)

  it("is what README links", function()
    assert.is_truthy(proc.read(world.root .. "/README.md"):find("](spec/FAULTS.md)", 1, true))
  end)
end)
