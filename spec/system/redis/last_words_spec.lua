--- Redis closes a connection and has said why: what it said is read and shown, with a hint that
-- fits, and nobody tries for ever what can never work. And how many connections there are at all.
local clock = require "spec.support.clock"
local process = require "spec.support.process"
local stranger = require "spec.support.stranger"
local resp = require "spec.support.resp"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

local MB = 1 << 20

local w <const> = scene.fresh { tcp = true }
local run
after_each(function()
  for name, value in pairs { maxclients = "10000", ["proto-max-bulk-len"] = "512mb",
    ["client-query-buffer-limit"] = "1gb" } do
    w.server:call("CONFIG", "SET", name, value)
  end
end)

-- The server's clients but the spec's own.
local function clients()
  return select(2, w.server:call("CLIENT", "LIST"):gsub("\n", "")) - 1
end

local function enqueue(args, backend, opts)
  opts = opts or {}
  opts.enqueue = true
  return w:run(args, { REDIS_BACKEND = backend }, opts)
end

local function long_file()
  return w:write("long.txt", ("x"):rep(2 * MB))
end

for how, tcp in pairs { ["by TCP"] = true, ["by a socket"] = false } do
  describe("a job longer than proto-max-bulk-len, " .. how .. ":", function()
    before_each(function()
      w.server:call("CONFIG", "SET", "proto-max-bulk-len", "1mb")
    end)

    it("resque-enqueue says so", function()
      local file = long_file()
      for _ = 1, 5 do -- Redis's answer and its end are a race, every time
        local code, out, err = enqueue({ "mail", "Noop", "text=@" .. file }, w.server:backend(tcp))
        assert.same({ 1, "" }, { code, out })
        assert.matches("not queued: .*ERR Protocol error: invalid bulk length\n", err)
        assert.matches("hint: .*proto%-max%-bulk%-len", err)
      end
      assert.same({}, w:on("KEYS", "*"))
    end)

    it("resque-enqueue --stdin rejects its line, and puts in the others", function()
      local lines = {}
      for n = 1, 9 do
        lines[n] = n == 5 and ('{"text":"%s"}'):format(("x"):rep(2 * MB)) or ('{"n":%d}'):format(n)
      end
      local code, _, err = enqueue({ "mail", "Noop", "--stdin" }, w.server:backend(tcp),
        { stdin = table.concat(lines, "\n") })
      assert.equal(1, code)
      assert.matches("stdin:5: .*ERR Protocol error: invalid bulk length\n", err)
      assert.matches("8 queued, 1 rejected", err)
      local order = {}
      for i, payload in ipairs(w:on("LRANGE", "queue:mail", 0, -1)) do
        order[i] = payload:match '"n":(%d)'
      end
      assert.equal("12346789", table.concat(order))
    end)

    it("resque.redis of a job says so, and is as new for the next command", function()
      w:write_jobs("long.lua", [[
        local J = resque.job "J"
        function J:perform()
          local value, err, kind = resque.redis("SET", resque.key "long", ("x"):rep(2 << 20))
          ledger.write(tostring(value), kind, err)
          ledger.write(resque.redis("SET", resque.key "short", "x"))
        end]])
      w:job "J"
      run = w:start { APP_INCLUDE = w.dir .. "/long.lua", REDIS_BACKEND = w.server:backend(tcp) }
      w:wait_processed(1)
      assert.matches("^nil refused Redis at .*: ERR Protocol error: invalid bulk length$",
        w:ledger()[1])
      assert.equal("OK", w:ledger()[2])
      assert.equal("x", w:on("GET", "short"))
    end)
  end)

  describe("a Redis with as many clients as it takes, " .. how .. ":", function()
    before_each(function()
      w.server:call("CONFIG", "SET", "maxclients", "1") -- the spec's own
    end)

    local function backend()
      return tcp and ("redis://:s3cret@127.0.0.1:%d"):format(w.server.port) or w.server:backend()
    end

    it("nothing starts, and it says why", function()
      for name, args in pairs { [""] = {}, ["resque-enqueue"] = { "mail", "Noop" } } do
        for _ = 1, 5 do
          local code, _, err = w:run(args, { REDIS_BACKEND = backend(), QUEUE = "mail" },
            { enqueue = name ~= "" })
          assert.equal(4, code, err)
          assert.matches("ERR max number of clients reached\n", err)
          assert.matches("hint: maxclients .* a manager holds 2 connections", err)
          assert.is_nil(err:find("s3cret", 1, true))
        end
      end
    end)
  end)
end

