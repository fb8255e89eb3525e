--- What keeps a job from the rest: text-only code, no new privileges, JOB_USER, and what
-- SANDBOX=strict adds in a worker (sandbox_spec has the Lua side of it).
-- conf/man/resque-lua-isolation.7 tells it to people.
local cjson = require "cjson"
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local world = require "spec.support.world"

local w
before_each(function()
  w = world.new { tcp = true }
end)
after_each(function()
  w:close()
end)

-- Runs a job here and now whose perform is `body`; returns what it returned as JSON text, or nil
-- and what was written about its failure.
local function perform(body, env)
  local path = w:write_jobs("jobs.lua", "local Try = resque.job 'Try'\nfunction Try:perform()\n"
    .. body .. "\nend")
  local all = { APP_INCLUDE = path }
  for name, value in pairs(env or {}) do
    all[name] = value
  end
  local code, out, err = w:run({ "perform", "Try", "here=" .. w.dir }, all)
  if code == 0 then
    return out:match "^(.-)\n?$"
  end
  return nil, err
end

describe("code is text:", function()
  local BYTECODE = string.dump(load "return 'bytecode'")

  before_each(function()
    w:write("bytecode.lua", BYTECODE)
    w:write("text.lua", "return ... or 'text'")
  end)

  local refused = {
    { "load", "return load(string.dump(function() end))" },
    { "load with mode b", "return load(string.dump(function() end), 'x', 'b')" },
    { "load with mode bt", "return load(string.dump(function() end), 'x', 'bt')" },
    { "load of pieces", [[
      local code = string.dump(function() end)
      local at = 0
      return load(function() at = at + 1 return code:sub(at, at) end, 'x', 'bt')]] },
    { "load in a coroutine",
      "return coroutine.wrap(load)(string.dump(function() end), 'x', 'b')" },
    { "loadfile", "return loadfile(self.args.here .. '/bytecode.lua')" },
    { "loadfile with mode b", "return loadfile(self.args.here .. '/bytecode.lua', 'b')" },
    { "dofile", "return nil, select(2, pcall(dofile, self.args.here .. '/bytecode.lua'))" },
    { "require", "return nil, select(2, pcall(require, 'bytecode'))" },
    { "what package.searchers have", [[
      for _, search in ipairs(package.searchers) do
        local ok, found = pcall(search, "bytecode")
        if type(found) == "function" then return found end
        if not ok then return nil, found end
      end]] },
  }
  for _, row in ipairs(refused) do
    it(row[1] .. " refuses bytecode", function()
      local body = "local function try(self)\n" .. row[2] .. "\nend\n"
        .. "local chunk, why = try(self)\nassert(chunk == nil)\nreturn why"
      assert.matches("attempt to load a binary chunk %(mode is '", assert(perform(body)))
    end)
  end

  -- As the reference manual has it: the same in a plain Lua, which these are compared with.
  local same = {
    { "a mode that excludes text", "return select(2, load('return 1', '=x', 'b')) ~= nil" },
    { "a string", "return load 'return 7' ()" },
    { "pieces", [[
      local at, list = 0, { "return ", "4", "2" }
      return load(function() at = at + 1 return list[at] end)()]] },
    { "an empty function chunk", "return #table.pack(load(function() end)())" },
    { "a chunk name", "return select(2, load('x x', '=name'))" },
    { "no chunk name", "return select(2, load('x x'))" },
    { "an environment", "return load('return a', 'x', 't', { a = 5 })()" },
    { "the environment nil", "return select(2, pcall(load('return a', '=x', nil, nil)))" },
    { "no environment", "return load('return type(_G)', 'x', 't')()" },
    { "an environment for loadfile",
      "return loadfile(self.args.here .. '/text.lua', nil, {})(3)" },
    { "a file that is missing", "return select(2, loadfile '/nonexistent')" },
    { "dofile of one", "return select(2, pcall(dofile, '/nonexistent'))" },
    { "dofile", "return dofile(self.args.here .. '/text.lua')" },
    { "dofile that yields", [[
      local co = coroutine.wrap(function() return dofile(self.args.here .. "/yield.lua") end)
      return co() + co()]] },
    { "require", "return (require 'text')" },
    { "require gives the file", "return select(2, require 'text'):match '[^/]+$'" },
    { "require of none", "return select(2, pcall(require, 'none')):match \"module 'none'.-:\"" },
    { "package.path broken", [[
      local path = package.path
      package.path = nil
      local _, why = pcall(require, "none")
      package.path = path
      return why]] },
  }
  it("wrong arguments are errors", function()
    assert.equal([["bad argument #1 to 'load' (function expected, got no value)"]],
      perform "return select(2, pcall(load))")
    assert.matches("reader function must return a string",
      perform "return select(2, load(function() return {} end)).message")
  end)

  for _, row in ipairs(same) do
    it(row[1] .. " is as in plain Lua", function()
      w:write("yield.lua", "coroutine.yield(1) return 2")
      local plain = assert(load("local self = ...\n" .. row[2]))
      local path = package.path
      package.path = w.dir .. "/?.lua"
      local expected = plain { args = { here = w.dir } }
      package.path, package.loaded.text = path, nil
      assert.same(expected, cjson.decode("[" .. assert(perform(row[2])) .. "]")[1])
    end)
  end
end)

