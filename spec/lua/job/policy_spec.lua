-- resque.job.policy: what a job's table may say about its limits.
local policy = require "resque.job.policy"

describe("resque.job.policy", function()
  local function read(class)
    return policy.read("Spec", class)
  end

  it("says nothing where the table does not", function()
    assert.is_nil(read {})
    assert.is_nil(read { perform = print, queue = "mail" })
  end)

  for given, seconds in pairs {
    [30] = 30, [0.25] = 0.25, ["30"] = 30, ["30s"] = 30, ["500ms"] = 0.5, ["1.5m"] = 90,
    ["2h"] = 7200, ["1d"] = 86400, [math.huge] = math.huge, [false] = math.huge,
  } do
    it(("reads times: %s"):format(given), function()
      assert.equal(seconds, read({ timeout = given }).timeout)
      assert.equal(seconds, read({ cpu = given }).cpu)
      assert.equal(0, read({ timeout = given }).memory)
    end)
  end

  for given, bytes in pairs {
    [1 << 20] = 1 << 20, [2e6] = 2000000, ["1048576"] = 1 << 20, ["64M"] = 64 << 20,
    ["2048K"] = 2 << 20, ["1.5G"] = 3 << 29, [false] = -1,
  } do
    it(("reads sizes: %s"):format(given), function()
      assert.equal(bytes, read({ memory = given }).memory)
      assert.equal("integer", math.type(read({ memory = given }).memory))
      assert.equal(0, read({ memory = given }).timeout)
    end)
  end

  for given, times in pairs {
    fail = 0, [false] = 0, ["requeue:1"] = 1, ["requeue:1000"] = 1000,
  } do
    it(("reads what becomes of a crashed job: %s"):format(given), function()
      assert.equal(times, read({ on_crash = given }).requeue)
      assert.equal(-1, read({ cpu = 1 }).requeue)
    end)
  end

  it("refuses what is neither fail nor requeue:N", function()
    for _, value in ipairs { "requeue", "requeue:0", "requeue:1001", "requeue:1.5", "FAIL", "", 3,
      true, {} } do
      local ok, err = pcall(read, { on_crash = value })
      assert.is_false(ok)
      assert.equal("Resque::BadJobTable", err.name)
      assert.matches("^on_crash of job class Spec is .-, which is not 'fail' or 'requeue:N' with N "
        .. "from 1 to 1000$", err.message)
    end
  end)

  local bad = {
    timeout = { 0, -1, "soon", "", "1x", "-5", "0x10", "1e3", "1K", " 5", 0 / 0, -math.huge, true,
      {}, print },
    memory = { 0, -1, "1K", 1000, "64Q", "", "M", "2000G", 0 / 0, math.huge, "30s", true, {} },
    cpu = { 0, "64M", "\27[31m", true },
  }
  for field, values in pairs(bad) do
    for _, value in ipairs(values) do
      it(("refuses %s = %s"):format(field, tostring(value):gsub("%c", "?")), function()
        local ok, err = pcall(read, { [field] = value })
        assert.is_false(ok)
        assert.equal("Resque::BadJobTable", err.name)
        assert.matches(("^%s of job class Spec is .-, which is not a number of "):format(field),
          err.message)
        assert.is_nil(err.message:find "%c")
      end)
    end
  end

  it("takes inherited fields", function()
    assert.equal(5, read(setmetatable({}, { __index = { timeout = 5 } })).timeout)
  end)
end)
