-- resque.status: what php-resque and we write must be read the same.
local clock = require "spec.support.clock"
local connection = require "resque.connection"
local json = require "resque.json"
local process = require "spec.support.process"
local queue = require "resque.queue"
local status = require "resque.status"
local world = require "spec.support.world"

describe("resque.status", function()
  local redis

  setup(function() redis = world.server { tcp = true } end)
  before_each(function()
    redis:call "FLUSHALL"
    connection.set_backend(redis:backend())
    connection.set_prefix "t"
  end)
  after_each(function()
    connection.set_backend(nil)
    connection.set_prefix "resque"
  end)

  local function put(text, id)
    redis:call("SET", "t:job:" .. (id or "a") .. ":status", text)
  end

  -- Golden texts (docs/redis.md, Job status): text, number, updated, started, result
  local rows = {
    { "php 2012, created", '{"status":1,"updated":1326692575,"started":1326692575}', 1, 1326692575,
      1326692575 },
    { "php 2012, running", '{"status":2,"updated":1326692580}', 2, 1326692580 },
    { "php 2012, failed", '{"status":3,"updated":1326692581}', 3, 1326692581 },
    { "php 2012, complete", '{"status":4,"updated":1326692581}', 4, 1326692581 },
    { "php, created", '{"status":1,"updated":1326692575,"started":1326692575,"result":null}', 1,
      1326692575, 1326692575 },
    { "php, running", '{"status":2,"updated":1326692580,"started":1326692575,"result":null}', 2,
      1326692580, 1326692575 },
    { "php, failed", '{"status":3,"updated":1326692581,"started":1326692575,"result":null}', 3,
      1326692581, 1326692575 },
    { "php, complete", '{"status":4,"updated":1326692581,"started":1326692575,"result":{"a":true}}',
      4, 1326692581, 1326692575, { a = true } },
    { "a long integer as result", '{"status":4,"updated":1,"result":9007199254740993}', 4, 1, nil,
      9007199254740993 },
    { "false as result", '{"status":4,"updated":1,"result":false}', 4, 1, nil, false },
  }
  for _, row in ipairs(rows) do
    it("reads: " .. row[1], function()
      put(row[2])
      local s = status "a"
      assert.are.equal(row[3], s:get())
      assert.are.equal(row[4], s:updated())
      assert.are.equal(row[5], s:started())
      assert.are.same(row[6], s:result())
      assert.is_true(s:is_tracking())
      local names = { "waiting", "running", "failed", "complete" }
      assert.are.equal(names[row[3]], status.name(row[3]))
    end)
  end

  it("has php's numbers", function()
    assert.are.same({ 1, 2, 3, 4 },
      { status.WAITING, status.RUNNING, status.FAILED, status.COMPLETE })
  end)

  it("is false for what is not tracked", function()
    local s = status "none"
    for _, method in ipairs {
      "get", "started", "updated", "result", "read", "wait", "is_tracking", "stop",
    } do
      assert.is_false(s[method](s), method)
    end
  end)

  it("is nil and a message when it cannot be read", function()
    for _, text in ipairs { "not json", "[]", "{}", '{"status":"1"}', '{"status":1.5}', "" } do
      put(text)
      local value, err = status("a"):get()
      assert.is_nil(value, text)
      assert.are.equal("the status of job a cannot be read", err)
    end
    redis:call("DEL", "t:job:a:status")
    redis:call("RPUSH", "t:job:a:status", "x")
    local value, err, trouble = status("a"):get()
    assert.is_nil(value)
    assert.is_truthy(err:find "^WRONGTYPE")
    assert.is_nil(trouble)
    connection.set_backend "unix:///nowhere/redis.sock"
    for _, method in ipairs { "get", "stop", "wait", "is_tracking", "read" } do
      local s = status "a"
      value, err, trouble = s[method](s)
      assert.is_nil(value)
      assert.is_truthy(err:find("/nowhere/", 1, true), err)
      assert.are.equal("unreachable", trouble)
    end
  end)

  it("reads the prefix of newer php-resque", function()
    put('{"status":2,"updated":1}', "app_a")
    assert.are.equal(2, status("a", "app"):get())
    assert.are.equal("t:job:a:status", status.key("a", ""))
    assert.is_false(status("a"):get())
  end)

  it("reads what enqueue writes", function()
    local id = queue.enqueue("q", "C", nil, true)
    local s = status(id)
    assert.are.equal(status.WAITING, s:get())
    assert.is_true(math.abs(s:started() - os.time()) < 600)
    assert.are.equal(s:started(), s:updated())
    assert.is_nil(s:result())
    assert.are.equal(json.null, s:read().result)
  end)

  it("stops: the status is gone, the job is not", function()
    local id = queue.enqueue("q", "C", nil, true)
    assert.is_true(status(id):stop())
    assert.is_false(status(id):get())
    assert.are.equal(1, redis:call("LLEN", "t:queue:q"))
  end)

  describe("wait", function()
    it("comes back at once when the job is over", function()
      put '{"status":3,"updated":1}'
      assert.are.equal(3, status("a"):wait(10))
      put '{"status":4,"updated":1}'
      assert.are.equal(4, status("a"):wait())
      assert.are.equal(4, status("a"):wait(0))
    end)

    it("gives up after its time", function()
      put '{"status":2,"updated":1}'
      local began = clock.now()
      assert.are.same({ n = 2, nil, "timeout" }, table.pack(status("a"):wait(0.15)))
      local took = clock.now() - began
      assert.is_true(took >= 0.15 and took < 0.15 + clock.limit(2), took)
      assert.are.same({ n = 2, nil, "timeout" }, table.pack(status("a"):wait(0)))
    end)

    it("sees the job end while it waits", function()
      put '{"status":1,"updated":1}'
      -- Ends the job once somebody has looked three times.
      local script = ([[
        cli='redis-cli -s %s'
        looks() { $cli INFO commandstats | sed -n 's/^cmdstat_get:calls=\([0-9]*\).*/\1/p'; }
        until [ "0$(looks)" -ge 3 ]; do :; done
        $cli SET t:job:a:status '{"status":4,"updated":2}']]):format(redis.socket)
      redis:call("CONFIG", "RESETSTAT")
      local other = process.start({ "sh", "-c", script }, { dir = redis.dir })
      assert.are.equal(4, status("a"):wait(20))
      other:wait()
    end)
  end)

  it("wants an id", function()
    for _, id in ipairs { "", 5, false } do
      local ok, err = pcall(function() status(id or nil) end)
      assert.is_false(ok)
      assert.is_truthy(err:find "status_spec.lua:%d+: status: ", err)
    end
  end)
end)
