--- The Redis password is in nothing that anybody sees: however it was given, whatever the server
-- says to it. Every output is searched for a canary.
local server = require "spec.support.server"
local folder = require "spec.support.folder"
local proc = require "spec.support.proc"
local process = require "spec.support.process"
local scene = require "spec.support.scene"

-- A plain lua5.4 does not load modules built so, and such a program has no core files by itself.
local without_sanitizers = os.getenv "SAN" and function() end or it

local CANARY = "c4nary"
local SECRET, ENCODED = CANARY .. "-p@ss/w:rd", CANARY .. "-p%40ss%2Fw%3Ard"

local w <const> = scene.fresh { tcp = true }
after_each(function()
  w.server:call("CONFIG", "SET", "requirepass", "")
end)

local function url(credentials, port)
  return ("redis://%s127.0.0.1:%d"):format(credentials, port or w.server.port)
end

-- Fails if the canary, or the piece of it that a cut text has, is in one of the texts.
local function check_unseen(...)
  for _, text in ipairs { ... } do
    local at = text:find(CANARY:sub(1, 5), 1, true)
    assert.is_nil(at, at and "the password is visible: " .. text:sub(at - 60, at + 60))
  end
end

-- Title, arguments and environment of a program and all below it.
local function shown_in_proc(run)
  local texts = {}
  for _, pid in ipairs { run.pid, table.unpack(proc.descendants(run.pid)) } do
    texts[#texts + 1] = proc.read("/proc/" .. pid .. "/cmdline") or ""
    texts[#texts + 1] = proc.read("/proc/" .. pid .. "/environ") or ""
  end
  return table.concat(texts, "\n")
end

-- What jobs can look at: their environment, settings, and what the library says of the address.
local PEEK = [[
  local Peek = resque.job "Peek"
  function Peek:perform()
    resque.redis("SET", resque.key "reached", "yes")
    ledger.write(io.open("/proc/self/environ"):read "a", io.popen "env":read "a",
      resque.config.redis, tostring(resque.env.REDIS_URL),
      require "resque.connection".default():where())
    error "no"
  end
]]

-- Ways to give a password: variables and arguments for a server at `port`.
local ways = {
  ["as password in REDIS_BACKEND"] = function(port)
    return { REDIS_BACKEND = url(":" .. ENCODED .. "@", port) }, {}
  end,
  ["in the user's place"] = function(port)
    return { REDIS_BACKEND = url(ENCODED .. "@", port) }, {}
  end,
  ["in the user's place of REDIS_URL"] = function(port)
    return { REDIS_BACKEND = false, REDIS_URL = url(ENCODED .. "@", port) }, {}
  end,
  ["in the user's place of --redis"] = function(port)
    return {}, { "-r", url(ENCODED .. "@", port) }
  end,
  ["in --env-file"] = function(port)
    local path = w:write("env", "REDIS_URL=" .. url(ENCODED .. "@", port) .. "\n")
    return { REDIS_BACKEND = false }, { "--env-file", path }
  end,
  ["in REDIS_PASSWORD"] = function(port)
    return { REDIS_BACKEND = url("", port), REDIS_PASSWORD = SECRET }, {}
  end,
  ["in a file"] = function(port)
    return { REDIS_BACKEND = url("", port),
      REDIS_PASSWORD_FILE = w:write("password", SECRET .. "\n") }, {}
  end,
}

for name, way in pairs(ways) do
  it("a password " .. name .. " is the password, and seen nowhere", function()
    local env, args = way()
    env.APP_INCLUDE, env.VVERBOSE = w:write_jobs("jobs.lua", PEEK), "1"
    w.server:call("CONFIG", "SET", "requirepass", SECRET)
    local run = w:start_idle(env, { args = args })
    w:job("Peek")
    w:wait_processed(1)
    check_unseen(shown_in_proc(run))
    run:stop()
    assert.equal("yes", w:on("GET", "reached"))
    local _, failed = w:failed()
    check_unseen(run:err(), run.process:out(), table.concat(failed), table.concat(w:ledger()))
  end)
end

-- Each server by how it answers; what a command says then is searched, too.
local servers = {
  { "takes the password", function() w.server:call("CONFIG", "SET", "requirepass", SECRET) end, 0 },
  { "takes another", function() w.server:call("CONFIG", "SET", "requirepass", "other") end, 4 },
  { "is not there", function() return 1 end, 4 },
}

for _, row in ipairs(servers) do
  it("no command shows the password to people if the server " .. row[1], function()
    local port = row[2]()
    for name, way in pairs(ways) do
      for _, line in ipairs {
        { "config" }, { "config", "--json" }, { "doctor" }, { "doctor", "--json" }, { "workers" },
        { "job", "one" }, { "job", "one", "--kill" }, { "enqueue", "mail", "Echo" },
        { "enqueue", "mail", "Echo", "-v" }, { "work", "-q", "mail", "--burst", "-vv" },
      } do
        local env, args = way(port)
        table.move(args, 1, #args, #line + 1, line)
        local code, out, err = w:run(line, env)
        check_unseen(out, err)
        if line[1] == "enqueue" then
          assert.equal(row[3], code, name .. ": " .. err)
        end
      end
    end
  end)
end

it("a server that does not know AUTH repeats it: not shown, however it is cut", function()
  local dir = folder.make "renamed"
  local renamed = server.start { dir = dir, tcp = true, args = { "--rename-command", "AUTH", "x" } }
  for _, password in ipairs { ENCODED, ENCODED .. ("x"):rep(200), ("%27"):rep(110) .. ENCODED } do
    local code, _, err = w:run({ "workers" }, { REDIS_BACKEND = url(":" .. password .. "@",
      renamed.port) })
    assert.equal(4, code)
    assert.matches("unknown command", err)
    check_unseen(err)
  end
  renamed.process:finish()
  folder.remove(dir)
end)

it("what Redis says of a wrong password is whole, also if a word of it is the password", function()
  for _, row in ipairs {
    { ":password@", "ERR AUTH <password> called without any password configured" },
    { "someone:WRONG@", "WRONGPASS invalid username%-password pair or user is disabled" },
  } do
    w.server:call("ACL", "SETUSER", "someone", "on", ">" .. SECRET)
    local code, _, err = w:run({ "workers" }, { REDIS_BACKEND = url(row[1]) })
    w.server:call("ACL", "DELUSER", "someone")
    assert.equal(4, code)
    assert.matches(row[2], err)
  end
end)

describe("what stands alone in front of the @", function()
  it("is not needed by a server without a password: one warning, and it goes on", function()
    local backend = url(ENCODED .. "@")
    local run = w:start_idle { REDIS_BACKEND = backend, COUNT = "2" }
    w:job("Reach", { text = "x" })
    w:wait_processed(1)
    run:stop()
    assert.same({}, (w:failed()))
    assert.equal(1, select(2, run:err():gsub("asks for no password", "")))
    local code, out, err = w:run({ "enqueue", "mail", "Echo" }, { REDIS_BACKEND = backend })
    assert.equal(0, code)
    assert.matches("^%x+\n$", out)
    assert.matches("^[^\n]*asks for no password[^\n]*\n$", err)
    check_unseen(run:err(), err)
  end)

  it("is an error as a password behind a colon, where the server asks for none", function()
    local code, _, err = w:run({ "workers" }, { REDIS_BACKEND = url(":" .. ENCODED .. "@") })
    assert.equal(4, code)
    check_unseen(err)
  end)

  it("is the user where REDIS_PASSWORD or a file gives the password", function()
    w.server:call("ACL", "SETUSER", "someone", "on", ">" .. SECRET, "~*", "&*", "+@all")
    local path = w:write_jobs("jobs.lua", [[local Who = resque.job "Who"
      function Who:perform() ledger.write(resque.redis("ACL", "WHOAMI")) end]])
    for i, env in ipairs {
      { REDIS_PASSWORD = SECRET },
      { REDIS_PASSWORD_FILE = w:write("password", SECRET .. "\n") },
    } do
      env.REDIS_BACKEND, env.APP_INCLUDE = url "someone@", path
      local run = w:start_idle(env)
      w:job("Who")
      w:wait_processed(i)
      run:stop()
      assert.equal("someone", w:ledger()[i])
      assert.is_nil(run:err():find "warn")
    end
    w.server:call("ACL", "DELUSER", "someone")
  end)

  without_sanitizers("is the password in a plain lua5.4, but for REDIS_PASSWORD", function()
    w.server:call("CONFIG", "SET", "requirepass", SECRET)
    w.server:call("ACL", "SETUSER", "someone", "on", ">" .. SECRET, "~*", "&*", "+@all")
    local script = [[local net = require "resque.net"
      for _, address in ipairs { os.getenv "GOOD", os.getenv "BAD" } do
        local conn, err = net.connect(address)
        print(conn and conn:call("ACL", "WHOAMI") or err, conn and conn:where())
      end
      local conn = assert(net.connect())
      print(conn:call("ACL", "WHOAMI"), conn:where())]]
    local code, out, err = process.run({ "lua5.4", "-e", script }, { dir = w.dir, env = {
      GOOD = url(ENCODED .. "@"), BAD = url(ENCODED .. "@", 1), REDIS_BACKEND = url "someone@",
      REDIS_PASSWORD = SECRET } })
    w.server:call("ACL", "DELUSER", "someone")
    assert.equal(0, code, err)
    assert.matches("^default\tredis://:%*%*%*@", out)
    assert.matches("\nsomeone\tredis://someone:%*%*%*@[^\n]*\n$", out)
    check_unseen(out, err)
  end)
end)

it("an address among a job's arguments is not quoted with its password", function()
  local code, _, err = w:run({ "enqueue", "mail", "Echo", "a=1", url(ENCODED .. "@") })
  assert.equal(2, code)
  assert.matches("is not name=value", err)
  check_unseen(err)
end)

it("a bad line of --env-file is told by its number", function()
  for _, line in ipairs { ENCODED, "REDIS_PASSWORD " .. SECRET, "REDIS_PASSWORD='" .. SECRET,
    "REDIS_PASSWORD='x' " .. SECRET, "1=" .. SECRET } do
    local code, _, err = w:run({ "workers", "--env-file", w:write("env", "A=1\n" .. line .. "\n") })
    assert.equal(2, code)
    assert.matches("env:2: ", err)
    check_unseen(err)
  end
end)

-- What /proc/PID/limits says of core files: the soft and the hard limit.
local function core_limits(pid)
  return (proc.read("/proc/" .. pid .. "/limits"):match "Max core file size%s+(%S+%s+%S+)"
    :gsub("%s+", " "))
end

without_sanitizers("manager and worker leave no core file, jobs as they would", function()
  local run = w:start_idle({}, { wrap = { "prlimit", "--core=4096:8192" } })
  w:job("Gate", { gate = "core" })
  w:wait_ledger "start"
  local job = run:wait_job()
  assert.equal("1 8192", core_limits(run.pid))
  assert.equal("1 8192", core_limits(run:worker()))
  assert.equal("4096 8192", core_limits(job))
  w:open_gate "core"
  w:wait_processed(1)
end)

it("where nobody may have core files, it is no trouble", function()
  local run = w:start_idle({}, { wrap = { "prlimit", "--core=0:0" } })
  w:job("Noop", {})
  w:wait_processed(1)
  assert.equal("0 0", core_limits(run:worker()))
  assert.same({}, (w:failed()))
end)
