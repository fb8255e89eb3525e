-- resque.sys: clocks, ids, files, text. JSON is in json_spec.lua.
local clock = require "spec.support.clock"
local folder = require "spec.support.folder"
local proc = require "spec.support.proc"
local process = require "spec.support.process"
local sys = require "resque.sys"
local uv = require "luv"

describe("resque.sys", function()
  local dir
  setup(function() dir = folder.make "sys" end)
  teardown(function() folder.remove(dir) end)

  -- Runs a script in a lua5.4 of its own; returns exit code, stdout, stderr.
  local function lua(script)
    script = "local sys = require 'resque.sys' " .. script
    return process.run({ "lua5.4", "-e", script }, { dir = dir })
  end

  it("knows the time to the microsecond", function()
    local seconds, micro = uv.gettimeofday()
    local now = sys.time()
    assert.is_true(now >= seconds + micro / 1e6 - 1e-5 and now < seconds + 600, now)
    local fine = false
    for _ = 1, 20 do
      fine = fine or sys.time() * 1000 % 1 ~= 0
    end
    assert.is_true(fine)
    local a, b = sys.monotonic(), sys.monotonic()
    assert.is_true(b >= a)
  end)

  it("sleeps as long as it is told", function()
    local began = sys.monotonic()
    assert.is_true(sys.sleep(0.05))
    assert.is_true(sys.monotonic() - began >= 0.05)
    assert.is_true(sys.sleep(0))
    assert.is_true(sys.sleep(-1))
    for _, wrong in ipairs { 0 / 0, math.huge, "soon" } do
      assert.has_error(function() sys.sleep(wrong) end)
    end
  end)

  it("is woken by a signal", function()
    -- lua5.4 turns SIGINT into an error at the next instruction: after the sleep has ended.
    local p = process.start({ "lua5.4", "-e", [[local sys = require "resque.sys"
      print "ready" io.stdout:flush()
      local ok, whole = pcall(function() local w = sys.sleep(30) return w end)
      print("ended", ok, whole)]] }, { dir = dir })
    p:wait_for "ready"
    local function sleeps() return (proc.status(p.pid, "State") or ""):find "^S" end
    clock.wait_until(sleeps, 10, "it sleeps")
    p:signal_now "sigint" -- once: a second one, before it has ended, would kill it
    clock.wait_until(function() return not p:running() end, 10, "it ends")
    assert.is_truthy(p:out():find "ended\tfalse", p:out())
  end)

  it("makes ids that differ", function()
    local seen = {}
    for _ = 1, 1000 do
      local id = sys.unique_id()
      assert.is_truthy(#id == 32 and id:find "^[0-9a-f]+$", id)
      assert.is_nil(seen[id])
      seen[id] = true
    end
  end)

  it("knows host, process and terminal", function()
    assert.are.equal(uv.os_gethostname(), sys.hostname())
    assert.are.equal(uv.os_getpid(), sys.pid())
    local code, out = lua "print(sys.isatty(0), sys.isatty(1), sys.isatty(99), sys.columns())"
    assert.are.equal(0, code)
    assert.are.equal("false\tfalse\tfalse\t80\n", out)
  end)

  it("lists folders and sees files", function()
    assert(io.open(dir .. "/a b", "w")):close()
    assert(io.open(dir .. "/.hidden", "w")):close()
    local names = {}
    for _, name in ipairs(sys.list(dir)) do
      names[name] = true
    end
    assert.is_true(names["a b"] and names[".hidden"])
    assert.is_nil(names["."] or names[".."])
    assert.is_true(sys.file_exists(dir .. "/a b"))
    assert.is_false(sys.file_exists(dir .. "/none"))
    local none, err = sys.list(dir .. "/none")
    assert.is_nil(none)
    assert.are.equal(dir .. "/none: No such file or directory", err)
  end)

  it("makes text printable", function()
    assert.are.equal("é\\n\\x1B[31m?", sys.printable "é\n\27[31m\xff")
    assert.are.equal("", sys.printable "")
    local long = ("\0"):rep(100000)
    assert.are.equal(400000, #sys.printable(long))
  end)

  it("finds the nearest name", function()
    assert.are.equal("SendMail", sys.nearest("SendMial", { "Other", "SendMail" }))
    assert.is_nil(sys.nearest("Quux", { "SendMail" }))
    assert.is_nil(sys.nearest("x", {}))
  end)

  -- spec/run has these also under locales that write 1,5 and sort a before B.
  it("reads and writes numbers with a point", function()
    assert.are.equal("1.5", sys.number_text(1.5))
    assert.are.equal("3", sys.number_text(3.0))
    assert.are.equal("0.1", sys.number_text(0.1))
    assert.are.equal("0.30000000000000004", sys.number_text(0.1 + 0.2))
    assert.are.equal("-1e+300", sys.number_text(-1e300))
    assert.are.equal("inf", sys.number_text(math.huge))
    assert.are.equal("1326692575.250000", sys.fixed(1326692575.25, 6))
    assert.are.equal("2", sys.fixed(1.5, 0))
    assert.are.equal(310, #sys.fixed(-1.7976931348623157e308, 0))
    assert.has_error(function() sys.fixed(1, 21) end)
    assert.are.equal(0.25, sys.number "0.25")
    assert.are.equal(30, sys.number "30")
  end)

  it("writes as Lua's tostring, floats with a point", function()
    assert.are.equal("1.5", sys.tostring(1.5))
    assert.are.equal("2.0", sys.tostring(2.0))
    assert.are.equal("-1e+15", sys.tostring(-1e15))
    assert.are.equal("inf", sys.tostring(math.huge))
    assert.are.equal("7", sys.tostring(7))
    assert.are.equal("1,5", sys.tostring "1,5")
    assert.are.equal("nil", sys.tostring(nil))
    local named = setmetatable({}, { __tostring = function() return "me" end })
    assert.are.equal("me", sys.tostring(named))
  end)

  it("sorts by bytes", function()
    assert.are.same({ "", "A", "B", "a", "ab", "b", "\u{e9}" },
      sys.sort { "b", "\u{e9}", "ab", "", "B", "a", "A" })
    assert.are.same({ "x", "x", "x\0", "x\0a" }, sys.sort { "x\0a", "x", "x\0", "x" })
    assert.are.same({}, sys.sort {})
    local list = {}
    for i = 1, 1000 do
      list[i] = ("k%03d"):format(i * 7919 % 1000)
    end
    sys.sort(list)
    for i = 1, 1000 do
      assert.are.equal(("k%03d"):format(i - 1), list[i])
    end
    assert.has_error(function() sys.sort { "a", 1 } end)
    assert.is_true(sys.before("B", "a"))
    assert.is_false(sys.before("a", "a"))
  end)

  it("logs warnings and errors only, until told otherwise", function()
    local function logged(script)
      local code, out, err = lua(script)
      assert.are.same({ 0, "" }, { code, out })
      return err
    end
    local all = "for l in ('error warn notice info debug'):gmatch '%w+' do sys.log(l, l) end"
    assert.are.equal("*** error\n*** warn\n", logged(all))
    local err = logged("sys.log_level 'info' " .. all)
    assert.are.equal("*** error\n*** warn\n*** notice\n*** info\n", err)
    err = logged "sys.log('warn', 'a\\nb %s \\27[31m')"
    assert.are.equal("*** a\\nb %s \\x1B[31m\n", err)
    assert.has_error(function() sys.log("loud", "x") end)
    assert.has_error(function() sys.log_level "loud" end)
  end)

  it("has the settings of a program only", function()
    assert.are.equal("plain", sys.where)
    assert.is_nil(sys.settings)
    assert.is_nil(sys.report_started)
    assert.is_truthy(sys.version:find "^%d+%.%d+%.%d+$")
  end)
end)
