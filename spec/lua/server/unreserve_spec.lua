-- unreserve.lua: a job that never started goes back to the head of its queue.
local cjson = require "cjson"
local mime = require "mime"
local scene = require "spec.support.scene"

local s <const> = scene.scripts()

local JOB = '{"class":"A","args":[]}'

describe("unreserve", function()
  it("puts the same bytes at the head of the same queue, and counts nothing", function()
    for _, payload in ipairs {
      JOB, '{"class":"A","args":["\255",NaN]}\0\1', ' {"class":"é","args":[ ]}\n',
      '{"class":"A","args":["' .. ("x"):rep(1000000) .. '"]}' } do
      s:reset()
      local token = s:working(payload)
      s:push("mail", '{"class":"B","args":[]}')
      assert.same({ "OK" }, s:run("unreserve", token))
      assert.is_true(s:key("LINDEX", "queue:mail", 0) == payload)
      assert.equal(2, s:key("LLEN", "queue:mail"))
      assert.is_nil(s:record())
      assert.equal("0 0 / 0 0", s:counters())
    end
  end)

  it("brings the queue back into `queues`", function()
    local token = s:working(JOB)
    s:key("DEL", "queues")
    s:run("unreserve", token)
    assert.same({ "mail" }, s:key("SMEMBERS", "queues"))
  end)

  it("puts the status back to 1, without a time to live", function()
    s:key("SET", "job:a:status",
      '{"status":1,"updated":1326692575,"started":1326692570,"result":null}')
    s:run("unreserve", s:working '{"class":"A","args":[],"id":"a"}')
    assert.matches('^{"status":1,"updated":%d+,"started":1326692570,"result":null}$',
      s:key("GET", "job:a:status"))
    assert.equal(-1, s:key("TTL", "job:a:status"))
  end)

  it("twice changes nothing and answers ALREADY", function()
    local token = s:working(JOB)
    s:run("unreserve", token)
    local before = s:everything()
    assert.same({ "ALREADY" }, s:run("unreserve", token))
    assert.same(before, s:everything())
  end)

  it("works on a full Redis", function()
    local token = s:working(JOB)
    s:fill()
    assert.same({ "OK" }, s:run("unreserve", token))
    assert.equal("queue:mail", s:places(JOB))
  end)
end)

describe("unreserve to a queue key that is no list any more", function()
  it("records a failure that says so", function()
    s:key("SET", "job:a:status", '{"status":1,"updated":1,"started":1}')
    local payload = '{"class":"A","args":[],"id":"a"}'
    local token = s:working(payload)
    s:key("SET", "queue:mail", "x")
    assert.same({ "OK", "FAILED" }, s:run("unreserve", token))
    assert.equal("failed", s:places(payload))
    local _, failure = s:failure()
    assert.equal("Resque::DirtyExit", failure.exception)
    assert.matches("^Job was not started and could not be put back into its queue: WRONGTYPE",
      failure.error)
    assert.equal("1 1 / 1 1", s:counters())
    assert.equal(3, cjson.decode(s:key("GET", "job:a:status")).status)
  end)

  it("keeps the bytes of a payload that cannot stand in a record", function()
    local payload = '{"class":"A","args":[NaN]}\0\255'
    local token = s:working(payload)
    s:key("SET", "queue:mail", "x")
    s:run("unreserve", token)
    assert.equal(payload, mime.unb64(select(2, s:failure()).raw_base64))
  end)

  it("puts the record back when nothing can be written", function()
    local token = s:working(JOB)
    for _, key in ipairs { "queue:mail", "failed", "failed:overflow" } do
      s:key("SET", key, "x")
    end
    local before = s:everything()
    local answer = s:run("unreserve", token)
    assert.equal("ERR", answer[1])
    assert.matches("WRONGTYPE", answer[2])
    assert.same(before, s:everything())
  end)
end)
