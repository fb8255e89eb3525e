-- sys.settings, and connections of a job, inside the program.
local world = require "spec.support.world"

describe("inside the program", function()
  local w

  before_each(function() w = world.new { tcp = true } end)
  after_each(function() w:close() end)

  -- The lines a job printed, one per expression. A worker runs it, or the program with `words`.
  local function show(expressions, env, words)
    local lines = {}
    for i, expression in ipairs(expressions) do
      lines[i] = ("print((%s))"):format(expression)
    end
    local path = w:write("jobs.lua", ([[
      local resque = require "resque"
      local sys = require "resque.sys"
      local Show = resque.job "Show"
      function Show:perform()
        %s
        io.stdout:flush()
      end]]):format(table.concat(lines, "\n")))
    local all = { APP_INCLUDE = path, QUEUE = "q", INTERVAL = "0" }
    for name, value in pairs(env or {}) do
      all[name] = value
    end
    if not words then
      w:job("Show", {}, { queue = "q" })
    end
    local code, out, err = w:run(words or {}, all)
    assert.are.equal(0, code, err)
    return out
  end

  it("settings have the kinds of their rows", function()
    assert.are.equal("integer\nfloat\n0.5\n1024\ntrue\nnil\nq,*\nhost-1\n", show({
      "math.type(sys.settings.count)",
      "math.type(sys.settings.interval)",
      "sys.settings.term_timeout",
      "sys.settings.max_payload",
      "sys.settings.graceful_term",
      "sys.settings.term_child",
      "sys.settings.queues",
      "resque.config.worker_host",
    }, {
      COUNT = "1", RESQUE_TERM_TIMEOUT = "0.5", MAX_PAYLOAD = "1K", GRACEFUL_TERM = "1",
      TERM_CHILD = "0", QUEUE = "q,*", WORKER_HOST = "host-1",
    }))
  end)

  it("settings are absent without a value, prefix and arguments are always there", function()
    assert.are.equal("nil\nnil\nnil\nt9:\n2\nShow\na=b\n", show({
      "sys.settings.pidfile", "sys.settings.no_such_row", "rawget(sys.settings, 'pidfile')",
      "sys.settings.prefix", "#sys.settings.arguments", "sys.settings.arguments[1]",
      "sys.settings.arguments[2]",
    }, { PREFIX = "t9" }, { "perform", "Show", "a=b" }))
  end)

  it("settings are looked up once", function()
    assert.are.equal("nil\nh\nh\n", show({
      "rawget(sys.settings, 'worker_host')", "sys.settings.worker_host",
      "rawget(sys.settings, 'worker_host')",
    }, { WORKER_HOST = "h" }))
  end)

  it("resque.redis goes where the settings say, with a password that no job can read", function()
    w.server:call("CONFIG", "SET", "requirepass", "geheim")
    local ok, out = pcall(show, {
      "resque.redis('SET', resque.key('k'), 'v')",
      "os.getenv 'REDIS_PASSWORD'", "os.getenv 'REDIS_BACKEND'", "sys.settings.redis",
      "sys.settings.redis_password",
      "io.open('/proc/self/environ'):read('a'):find('geheim', 1, true)",
    }, {
      REDIS_BACKEND = "redis://:geheim@127.0.0.1:" .. w.server.port .. "/2",
    }, { "perform", "Show" })
    w.server:call("CONFIG", "SET", "requirepass", "")
    assert.is_true(ok, out)
    assert.is_truthy(out:find "^OK\n", out)
    assert.is_nil(out:find("geheim", 1, true), out)
    w.server:call("SELECT", 2)
    local value = w:on("GET", "k")
    w.server:call("SELECT", 0)
    assert.are.equal("v", value)
  end)
end)