describe("a Redis that has no room for one that comes back:", function()
  it("the worker says why and goes on when there is", function()
    run = w:start_idle()
    w.server:call("CONFIG", "SET", "maxclients", "1")
    w.server:call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    run.process:wait_for "failed: ERR max number of clients reached; .* %(hint: maxclients"
    w:job("Note", { n = 1 })
    w.server:call("CONFIG", "SET", "maxclients", "10000")
    w:wait_processed(1)
  end)
end)

describe("a Redis that is busy with a script", function()
  it("is told so by resque-enqueue and a worker that starts, and how to end it", function()
    w.server:call("CONFIG", "SET", "busy-reply-threshold", "20")
    local endless = resp.connect(w.server.socket)
    endless:send("EVAL", "while true do end", "0")
    local ok, failure = pcall(function()
      clock.wait_until(function()
        return (w.server.client:try "PING" or {}).err
      end, 5, "it is busy")
      local code, _, err = enqueue({ "mail", "Noop" }, w.server:backend())
      assert.equal(4, code)
      assert.matches("BUSY Redis is busy running a script.*\nhint: .*SCRIPT KILL", err)
      run = w:start()
      run.process:wait_for "BUSY .*waiting until that has passed %(hint: .*SCRIPT KILL"
    end)
    w.server:call("SCRIPT", "KILL")
    endless:read()
    endless:close()
    assert(ok, failure)
    w:job("Note", { n = 1 })
    w:wait_processed(1)
  end)
end)

describe("a Redis in protected mode", function()
  it("says so, and is not taken for one that is not there", function()
    local port, close = stranger.listen("-DENIED Redis is running in protected mode because "
      .. "protected mode is enabled and no password is set for the default user.\r\n", true)
    for name, args in pairs { [""] = {}, ["resque-enqueue"] = { "mail", "Noop" } } do
      local code, _, err = w:run(args, { REDIS_BACKEND = "127.0.0.1:" .. port, QUEUE = "mail" },
        { enqueue = name ~= "" })
      assert.equal(4, code, err)
      assert.matches("DENIED Redis is running in protected mode", err)
      assert.matches("hint: protected%-mode", err)
    end
    close()
  end)
end)

describe("a job's end longer than client-query-buffer-limit", function()
  before_each(function()
    w.server:call("CONFIG", "SET", "client-query-buffer-limit", "1mb")
    w:write_jobs("long.lua", [[
      local J = resque.job "J"
      function J:perform()
        ledger.write "run"
        return ("x"):rep((1 << 20) - 2)
      end]])
  end)

  it("is written without its result: it would never be taken", function()
    w:job("J", {}, { id = "x1", track = true })
    w:job("J", {}, { id = "x2", track = true })
    run = w:start { APP_INCLUDE = w.dir .. "/long.lua" }
    w:wait_processed(2, 20)
    assert.same({ "run", "run" }, w:ledger())
    for _, id in ipairs { "x1", "x2" } do
      assert.equal(4, w:status(id).status)
      assert.equal(require("cjson").null, w:status(id).result)
    end
    assert.matches("the end of %(Job{default} | x1 | J%) is longer than Redis takes", run:err())
    assert.same({}, (w:failed()))
  end)
end)

describe("connections to Redis", function()
  -- Waits until there are so many, and looks whether it stays so.
  local function are(count, what)
    clock.wait_until(function()
      return clients() == count
    end, 5, function()
      return ("there are %d clients: %s; there are\n%s"):format(count, what,
        w.server:call("CLIENT", "LIST"))
    end)
  end

  for _, blocking in ipairs { "0", "1" } do
    it("are as many as docs/running.md says, with BLOCKING=" .. blocking, function()
      local manager = 2 + tonumber(blocking)
      run = w:start_idle { COUNT = "3", BLOCKING = blocking }
      are(manager + 3, "a manager and three workers")
      w:job("Gate", { gate = "a" })
      w:wait_ledger "start a"
      are(manager + 3, "a job that does not use it")
      w:open_gate "a"
      w:wait_processed(1)
      w:write_jobs("redis.lua", [[
        local J = resque.job "J"
        function J:perform()
          assert(resque.redis "PING")
          ledger.write "uses it"
          ledger.wait_gate "b"
        end]])
      run:stop()
      w:job "J"
      run = w:start { BLOCKING = blocking, APP_INCLUDE = w.dir .. "/redis.lua" }
      w:wait_ledger "uses it"
      are(manager + 1 + 1, "a manager, a worker and a job that uses it")
      w:open_gate "b"
      w:wait_processed(2)
    end)
  end

  it("are one for resque-enqueue", function()
    local waiting = process.start({ world.enqueue_program, "mail", "Noop", "--wait" },
      { env = w:env(), clean = true, dir = w.dir })
    clock.wait_until(function()
      return w:queued "mail" == 1
    end, 5, "the job is in")
    are(1, "who waits for it")
    waiting:finish()
  end)
end)
