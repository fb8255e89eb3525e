--- What doctor says of servers that no machine of today runs; everything else is provoked for real
-- in spec/system/product/doctor_spec.lua.
local facts = require "resque.cli.doctor.facts"
local server = require "resque.cli.doctor.server"
local sys = require "resque.sys"

local check = server[1]

-- What a check is given where the server answers INFO with this text, and nothing else.
local function info_says(text)
  return facts.new {
    call = function(_, command)
      return command == "INFO" and text or nil, "ERR unknown command"
    end,
  }
end

local function redis(version)
  return info_says(("# Server\r\nredis_version:%s\r\nredis_git_sha1:00000000\r\n"):format(version))
end

-- The beginning of what Valkey 8.1 says.
local VALKEY = table.concat({
  "# Server", "redis_version:7.2.4", "server_name:valkey", "valkey_version:8.1.1",
  "valkey_release_stage:ga", "redis_git_sha1:00000000", "server_mode:standalone", "",
}, "\r\n")

describe("doctor's judgement of the version", function()
  after_each(function()
    sys.where, sys.settings = "plain", nil
  end)

  for _, row in ipairs {
    { "4.0.14", false, "fail", "older than 5" }, { "5.0.14", false, "ok", "BLOCKING would need 6" },
    { "5.0.14", true, "fail", "^BLOCKING needs Redis 6, this is 5.0.14$" },
    { "6.0.16", true, "ok", "^Redis 6.0.16$" }, { "7.2.4", true, "ok", "^Redis 7.2.4$" },
    { "10.0.0", true, "ok", "^Redis 10.0.0$" },
  } do
    it(("%s, BLOCKING %s: %s"):format(row[1], row[2], row[3]), function()
      sys.where, sys.settings = "command", { blocking = row[2] }
      local found = check(redis(row[1]))
      assert.equal(row[3], found.level)
      assert.matches(row[4], found.text)
    end)
  end
end)

describe("doctor calls a server by its name:", function()
  after_each(function()
    sys.where, sys.settings = "plain", nil
  end)

  -- extended-redis-compatibility makes Valkey say that its name is redis.
  for name, text in pairs { ["Valkey"] = VALKEY,
    ["Valkey in disguise"] = VALKEY:gsub("name:valkey", "name:redis") } do
    it(name, function()
      sys.where, sys.settings = "command", { blocking = true }
      local seen = info_says(text)
      assert.same({ "Valkey", "8.1.1" }, { seen:product() })
      assert.same({ 7, 2 }, { seen:version() }) -- what it can do is what that Redis can
      local found = check(seen)
      assert.same({ "ok", "Valkey 8.1.1" }, { found.level, found.text })
    end)
  end

  it("Redis, also where the version is not told", function()
    assert.same({ "Redis", "8.0.2" }, { redis "8.0.2":product() })
    local seen = info_says(nil)
    assert.same({ "Redis", nil, "ERR unknown command" }, { seen:product() })
    assert.equal("unseen", check(seen).level)
  end)
end)
