-- promise.lua: how often a job is put back if it crashes, told before it begins.
local scene = require "spec.support.scene"
local scripts = require "spec.support.scripts"

local s <const> = scene.scripts()

local JOB = '{"class":"A","args":[]}'

local function promised()
  return s:key("HGET", "lua:proc:" .. s.worker, "job_on_crash")
end

describe("promise", function()
  it("notes it beside the worker, for this run of the job", function()
    local token = s:working(JOB)
    local record = s:record()
    assert.same({ "OK" }, s:run("promise", token, 3))
    assert.equal(token .. " 3", promised())
    assert.equal(record, s:record())
  end)

  it("twice is once, and the last one counts", function()
    local token = s:working(JOB)
    s:run("promise", token, 3)
    local before = s:everything()
    assert.same({ "OK" }, s:run("promise", token, 3))
    assert.same(before, s:everything())
    s:run("promise", token, 0)
    assert.equal(token .. " 0", promised())
  end)

  it("is kept by whoever finds the worker dead", function()
    local token = s:working(JOB)
    s:run("promise", token, 1)
    assert.same({ "OK", "REQUEUED", "A" }, s:run("prune", "reaped", scripts.NONCE, "me", token))
    assert.equal("queue:mail", s:places(JOB))
  end)

  local others = {
    { "of an earlier job", function(token) s:done(token) s:working(JOB) end },
    { "of a job that has ended", function(token) s:done(token) end },
    { "of another process by that name", function()
      s:key("SET", "worker:" .. s.worker, '{"token":"' .. scripts.OTHER .. ':1","queue":"mail"}')
    end },
    { "where the record is no record", function()
      s:key("SET", "worker:" .. s.worker, "text")
    end },
  }
  for _, row in ipairs(others) do
    it(row[1] .. " is refused, and changes nothing", function()
      local token = s:working(JOB)
      row[2](token)
      local before = s:everything()
      assert.same({ "LOST" }, s:run("promise", token, 3))
      assert.same(before, s:everything())
    end)
  end

  it("compares the whole token", function()
    local token = s:working(JOB)
    assert.same({ "LOST" }, s:run("promise", token:sub(1, -2), 3))
    assert.same({ "LOST" }, s:run("promise", token .. "0", 3))
    assert.is_nil(promised())
  end)

  it("works on a full Redis", function()
    local token = s:working(JOB)
    s:fill()
    assert.same({ "OK" }, s:run("promise", token, 3))
    assert.equal(token .. " 3", promised())
  end)

  it("says that a key is of another type", function()
    local token = s:working(JOB)
    s:key("DEL", "lua:proc:" .. s.worker)
    s:key("SET", "lua:proc:" .. s.worker, "text")
    assert.matches("WRONGTYPE", s:run("promise", token, 3).err)
    s:key("DEL", "worker:" .. s.worker)
    s:key("RPUSH", "worker:" .. s.worker, "text")
    assert.matches("WRONGTYPE", s:run("promise", token, 3).err)
  end)
end)
