-- features.lua: which workers know too little for what every worker has to know.
local resp = require "spec.support.resp"
local scene = require "spec.support.scene"
local scripts = require "spec.support.scripts"

local s <const> = scene.scripts(true)

-- Registers a resque-lua whose program knows so many features; nil: it is of before there were any.
local function worker(id, features)
  s.worker = id
  assert.same({ "OK" }, s:run("register", "boot", "1", "12", "777", scripts.NONCE, "0",
    features or "0"))
  if not features then s:key("HDEL", "lua:proc:" .. id, "features") end
  return id
end

local function look(needed, ...)
  return s:run("features", needed, ...)
end

describe("features", function()
  it("finds nobody where every worker knows enough", function()
    assert.same({ "OK" }, look(1))
    assert.same({ "OK" }, look(2, worker("a:1:q", "2"), worker("b:1:q", "3")))
  end)

  it("names each that knows less, with what it knows", function()
    local ids = { worker("a:1:q", "2"), worker "b:1:q", worker("c:1:q", "1"), worker("d:1:q", "2") }
    assert.same({ "OLDER", "b:1:q", 0, "c:1:q", 1 }, look(2, table.unpack(ids)))
    assert.same({ "OLDER", "b:1:q", 0 }, look(1, table.unpack(ids)))
  end)

  it("takes Ruby's workers, and those that have left, for no resque-lua", function()
    s:key("SADD", "workers", "ruby:1:q")
    worker "gone:1:q"
    assert.same({ "OK" }, s:run("unregister", scripts.NONCE, 0))
    assert.same({ "OK" }, look(1, "ruby:1:q", "gone:1:q"))
  end)

  it("looks past a key that is no hash, and at a number that is none as at 0", function()
    s:key("RPUSH", "lua:proc:odd:1:q", "x")
    worker("b:1:q", "many")
    assert.same({ "OLDER", "b:1:q", 0 }, look(1, "odd:1:q", "b:1:q"))
  end)

  it("says what it may not look with, and finds nobody fine then", function()
    worker "a:1:q"
    s:set("ACL", "SETUSER", "blind", "reset", "on", "nopass", "~*", "+eval", "+evalsha",
      "+script|load", "-hmget")
    local own = s.server.client
    s.server.client = resp.connect(s.server.socket)
    s:set("AUTH", "blind", "x")
    local answer = look(1, "a:1:q")
    s.server.client:close()
    s.server.client = own
    s:set("ACL", "DELUSER", "blind")
    assert.equal("ERR", answer[1])
    assert.matches("^HMGET: ", answer[2])
  end)

  it("changes nothing", function()
    worker "a:1:q"
    local before = s:everything()
    look(1, "a:1:q")
    assert.same(before, s:everything())
  end)

  it("looks at 1000 workers, and at none of 1001", function()
    local ids = {}
    for i = 1, 1000 do
      ids[i] = ("a:%d:q"):format(i)
      s:key("HSET", "lua:proc:" .. ids[i], "nonce", scripts.NONCE)
    end
    assert.equal(2001, #look(1, table.unpack(ids)))
    assert.same({ "ERR", "more than 1000 workers in one call" }, look(1, "more:1:q",
      table.unpack(ids)))
  end)
end)
