--- What doctor says of servers that no machine of today runs; everything else is provoked for real
-- in spec/system/doctor_spec.lua.
local server = require "resque.doctor.server"
local sys = require "resque.sys"

local check = server[1]

-- The line of INFO, as the check is given it.
local function info_says(version)
  return {
    info = function()
      return version
    end,
    version = function()
      return math.tointeger(tonumber(version:match "^(%d+)"))
    end,
  }
end

describe("doctor's judgement of the version", function()
  after_each(function()
    sys.settings = nil
  end)

  for _, row in ipairs {
    { "4.0.14", false, "fail", "older than 5" }, { "5.0.14", false, "ok", "BLOCKING would need 6" },
    { "5.0.14", true, "fail", "^BLOCKING needs Redis 6, this is 5.0.14$" },
    { "6.0.16", true, "ok", "^Redis 6.0.16$" }, { "7.2.4", true, "ok", "^Redis 7.2.4$" },
    { "10.0.0", true, "ok", "^Redis 10.0.0$" },
  } do
    it(("%s, BLOCKING %s: %s"):format(row[1], row[2], row[3]), function()
      sys.settings = { blocking = row[2] }
      local found = check(info_says(row[1]))
      assert.equal(row[3], found.level)
      assert.matches(row[4], found.text)
    end)
  end
end)
