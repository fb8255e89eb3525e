-- resque.client.cancel and resque.client.workers against a real Redis; a worker is played by what
-- it would write.
local cancel = require "resque.client.cancel"
local connection = require "resque.connection"
local status = require "resque.status"
local workers = require "resque.client.workers"
local world = require "spec.support.world"

local WORKER = "host:12:a,b:c"
local PAYLOAD = '{"class":"C","args":[],"id":"x1"}'

local function record(token, payload)
  return ('{"token":"%s","queue":"q","run_at":"2012-01-16T13:42:55Z","payload":%s}'):format(token,
    payload or PAYLOAD)
end

describe("resque.client.cancel", function()
  local redis

  setup(function() redis = world.server { tcp = true } end)
  before_each(function()
    redis:call "FLUSHALL"
    connection.set_backend(redis:backend())
    connection.set_prefix "t"
    redis:call("SADD", "t:workers", WORKER)
  end)
  after_each(function()
    connection.set_backend(nil)
    connection.set_prefix "resque"
  end)

  it("takes a waiting job out and ends its status, which keeps its start", function()
    redis:call("SADD", "t:queues", "q")
    redis:call("RPUSH", "t:queue:q", PAYLOAD)
    redis:call("SET", "t:job:x1:status", '{"status":1,"updated":5,"started":5,"result":null}')
    local what, place = cancel.cancel "x1"
    assert.are.equal("removed", what)
    assert.are.same({ "q", "x1", "C" }, { place.queue, place.job.id, place.job.class })
    local read = status("x1"):read()
    assert.are.same({ 3, 5, "cancelled before it ran" }, { read.status, read.started, read.result })
    assert.is_true(math.abs(read.updated - os.time()) < 600)
    assert.are.same({ nil, "no queued or running job has this id", "absent" },
      { cancel.cancel "x1" })
  end)

  it("gives up on a worker that does not end its job, and tells who has it", function()
    redis:call("SET", "t:worker:" .. WORKER, record "ab:1")
    local what, err, kind, place = cancel.cancel("x1", 0.05)
    assert.are.same({ nil, "its worker has not ended it", "silent" }, { what, err, kind })
    assert.are.same({ WORKER, "ab:1", "q", 0 },
      { place.worker, place.token, place.queue, place.listeners })
    assert.are.equal("silent", select(3, cancel.cancel_at(WORKER, 0)))
    redis:call("SET", "t:worker:" .. WORKER, '{"queue":"q","payload":' .. PAYLOAD .. "}")
    assert.are.equal("foreign", select(3, cancel.cancel "x1"))
    assert.are.equal("foreign", select(3, cancel.cancel_at(WORKER)))
    assert.are.equal("absent", select(3, cancel.cancel_at "nobody:1:q"))
  end)

  it("finds a job by the id of its payload alone", function()
    redis:call("SET", "t:worker:" .. WORKER,
      record("ab:1", '{"class":"x1","args":["x1",{"id":"x1"}],"id":"x2"}'))
    assert.is_false(cancel.find "x1")
    assert.are.equal(WORKER, cancel.find("x2").worker)
    redis:call("SET", "t:worker:" .. WORKER, "broken x1")
    assert.is_false(cancel.find "x1")
  end)

  it("says what is wrong", function()
    for _, id in ipairs { "", 5, {} } do
      local ok, err = pcall(cancel.cancel, id)
      assert.is_false(ok)
      assert.is_truthy(err:find "^spec/lua/client/cancel_spec.lua:%d+: cancel: "
        or err:find "^cancel: ")
    end
    redis:call("SET", "t:queues", "text")
    local what, err = cancel.cancel "x1"
    assert.is_nil(what)
    assert.is_truthy(err:find "WRONGTYPE", err)
    redis:call("DEL", "t:workers")
    redis:call("SET", "t:workers", "text")
    for _, f in ipairs { cancel.cancel, cancel.find, workers.list } do
      what, err = f "x1"
      assert.is_nil(what)
      assert.is_truthy(err:find "WRONGTYPE", err)
    end
    connection.set_backend "unix:///nowhere/redis.sock"
    for _, f in ipairs { cancel.cancel, cancel.find, cancel.cancel_at, workers.list } do
      local kind
      what, err, kind = f "x1"
      assert.is_nil(what)
      assert.is_truthy(err:find("/nowhere/", 1, true), err)
      assert.are.equal("unreachable", kind)
    end
  end)
end)

describe("resque.client.workers", function()
  it("splits ids at their first two colons only", function()
    assert.are.same({ "host", "12", "a,b:c" }, { workers.split(WORKER) })
    assert.are.same({ "no colons" }, { workers.split "no colons" })
    assert.are.same({ "", "", "" }, { workers.split "::" })
  end)

  it("reads tokens of ours only", function()
    assert.are.equal("ab:1", workers.token(record "ab:1"))
    assert.are.equal("ab:1", workers.token(record("ab:1"):sub(1, 40)))
    for _, text in ipairs {
      "", '{"queue":"q"}', '{"token":5,', '{"token":"x:1",', "x" .. record "ab:1",
    } do
      assert.is_nil(workers.token(text))
    end
    assert.is_nil(workers.token(nil))
  end)
end)
