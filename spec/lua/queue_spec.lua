-- resque.queue against a real Redis: what lies in the keys after each call, and in MONITOR. Many
-- at a time are push_many_spec's.
local cjson = require "cjson"
local connection = require "resque.connection"
local job = require "resque.job"
local json = require "resque.json"
local queue = require "resque.queue"
local resque = require "resque"
local enqueuing = require "spec.support.enqueuing"

describe("resque.queue", function()
  local q <const> = enqueuing.open()

  -- What was raised, and that nothing was pushed.
  local function raised(fn)
    local ok, err = pcall(fn)
    assert.is_false(ok)
    assert.are.same({}, q:keys())
    return tostring(err)
  end

  describe("enqueue", function()
    it("writes queues and the payload, keys in Resque's order", function()
      local id = assert(queue.enqueue("mail", "SendMail", { to = "é/x" }))
      assert.is_truthy(id:find "^" and #id == 32 and id:find "^%x+$")
      assert.are.same({ "t:queue:mail", "t:queues" }, q:keys())
      assert.are.same({ "mail" }, q:call("SMEMBERS", "t:queues"))
      local text = q:queued("mail")[1]
      local shape = '^{"class":"SendMail","args":%[{"to":"é/x"}%],"id":"' .. id
        .. '","queue_time":%d+%.%d+}$'
      assert.is_truthy(text:find(shape), text)
      local time = cjson.decode(text).queue_time
      assert.is_true(math.abs(time - os.time()) < 600)
    end)

    local forms = {
      { "nothing", nil, "[{}]" },
      { "an empty table", {}, "[{}]" },
      { "an object", { a = 1 }, '[{"a":1}]' },
      { "a list", { 1, 2 }, "[[1,2]]" },
      { "an empty array", json.array(), "[[]]" },
      { "a string", "x", '["x"]' },
      { "false", false, "[false]" },
      { "null", json.null, "[null]" },
      { "a 64-bit integer", math.mininteger, "[-9223372036854775808]" },
      { "a float", 1.0, "[1.0]" },
      { "raw JSON", json.raw '{"b":1, "a":[]}', '[{"b":1, "a":[]}]' },
    }
    for _, row in ipairs(forms) do
      it("takes as args " .. row[1], function()
        assert(queue.enqueue("q", "C", row[2]))
        local text = q:queued("q")[1]
        assert.are.equal(row[3], text:match '"args":(.*),"id":')
      end)
    end

    local lists = {
      { "several", { "x", 1, json.null }, '["x",1,null]' },
      { "none", {}, "[]" },
      { "not given", nil, "[{}]" },
      { "raw", json.raw '["x", 1]', '["x", 1]' },
    }
    for _, row in ipairs(lists) do
      it("takes the whole list with positional: " .. row[1], function()
        assert(queue.enqueue("q", "C", row[2], { positional = true }))
        assert.are.equal(row[3], q:queued("q")[1]:match '"args":(.*),"id":')
      end)
    end

    it("keeps the order in a queue", function()
      for i = 1, 5 do
        assert(queue.enqueue("q", "C", i))
      end
      local order = {}
      for i, text in ipairs(q:queued "q") do
        order[i] = cjson.decode(text).args[1]
      end
      assert.are.same({ 1, 2, 3, 4, 5 }, order)
    end)

    it("writes the status of a tracked job in the same transaction, before the push", function()
      for _, opts in ipairs { true, { track = true } } do
        q:call "FLUSHALL"
        local id = assert(queue.enqueue("mail", "SendMail", nil, opts))
        local key = "t:job:" .. id .. ":status"
        assert.are.same({ key, "t:queue:mail", "t:queues" }, q:keys())
        local text = q:call("GET", key)
        local now = text:match '^{"status":1,"updated":(%d+),"started":%1,"result":null}$'
        assert.is_truthy(now, text)
        assert.is_true(math.abs(tonumber(now) - os.time()) < 600)
        assert.are.equal(-1, q:call("TTL", key))
      end
      assert.is_truthy(queue.enqueue("mail", "SendMail", nil, { track = false }))
      assert.are.equal(3, #q:keys())
    end)

    it("sends one round trip: MULTI, SET, SADD, RPUSH, EXEC", function()
      queue.enqueue("q", "C") -- so that it is connected
      q:call("CONFIG", "RESETSTAT")
      assert(queue.enqueue("q", "C", nil, true))
      local counts = q.server:command_counts()
      assert.are.same({ 1, 1, 1, 1, 1 },
        { counts.multi, counts.set, counts.sadd, counts.rpush, counts.exec })
    end)

    it("takes an id", function()
      assert.are.equal("order-7", queue.enqueue("q", "C", nil, { id = "order-7", track = true }))
      assert.are.equal("order-7", cjson.decode(q:queued("q")[1]).id)
      assert.is_truthy(q:call("GET", "t:job:order-7:status"))
    end)

    it("takes a class by its table, and the queue it names", function()
      local class = job("Spec_Named", { queue = "own", perform = print })
      assert(queue.enqueue(nil, class))
      assert(queue.enqueue(nil, "Spec_Named"))
      assert(queue.enqueue("other", class))
      assert.are.equal(2, #q:queued "own")
      assert.are.equal(1, #q:queued "other")
      assert.are.equal("Spec_Named", cjson.decode(q:queued("own")[1]).class)
    end)

    for _, name in ipairs { "a space", "Ünïcode", 'quo"te', "new\nline", "\27[31m", "*", "a:b" } do
      it(("takes the queue name %q literally"):format(name), function()
        local log = require "resque.sys".log
        require "resque.sys".log = function() end
        assert(queue.enqueue(name, "C"))
        require "resque.sys".log = log
        assert.are.same({ name }, q:call("SMEMBERS", "t:queues"))
        assert.are.equal(1, #q:queued(name))
      end)
    end

    it("warns once of a ':' in a queue name", function()
      local sys, said = require "resque.sys", {}
      local log = sys.log
      sys.log = function(level, text) said[#said + 1] = level .. " " .. text end
      queue.enqueue("spec:colon", "C")
      queue.enqueue("spec:colon", "C")
      sys.log = log
      assert.are.equal(1, #said)
      assert.is_truthy(said[1]:find "^warn queue spec:colon: ")
    end)

    local wrong = {
      { "a comma", function() queue.enqueue("a,b", "C") end, "','" },
      { "outer blanks", function() queue.enqueue(" a", "C") end, "blank" },
      { "an outer newline", function() queue.enqueue("a\n", "C") end, "blank" },
      { "no name", function() queue.enqueue("", "C") end, "empty" },
      { "bytes as queue", function() queue.enqueue("\xff", "C") end, "UTF-8" },
      { "a number as queue", function() queue.enqueue(5, "C") end, "got number" },
      { "no queue at all", function() queue.enqueue(nil, "Spec_Nowhere") end, "names none" },
      { "no class", function() queue.enqueue("q") end, "job class" },
      { "an empty class", function() queue.enqueue("q", "") end, "got none" },
      { "a foreign table", function() queue.enqueue("q", {}) end, "resque.job did not make" },
      { "bytes as class", function() queue.enqueue("q", "\xff") end, "UTF-8" },
      { "a function in args", function() queue.enqueue("q", "C", { f = print }) end, "a function" },
      { "bytes in args", function() queue.enqueue("q", "C", "\xff") end, "UTF-8" },
      { "an unknown option", function() queue.enqueue("q", "C", nil, { tracked = true }) end,
        "option tracked: not known" },
      { "an option of the wrong kind", function() queue.enqueue("q", "C", nil, { id = 5 }) end,
        "option id: string expected" },
      { "text as options", function() queue.enqueue("q", "C", nil, "track") end, "a table, or" },
      { "an empty id", function() queue.enqueue("q", "C", nil, { id = "" }) end, "an id is a" },
      { "no list as list", function() queue.enqueue("q", "C", { a = 1 }, { positional = true }) end,
        "no list" },
      { "an object as raw list", function()
        queue.enqueue("q", "C", json.raw "{}", { positional = true })
      end, "no list" },
    }
    for _, row in ipairs(wrong) do
      it("raises for " .. row[1] .. ", only at the caller's line", function()
        local err = raised(row[2])
        assert.is_truthy(err:find(row[3], 1, true), err)
        assert.is_truthy(err:find "^spec/lua/queue_spec.lua:%d+: enqueue: ", err)
        assert.is_nil(err:find("lua/resque", 1, true), err)
      end)
    end

    it("takes 98 levels and raises for more, as a worker does", function()
      local function nested(levels)
        return json.raw(("["):rep(levels) .. ("]"):rep(levels))
      end
      assert(queue.enqueue("q", "C", nested(96)))
      assert.are.equal(98, 2 + 96)
      q:call "FLUSHALL"
      local err = raised(function() queue.enqueue("q", "C", nested(97)) end)
      assert.is_truthy(err:find "are not for a worker", err)
    end)
  end)

  describe("when Redis refuses", function()
    it("a wrong-typed queue: nothing of the job is left", function()
      q:call("SET", "t:queue:q", "text")
      local id, err = queue.enqueue("q", "C", nil, { id = "one", track = true })
      assert.is_nil(id)
      assert.is_truthy(err:find "^WRONGTYPE", err)
      assert.are.same({ "t:queue:q" }, q:keys())
    end)

    it("a wrong-typed queue that was known stays known", function()
      q:call("SET", "t:queue:q", "text")
      q:call("SADD", "t:queues", "q")
      assert.is_nil((queue.enqueue("q", "C", nil, true)))
      assert.are.same({ "t:queue:q", "t:queues" }, q:keys())
    end)

    it("a wrong-typed set of queues: the job is in, and there is a warning", function()
      local sys, said = require "resque.sys", nil
      local log = sys.log
      q:call("SET", "t:queues", "text")
      sys.log = function(level, text) said = level .. " " .. text end
      local id = queue.enqueue("q", "C")
      sys.log = log
      assert.is_string(id)
      assert.are.equal(1, #q:queued "q")
      assert.is_truthy(said:find "^warn queue q could not be noted in 'queues': WRONGTYPE", said)
    end)

    it("a full server: the reason, not EXECABORT", function()
      q:call("CONFIG", "SET", "maxmemory", "1")
      local id, err = queue.enqueue("q", "C", nil, true)
      q:call("CONFIG", "SET", "maxmemory", "0")
      assert.is_nil(id)
      assert.is_truthy(err:find "^OOM", err)
      assert.are.same({}, q:keys())
      assert.is_string(queue.enqueue("q", "C"))
    end)

    it("a server that is not there", function()
      connection.set_backend "unix:///nowhere/redis.sock"
      local id, err, trouble = queue.enqueue("q", "C")
      assert.is_nil(id)
      assert.is_truthy(err:find("/nowhere/redis.sock", 1, true), err)
      assert.are.equal("unreachable", trouble)
    end)

    it("to be used between a user's MULTI and EXEC", function()
      connection.redis "MULTI"
      local id, err = queue.enqueue("q", "C")
      assert.is_nil(id)
      assert.is_truthy(err:find "inside a transaction", err)
      connection.redis "DISCARD"
      assert.are.same({}, q:keys())
    end)
  end)

  describe("hooks", function()
    it("get class, args, queue, id, before and after", function()
      local calls = {}
      for _, event in ipairs { "beforeEnqueue", "afterEnqueue" } do
        q:on(event, function(...)
          calls[#calls + 1] = { event, #q:queued "mail", select("#", ...), ... }
        end)
      end
      local id = queue.enqueue("mail", "SendMail", { to = "x" })
      assert.are.same({
        { "beforeEnqueue", 0, 4, "SendMail", { to = "x" }, "mail", id },
        { "afterEnqueue", 1, 4, "SendMail", { to = "x" }, "mail", id },
      }, calls)
    end)

    it("get what the job will see", function()
      local got
      q:on("beforeEnqueue", function(_, args) got = args end)
      queue.enqueue("q", "C")
      assert.are.same({}, got)
      queue.enqueue("q", "C", json.null)
      assert.are.same({}, got)
      queue.enqueue("q", "C", json.raw '{"n":9007199254740993}')
      assert.are.equal(9007199254740993, got.n)
      queue.enqueue("q", "C", { "x", 1 }, { positional = true })
      assert.are.same({ "x", 1 }, got)
      queue.enqueue("q", "C", {}, { positional = true })
      assert.are.same({}, got)
    end)

    it("cannot change what is sent", function()
      q:on("beforeEnqueue", function(_, args) args.to = "y" end)
      local args = { to = "x" }
      queue.enqueue("q", "C", args)
      assert.are.equal("x", args.to)
      assert.is_truthy(q:queued("q")[1]:find('"to":"x"', 1, true))
    end)

    it("may refuse: DontCreate gives nil and the reason", function()
      local after = 0
      q:on("afterEnqueue", function() after = after + 1 end)
      local why = function() resque.dont_create "not today" end
      q:on("beforeEnqueue", function() why() end)
      local id, err = queue.enqueue("q", "C", nil, true)
      assert.are.same({ nil, "not today" }, { id, err })
      why = function() error(resque.DontCreate) end
      assert.are.same({ n = 2, nil, "DontCreate" }, table.pack(queue.enqueue("q", "C")))
      assert.are.same({}, q:keys())
      assert.are.equal(0, after)
    end)

    it("raise whatever else they raise", function()
      q:on("beforeEnqueue", function() error({ message = "broken" }) end)
      assert.are.equal("broken", raised(function() queue.enqueue("q", "C") end))
    end)

    it("after the push: the error comes, the job is in", function()
      q:on("afterEnqueue", function() error "late" end)
      local ok, err = pcall(queue.enqueue, "q", "C")
      assert.is_false(ok)
      assert.is_truthy(tostring(err):find "late")
      assert.are.equal(1, #q:queued "q")
    end)
  end)

  it("writes times as every reader takes them", function()
    for _, row in ipairs {
      { 1795341259.662578, "1795341259.662578" }, { 1795341117.777, "1795341117.777" },
      { 1795341117, "1795341117.0" }, { 1795341117.5, "1795341117.5" },
    } do
      local text = queue.payload("C", { {} }, "i", row[1])
      assert.are.equal(('{"class":"C","args":[{}],"id":"i","queue_time":%s}'):format(row[2]), text)
    end
  end)
end)
