--- What keeps a job from the rest: text-only code, no new privileges, JOB_USER. SANDBOX=strict has
-- specs of its own. conf/man/resque-lua-isolation.7 tells it to people.
local cjson = require "cjson"
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local process = require "spec.support.process"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

local w <const> = scene.fresh { tcp = true }

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

-- A job that waits, so that its process can be looked at; its pid.
local function job_process(run)
  w:job("Gate", { gate = "a" })
  w:wait_ledger "start a"
  return proc.descendants(run.pid)[2]
end

describe("no_new_privs", function()
  it("is set for every job", function()
    local run = w:start_idle()
    assert.equal("1", proc.status(job_process(run), "NoNewPrivs"))
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
    local run = w:start({ JOB_USER = USER, APP_INCLUDE = false, NO_INCLUDE = "1" },
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
    run:wait_title "^Waiting"
    assert.equal("0\t0\t0\t0", proc.status(run:worker(), "Uid"))
  end)

  it("has its own groups, not root's", function()
    local run = start [[job("Hold", function() ledger.write "on" resque.sleep(30) end)]]
    w:job "Hold"
    w:wait_ledger "on"
    local groups = proc.status(proc.descendants(run.pid)[2], "Groups")
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

  it("has not the keys of root's session", function()
    local intel = uv.os_uname().machine == "x86_64"
    local numbers = ("add, ctl = %d, %d\n"):format(intel and 248 or 217, intel and 250 or 219)
    local function python(text)
      return numbers .. "import ctypes, os, sys\ncall = ctypes.CDLL(None).syscall\n" .. text
    end
    local with_key = python [[
if call(ctl, 1, None) < 0 or call(add, b"user", b"resque:spec", b"secret", 6, -3) < 0: sys.exit(9)
os.execv(sys.argv[1], sys.argv[1:])]]
    if process.run({ "python3", "-c", with_key, "true" }, { dir = w.dir }) == 9 then
      return pending "no keyrings here"
    end
    local look = w:write("look.py",
      python [[sys.exit(call(ctl, 10, -3, b"user", b"resque:spec", 0) < 0)]])
    for user, seen in pairs { [false] = "a key", [USER] = "none" } do
      w:write("ledger", "")
      local run = start(([[job("Look", function()
        ledger.write(os.execute "python3 %s" and "a key" or "none")
      end)]]):format(look), { JOB_USER = user }, { wrap = { "python3", "-c", with_key } })
      w:job "Look"
      w:wait_ledger "."
      assert.same({ seen }, w:ledger())
      run:signal "sigterm"
      run.process:wait(5)
    end
  end)

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
    assert.equal("00000000000000e0", proc.status(run:worker(), "CapEff"))
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
