-- The public face, as a program of plain lua5.4 sees it.
local cjson = require "cjson"
local process = require "spec.support.process"
local world = require "spec.support.world"

describe("resque", function()
  local redis

  setup(function() redis = world.server { tcp = true } end)
  before_each(function() redis:call "FLUSHALL" end)

  -- Runs a script in a lua5.4 of its own; returns stdout. PREFIX is t.
  local function lua(script, env)
    local all = { PREFIX = "t", REDIS_BACKEND = redis:backend(), VERBOSE = false }
    for name, value in pairs(env or {}) do
      all[name] = value
    end
    script = "local resque = require 'resque' " .. script
    local code, out, err = process.run({ "lua5.4", "-e", script }, { dir = redis.dir, env = all })
    assert.are.equal(0, code, err)
    return out, err
  end

  it("enqueues from plain lua5.4", function()
    local out = lua(([[
      resque.set_backend "127.0.0.1:%d"
      print(resque.enqueue("default", "My_Job", { name = "Chris" }))]]):format(redis.port),
      { REDIS_BACKEND = "nowhere:1" })
    local id = out:match "^(%x+)\n$"
    assert.are.equal(32, #id)
    local payload = cjson.decode(redis:call("LINDEX", "t:queue:default", 0))
    assert.are.same({ "My_Job", { { name = "Chris" } }, id },
      { payload.class, payload.args, payload.id })
  end)

  it("puts nothing where a variable leads that kept its line's quotes or comment", function()
    local rows = {
      { PREFIX = '"shop"' }, { PREFIX = "shop # ours" }, { REDIS_BACKEND_DB = '"1"' },
      { REDIS_BACKEND_DB = "1 # ours" },
    }
    for _, env in ipairs(rows) do
      local name = next(env)
      local out = lua([[print(select(2, pcall(function()
        return select(2, resque.enqueue("default", "My_Job"))
      end)))]], env)
      assert.matches("^" .. name .. " ", out)
      assert.are.same({}, redis:call("KEYS", "*"))
    end
  end)

  it("tracks, waits, takes out", function()
    local out = lua [[
      local id = resque.enqueue("q", "C", nil, true)
      local status = resque.status(id)
      print(status:get(), select(2, status:wait(0)), resque.status.COMPLETE)
      print(resque.dequeue("q", { C = id }))]]
    assert.are.equal("1\ttimeout\t4\n1\n", out)
  end)

  it("talks to Redis", function()
    assert.are.equal("1\tt:queues\t2\n", lua [[
      print(resque.redis("INCR", "n"), resque.key "queues",
        resque.redis.pipeline(function(p) p("INCR", "n") end)[1])]])
  end)

  it("loads what talks to Redis only when it is used", function()
    local out = lua [[
      local function loaded()
        local names = {}
        for name in pairs(package.loaded) do
          names[#names + 1] = name:match "^resque%.(.*)"
        end
        table.sort(names)
        return table.concat(names, " ")
      end
      print(loaded())
      local key = resque.key
      print(loaded())
      assert(rawget(resque, "key") == key)]]
    assert.are.equal("errors hooks job job.forked json sys sys.json\n"
      .. "connection errors hooks job job.forked json net sys sys.json\n", out)
  end)

  it("has what jobs need", function()
    local out = lua [[
      local Job = resque.job "Spec"
      local off = resque.on("afterFork", print)
      off()
      print(resque.off("afterFork", print), resque.null == require("cjson").null)
      print(resque.json.encode { resque.array(), resque.null, 1.0 })
      print(pcall(resque.dont_perform, "why"))
      print(select(2, pcall(resque.dont_create)))
      print(tostring(resque.DontPerform), tostring(resque.DontCreate "x"))
      print(resque.sleep(0), resque.version:match "^%d", resque.env.PREFIX, resque.config.queues)
      print(resque.nothing, type(resque.autoload), Job == resque.job.lookup "Spec")]]
    assert.are.equal(table.concat({
      "false\ttrue", "[[],null,1.0]", "false\twhy", "DontCreate", "DontPerform\tx",
      "true\t1\tt\tnil", "nil\tfunction\ttrue", "",
    }, "\n"), out)
  end)

  it("logs with and without a format", function()
    local _, err = lua [[
      resque.log.warn("100% %s %d")
      resque.log.error("mail to %s: %d", "chris", 5)
      resque.log.info "not shown"
      resque.log.debug "not shown"
      resque.log.warn(nil)]]
    assert.are.equal("*** 100% %s %d\n*** mail to chris: 5\n*** nil\n", err)
  end)

  it("does not let config and env be written", function()
    local out = lua [[
      print(select(2, pcall(function() resque.config.queues = 1 end)))
      print(select(2, pcall(function() resque.env.HOME = 1 end)))]]
    assert.is_truthy(out:find "resque.config is read%-only\n.*resque.env is read%-only", out)
  end)

  it("finds the job classes a hook file made, for their queues", function()
    local out = lua [[
      local Mail = resque.job("Mail", { queue = "mail", perform = print })
      Plain = { queue = "plain", perform = print }
      print(#resque.enqueue(nil, "Mail"), #resque.enqueue(nil, Mail))
      print(pcall(resque.enqueue, nil, "Unknown"))]]
    assert.is_truthy(out:find "^32\t32\nfalse\t.*the job class Unknown names none", out)
    assert.are.equal(2, redis:call("LLEN", "t:queue:mail"))
  end)
end)
