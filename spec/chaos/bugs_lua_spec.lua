--- The mistakes in Lua that the checker must find, and that without them it finds nothing.
local finding = require "spec.chaos.finding"

describe("the checker", function()
  it("finds nothing wrong with the product", function()
    assert.equal("", finding.nothing())
  end)

  for _, bug in ipairs(finding.bugs "lua") do
    it(("finds %s broken when %s"):format(bug.breaks, bug.name), function()
      finding.find(bug)
    end)
  end
end)
