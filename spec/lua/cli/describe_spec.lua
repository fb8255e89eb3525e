-- resque.cli.describe: what `check` says of a class.
local described = require "resque.cli.describe"

describe("resque.cli.describe", function()
  it("says where a class is and what it has", function()
    local class = load([[
      local C = { queue = "mail" }
      function C:set_up() end
      function C:perform() end
      return C]], "@/srv/jobs.lua")()
    assert.are.same({
      name = "C", file = "/srv/jobs.lua", line = 3, queue = "mail",
      methods = { "setUp", "perform" }, warnings = {},
    }, described("C", class))
  end)

  it("warns of slips", function()
    local class = { setup = function() end, run = function() end, queue = 5 }
    local about = described("C", class)
    assert.are.same({
      "it has no perform method", "run is not called (hint: is it perform?)",
      "setup is not called (hint: is it setUp?)",
    }, about.warnings)
    assert.is_nil(about.line)
    assert.is_nil(about.queue)
  end)

  it("warns of a dot where a colon was meant", function()
    local about = described("C", { perform = function() end })
    assert.is_truthy(about.warnings[1]:find "does not take self")
    assert.are.same({}, described("C", { perform = function(...) return ... end }).warnings)
    assert.are.same({}, described("C", {
      perform = function(self) return self end, run = function() end,
    }).warnings)
  end)
end)