-- The value of a line of /proc/PID/status.
local function status_of(pid, name)
  return proc.read(("/proc/%s/status"):format(pid)):match("\n" .. name .. ":%s*([^\n]*)")
end

-- A job that waits, so that its process can be looked at; its pid.
local function job_process(run)
  w:job("Gate", { gate = "a" })
  w:wait_ledger "start a"
  return proc.descendants(run.pid)[2]
end

describe("no_new_privs", function()
  it("is set for every job", function()
    local run = w:start_idle()
    assert.equal("1", status_of(job_process(run), "NoNewPrivs"))
    w:open_gate "a"
    w:wait_processed(1)
  end)
  it("is set for perform", function()
    assert.equal('"1"', perform [[
      return io.open "/proc/self/status":read "a":match "NoNewPrivs:%s*(%d)"]])
  end)
end)

describe("JOB_USER", function()
  local USER, UID, GID = "nobody", nil, nil

  setup(function()
    UID, GID = proc.read "/etc/passwd":match "\nnobody:[^:]*:(%d+):(%d+):"
  end)

  local function refused(name, pattern)
    local code, _, err = w:run({ "--burst" }, { QUEUE = "a", JOB_USER = name })
    assert.equal(2, code)
    assert.matches(pattern, err)
    assert.matches("\n%*%*%* hint: ", err)
  end

  -- Everything such a worker needs is in the world's folder, which the user may enter.
  local function start(text, env, opts)
    w:write("ledger.lua", proc.read(world.fixtures .. "/ledger.lua"))
    local all = {
      JOB_USER = USER,
      APP_INCLUDE = w:write("jobs.lua", ([[
        local resque, ledger = require "resque", dofile %q
        local function job(name, perform) resque.job(name).perform = perform end
      ]]):format(w.dir .. "/ledger.lua") .. text),
    }
    for name, value in pairs(env or {}) do
      all[name] = value
    end
    uv.fs_chmod(w.dir, 493)
    w:write("ledger", "")
    uv.fs_chmod(w.dir .. "/ledger", 438)
    return w:start_idle(all, opts)
  end

  if uv.getuid() ~= 0 then
    it("is refused: we are not root", function()
      refused(USER, "only root can run jobs as somebody else")
    end)
    return
  end

  it("needs a user that exists", function()
    refused("no-such-user", "JOB_USER is 'no%-such%-user', but the system finds no such user")
  end)
  it("needs one who is not root", function()
    refused("root", "who is root: jobs would give nothing up")
  end)
  it("is refused when the worker is not root", function()
    local path = w:write("resque-lua", proc.read(world.program))
    uv.fs_chmod(w.dir, 493)
    uv.fs_chmod(path, 493)
    local run = w:start({ JOB_USER = USER, APP_INCLUDE = false },
      { program = path, wrap = { "setpriv", "--reuid=" .. UID, "--clear-groups" } })
    assert.equal(2, run.process:wait(5))
    assert.matches("only root can run jobs as somebody else", run:err())
  end)

  it("may open its own outputs by name", function()
    local run = start [[
      job("Say", function()
        os.execute "echo one >/dev/stdout; echo two >/dev/stderr"
        error "no"
      end)]]
    w:job "Say"
    w:wait_processed(1)
    assert.equal("one\n", run.process:out())
    assert.matches("\ntwo\n", run.process:err())
    assert.equal("one\ntwo\n", w:failed()[1].output)
  end)

  it("is who a job is, for good", function()
    local run = start [[
      job("Who", function()
        for line in io.lines "/proc/self/status" do
          if line:find "^[UG]id" or line:find "^Cap[PEIA]" then ledger.write(line) end
        end
        ledger.write("HOME", os.getenv "HOME", os.getenv "USER", os.getenv "LOGNAME")
        local worker = io.open "/proc/self/stat":read "a":match "%) %S (%d+)"
        ledger.write("root", tostring(os.execute "setpriv --reuid=0 true 2>/dev/null"))
        ledger.write("signal", tostring(os.execute("kill -0 " .. worker .. " 2>/dev/null")))
        ledger.write("worker", tostring(io.open(("/proc/%s/environ"):format(worker))))
      end)]]
    w:job "Who"
    w:wait_processed(1)
    assert.same({}, (w:failed()))
    local home = proc.read "/etc/passwd":match "\nnobody:[^\n]*:([^:]*):[^:\n]*\n"
    local ids = function(id) return ("\t%s"):format(id):rep(4) end
    assert.same({
      "Uid:" .. ids(UID), "Gid:" .. ids(GID),
      "CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000",
      "CapAmb:\t0000000000000000",
      "HOME " .. home .. " nobody nobody", "root nil", "signal nil", "worker nil",
    }, w:ledger())
    assert.equal("0\t0\t0\t0", status_of(run:workers "Waiting"[1], "Uid"))
  end)

  it("has its own groups, not root's", function()
    local run = start [[job("Hold", function() ledger.write "on" resque.sleep(30) end)]]
    w:job "Hold"
    w:wait_ledger "on"
    local groups = status_of(proc.descendants(run.pid)[2], "Groups")
    assert.equal(GID, groups:match "^(%d+)%s*$")
  end)

  for name, user in pairs { ["no terminal"] = USER, ["one without JOB_USER"] = false } do
    it("has " .. name, function()
      local on_terminal = { "python3", "-c", "import pty, sys; pty.spawn(sys.argv[1:])" }
      local text = [[
        local function look() ledger.write(io.open "/dev/tty" and "terminal" or "none") end
        look()
        job("Type", look)]]
      local run = start(text, { JOB_USER = user }, { wrap = on_terminal })
      w:job "Type"
      w:wait_processed(1)
      local seen = user and "none" or "terminal"
      assert.same({ seen, seen, seen }, w:ledger()) -- loaded to be checked, loaded, run
      uv.kill(proc.children(run.pid)[1], "sigterm")
    end)
  end

  it("cannot look into another job's memory, and leaves no core", function()
    local run = start [[
      job("Hold", function() ledger.write "on" resque.sleep(30) end)
      job("Peek", function(self)
        ledger.write("mem", tostring(io.open(("/proc/%d/mem"):format(self.args.pid))))
        ledger.write("environ", tostring(io.open(("/proc/%d/environ"):format(self.args.pid))))
      end)]]
    w:job "Hold"
    w:wait_ledger "on"
    local pid = proc.descendants(run.pid)[2]
    local other = w:start_idle { JOB_USER = USER, APP_INCLUDE = w.dir .. "/jobs.lua" }
    w:job("Peek", { pid = pid })
    w:wait_processed(1)
    assert.same({ "on", "mem nil", "environ nil" }, w:ledger())
    other:stop()
  end)

  it("does not keep the worker from ending a job and what it left behind", function()
    local run = start [[
      job("Spawn", function()
        os.execute "setsid sleep 300 & echo $! > $LEDGER"
        while true do end
      end)]]
    w:job "Spawn"
    local left = w:wait_ledger "^(%d+)$"
    run:signal "sigusr1"
    w:wait_processed(1)
    assert.matches("SIGUSR1", w:failed()[1].error)
    clock.wait_until(function() return not proc.alive(tonumber(left)) end, 2, "it is gone")
  end)

  it("needs three of root's capabilities", function()
    local run = start([[
      job("Spawn", function()
        os.execute "setsid sleep 300 & echo $! > $LEDGER"
        while true do end
      end)]], nil, { wrap = { "setpriv", "--bounding-set=-all,+setuid,+setgid,+kill" } })
    w:job "Spawn"
    local left = w:wait_ledger "^(%d+)$"
    assert.equal("00000000000000e0", status_of(run:worker(), "CapEff"))
    run:signal "sigusr1"
    w:wait_processed(1)
    clock.wait_until(function() return not proc.alive(tonumber(left)) end, 2, "it is gone")
  end)

  it("dies with its worker, also when nobody else is left to end it", function()
    local run = start [[job("Spin", function() ledger.write "on" while true do end end)]]
    w:job "Spin"
    w:wait_ledger "on"
    local worker, job = table.unpack(proc.descendants(run.pid))
    uv.kill(run.pid, "sigkill")
    run.process:wait(5)
    uv.kill(worker, "sigkill")
    clock.wait_until(function() return not proc.alive(job) end, 1, "the job is gone")
  end)

  it("writes log lines to a LOGFILE it may not open, and its result is kept", function()
    local run = start([[
      job("Log", function() resque.log.warn "from the job" return 5 end)]],
      { LOGFILE = w.dir .. "/log" })
    local id = w:job("Log", {}, { track = true })
    w:wait_processed(1)
    assert.matches("from the job", proc.read(w.dir .. "/log"))
    assert.equal(384, uv.fs_stat(w.dir .. "/log").mode & 384)
    assert.equal(5, w:status(id).result)
    run:stop()
  end)

  it("loads the scripts also at the start: what it cannot read is told, exit 3", function()
    local path = w:write("jobs.lua", "return {}")
    uv.fs_chmod(path, 384)
    for _, mode in ipairs { 448, 493 } do -- the folder is closed, the file is
      uv.fs_chmod(w.dir, mode)
      local code, _, err = w:run({ "--burst" },
        { QUEUE = "a", JOB_USER = USER, APP_INCLUDE = path })
      assert.equal(3, code)
      assert.matches("Permission denied.*hint: JOB_USER: jobs run as nobody", err)
    end
  end)
  it("a job waits while it cannot read them, and goes on when it can", function()
    local run = start [[job("Noop", function() ledger.write "done" end)]]
    uv.fs_chmod(w.dir .. "/jobs.lua", 384)
    w:job "Noop"
    clock.wait_until(function() return run:err():find "Permission denied" end, 5, "it is told")
    assert.equal(0, w:stat "processed")
    uv.fs_chmod(w.dir .. "/jobs.lua", 420)
    w:wait_processed(1)
    assert.same({ "done" }, w:ledger())
  end)

  it("keeps root from running hooks of the worker: exit 3", function()
    uv.fs_chmod(w.dir, 493)
    for _, event in ipairs { "beforeFirstFork", "beforeFork" } do
      local path = w:write("jobs.lua", ("require 'resque'.on(%q, print)"):format(event))
      local code, _, err = w:run({ "--burst" },
        { QUEUE = "a", JOB_USER = USER, APP_INCLUDE = path })
      assert.equal(3, code)
      assert.matches("run in the worker, which runs no scripts with JOB_USER", err)
    end
  end)
  it("keeps a job from having them by a lie: no script is loaded as root", function()
    start [[
      ledger.write("loaded by", io.open "/proc/self/status":read "a":match "Uid:%s*(%d+)")
      job("Lie", function() require "resque.sys".report_started(true, true) end)
      job("Next", function() end)]]
    w:job "Lie"
    w:job "Next"
    w:wait_processed(2)
    local nobody = "loaded by " .. UID
    assert.same({ nobody, nobody, nobody }, w:ledger()) -- checked, and loaded for two jobs
  end)

  it("keeps a deploy from bringing them: the job waits", function()
    local run = start "job('Noop', function() end)"
    w:write("jobs.lua", "require 'resque'.on('beforeFork', function() os.exit(9) end)")
    w:job "Noop"
    clock.wait_until(function() return run:err():find "runs no scripts" end, 5, "it is told")
    w:write("jobs.lua", "require 'resque'.job 'Noop'.perform = function() end")
    w:wait_processed(1)
    assert.same({}, (w:failed()))
  end)

  it("is who onFailure of a dead job runs as", function()
    start [[
      resque.on("onFailure", function() ledger.write("uid", io.open "/proc/self/status":read "a"
        :match "Uid:%s*(%d+)") end)
      job("Die", function() os.execute "kill -KILL $PPID" end)]]
    w:job "Die"
    w:wait_ledger("^uid " .. UID .. "$")
  end)
end)

