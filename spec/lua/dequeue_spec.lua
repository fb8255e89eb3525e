-- resque.dequeue against a real Redis: which jobs it takes out, and that the others stay.
local connection = require "resque.connection"
local dequeue = require "resque.dequeue".dequeue
local json = require "resque.json"
local queue = require "resque.queue"
local world = require "spec.support.world"

describe("resque.dequeue", function()
  local redis
  local php = '{"class":"B","args":[{"x":1,"y":[]}],"id":"b1","queue_time":1795341259.662578}'
  local ruby = '{"class":"A","args":[1,"é/x"]}'
  local node = '{"class":"A","queue":"q","args":[1]}'
  local php2, bare = (php:gsub("b1", "b2")), '{"class":"B"}'

  setup(function() redis = world.server { tcp = true } end)
  before_each(function()
    redis:call "FLUSHALL"
    connection.set_backend(redis:backend())
    connection.set_prefix "t"
    redis:call("RPUSH", "t:queue:q", ruby, php, "not json", '[1]', '{"class":5}', node, php2,
      ruby, bare)
  end)

  after_each(function()
    connection.set_backend(nil)
    connection.set_prefix "resque"
  end)

  local rows = {
    { "a class", "A", 3 },
    { "a class in a list", { "A" }, 3 },
    { "an id", { B = "b1" }, 1 },
    { "args", { B = { y = json.array(), x = 1 } }, 2 },
    { "args that nobody has", { { B = { x = 1, y = {} } } }, 0 },
    { "several", { { B = "b2" }, "A", "None" }, 4 },
    { "nothing", {}, 0 },
  }
  for _, row in ipairs(rows) do
    it("takes out " .. row[1], function()
      assert.are.equal(row[3], dequeue("q", row[2]))
      assert.are.equal(9 - row[3], redis:call("LLEN", "t:queue:q"))
    end)
  end

  it("keeps the order and the bytes of the rest", function()
    assert.are.equal(3, dequeue("q", "A"))
    assert.are.same({ php, "not json", "[1]", '{"class":5}', php2, bare },
      redis:call("LRANGE", "t:queue:q", 0, -1))
  end)

  it("empties a queue", function()
    redis:call("SADD", "t:queues", "q")
    assert.are.equal(9, dequeue "q")
    assert.are.same({ "t:queues" }, redis:call("KEYS", "*"))
    assert.are.equal(0, dequeue "q")
  end)

  it("goes through many pages", function()
    redis:call("DEL", "t:queue:q")
    local items = {}
    for i = 1, 3500 do
      items[i] = { queue = "q", class = i % 7 == 0 and "Seven" or "C", args = { i } }
    end
    assert(queue.push_many(items))
    assert.are.equal(500, dequeue("q", "Seven"))
    assert.are.equal(3000, redis:call("LLEN", "t:queue:q"))
    assert.are.equal(0, dequeue("q", "Seven"))
    assert.are.equal(3000, dequeue("q", "C"))
  end)

  it("says what is wrong", function()
    for _, f in ipairs {
      function() dequeue("a,b") end,
      function() dequeue("q", { 5 }) end,
      function() dequeue("q", { { A = 5 } }) end,
      function() dequeue("q", { {} }) end,
    } do
      local ok, err = pcall(f)
      assert.is_false(ok)
      assert.is_truthy(err:find "^spec/lua/dequeue_spec.lua:%d+: dequeue: ", err)
    end
    redis:call("SET", "t:queue:text", "x")
    for _, items in ipairs { { "A" }, false } do
      local count, err = dequeue("text", items or nil)
      assert.is_nil(count)
      assert.is_truthy(err:find "WRONGTYPE", err)
    end
    connection.set_backend "unix:///nowhere/redis.sock"
    local count, err, trouble = dequeue "q"
    assert.is_nil(count)
    assert.is_string(err)
    assert.are.equal("unreachable", trouble)
  end)
end)
