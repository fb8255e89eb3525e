-- remove.lua: a waiting job is taken out of its queue.
local cjson = require "cjson"
local scene = require "spec.support.scene"
local scripts = require "spec.support.scripts"

local s <const> = scene.scripts()

local JOB = '{"class":"A","args":[],"id":"a"}'
local OTHER = '{"class":"B","args":[]}'
local FROM_HEAD, FROM_TAIL = 1, -1

local function remove(payload, which, id)
  return s.server.client:try("EVAL", scripts.text "remove", 1, "p:queue:mail", "p:", "",
    which or FROM_HEAD, payload, id or "a")
end

describe("remove", function()
  it("takes out one copy, the nearer one", function()
    for _, row in ipairs { { FROM_HEAD, { OTHER, JOB } }, { FROM_TAIL, { JOB, OTHER } } } do
      s:reset()
      s:push("mail", JOB, OTHER, JOB)
      assert.same({ "OK" }, remove(JOB, row[1]))
      assert.same(row[2], s:key("LRANGE", "queue:mail", 0, -1))
    end
  end)

  it("finds any bytes, and no others", function()
    for _, payload in ipairs { '{"class":"A","args":["\255",NaN]}\0\1', " ", ("x"):rep(1000000) } do
      s:reset()
      s:push("mail", payload .. " ", payload)
      assert.same({ "OK" }, remove(payload))
      assert.same({ payload .. " " }, s:key("LRANGE", "queue:mail", 0, -1))
    end
  end)

  it("of a job that is gone changes nothing", function()
    s:push("mail", OTHER)
    s:key("SET", "job:a:status", '{"status":2,"updated":1,"started":1}')
    s:key("HSET", "lua:attempts:a", "crashed", 1)
    local before = s:everything()
    assert.same({ "GONE" }, remove(JOB))
    assert.same(before, s:everything())
    s:key("DEL", "queue:mail")
    assert.same({ "GONE" }, remove(JOB))
  end)

  it("ends the status for a day, with its start and the reason", function()
    s:push("mail", JOB)
    s:key("SET", "job:a:status", '{"status":1,"updated":6,"started":5,"result":null}')
    remove(JOB)
    local status = cjson.decode(s:key("GET", "job:a:status"))
    assert.same({ 3, 5, "cancelled before it ran" },
      { status.status, status.started, status.result })
    assert.is_true(status.updated >= tonumber(s:set("TIME")[1]) - 5)
    local ttl = s:key("TTL", "job:a:status")
    assert.is_true(ttl > 86000 and ttl <= 86400)
  end)

  it("makes no status of a job that is not tracked", function()
    s:push("mail", JOB)
    remove(JOB)
    assert.equal(0, s:key("EXISTS", "job:a:status"))
  end)

  it("forgets the crashes of that job alone", function()
    s:push("mail", JOB, OTHER)
    s:key("HSET", "lua:attempts:a", "crashed", 1)
    s:key("HSET", "lua:attempts:b", "crashed", 1)
    remove(JOB)
    assert.equal(0, s:key("EXISTS", "lua:attempts:a"))
    assert.equal(1, s:key("EXISTS", "lua:attempts:b"))
  end)

  it("counts nothing", function()
    s:push("mail", JOB)
    remove(JOB)
    assert.equal("0 0 / 0 0", s:counters())
    assert.equal(0, s:key("EXISTS", "failed"))
  end)

  it("works on a full Redis, the status too", function()
    s:push("mail", JOB)
    s:key("SET", "job:a:status", '{"status":1,"updated":5,"started":5}')
    s:fill()
    assert.same({ "OK" }, remove(JOB))
    assert.equal(3, cjson.decode(s:key("GET", "job:a:status")).status)
  end)

  it("says that a queue is no list, and changes nothing", function()
    s:key("SET", "queue:mail", JOB)
    local before = s:everything()
    assert.matches("WRONGTYPE", remove(JOB).err)
    assert.same(before, s:everything())
  end)
end)
