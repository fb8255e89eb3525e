-- resque.connection, the default connection of a program: addresses, prefixes, one call.
local cjson = require "cjson"
local clock = require "spec.support.clock"
local world = require "spec.support.world"

describe("resque.connection", function()
  local connection = require "resque.connection"
  local redis

  setup(function() redis = world.server { tcp = true } end)
  before_each(function()
    redis:call "FLUSHALL"
    connection.set_backend(redis:backend())
  end)
  after_each(function() connection.set_backend(nil) end)

  it("opens one connection at first use", function()
    local first = assert(connection.default())
    assert.are.equal(first, connection.default())
    connection.set_backend(redis:backend())
    assert.are_not.equal(first, connection.default())
  end)

  it("leaves none open when there is another backend", function()
    local function count()
      return select(2, redis:call("CLIENT", "LIST"):gsub("\n", ""))
    end
    assert(connection.default())
    local before = count()
    connection.set_backend(redis:backend(true))
    clock.wait_until(function() return count() == before - 1 end, 5, "the connection is closed")
  end)

  it("is called for one command, and never raises for Redis' sake", function()
    local call = connection.redis
    assert.are.equal(1, call("HSET", "h", "field", 5))
    assert.are.equal("5", call("HGET", "h", "field"))
    local value, err = call("GET", "h")
    assert.is_nil(value)
    assert.is_truthy(err:find "^WRONGTYPE")
    connection.set_backend("unix:///nowhere/redis.sock")
    local trouble
    value, err, trouble = call("GET", "k")
    assert.is_nil(value)
    assert.is_truthy(err:find("/nowhere/redis.sock", 1, true), err)
    assert.are.equal("unreachable", trouble)
    value, err, trouble = call.pipeline(function(p) p "PING" end)
    assert.is_nil(value)
    assert.is_string(err)
    assert.are.equal("unreachable", trouble)
  end)

  it("pipelines what a function fills in", function()
    local replies = connection.redis.pipeline(function(p)
      p("SET", "a", 1)
      p("INCR", "a")
      p("GET", "none")
    end)
    assert.are.same({ "OK", 2, cjson.null }, replies)
    assert.are.same({}, connection.redis.pipeline(function() end))
  end)

  it("warns once when the server does not know the user of the address", function()
    local sys, said = require "resque.sys", {}
    local log = sys.log
    redis:call("CONFIG", "SET", "requirepass", "richtig")
    connection.set_backend("redis://niemand:richtig@127.0.0.1:" .. redis.port)
    sys.log = function(level, text) said[#said + 1] = level .. " " .. text end
    local pong = { connection.redis "PING", connection.redis "PING" }
    sys.log = log
    redis:call("CONFIG", "SET", "requirepass", "")
    assert.are.same({ "PONG", "PONG" }, pong)
    assert.are.equal(1, #said)
    assert.is_truthy(said[1]:find "^warn .*takes the password, but not the user", said[1])
    assert.is_nil(said[1]:find("richtig", 1, true))
  end)

  it("keeps resque's own commands out of a user's transaction", function()
    assert.are.equal(connection.default(), connection.own())
    connection.redis "MULTI"
    local none, err = connection.own()
    assert.is_nil(none)
    assert.is_truthy(err:find "inside a transaction", err)
    connection.redis "DISCARD"
    assert.are.equal(connection.default(), connection.own())
  end)

  it("prefixes names of keys, with one colon", function()
    for _, row in ipairs {
      { "app", "app:queues" }, { "app:", "app:queues" }, { "", "queues" }, { "a:b", "a:b:queues" },
    } do
      connection.set_prefix(row[1])
      assert.are.equal(row[2], connection.key "queues")
    end
    connection.set_prefix "resque"
  end)

  it("refuses what is no text", function()
    assert.has_error(function() connection.set_backend(5) end)
    assert.has_error(function() connection.set_prefix(nil) end)
  end)
end)
