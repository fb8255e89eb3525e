--- The mistakes in C that the checker must find.
local finding = require "spec.chaos.finding"

describe("the checker", function()
  for _, bug in ipairs(finding.bugs "src") do
    it(("finds %s broken when %s"):format(bug.breaks, bug.name), function()
      finding.find(bug)
    end)
  end
end)
