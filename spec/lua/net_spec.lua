-- resque.net, one connection to a real Redis: values, errors, reconnecting.
local cjson = require "cjson"
local clock = require "spec.support.clock"
local net = require "resque.net"
local preload = require "spec.support.preload"
local process = require "spec.support.process"
local scripts = require "spec.support.scripts"
local server = require "spec.support.server"
local world = require "spec.support.world"

describe("resque.net", function()
  local redis, conn

  setup(function() redis = world.server { tcp = true } end)
  before_each(function()
    redis:call "FLUSHALL"
    conn = assert(net.connect(redis:backend()))
  end)
  after_each(function() conn:close() end)

  -- Ends every client connection but the spec's own.
  local function cut()
    redis:call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
  end

  describe("values", function()
    it("are strings, integers, nil", function()
      assert.are.equal("OK", conn:call("SET", "k", "v\0\r\n\xff"))
      assert.are.equal("v\0\r\n\xff", conn:call("GET", "k"))
      assert.are.equal(1, conn:call("INCR", "n"))
      assert.are.equal("integer", math.type(conn:call("INCR", "n")))
      assert.are.same({ n = 1 }, table.pack(conn:call("GET", "none")))
      assert.are.equal("", conn:call("ECHO", ""))
    end)

    it("are tables, nil inside is cjson.null, errors inside are tables", function()
      conn:call("RPUSH", "list", "a")
      assert.are.same({ "a", cjson.null }, conn:call("EVAL", "return {'a', false}", 0))
      assert.are.same({}, conn:call("LRANGE", "none", 0, -1))
      local nested = conn:call("EVAL", "return {1, {2, {'x'}}, {err = 'MY error'}}", 0)
      assert.are.same({ 1, { 2, { "x" } }, { err = "MY error" } }, nested)
    end)

    it("are nil and the text for an error", function()
      conn:call("SET", "k", "v")
      local value, err, trouble = conn:call("LPUSH", "k", "x")
      assert.is_nil(value)
      assert.is_truthy(err:find "^WRONGTYPE ")
      assert.is_nil(trouble)
      assert.are.equal("v", conn:call("GET", "k"))
    end)

    local numbers = {
      { 5, "5" }, { math.maxinteger, "9223372036854775807" }, { 3.0, "3" }, { 0.1, "0.1" },
      { math.mininteger, "-9223372036854775808" }, { 1 / 3, "0.3333333333333333" },
      { 0.1 + 0.2, "0.30000000000000004" }, { 1e300, "1e+300" }, { -0.5, "-0.5" },
    }
    for _, row in ipairs(numbers) do
      it("of numbers are sent as " .. row[2], function()
        assert.are.equal(row[2], conn:call("ECHO", row[1]))
        assert.are.same({ row[2] }, conn:pipeline { { "ECHO", row[1] } })
      end)
    end

    it("may be large", function()
      local big = ("0123456789abcdef"):rep(1 << 20) -- 16 MB
      assert.are.equal("OK", conn:call("SET", "big", big))
      assert.is_true(conn:call("GET", "big") == big)
      local many = { "RPUSH", "many" }
      for i = 1, 20000 do
        many[i + 2] = i
      end
      assert.are.same({ 20000 }, conn:pipeline { many })
      assert.are.equal(20000, #conn:call("LRANGE", "many", 0, -1))
    end)

    it("of any other kind are refused by their place", function()
      for _, f in ipairs {
        function() conn:call("SET", "k", true) end,
        function() conn:call("SET", "k", {}) end,
        function() conn:call("SET", "k", nil) end,
        function() conn:call("SET", "k", 0 / 0) end,
        function() conn:call("SET", "k", math.huge) end,
      } do
        local ok, err = pcall(f)
        assert.is_false(ok)
        assert.is_truthy(err:find("net_spec.lua:%d+: SET: word 2 is a "), err)
      end
      assert.has_error(function() conn:call() end)
      assert.is_nil(conn:call("GET", "k"))
    end)
  end)

  describe("pipeline", function()
    it("answers one value per command", function()
      local replies = conn:pipeline {
        { "SET", "k", "v" }, { "RPUSH", "l", "x" }, { "GET", "none" }, { "LPUSH", "k", 1 },
        { "LRANGE", "l", 0, -1 },
      }
      assert.is_truthy(replies[4].err:find "^WRONGTYPE ")
      replies[4] = "checked"
      assert.are.same({ "OK", 1, cjson.null, "checked", { "x" } }, replies)
      assert.are.same({}, conn:pipeline {})
    end)

    it("takes 10,000 commands", function()
      local commands = {}
      for i = 1, 10000 do
        commands[i] = { "RPUSH", "l", i }
      end
      local replies = conn:pipeline(commands)
      assert.are.equal(10000, replies[10000])
    end)

    it("is as new after a command that was too long for Lua", function()
      local words = { "RPUSH", "l" }
      for i = 3, 1100000 do
        words[i] = "x"
      end
      assert.has_error(function() conn:pipeline { { "SET", "a", 1 }, words } end)
      assert.are.equal("PONG", conn:call "PING")
      assert.is_nil(conn:call("GET", "a"))
    end)

    it("sends nothing when one command is wrong", function()
      for _, wrong in ipairs { { "SET", "k", true }, {}, "SET", { 5 }, { "SET", 0 / 0 } } do
        assert.has_error(function() conn:pipeline { { "SET", "a", 1 }, wrong } end)
      end
      assert.is_nil(conn:call("GET", "a"))
      local value, err = conn:pipeline { { "SET", "a", 1 }, { "subscribe", "c" } }
      assert.is_nil(value)
      assert.is_truthy(err:find "subscribe cannot be used")
      assert.is_nil(conn:call("GET", "a"))
    end)
  end)

  it("refuses what a new connection would forget", function()
    for _, name in ipairs { "SELECT", "subscribe", "PSUBSCRIBE", "MONITOR", "HELLO" } do
      local value, err = conn:call(name, "1")
      assert.is_nil(value)
      assert.is_truthy(err:find(name .. " cannot be used", 1, true), err)
    end
  end)

  describe("reconnecting", function()
    it("happens by itself when the connection was closed while idle", function()
      conn:call("SET", "k", "v")
      local before = conn:call("CLIENT", "ID")
      cut()
      assert.are.equal("v", conn:call("GET", "k"))
      assert.are_not.equal(before, conn:call("CLIENT", "ID"))
      cut()
      assert.are.same({ "v" }, conn:pipeline { { "GET", "k" } })
    end)

    it("never sends a command twice", function()
      -- Cut while it waits in BLPOP: the reply is lost, and nothing takes the element later.
      local id = conn:call("CLIENT", "ID")
      local cli = "redis-cli -s " .. redis.socket
      local killer = process.start({ "sh", "-c", ([[
        until %s CLIENT LIST | grep -q "id=%d .*cmd=blpop"; do :; done
        %s CLIENT KILL ID %d]]):format(cli, id, cli, id) }, { dir = redis.dir })
      local value, err, trouble = conn:call("BLPOP", "list", 0)
      assert.is_nil(value)
      assert.are.equal("unreachable", trouble)
      assert.is_truthy(err:find("whether it was executed is not known", 1, true), err)
      killer:wait()
      redis:call("RPUSH", "list", "x")
      assert.are.equal(1, conn:call("LLEN", "list"))
    end)

    it("does not go unseen inside a transaction", function()
      for _, first in ipairs { "MULTI", "WATCH" } do
        conn:pipeline { { first, first == "WATCH" and "k" or nil } }
        assert.is_true(conn:in_transaction())
        cut()
        local value, err = conn:call("SET", "k", "outside")
        assert.is_nil(value)
        assert.is_truthy(err:find "inside a transaction", err)
        assert.is_false(conn:in_transaction())
        assert.is_nil(redis:call("GET", "k"))
        assert.are.equal("PONG", conn:call "PING")
      end
      conn:call "MULTI"
      conn:call("SET", "k", "inside")
      assert.are.same({ "OK" }, conn:call "EXEC")
      assert.is_false(conn:in_transaction())
    end)

    it("is not needed after a command that waited", function()
      assert.is_nil(conn:call("BLPOP", "none", 0.05))
    end)
  end)

  describe("the last words of a server that closes", function()
    local long = ("x"):rep(2 << 20)
    before_each(function() redis:call("CONFIG", "SET", "proto-max-bulk-len", "1mb") end)
    after_each(function()
      redis:call("CONFIG", "SET", "proto-max-bulk-len", "512mb")
      redis:call("CONFIG", "SET", "maxclients", "10000")
    end)

    for how, tcp in pairs { ["by TCP"] = true, ["by a socket"] = false } do
      it("are the reason, " .. how .. ": the command was not executed", function()
        local other <close> = assert(net.connect(redis:backend(tcp)))
        for _ = 1, 10 do -- the answer and the end are a race, every time
          local value, err, trouble = other:call("SET", "long", long)
          assert.is_nil(value)
          assert.are.equal(("Redis at %s: ERR Protocol error: invalid bulk length"):format(
            other:where()), err)
          assert.are.equal("refused", trouble)
          assert.are.equal("PONG", other:call "PING")
        end
      end)

      it("come behind the replies of a pipeline, " .. how, function()
        local other <close> = assert(net.connect(redis:backend(tcp)))
        for _ = 1, 10 do
          redis:call "FLUSHALL"
          local replies, err, trouble, before = other:pipeline {
            { "SET", "a", 1 }, { "GET", "none" }, { "SET", "b", long }, { "SET", "c", 1 },
          }
          assert.is_nil(replies)
          assert.is_truthy(err:find "ERR Protocol error: invalid bulk length$", err)
          assert.are.equal("refused", trouble)
          assert.are.same({ "OK", cjson.null }, before)
          assert.are.same({ "a" }, redis:call("KEYS", "*"))
        end
      end)

      it("keep a connection from being opened, " .. how, function()
        conn:close()
        redis:call("CONFIG", "SET", "maxclients", "1")
        for _ = 1, 10 do
          local none, err, trouble = net.connect(redis:backend(tcp))
          assert.is_nil(none)
          assert.is_truthy(err:find ": ERR max number of clients reached$", err)
          assert.are.equal("refused", trouble)
        end
        redis:call("CONFIG", "SET", "maxclients", "10000")
      end)
    end
  end)

  describe("hint", function()
    local BUSY = "BUSY Redis is busy running a script. You can only call SCRIPT KILL"
    local rows = {
      { "ERR max number of clients reached", "refused", "maxclients" },
      { "Redis at x: ERR Protocol error: invalid bulk length", "refused", "proto%-max%-bulk%-len" },
      { "LOADING Redis is loading the dataset in memory", nil, "reads its data" },
      { BUSY, nil, "SCRIPT KILL" },
      { "Redis at redis://localhost/0: " .. BUSY, "refused", "SCRIPT KILL" },
      { "MASTERDOWN Link with MASTER is down", nil, "master" },
      { "READONLY You can't write against a read only replica.", nil, "name the master" },
      { "MISCONF Redis is configured to save RDB snapshots", nil, "disk" },
      { "OOM command not allowed when used memory > 'maxmemory'.", nil, "maxmemory" },
      { "ERR Error running script (call to f_1): @user_script:1: OOM command not allowed", nil,
        "maxmemory" },
      { "NOPERM this user has no permissions to run the 'get' command", "denied", "REDIS USER" },
      { "NOAUTH Authentication required.", "denied", "REDIS_PASSWORD" },
      { "DENIED Redis is running in protected mode because", "denied", "protected%-mode" },
      { "ERR Client sent AUTH, but no password is set", "denied", "has no password" },
      { "ERR AUTH <password> called without any password configured for the default user.",
        "denied", "has no password" },
      { "ERR DB index is out of range", "refused", "databases" },
      { "Redis at x: Name or service not known", "unreachable", "/etc/hosts.*127%.0%.0%.1" },
      { "Redis at x: Temporary failure in name resolution", "unreachable", "127%.0%.0%.1" },
      { "Redis at x: Connection refused", "unreachable", "is Redis running there" },
      { "Redis at x: Broken pipe (whether it was executed is not known)", "unreachable",
        "was closed" },
      { "this is not Redis: Protocol error", "not_redis", "another service" },
      { "something new", "refused", "will not serve" },
    }
    for _, row in ipairs(rows) do
      it("fits " .. row[1], function()
        assert.is_truthy(net.hint(row[1], row[2]):find(row[3]), net.hint(row[1], row[2]))
      end)
    end

    it("is none for an error of a command", function()
      assert.is_nil(net.hint "WRONGTYPE Operation against a key holding the wrong kind of value")
      assert.is_nil(net.hint "BUSYKEY Target key name already exists.")
      assert.is_nil(net.hint("something", "else"))
    end)
  end)

  describe("script", function()
    it("is the text of a server script, with lib in front", function()
      assert.is_true(net.script "done" == scripts.text "done")
    end)

    it("of no such name is an error", function()
      local ok, err = pcall(net.script, "nonesuch")
      assert.is_false(ok)
      assert.is_truthy(err:find("server.nonesuch is missing", 1, true), err)
    end)
  end)

  describe("connect", function()
    it("tells refused, denied and what is no Redis apart; no password is shown", function()
      local port = server.free_port()
      local none, err, trouble = net.connect("redis://:geheim@127.0.0.1:" .. port)
      assert.is_nil(none)
      assert.are.equal("unreachable", trouble)
      assert.is_truthy(err:find("127.0.0.1:" .. port, 1, true), err)
      assert.is_nil(err:find("geheim", 1, true))

      none, err, trouble = net.connect("unix:///nowhere/redis.sock")
      assert.is_nil(none)
      assert.are.equal("unreachable", trouble)
      assert.is_truthy(err:find("/nowhere/redis.sock", 1, true), err)

      redis:call("CONFIG", "SET", "requirepass", "richtig")
      none, err, trouble = net.connect("redis://:geheim@127.0.0.1:" .. redis.port)
      redis:call("CONFIG", "SET", "requirepass", "")
      assert.is_nil(none)
      assert.are.equal("denied", trouble)
      assert.is_nil(err:find("geheim", 1, true))

      local web = process.start({ "lua5.4", "-e", ([[
        local listener = assert(require("socket").bind("127.0.0.1", %d))
        while true do
          local client = listener:accept()
          client:receive(1)
          client:send("HTTP/1.1 400 Bad Request\r\n\r\n")
          client:close()
        end]]):format(port) }, { dir = redis.dir })
      clock.wait_until(function()
        err, trouble = select(2, net.connect("127.0.0.1:" .. port))
        return trouble == "not_redis"
      end, 5, function() return "an HTTP server is no Redis: " .. tostring(err) end)
      web:finish()
    end)

    it("gives an error for an address that cannot be read", function()
      local none, err, trouble = net.connect("http://x")
      assert.is_nil(none)
      assert.is_truthy(err:find("http", 1, true), err)
      assert.is_nil(trouble)
      assert.has_error(function() net.connect {} end)
    end)

    it("authenticates and selects the database, also again", function()
      redis:call("CONFIG", "SET", "requirepass", "richtig")
      local other = assert(net.connect("redis://:richtig@127.0.0.1:" .. redis.port .. "/3"))
      other:call("SET", "in3", "yes")
      cut()
      assert.are.equal("yes", other:call("GET", "in3"))
      assert.are.equal("redis://:***@127.0.0.1:" .. redis.port .. "/3", other:where())
      other:close()
      redis:call("CONFIG", "SET", "requirepass", "")
      assert.is_nil(redis:call("GET", "in3"))
      assert.is_nil(conn:remark())
    end)

    it("reads the environment in plain lua5.4", function()
      local script = "local c, e = require('resque.net').connect() print(c and c:where() or e)"
        .. " print(c and c:call('CLIENT', 'INFO'):match(' db=(%d+)'))"
      local function run(env)
        env.LUA_PATH, env.LUA_CPATH = os.getenv "LUA_PATH", os.getenv "LUA_CPATH"
        for _, name in ipairs { "LD_PRELOAD", "ASAN_OPTIONS" } do
          env[name] = os.getenv(name)
        end
        local code, out = process.run({ "lua5.4", "-e", script },
          { dir = redis.dir, env = env, clean = true })
        assert.are.equal(0, code)
        return out
      end
      assert.is_truthy(run({ REDIS_BACKEND = redis:backend() }):find(redis.socket, 1, true))
      assert.is_truthy(run({ REDIS_URL = redis:backend(), REDIS_BACKEND = "" })
        :find(redis.socket, 1, true))
      assert.is_truthy(run({ REDIS_BACKEND = redis:backend(), REDIS_BACKEND_DB = "5" })
        :find "\n5\n")
      assert.is_truthy(run({ REDIS_BACKEND = redis:backend() .. "?db=2", REDIS_BACKEND_DB = "5" })
        :find "\n2\n")
      redis:call("CONFIG", "SET", "requirepass", "richtig")
      local with = run { REDIS_BACKEND = "127.0.0.1:" .. redis.port, REDIS_PASSWORD = "richtig" }
      redis:call("CONFIG", "SET", "requirepass", "")
      assert.is_truthy(with:find "\n0\n", with)
    end)
  end)

  it("closes once and for all", function()
    conn:close()
    conn:close()
    local ok, err = pcall(conn.call, conn, "PING")
    assert.is_false(ok)
    assert.is_truthy(err:find "closed")
    do
      local scoped <close> = assert(net.connect(redis:backend()))
      assert.are.equal("PONG", scoped:call "PING")
    end
  end)

  it("is used by one process only: after a fork the child opens its own", function()
    local forking = assert(package.loadlib(preload.module "forking", "luaopen_forking"))()
    local id = conn:call("CLIENT", "ID")
    conn:call "MULTI"
    local copy = forking.fork()
    if copy == 0 then
      local mine = conn:in_transaction() and "inherited" or conn:call("CLIENT", "ID")
      conn:call("SET", "child", mine)
      forking.leave()
    end
    forking.wait(copy)
    local child = redis:call("GET", "child")
    assert.is_truthy(tonumber(child), child)
    assert.are_not.equal(id, tonumber(child))
    conn:call "PING"
    assert.are.same({ "PONG" }, conn:call "EXEC")
    assert.are.equal(id, conn:call("CLIENT", "ID"))
  end)
end)