describe("SANDBOX=strict in a worker", function()
  local function start(text, env)
    local all = { SANDBOX = "strict", APP_INCLUDE = w:write("jobs.lua", [[
      local resque = require "resque"
      local function job(name, perform)
        local class = resque.job(name)
        class.perform = perform
        return class
      end
    ]] .. text) }
    for name, value in pairs(env or {}) do
      all[name] = value
    end
    return w:start_idle(all)
  end

  -- A job's result.
  local function result(class, args)
    local id = w:job(class, args, { track = true })
    w:wait_processed(1)
    local failed = w:failed()[1]
    assert.is_nil(failed and failed.error)
    return w:status(id).result
  end

  local HOLD = [[job("Hold", function() resque.log.info "it holds" resque.sleep(30) end)]]
  local function held(run)
    w:job "Hold"
    clock.wait_until(function() return run:err():find "it holds" end, 5, "the job runs")
    return run:wait_job()
  end

  for mode, filters in pairs { strict = "2", off = "0" } do
    it("has a seccomp filter in jobs, and none in the worker: " .. mode, function()
      local run = start(HOLD, { SANDBOX = mode })
      assert.equal(filters, status_of(held(run), "Seccomp"))
      assert.equal("0", status_of(run:worker(), "Seccomp"))
      assert.is_nil(run:err():find "without seccomp")
      run:signal "sigusr1"
      w:wait_processed(1)
      assert.matches("SIGUSR1", w:failed()[1].error)
    end)
  end

  it("lets a job do all that resque offers", function()
    local run = start([[
      job("All", function()
        assert(resque.redis("SET", resque.key "x", "1"))
        assert(resque.enqueue("default", "Other", {}))
        resque.log.warn "a line"
        print "printed"
        return { sum = 1 + 1, ok = require "cjson" ~= nil }
      end)
      job("Other", function() return "other" end)
      job("Fails", function() error "as it should" end)
      resque.on("onFailure", function(err) resque.log.warn("told: " .. err.message) end)]])
    local id = w:job("All", {}, { track = true })
    w:job "Fails"
    w:wait_processed(3)
    assert.same({ sum = 2, ok = true }, w:status(id).result)
    assert.equal(1, #w:failed())
    assert.matches("jobs%.lua:%d+: as it should", w:failed()[1].error)
    assert.matches("jobs%.lua:%d+: in ", w:failed()[1].backtrace[1])
    assert.equal("1", w:on("GET", "x"))
    assert.matches("a line.*told: .*as it should", run:err())
  end)

  it("lets it look up names and connect", function()
    start([[job("Ping", function() return (resque.redis "PING") end)]],
      { REDIS_BACKEND = "localhost:" .. w.server.port })
    assert.equal("PONG", result "Ping")
  end)

  -- A C module that was opened for scripts is what could reach the kernel.
  local ways = {
    { "a signal to its worker", "uv.kill(uv.os_getppid(), 0)", "EPERM" },
    { "a signal to everybody", "uv.kill(-1, 0)", "EPERM" },
    { "opening a file for writing", "uv.fs_open(here .. '/new', 'w', 438)", "EPERM" },
    { "appending to one", "uv.fs_open(here .. '/jobs.lua', 'a', 438)", "EPERM" },
    { "removing one", "uv.fs_unlink(here .. '/jobs.lua')", "EPERM" },
    { "renaming one", "uv.fs_rename(here .. '/jobs.lua', here .. '/x')", "EPERM" },
    { "a folder", "uv.fs_mkdir(here .. '/new', 448)", "EPERM" },
    { "a link", "uv.fs_symlink('/etc/passwd', here .. '/link')", "EPERM" },
    { "changing rights", "uv.fs_chmod(here .. '/jobs.lua', 511)", "EPERM" },
    { "a server's socket", "uv.new_tcp():bind('127.0.0.1', 0)", "EPERM" },
    { "a worse priority for its worker", "uv.os_setpriority(uv.os_getppid(), 19)", "EPERM" },
  }
  for _, row in ipairs(ways) do
    it("stops a C module: " .. row[1], function()
      local text = [[
        local uv = require "luv"
        job("Try", function(self)
          local here = self.args.here
          local ok, value, why, name = pcall(function() return %s end)
          return tostring(name or why or value)
        end)]]
      start(text:format(row[2]), { SANDBOX_MODULES = "luv" })
      assert.matches(row[3], result("Try", { here = w.dir }))
      assert.is_nil(uv.fs_stat(w.dir .. "/new") or uv.fs_lstat(w.dir .. "/link"))
    end)
    it("stops only then: " .. row[1], function()
      local text = [[
        local uv = require "luv"
        job("Try", function(self)
          local here = self.args.here
          local ok, value, why, name = pcall(function() return %s end)
          return tostring(name or why or value)
        end)]]
      start((text:format(row[2]):gsub("kill%(%-1", "kill(uv.os_getpid()")), { SANDBOX = "off" })
      assert.is_nil(result("Try", { here = w.dir }):find(row[3], 1, true))
    end)
  end

  -- APP_INCLUDE of a job table's sandbox has kept functions that Lua no longer gives.
  local kept = {
    { "io.popen", "io.popen('true')", "^nil" },
    { "os.execute", "os.execute 'true'", "^nil" },
    { "io.open for writing", "io.open(here .. '/new', 'w')", "Operation not permitted" },
    { "io.open for appending", "io.open(here .. '/jobs.lua', 'a')", "Operation not permitted" },
    { "io.open for updating", "io.open(here .. '/jobs.lua', 'r+')", "Operation not permitted" },
    { "io.tmpfile", "io.tmpfile()", "Operation not permitted" },
    { "os.remove", "os.remove(here .. '/jobs.lua')", "Operation not permitted" },
    { "os.rename", "os.rename(here .. '/jobs.lua', here .. '/x')", "Operation not permitted" },
    { "os.tmpname", "os.tmpname()", "unable to generate a unique filename" },
  }
  for _, row in ipairs(kept) do
    it("a job table's sandbox stops what APP_INCLUDE kept: " .. row[1], function()
      start(([[
        local io, pcall, select = io, pcall, select
        local os = { execute = os.execute, remove = os.remove, rename = os.rename,
          tmpname = os.tmpname }
        job("Try", function(self)
          local here = self.args.here
          local first, why = select(2, pcall(function() return %s end))
          return tostring(first) .. " " .. tostring(why)
        end).sandbox = "strict"]]):format(row[2]), { SANDBOX = "off" })
      assert.matches(row[3], result("Try", { here = w.dir }))
    end)
  end
  it("a job table's sandbox does not stop reading with what APP_INCLUDE kept", function()
    start([[
      local io = io
      job("Read", function(self) return io.open(self.args.path):read "l" end).sandbox = "strict"]],
      { SANDBOX = "off" })
    assert.matches("^root:", result("Read", { path = "/etc/passwd" }))
  end)

  it("is what the check of APP_INCLUDE has", function()
    local path = w:write("jobs.lua", [[
      local uv = require "luv"
      error(tostring(select(2, uv.kill(uv.os_getppid(), "sigstop"))))]])
    local code, _, err = w:run({ "--burst" }, {
      QUEUE = "a", SANDBOX = "strict", SANDBOX_MODULES = "luv", APP_INCLUDE = path,
    })
    assert.equal(3, code)
    assert.matches("EPERM", err)
  end)
  it("is what onFailure of a dead job has", function()
    local run = start([[
      resque.on("onFailure", function() resque.log.warn("io is " .. tostring(io)) end)]] .. HOLD)
    held(run)
    run:signal "sigusr1"
    clock.wait_until(function() return run:err():find "io is nil" end, 5, "onFailure ran")
  end)
  it("goes with JOB_USER", function()
    if uv.getuid() ~= 0 then
      return assert.equal(2, (w:run({}, { QUEUE = "a", SANDBOX = "strict", JOB_USER = "nobody" })))
    end
    uv.fs_chmod(w.dir, 493)
    local run = start(HOLD, { JOB_USER = "nobody" })
    local pid = held(run)
    assert.equal("2", status_of(pid, "Seccomp"))
    assert.matches("^[1-9]%d*\t", status_of(pid, "Uid"))
  end)
end)
