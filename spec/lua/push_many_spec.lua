-- resque.queue.push_many against a real Redis: many jobs by one pipeline.
local cjson = require "cjson"
local connection = require "resque.connection"
local job = require "resque.job"
local json = require "resque.json"
local queue = require "resque.queue"
local resque = require "resque"
local enqueuing = require "spec.support.enqueuing"

describe("resque.queue", function()
  local q <const> = enqueuing.open()

  describe("push_many", function()
    it("puts all in by one pipeline and tells ids in order", function()
      local items = {}
      for i = 1, 1200 do
        items[i] = {
          queue = i % 3 == 0 and "c" or "ab", class = "C", args = { i }, id = "id" .. i,
          track = i % 100 == 0,
        }
      end
      connection.redis "PING"
      q:call("CONFIG", "RESETSTAT")
      local results = assert(queue.push_many(items))
      local counts = q.server:command_counts()
      assert.are.same({ 3, 3, 12 }, { counts.exec, counts.rpush, counts.set })
      for i, result in ipairs(results) do
        assert.are.same({ id = "id" .. i }, result)
      end
      assert.are.equal(800, #q:queued "ab")
      local last = 0
      for _, text in ipairs(q:queued "ab") do
        local n = cjson.decode(text).args[1]
        assert.is_true(n > last)
        last = n
      end
      assert.are.equal(400, q:call("LLEN", "t:queue:c"))
      assert.is_truthy(q:call("GET", "t:job:id1200:status"))
    end)

    it("makes ids, takes the default args and a class's own queue", function()
      job("Spec_Own", { queue = "own", perform = print })
      local results = queue.push_many { { class = "Spec_Own" }, { class = "Spec_Own", args = {} } }
      assert.are.equal(32, #results[1].id)
      assert.are.equal("[{}]", q:queued("own")[1]:match '"args":(.-),"id"')
      assert.are.equal("[]", q:queued("own")[2]:match '"args":(.-),"id"')
    end)

    it("tells of each item what is wrong with it, and puts the rest in", function()
      q:call("SET", "t:queue:bad", "text")
      q:on("beforeEnqueue", function(_, args)
        if args == "no" then
          resque.dont_create "refused"
        elseif args == "boom" then
          error("boom", 0)
        end
      end)
      local results = queue.push_many {
        { queue = "q", class = "C", args = { 1 } },
        { queue = "a,b", class = "C" },
        { queue = "bad", class = "C", track = true },
        { queue = "q", class = "C", args = { print } },
        { queue = "q", class = "C", args = { "no" } },
        { queue = "q", class = "C", args = { "boom" } },
        { queue = "q" },
        { queue = "q", class = "C", args = json.raw(("["):rep(98) .. ("]"):rep(98)) },
        { queue = "q", class = "C", args = { a = 1 } },
        { queue = "q", class = "C", args = { 2 } },
      }
      assert.is_string(results[1].id)
      assert.is_truthy(results[2].err:find("','", 1, true))
      assert.is_truthy(results[3].err:find "^WRONGTYPE")
      assert.is_truthy(results[4].err:find "a function")
      assert.are.equal("refused", results[5].err)
      assert.are.equal("beforeEnqueue: boom", results[6].err)
      assert.is_truthy(results[7].err:find "job class")
      assert.is_truthy(results[8].err:find "not for a worker")
      assert.is_truthy(results[9].err:find "no list")
      assert.is_string(results[10].id)
      assert.are.equal(2, #q:queued "q")
      assert.are.same({ "t:queue:bad", "t:queue:q", "t:queues" }, q:keys())
      assert.are.same({ "q" }, q:call("SMEMBERS", "t:queues"))
    end)

    it("logs what afterEnqueue raises: the job is in", function()
      local sys, said = require "resque.sys", nil
      local log = sys.log
      q:on("afterEnqueue", function() error("late", 0) end)
      sys.log = function(level, text) said = level .. " " .. text end
      local results = queue.push_many { { queue = "q", class = "C", id = "one" } }
      sys.log = log
      assert.are.same({ { id = "one" } }, results)
      assert.are.equal("error afterEnqueue of job one: late", said)
    end)

    it("puts in the others when Redis takes one of them not, for its length", function()
      local items = {}
      for i, name in ipairs { "a", "b", "c", "b", "b", "d", "a" } do
        local text = (i == 4 or i == 6) and ("x"):rep(2 << 20) or "short"
        items[i] = { queue = name, class = "C", args = { text }, id = "id" .. i, track = true }
      end
      q:call("CONFIG", "SET", "proto-max-bulk-len", "1mb")
      local results = queue.push_many(items)
      q:call("CONFIG", "SET", "proto-max-bulk-len", "512mb")
      for i, result in ipairs(results) do
        local long = i == 4 or i == 6
        assert.are.equal(not long and "id" .. i or nil, result.id)
        assert.is_truthy(not long or result.err:find "ERR Protocol error: invalid bulk length$")
        assert.are.equal(long and 0 or 1, q:call("EXISTS", "t:job:id" .. i .. ":status"))
      end
      local ids = {}
      for _, name in ipairs { "a", "b", "c", "d" } do
        for _, payload in ipairs(q:queued(name)) do
          ids[#ids + 1] = payload:match '"id":"id(%d)"'
        end
      end
      assert.are.equal("17253", table.concat(ids))
    end)

    it("gives nil when there is no connection", function()
      connection.set_backend "unix:///nowhere/redis.sock"
      local results, err, trouble = queue.push_many { { queue = "q", class = "C" } }
      assert.is_nil(results)
      assert.is_string(err)
      assert.are.equal("unreachable", trouble)
    end)

    it("does nothing for nothing", function()
      connection.set_backend "unix:///nowhere/redis.sock"
      assert.are.same({}, queue.push_many {})
    end)
  end)
end)
