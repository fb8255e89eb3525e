--- Every variable of a worker: what it changes, seen from outside. Bad values are
-- start_errors_spec's, PIDFILE, BACKGROUND and titles process_spec's, BLOCKING blocking_spec's,
-- QUEUE queues_spec's.
local cjson = require "cjson"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local server = require "spec.support.server"
local world = require "spec.support.world"

local w <const> = scene.fresh { tcp = true, args = { "--databases", "8" } }
after_each(function()
  w.server:call("SELECT", 0)
  w.server:call("ACL", "SETUSER", "default", "on", "nopass")
end)

describe("where Redis is:", function()
  local SECRET = "p@ss/w:rd"

  -- what is set ($PORT, $SOCKET are filled in), and the db jobs must come from
  local rows = {
    { "REDIS_BACKEND=host:port", { REDIS_BACKEND = "127.0.0.1:$PORT" }, 0 },
    { "REDIS_BACKEND=name:port", { REDIS_BACKEND = "$NAME:$PORT" }, 0 },
    { "REDIS_BACKEND=redis://", { REDIS_BACKEND = "redis://127.0.0.1:$PORT" }, 0 },
    { "REDIS_BACKEND=redis://…/db", { REDIS_BACKEND = "redis://127.0.0.1:$PORT/3" }, 3 },
    { "REDIS_BACKEND=tcp://…/db", { REDIS_BACKEND = "tcp://127.0.0.1:$PORT/2" }, 2 },
    { "REDIS_BACKEND=unix://", { REDIS_BACKEND = "unix://$SOCKET" }, 0 },
    { "REDIS_BACKEND=unix://…?db=", { REDIS_BACKEND = "unix://$SOCKET?db=4" }, 4 },
    { "php's options", { REDIS_BACKEND = "redis://127.0.0.1:$PORT/1?timeout=2&persistent=1" }, 1 },
    { "REDIS_BACKEND_DB", { REDIS_BACKEND = "127.0.0.1:$PORT", REDIS_BACKEND_DB = "5" }, 5 },
    { "the URL's db beats REDIS_BACKEND_DB",
      { REDIS_BACKEND = "redis://127.0.0.1:$PORT/6", REDIS_BACKEND_DB = "5" }, 6 },
    { "REDIS_URL", { REDIS_BACKEND = false, REDIS_URL = "redis://127.0.0.1:$PORT/3" }, 3 },
    { "REDIS_BACKEND beats REDIS_URL",
      { REDIS_BACKEND = "127.0.0.1:$PORT", REDIS_URL = "redis://127.0.0.1:1/3" }, 0 },
    { "REDIS_BACKEND beats a REDIS_URL that cannot be read", { REDIS_BACKEND = "127.0.0.1:$PORT",
      REDIS_URL = "http://:" .. SECRET .. "@host" }, 0 },
    { "--redis beats both", { REDIS_BACKEND = "127.0.0.1:1", REDIS_URL = "127.0.0.1:1" }, 2,
      "redis://127.0.0.1:$PORT/2" },
    { "a password in the URL", { REDIS_BACKEND = "redis://:p%40ss%2Fw%3Ard@127.0.0.1:$PORT" }, 0,
      password = true },
    { "user and password in the URL",
      { REDIS_BACKEND = "redis://known:p%40ss%2Fw%3Ard@127.0.0.1:$PORT/1" }, 1, password = true },
    { "a user that php made up, with the right password",
      { REDIS_BACKEND = "redis://anyone:p%40ss%2Fw%3Ard@127.0.0.1:$PORT" }, 0, password = true,
      warns = true },
    { "REDIS_PASSWORD", { REDIS_BACKEND = "127.0.0.1:$PORT", REDIS_PASSWORD = SECRET }, 0,
      password = true },
    { "REDIS_PASSWORD on a Unix socket", { REDIS_BACKEND = "unix://$SOCKET",
      REDIS_PASSWORD = SECRET }, 0, password = true },
    { "REDIS_PASSWORD_FILE",
      { REDIS_BACKEND = "127.0.0.1:$PORT", REDIS_PASSWORD_FILE = "$DIR/secret" }, 0,
      password = true },
  }
  local function fill(text)
    return type(text) == "string" and text:gsub("%$(%u+)", {
      NAME = server.name(), PORT = tostring(w.server.port), SOCKET = w.server.socket, DIR = w.dir,
    }) or text
  end

  for _, row in ipairs(rows) do
    it(row[1], function()
      local env = {}
      for name, value in pairs(row[2]) do
        env[name] = fill(value)
      end
      if row.password then
        w.server:call("ACL", "SETUSER", "known", "on", ">" .. SECRET, "~*", "&*", "+@all")
        w.server:call("ACL", "SETUSER", "default", "on", "resetpass", ">" .. SECRET)
        w:write("secret", SECRET .. "\n")
      end
      w.server:call("SELECT", row[3])
      local run = w:start_idle(env, { args = row[4] and { "--redis", (fill(row[4])) } })
      w:job("Echo", { from = row[1] })
      w:job("Env", { name = "REDIS_PASSWORD" })
      w:job("Env", { name = "REDIS_BACKEND" })
      w:job("Env", { name = "REDIS_URL" })
      w:job("Env", { name = "REDIS_PASSWORD_FILE" })
      w:job("Reach", { text = "by the job's own connection" })
      w:wait_processed(6)
      assert.same({}, (w:failed()))
      assert.equal(6, #w:ledger())
      local seen = table.concat(w:ledger(), "\n") .. run:err()
      for _, pid in ipairs(proc.descendants(run.pid)) do
        seen = seen .. proc.read("/proc/" .. pid .. "/environ") .. proc.title(pid)
      end
      assert.is_nil(seen:find(SECRET, 1, true), "the password is visible")
      assert.is_nil(seen:find("p%40ss", 1, true), "the password is visible")
      local _, warnings = run:err():gsub("takes the password, but not the user", "")
      assert.equal(row.warns and 1 or 0, warnings)
    end)
  end
end)

describe("PREFIX", function()
  for given, used in pairs { t = "t:", ["t:"] = "t:", ["a:b"] = "a:b:", ["a b"] = "a b:" } do
    it(("%q makes keys begin with %q"):format(given, used), function()
      w.prefix = used:sub(1, -2)
      w:start_idle { PREFIX = given }
      w:job("Noop", {})
      w:wait_processed(1)
    end)
  end
  it("may be long", function()
    w.prefix = ("p"):rep(500)
    w:start_idle { QUEUE = "*", BLOCKING = "1", INTERVAL = "30" }
    w:job("Noop", {})
    w:wait_processed(1)
  end)
  it("is resque when not given", function()
    w.prefix = "resque"
    w:start_idle { PREFIX = false }
    w:job("Noop", {})
    w:wait_processed(1)
  end)
end)

describe("APP_INCLUDE", function()
  it("takes a list, and require finds modules beside each file and the system's", function()
    w:write("helper_one.lua", "return 'one'")
    w:write_jobs("a.lua", [[
      local cjson, one = require "cjson", require "helper_one"
      A = {perform = function() ledger.write("A", one, cjson.encode {1}) end}]])
    w:write_jobs("b.lua", "B = {perform = function() ledger.write 'B' end}")
    w:start_idle { APP_INCLUDE = w.dir .. "/a.lua," .. w.dir .. "/b.lua" }
    w:job "A"
    w:job "B"
    w:wait_processed(2)
    assert.same({ "A one [1]", "B" }, w:ledger())
  end)
end)

describe("NO_INCLUDE", function()
  local function folder()
    assert(require("luv").fs_mkdir(w.dir .. "/jobs", 493))
    w:write("helper_word.lua", "return 'alone'")
    w:write_jobs("jobs/Alone.lua", [[
      local word = require "helper_word"
      return {perform = function() ledger.write(word) end}]])
  end

  it("finds every class in ./jobs, and modules beside it", function()
    folder()
    w:start_idle({ APP_INCLUDE = false, NO_INCLUDE = "1" }, { cwd = w.dir })
    w:job "Alone"
    w:wait_processed(1)
    assert.same({ "alone" }, w:ledger())
    local off = { APP_INCLUDE = false, REDIS_BACKEND = "unix:///nonexistent" }
    assert.equal(0, (w:run({ "perform", "Alone", "--no-include" }, off, { cwd = w.dir })))
    local code, out = w:run({ "check", "--no-include" }, off, { cwd = w.dir })
    assert.same({ 0, "Alone\t./jobs/Alone.lua:2\t-\tperform\n" }, { code, out })
  end)

  it("opens the folder it was started in to SANDBOX=strict", function()
    folder()
    w:write("jobs/Kept.lua", [[
      return {perform = function()
        return require "helper_word" .. tostring(pcall(dofile, "../outside.lua"))
      end}]])
    w:start_idle({ APP_INCLUDE = false, NO_INCLUDE = "1", SANDBOX = "strict" }, { cwd = w.dir })
    local id = w:job("Kept", nil, { track = true })
    w:wait_processed(1)
    assert.same({}, (w:failed()))
    assert.equal("alonefalse", w:status(id).result)
  end)
end)

describe("logging:", function()
  -- The start line, warnings and errors are always plain.
  local PLAIN, TIMED = "^%*%*%* ", "^%*%* %[%d%d:%d%d:%d%d %d%d%d%d%-%d%d%-%d%d%] "

  local function lines(text)
    local list = {}
    for line in text:gmatch "[^\n]+" do
      list[#list + 1] = line
    end
    return list
  end

  local rows = {
    { "quiet by default", {}, PLAIN, chatty = false },
    { "VERBOSE", { VERBOSE = "1" }, PLAIN, chatty = true },
    { "LOGGING", { LOGGING = "1" }, PLAIN, chatty = true },
    { "VVERBOSE", { VVERBOSE = "1" }, TIMED, chatty = true },
    { "VVERBOSE wins over VERBOSE", { VERBOSE = "1", VVERBOSE = "1" }, TIMED, chatty = true },
    { "VERBOSE=0 is off", { VERBOSE = "0" }, PLAIN, chatty = false },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      local env = { VERBOSE = false }
      for name, value in pairs(row[2]) do
        env[name] = value
      end
      local run = w:start_idle(env)
      local before = #lines(run:err())
      assert.matches("Starting worker [^\n]*:%d+:default", run:err())
      w:job("Noop", { secret = "hunter2" })
      w:wait_processed(1)
      run:stop()
      for i, line in ipairs(lines(run:err())) do
        assert.matches(i > before and row[3] or PLAIN, line)
      end
      assert.equal(row.chatty, #lines(run:err()) > before)
      assert.is_nil(run:err():find("hunter2", 1, true))
      assert.equal("", run.process:out())
    end)
  end

  it("LOG_FORMAT=json writes one object per line, with the job's id", function()
    local run = w:start_idle { LOG_FORMAT = "json" }
    local id = w:job("Raise", { message = "bad" })
    w:wait_processed(1)
    run:stop()
    local with_job = 0
    for _, line in ipairs(lines(run:err())) do
      local entry = cjson.decode(line)
      for _, name in ipairs { "time", "level", "text" } do
        assert.is_string(entry[name])
      end
      assert.is_number(entry.pid)
      with_job = with_job + (entry.job == id and 1 or 0)
    end
    assert.is_true(with_job > 0)
  end)

  it("LOGFILE takes everything, and HUP opens it again", function()
    local path = w.dir .. "/worker.log"
    local run = w:start_idle { LOGFILE = path }
    assert.matches("Starting worker", proc.read(path))
    os.rename(path, path .. ".1")
    run:signal "sighup"
    clock.wait_until(function()
      w:job("Raise", { message = "after" })
      return (proc.read(path) or ""):find("Raise", 1, true)
    end, 5, "the new log file is written to")
    assert.equal("", run:err())
  end)
end)

describe("INTERVAL", function()
  it("=0 works until the queues are empty, then exits 0 and the manager too", function()
    for n = 1, 5 do
      w:job("Note", { n = n })
    end
    local run = w:start { INTERVAL = "0", COUNT = "2" }
    assert.same({ 0, 0 }, { run.process:wait(10) })
    assert.equal(5, w:stat "processed")
    assert.same({}, w:on("SMEMBERS", "workers"))
  end)
  it("may be a fraction, and is how often an idle worker looks", function()
    w:start_idle { INTERVAL = "0.2" }
    local before = clock.now()
    w:job("Noop", {})
    w:wait_processed(1)
    assert.is_true(clock.now() - before < 0.2 + clock.limit(0.3))
  end)
end)

describe("WORKER_HOST", function()
  it("is valid UTF-8 also where a long list of queues is cut off", function()
    for _, host in ipairs { "a", "ab" } do
      w:start_idle { WORKER_HOST = host, QUEUE = ("é"):rep(400) }
    end
    for _, id in ipairs(w:on("SMEMBERS", "workers")) do
      assert.is_true(#id > 600 and #id < 700)
      assert.is_truthy(utf8.len(id), id)
    end
  end)

  it("is the first part of the id, with its colons replaced", function()
    w:start_idle { WORKER_HOST = "fe80::1" }
    assert.matches("^fe80[^:]+:%d+:default$", w:on("SMEMBERS", "workers")[1])
  end)
end)

describe("stopping:", function()
  local function start_job(class, env)
    local run = w:start_idle(env)
    w:job(class, { gate = "a" })
    w:wait_ledger "^start"
    run:wait_title "^Forked"
    return run
  end

  it("GRACEFUL_TERM makes TERM wait for the job", function()
    local run = start_job("Gate", { GRACEFUL_TERM = "1" })
    run:signal "sigterm"
    assert.is_true(clock.stays_false(function()
      return not run.process:running()
    end, 0.2))
    w:open_gate "a"
    assert.same({ 0, 0 }, { run.process:wait(5) })
    assert.same({}, (w:failed()))
    assert.equal(1, w:stat "processed")
  end)

  it("GRACEFUL_TERM with RESQUE_TERM_TIMEOUT has an end", function()
    local run = start_job("Gate", { GRACEFUL_TERM = "1", RESQUE_TERM_TIMEOUT = "0.3" })
    local began = clock.now()
    run:signal "sigterm"
    assert.same({ 0, 0 }, { run.process:wait(5) })
    assert.is_true(clock.now() - began >= 0.3)
    assert.equal("Resque::DirtyExit", w:failed()[1].exception)
  end)

  it("TERM_CHILD raises in the job, which may clean up", function()
    local run = start_job("Polite", { TERM_CHILD = "1" })
    run:signal "sigterm"
    assert.same({ 0, 0 }, { run.process:wait(5) })
    assert.matches("^told false .*SIGTERM", w:ledger()[2])
    assert.equal(1, #w:failed())
    assert.matches("SIGTERM", w:failed()[1].error)
  end)

  it("TERM_CHILD waits RESQUE_PRE_SHUTDOWN_TIMEOUT before TERM", function()
    local run = start_job("Gate", { TERM_CHILD = "1", RESQUE_PRE_SHUTDOWN_TIMEOUT = "3600" })
    run:signal "sigterm"
    w:open_gate "a"
    assert.same({ 0, 0 }, { run.process:wait() })
    assert.same({}, (w:failed()))
  end)

  it("TERM_CHILD kills after RESQUE_TERM_TIMEOUT a job that does not listen", function()
    w:write_jobs("deaf.lua", [[
      resque.job "Deaf".perform = function()
        ledger.write "start deaf"
        while true do pcall(function() while true do end end) end
      end]])
    local run = start_job("Deaf", {
      TERM_CHILD = "1", RESQUE_TERM_TIMEOUT = "0.3", APP_INCLUDE = w.dir .. "/deaf.lua",
    })
    local began = clock.now()
    run:signal "sigterm"
    assert.same({ 0, 0 }, { run.process:wait(5) })
    assert.is_true(clock.now() - began >= 0.3)
    assert.matches("^Job killed by signal 9 %(SIGKILL%)", w:failed()[1].error)
  end)
end)

describe("RESQUE_HEARTBEAT and RESQUE_PRUNE", function()
  it("beat while a job runs, and record the job of a worker that stopped beating", function()
    w:on("SADD", "workers", "far:17:mail", "far:18:mail")
    w:on("HSET", "workers:heartbeat", "far:17:mail", "2012-01-16T05:42:55+00:00")
    w:on("SET", "worker:far:17:mail", '{"queue":"mail","run_at":"2012-01-16T05:42:55Z",'
      .. '"payload":{"class":"Gone","args":[1]}}')
    w:start_idle { RESQUE_HEARTBEAT = "1", RESQUE_PRUNE = "3" }
    w:job("Gate", { gate = "a" })
    w:wait_ledger "start a"
    local id
    clock.wait_until(function()
      for _, name in ipairs(w:on("SMEMBERS", "workers")) do
        id = not name:match "^far" and name or id
      end
      return id and #w:failed() == 1
    end, 15, "the dead worker's job is recorded")
    local record = w:failed()[1]
    assert.equal("Resque::PruneDeadWorkerDirtyExit", record.exception)
    assert.equal("Worker far:17:mail did not gracefully exit while processing Gone", record.error)
    assert.equal("far:17:mail", record.worker)
    -- one that never beat (php, node) is left alone
    assert.equal(1, w:on("SISMEMBER", "workers", "far:18:mail"))
    assert.equal(0, w:on("SISMEMBER", "workers", "far:17:mail"))
    for _ = 1, 2 do
      local before = w:on("HGET", "workers:heartbeat", id)
      clock.wait_until(function()
        return w:on("HGET", "workers:heartbeat", id) ~= before
      end, 5, "the next heartbeat")
    end
    assert.equal(1, #w:failed()) -- the job that runs longer than RESQUE_PRUNE is not among them
    assert.equal(1, w:on("EXISTS", "worker:" .. id))
    w:open_gate "a"
    w:wait_ledger "end a"
  end)
end)

describe("where a setting comes from:", function()
  it("flag beats environment beats --env-file beats default", function()
    w:write("worker.env", table.concat({
      "# a comment", "QUEUE=from_file", "WORKER_HOST=file", "RESQUE_PROCLINE_PREFIX=file-", "",
    }, "\n"))
    local run = w:start({ QUEUE = false, WORKER_HOST = "env", RESQUE_PROCLINE_PREFIX = "env-" },
      { args = { "--env-file", w.dir .. "/worker.env", "--worker-host", "flag" } })
    run:wait_title "^Waiting for from_file$"
    assert.matches("^flag:%d+:from_file$", w:on("SMEMBERS", "workers")[1])
    assert.matches("^env%-resque%-1%.0: ", proc.title(run:worker()))
  end)
end)

describe("RESQUE_LUA_PATH", function()
  it("takes the Lua files from a folder", function()
    w:start_idle { RESQUE_LUA_PATH = world.root .. "/lua" }
    w:job("Echo", { a = 1 })
    w:wait_processed(1)
    assert.same({ 'Echo default {"a":1}' }, w:ledger())
  end)

  it("names a server script that is not there", function()
    assert(os.execute(("cp -r '%s/lua' '%s'"):format(world.root, w.dir)))
    local id = w:job("Echo", {})
    local env = { RESQUE_LUA_PATH = w.dir .. "/lua" }
    assert(os.remove(w.dir .. "/lua/server/remove.lua"))
    local code, _, err = w:run({ "job", id, "--kill" }, env)
    assert.equal(1, code)
    assert.matches("Lua file of module server.remove is missing", err, 1, true)
    assert.equal(1, w:queued())
  end)

  it("names an answer of a server script that it does not know", function()
    assert(os.execute(("cp -r '%s/lua' '%s'"):format(world.root, w.dir)))
    local file = assert(io.open(w.dir .. "/lua/server/reserve.lua", "w"))
    file:write('return { "MAYBE", "later" }\n')
    file:close()
    w:job("Echo", {})
    local run = w:start { RESQUE_LUA_PATH = w.dir .. "/lua" }
    run.process:wait_for 'asking for a job.*unexpected answer of a server script: "MAYBE"'
    assert.equal(1, w:queued())
  end)
end)
