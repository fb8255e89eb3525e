--- Bad input at start: exit code, and what, why and hint on stderr. Jobs are bad_payload_spec's.
local scene = require "spec.support.scene"
local stranger = require "spec.support.stranger"
local world = require "spec.support.world"

describe("resque-lua refuses to start", function()
  local w <const> = scene.shared { tcp = true }

  setup(function()
    w.server:call("ACL", "SETUSER", "known", "on", ">s3cret pass", "~*", "&*", "+@all")
    w.server:call("ACL", "SETUSER", "weak", "on", ">weakpass", "~*", "+ping", "+select", "+client")
    w:write("syntax.lua", "local x = 1\nfunction broken(\n")
    w:write("raises.lua", "local x = 1\nerror('not today')\n")
    w:write("exits.lua", "os.exit(0)")
    w:write("returns.lua", "return 17\n")
    w:write("bytecode.lua", string.dump(load "return 1"))
    w:write("secret", "wrong-s3cret\n")
  end)

  local function tcp(user)
    return ("redis://%s@127.0.0.1:%d"):format(user, w.server.port)
  end

  -- name, exit code, environment, arguments, Lua patterns stderr must match
  local rows = {
    { "without a queue", 2, {}, {}, "QUEUE", "hint: " },
    { "with an empty queue list", 2, { QUEUE = " , " }, {}, "QUEUE", "hint: " },
    { "with only exclusions", 2, { QUEUE = "!a,!b" }, {}, "QUEUE", "hint: " },
    { "without APP_INCLUDE", 2, { QUEUE = "a", APP_INCLUDE = false }, {}, "APP_INCLUDE",
      "hint: APP_INCLUDE=jobs.lua .*%-%-no%-include" },
    { "with an APP_INCLUDE of blanks", 2, { QUEUE = "a", APP_INCLUDE = " , " }, {}, "APP_INCLUDE",
      "hint: " },
    { "with both APP_INCLUDE and NO_INCLUDE", 2, { QUEUE = "a", NO_INCLUDE = "1" }, {},
      "exclude each other", "hint: " },
    { "with an unknown flag", 2, { QUEUE = "a" }, { "--blokcing" }, "%-%-blokcing",
      "hint: did you mean %-%-blocking" },
    { "with an unknown command", 2, { QUEUE = "a" }, { "wrok" }, "wrok", "hint: .*work" },
    { "with a flag without its value", 2, {}, { "--queues" }, "%-%-queues", "hint: " },
    { "with COUNT=many", 2, { QUEUE = "a", COUNT = "many" }, {}, "COUNT", "many", "hint: " },
    { "with COUNT=0", 2, { QUEUE = "a", COUNT = "0" }, {}, "COUNT", "hint: " },
    { "with COUNT=-1", 2, { QUEUE = "a", COUNT = "-1" }, {}, "COUNT", "hint: " },
    { "with COUNT=1.5", 2, { QUEUE = "a", COUNT = "1.5" }, {}, "COUNT", "hint: " },
    { "with INTERVAL=soon", 2, { QUEUE = "a", INTERVAL = "soon" }, {}, "INTERVAL", "hint: " },
    { "with INTERVAL=-1", 2, { QUEUE = "a", INTERVAL = "-1" }, {}, "INTERVAL", "hint: " },
    { "with INTERVAL=nan", 2, { QUEUE = "a", INTERVAL = "nan" }, {}, "INTERVAL", "hint: " },
    { "with --count=x", 2, { QUEUE = "a" }, { "--count=x" }, "%-%-count", "hint: " },
    { "with MAX_PAYLOAD=big", 2, { QUEUE = "a", MAX_PAYLOAD = "big" }, {}, "MAX_PAYLOAD",
      "hint: " },
    { "with a RESQUE_PRUNE in which no worker gives a sign of life", 2,
      { QUEUE = "a", RESQUE_PRUNE = "60" }, {}, "no longer than RESQUE_HEARTBEAT",
      "hint: several" },
    { "with JOB_MEMORY=64", 2, { QUEUE = "a", JOB_MEMORY = "64" }, {}, "JOB_MEMORY", "hint: 1M" },
    { "with JOB_TIMEOUT=soon", 2, { QUEUE = "a", JOB_TIMEOUT = "soon" }, {}, "JOB_TIMEOUT",
      "hint: " },
    { "with LOG_FORMAT=xml", 2, { QUEUE = "a", LOG_FORMAT = "xml" }, {}, "LOG_FORMAT",
      "hint: .*json" },
    { "with an unknown scheme", 2, { QUEUE = "a", REDIS_BACKEND = "http://localhost" }, {}, "http",
      "hint: " },
    { "with rediss://", 2, { QUEUE = "a", REDIS_BACKEND = "rediss://localhost" }, {}, "rediss",
      "hint: " },
    { "with a bad port", 2, { QUEUE = "a", REDIS_BACKEND = "localhost:99999" }, {}, "port",
      "hint: " },
    { "with a bad db", 2, { QUEUE = "a", REDIS_BACKEND_DB = "x" }, {}, "REDIS_BACKEND_DB",
      "hint: " },
    { "with a queue in quotes, as docker's --env-file hands it on", 2, { QUEUE = '"a"' }, {},
      "QUEUE has quotes around it", "hint: " },
    { "with a comment behind a switch", 2, { QUEUE = "a", TERM_CHILD = "0 # not yet" }, {},
      "TERM_CHILD has a comment behind it", "hint: " },
    { "with a missing env file", 2, { QUEUE = "a" }, { "--env-file", "/nonexistent/env" },
      "/nonexistent/env", "hint: " },
    { "with a missing password file", 2,
      { QUEUE = "a", REDIS_PASSWORD_FILE = "/nonexistent/password" }, {},
      "/nonexistent/password", "hint: " },

    { "with a missing APP_INCLUDE", 3, { QUEUE = "a", APP_INCLUDE = "/nonexistent/jobs.lua" }, {},
      "/nonexistent/jobs%.lua" },
    { "with a syntax error", 3, { QUEUE = "a", APP_INCLUDE = "syntax.lua" }, {}, "syntax%.lua:3" },
    { "with a file that raises", 3, { QUEUE = "a", APP_INCLUDE = "raises.lua" }, {},
      "raises%.lua:2", "not today" },
    { "with a file that calls os.exit", 3, { QUEUE = "a", APP_INCLUDE = "exits.lua" }, {},
      "exits%.lua", "os%.exit" },
    { "with bytecode", 3, { QUEUE = "a", APP_INCLUDE = "bytecode.lua" }, {}, "bytecode%.lua" },
    { "with one bad file of two", 3, { QUEUE = "a", APP_INCLUDE = "good.lua,raises.lua" }, {},
      "raises%.lua:2" },

    { "with NO_INCLUDE and no folder", 3, { QUEUE = "a" }, { "--no-include" }, "%./jobs" },

    { "with nobody listening", 4, { QUEUE = "a", REDIS_BACKEND = "127.0.0.1:1" }, {},
      "127%.0%.0%.1:1", "[Rr]efused", "hint: " },
    { "with no such socket", 4, { QUEUE = "a", REDIS_BACKEND = "unix:///nonexistent/redis.sock" },
      {},
      "/nonexistent/redis%.sock", "hint: " },
    { "with an unknown host", 4, { QUEUE = "a", REDIS_BACKEND = "no-such-host.invalid" }, {},
      "no%-such%-host%.invalid", "hint: this machine does not know the name .*127%.0%.0%.1" },
    { "with a wrong password", 4, { QUEUE = "a", REDIS_BACKEND = "USER known:wrong-s3cret" }, {},
      "known:%*%*%*@127", "WRONGPASS", "hint: " },
    { "with a wrong password in a file", 4, { QUEUE = "a", REDIS_PASSWORD_FILE = "secret",
      REDIS_BACKEND = "USER known" }, {}, "WRONGPASS", "hint: " },
    { "without permission", 4, { QUEUE = "a", REDIS_BACKEND = "USER weak:weakpass" }, {},
      "NOPERM", "weak:%*%*%*@127", "hint: " },
    { "with a db that does not exist", 4, { QUEUE = "a", REDIS_BACKEND = "DB 4000" }, {}, "4000" },
    { "with something that is not Redis", 4, { QUEUE = "a", REDIS_BACKEND = "HTTP" }, {},
      "127%.0%.0%.1" },
  }

  local function backend(text, port)
    local user = text and text:match "^USER (.*)"
    if user then
      return tcp(user)
    elseif text == "DB 4000" then
      return "redis://127.0.0.1:" .. w.server.port .. "/4000"
    end
    return text == "HTTP" and "127.0.0.1:" .. port or text
  end

  for _, row in ipairs(rows) do
    it(("%s: exit %d"):format(row[1], row[2]), function()
      local port, close = stranger.listen "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
      local env = { APP_INCLUDE = world.fixtures .. "/jobs.lua" }
      w:write("good.lua", "")
      for name, value in pairs(row[3]) do
        env[name] = name == "REDIS_BACKEND" and backend(value, port) or value
      end
      local code, out, err = w:run(row[4], env, { cwd = w.dir })
      close()
      assert.equal(row[2], code, err)
      assert.equal("", out)
      for i = 5, #row do
        assert.matches(row[i], err)
      end
      for _, secret in ipairs { "wrong-s3cret", "s3cret pass", "weakpass" } do
        assert.is_nil(err:find(secret, 1, true), "the password is shown: " .. err)
      end
      assert.same({}, w:on("SMEMBERS", "workers"))
    end)
  end

  local enqueue_rows = {
    { "without a class", 2, { "mail" }, "class", "hint: " },
    { "with a comma in the queue's name", 2, { "a,b", "Echo" }, "a,b", "hint: " },
    { "with blanks around the queue's name", 2, { " a", "Echo" }, "hint: " },
    { "with arguments that are no JSON", 2, { "mail", "Echo", '{"a":' }, "hint: " },
    { "with nobody listening", 4, { "mail", "Echo", "--redis", "127.0.0.1:1" }, "127%.0%.0%.1:1" },
  }
  for _, row in ipairs(enqueue_rows) do
    it(("resque-enqueue %s: exit %d"):format(row[1], row[2]), function()
      local code, out, err = w:run(row[3], nil, { enqueue = true })
      assert.equal(row[2], code, err)
      assert.equal("", out)
      for i = 4, #row do
        assert.matches(row[i], err)
      end
      assert.same({}, w:on("SMEMBERS", "queues"))
    end)
  end
end)
