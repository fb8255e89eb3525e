--- The commands that need no worker: help, version, config, completion, check, perform. Usage
-- errors that stop a worker are start_errors_spec's, resque-enqueue is enqueue_spec's, job is
-- job_spec's.
local cjson = require "cjson"
local proc = require "spec.support.proc"
local process = require "spec.support.process"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

local w <const> = scene.shared()

local function run(args, env, opts)
  return w:run(args, env, opts)
end

-- Runs the program on a terminal of its own (script from util-linux): what the person sees.
local function on_terminal(line, env)
  local command = world.program .. " " .. line
  local code, out = process.run({ "script", "-qec", command, "/dev/null" },
    { env = w:env(env), clean = true, dir = w.dir })
  return code, out
end

local NOWHERE = { REDIS_BACKEND = "unix:///nonexistent/redis.sock" }

describe("help", function()
  it("is an overview, a command's own, and the same for --help", function()
    local code, out, err = run({ "help" }, NOWHERE)
    assert.same({ 0, "" }, { code, err })
    for _, text in ipairs { "QUEUE=mail resque-lua", "enqueue", "-q, --queues LIST",
      "QUEUES, QUEUE", "--redis URL", "Exit codes" } do
      assert.is_truthy(out:find(text, 1, true), text .. " is not in:\n" .. out)
    end
    assert.is_nil(out:find("\27", 1, true))
    assert.same({ 0, out, "" }, { run { "--help" } })
    local _, enqueue = run { "help", "enqueue" }
    assert.matches("%-%-track", enqueue)
    assert.is_nil(enqueue:find("--term-child", 1, true))
    assert.same({ 0, enqueue, "" }, { w:run({ "-h" }, nil, { enqueue = true }) })
  end)

  it("keeps to 80 columns", function()
    for _, name in ipairs { "work", "enqueue", "job", "workers", "perform", "check", "doctor",
      "config" } do
      local _, out = run { "help", name }
      for line in out:gmatch "[^\n]+" do
        assert.is_true(#line <= 80 or line:find "^  resque" ~= nil, line)
      end
    end
  end)

  it("names the nearest command", function()
    local code, out, err = run { "help", "enque" }
    assert.same({ 2, "" }, { code, out })
    assert.matches("hint: did you mean `resque%-lua help enqueue`", err)
  end)
end)

describe("version", function()
  it("is one line, or JSON", function()
    assert.same({ 0, "resque-lua 1.0.0\n", "" }, { run { "version" } })
    assert.same({ 0, "resque-lua 1.0.0\n", "" }, { run { "-V" } })
    assert.same({ 0, '{"version":"1.0.0"}\n', "" }, { run { "version", "--json" } })
  end)
end)

describe("config", function()
  local function rows(args, env)
    local code, out, err = run({ "config", table.unpack(args or {}) }, env)
    assert.same({ 0, "" }, { code, err })
    local list = {}
    for name, value, from in out:gmatch "([^\t\n]*)\t([^\t\n]*)\t([^\t\n]*)\n" do
      list[name] = value .. " " .. from
    end
    return list
  end

  it("shows each setting and where it comes from", function()
    local file = w:write("c.env", "COUNT=7\nINTERVAL=2m\n")
    local seen = rows({ "--env-file", file, "-i", "3" },
      { QUEUE = "mail,b", PREFIX = false, REDIS_BACKEND = "redis://host/4" })
    assert.equal("mail,b QUEUE", seen.queues)
    assert.equal("7 COUNT in " .. file, seen.count)
    assert.equal("3 --interval", seen.interval)
    assert.equal("resque: default", seen.prefix)
    assert.equal("off default", seen.blocking)
    assert.equal("redis://host:6379/4 REDIS_BACKEND", seen.redis)
    assert.equal("4 REDIS_BACKEND", seen["redis-db"])
    assert.equal("- default", seen["redis-password"])
    assert.equal("*** REDIS_PASSWORD", rows({}, { REDIS_PASSWORD = "canary" })["redis-password"])
  end)

  it("never shows a password", function()
    local env = { REDIS_BACKEND = "redis://me:canary@host", REDIS_PASSWORD = "canary" }
    for _, args in ipairs { {}, { "--json" }, { "-r", "redis://:canary@h" } } do
      local code, out, err = run({ "config", table.unpack(args) }, env)
      assert.equal(0, code)
      assert.is_nil((out .. err):find("canary", 1, true))
      assert.is_truthy(out:find(":***@h", 1, true))
    end
  end)

  it("is JSON with the right types", function()
    local _, out = run({ "config", "--json" }, { QUEUE = 'a"b\\', COUNT = "5", BLOCKING = "1" })
    local seen = cjson.decode(out)
    assert.same({ value = 'a"b\\', from = "QUEUE" }, seen.queues)
    assert.same({ value = 5, from = "COUNT" }, seen.count)
    assert.same({ value = true, from = "BLOCKING" }, seen.blocking)
    assert.equal(cjson.null, seen.pidfile.value)
    assert.equal("***", cjson.decode((select(2, run({ "config", "--json" },
      { REDIS_PASSWORD = "x" }))))["redis-password"].value)
  end)

  it("has colour on a terminal only, and not when somebody forbids it", function()
    local _, out = on_terminal("config", { TERM = "xterm" })
    assert.matches("\27%[1mSETTING", out)
    for _, env in ipairs { { NO_COLOR = "1", TERM = "xterm" }, { TERM = "dumb" } } do
      _, out = on_terminal("config", env)
      assert.is_nil(out:find("\27", 1, true))
      assert.matches("SETTING +VALUE +FROM", out)
    end
    _, out = on_terminal("config --no-color", { TERM = "xterm" })
    assert.is_nil(out:find("\27", 1, true))
  end)
end)

describe("completion", function()
  local function complete(...)
    local script = ([[
      . <(%s completion bash); compopt() { :; }
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _resque_lua
      echo "${COMPREPLY[*]}"]]):format(world.program)
    local code, out, err = process.run({ "bash", "-c", script, "bash", ... }, { dir = w.dir })
    assert.same({ 0, "" }, { code, err })
    return (out:gsub("\n$", ""))
  end

  it("for bash completes commands, flags, choices and files", function()
    assert.equal(
      "work enqueue job workers perform check doctor config completion version help",
      complete("resque-lua", ""))
    assert.equal("enqueue", complete("resque-lua", "e"))
    assert.equal("--track", complete("resque-enqueue", "mail", "--tr"))
    assert.equal("--wait", complete("resque-lua", "-v", "job", "--w"))
    assert.equal("", complete("resque-lua", "job", "--count"))
    assert.equal("json", complete("resque-lua", "--log-format", "j"))
    assert.equal("zsh", complete("resque-lua", "completion", "z"))
    assert.equal("kill", complete("resque-lua", "workers", "k"))
    assert.equal("--kill", complete("resque-lua", "job", "--k"))
    local file = w:write("some-jobs.lua", "")
    assert.equal(file, complete("resque-lua", "-I", file:sub(1, -4)))
  end)

  it("for zsh and fish names every option of every command", function()
    for _, shell in ipairs { "zsh", "fish" } do
      local code, out = run { "completion", shell }
      assert.equal(0, code)
      for _, flag in ipairs { "queues", "term-timeout", "positional", "strict", "env-file" } do
        assert.is_truthy(out:find(shell == "fish" and "-l " .. flag or "--" .. flag, 1, true))
      end
      assert.is_nil(out:find("redis-password ", 1, true))
    end
  end)

  it("wants a shell it knows", function()
    for _, args in ipairs { { "completion" }, { "completion", "tcsh" } } do
      local code, out, err = run(args)
      assert.same({ 2, "" }, { code, out })
      assert.matches("hint: resque%-lua completion bash|zsh|fish", err)
    end
  end)
end)

describe("check", function()
  local function check(args, env)
    env = env or {}
    env.APP_INCLUDE = env.APP_INCLUDE or false
    return run({ "check", table.unpack(args) }, env, { cwd = w.dir })
  end

  it("lists the classes with file and line", function()
    w:write("good.lua", [[
local resque = require "resque"
local Mail = resque.job "Mail"
Mail.queue = "post"
function Mail:setUp() end
function Mail:perform() end
Plain = { perform = function(self) return self end }
]])
    local code, out, err = check { "good.lua" }
    assert.equal(0, code)
    assert.equal("Mail\tgood.lua:5\tpost\tsetUp,perform\nPlain\tgood.lua:6\t-\tperform\n", out)
    assert.equal("good.lua: 2 job classes, 0 warnings\n", err)
    local by_variable = select(2, check({}, { APP_INCLUDE = "good.lua" }))
    assert.equal(out, by_variable)
    local answer = cjson.decode((select(2, check { "good.lua", "--json" })))
    assert.equal("Mail", answer.classes[1].name)
    assert.equal(5, answer.classes[1].line)
    assert.same({}, answer.warnings)
  end)

  it("warns, and fails for it with --strict", function()
    w:write("odd.lua", "local resque = require 'resque'\nlocal Odd = resque.job 'Odd'\n"
      .. "function Odd:run() end\n")
    w:write("none.lua", "local x = 1\n")
    w:write("long.lua", "local resque = require 'resque'\nlocal Long = resque.job 'Long'\n"
      .. "Long.timeout = '5 minutes'\nfunction Long:perform() end\n")
    for file, warning in pairs { ["odd.lua"] = "warning: Odd: it has no perform", ["none.lua"] =
      "warning: there is no job class", ["long.lua"] =
      "warning: Long: timeout of job class Long is '5 minutes', which is not a number" } do
      local code, _, err = check { file }
      assert.equal(0, code)
      assert.matches(warning, err)
      assert.equal(1, (check { file, "--strict" }))
    end
  end)

  it("exits 3 with file and line for what does not load", function()
    w:write("syntax.lua", "local x = 1\nx = = 2\n")
    w:write("raises.lua", "\nerror 'not today'\n")
    w:write("bytecode.lua", string.dump(load "return 1"))
    local rows = {
      ["syntax.lua"] = "syntax%.lua:2: ", ["raises.lua"] = "raises%.lua:2: not today",
      ["/nonexistent.lua"] = "/nonexistent%.lua", ["bytecode.lua"] = "bytecode%.lua",
    }
    for file, pattern in pairs(rows) do
      local code, _, err = check { file }
      assert.equal(3, code, err)
      assert.matches(pattern, err)
    end
  end)

  it("does not take a file that ends the program for one that loads", function()
    w:write("ends.lua", "os.exit(0)\n")
    w:write("keeps.lua", [[
local exit = os.exit
K = { perform = function() exit(7) end }
]])
    for _, sandbox in ipairs { "off", "strict" } do
      local environment = { SANDBOX = sandbox, APP_INCLUDE = "ends.lua" }
      for _, command in ipairs { { "check" }, { "perform", "K" }, { "enqueue", "q", "K" } } do
        local code, out, err = run(command, environment, { cwd = w.dir })
        assert.same({ 3, "" }, { code, out }, err)
        assert.matches("ends%.lua:1: it called os%.exit", err)
      end
      environment.APP_INCLUDE = "keeps.lua"
      assert.equal(7, (run({ "perform", "K" }, environment, { cwd = w.dir })))
    end
    os.execute("mkdir -p " .. w.dir .. "/jobs")
    w:write("jobs/Ends.lua", "os.exit(0)\n")
    local code, _, err = check { "keeps.lua" }
    os.remove(w.dir .. "/jobs/Ends.lua")
    assert.equal(3, code)
    assert.matches("Ends%.lua:1: it called os%.exit", err)
  end)

  it("takes a list apart as a worker does", function()
    w:write("a.lua", "A = { perform = function(self) return self end }")
    w:write("b.lua", "B = { perform = function(self) return self end }")
    local code, out = check { " a.lua ,, b.lua," }
    assert.same({ 0, "A\ta.lua:1\t-\tperform\nB\tb.lua:1\t-\tperform\n" }, { code, out })
    assert.equal(out, (select(2, check({}, { APP_INCLUDE = "a.lua, b.lua" }))))
  end)

  it("loads the class files of the folder jobs, too", function()
    os.execute("mkdir -p " .. w.dir .. "/jobs")
    w:write("face.lua", "")
    w:write("jobs/Fine.lua", "return { perform = function(self) return self end }\n")
    local code, out = check { "face.lua" }
    assert.equal(0, code)
    assert.matches("^Fine\t./jobs/Fine.lua:1\t", out)
    w:write("jobs/Torn.lua", "return {\n\n")
    local broken, listed, err = check { "face.lua" }
    assert.equal(3, broken)
    assert.matches("Fine", listed)
    assert.matches("Torn%.lua:3", err)
  end)

  it("wants a file", function()
    for _, arguments in ipairs { {}, { " , " } } do
      local code, out, err = check(arguments)
      assert.same({ 2, "" }, { code, out })
      assert.matches("hint: .*APP_INCLUDE", err)
    end
  end)
end)

describe("perform", function()
  local function perform(args, env)
    env = env or {}
    env.REDIS_BACKEND = NOWHERE.REDIS_BACKEND
    return run({ "perform", table.unpack(args) }, env, { cwd = w.dir })
  end
  before_each(function()
    os.remove(w.ledger_path)
    w:write("life.lua", [[
local resque = require "resque"
local function note(text) io.stderr:write(text, ";") end
for _, event in ipairs { "afterFork", "beforePerform", "afterPerform", "onFailure" } do
  resque.on(event, function() note(event) end)
end
local Life = resque.job "Life"
Life.queue = "post"
function Life:setUp() note "setUp" end
function Life:perform(first, second)
  note "perform"
  if self.args.skip then resque.dont_perform "no" end
  if self.args.fail then error { name = "My::Error", message = "as told" } end
  if self.args.exit then os.exit(self.args.exit) end
  return { queue = self.queue, to = self.args.to, second = second, same = first == self.args }
end
function Life:tearDown() note "tearDown" end
]])
  end)
  local ORDER = "afterFork;beforePerform;setUp;perform;tearDown;"

  it("runs a job without Redis, with its hooks in order", function()
    local code, out, err = perform { "Life", "to=x", "-I", "life.lua" }
    assert.same({ 0, ORDER .. "afterPerform;" }, { code, err })
    assert.equal('{"queue":"post","same":true,"to":"x"}\n', out)
  end)

  it("takes every form of arguments", function()
    assert.matches('"to":5', (select(2, perform { "Life", '{"to":5}', "-I", "life.lua" })))
    assert.matches('"second":"b"', (select(2,
      perform { "Life", "--positional", '[{"to":5},"b"]', "-I", "life.lua" })))
    local code, out, err = perform { "Life", "nonsense", "-I", "life.lua" }
    assert.same({ 2, "" }, { code, out })
    assert.matches("hint: ", err)
  end)

  it("shows a failure with its traceback and exits 1", function()
    local code, out, err = perform { "Life", "fail:=true", "-I", "life.lua" }
    assert.same({ 1, "" }, { code, out })
    assert.is_truthy(err:find(ORDER .. "onFailure;", 1, true), err)
    assert.matches("Life failed: My::Error: as told\n  life%.lua:12: ", err)
    local report = cjson.decode((select(2,
      perform { "Life", "fail:=true", "-I", "life.lua", "--json" })))
    assert.same({ false, "My::Error", "as told" }, { report.ok, report.exception, report.error })
    assert.matches("^life%.lua:12: ", report.backtrace[1])
  end)

  it("knows DontPerform, os.exit and results", function()
    assert.same({ 0, "false\n", ORDER }, { perform { "Life", "skip:=true", "-I", "life.lua" } })
    assert.equal(7, (perform { "Life", "exit:=7", "-I", "life.lua" }))
    local code, out = perform { "Life", "-I", "life.lua", "--json" }
    assert.same({ 0, '{"ok":true,"result":{"queue":"post","same":true}}\n' }, { code, out })
  end)

  it("names the nearest class", function()
    local code, _, err = perform { "Lief", "-I", "life.lua" }
    assert.equal(1, code)
    assert.matches("Could not find job class Lief%. Did you mean Life%?", err)
  end)

  it("exits 3 for a broken APP_INCLUDE, 2 without a class", function()
    w:write("syntax.lua", "x = = 2\n")
    local code, _, err = perform { "Life", "-I", "syntax.lua" }
    assert.equal(3, code)
    assert.matches("syntax%.lua:1: ", err)
    assert.equal(2, (perform {}))
  end)
end)

describe("any command", function()
  it("does not take a flag of another", function()
    local code, out, err = run { "check", "--track" }
    assert.same({ 2, "" }, { code, out })
    assert.matches("%-%-track is no option of `check`\nhint: `resque%-lua enqueue` has it", err)
  end)

  it("says when stdout is full", function()
    local script = ('exec "%s" help > /dev/full'):format(world.program)
    local code, _, err = process.run({ "bash", "-c", script }, { dir = w.dir })
    assert.equal(1, code)
    assert.matches("No space left", err)
  end)

  it("survives closed standard streams", function()
    local script = ('"%s" config <&- 2>&- >%s/out'):format(world.program, w.dir)
    assert.equal(0, (process.run({ "bash", "-c", script }, { dir = w.dir })))
    assert.matches("^queues\t", proc.read(w.dir .. "/out"))
  end)
end)
