-- resque.errors: whatever is raised becomes a name, a message and a short traceback.
local errors = require "resque.errors"

local function caught(fn)
  local ok, report = xpcall(fn, errors.handler)
  assert.is_false(ok)
  return report
end

describe("resque.errors", function()
  describe("messages", function()
    local rows = {
      { "a string", "boom", "LuaError", "boom" },
      { "nil", nil, "LuaError", "nil was raised: error() was called without a message" },
      { "a boolean", false, "LuaError", "a boolean was raised: false" },
      { "a number", 42, "LuaError", "a number was raised: 42" },
      { "a table with message and code", { message = "no", code = 7 }, "LuaError", "no (code 7)" },
      { "a table with a name", { name = "Mail::Error", message = "no" }, "Mail::Error", "no" },
      { "a name with odd characters", { name = "a b\n/c", message = "m" }, "a_b__c", "m" },
      { "a number as message", { message = 5 }, "LuaError", "5" },
      { "a table without message", { why = { "x" } }, "LuaError", '{"why":["x"]}' },
      { "an unreadable table", { why = print }, "LuaError", "an error table without a message" },
      { "a userdata", io.stdout, "LuaError", tostring(io.stdout) },
    }
    for _, row in ipairs(rows) do
      it("of " .. row[1], function()
        local report = caught(function() error(row[2], 0) end)
        assert.are.equal(row[3], report.name)
        assert.are.equal(row[4], report.message)
        assert.are.equal(row[2], report.value)
      end)
    end

    it("of an object with __tostring", function()
      local report = caught(function()
        error(setmetatable({}, { __tostring = function() return "as text" end }))
      end)
      assert.are.equal("as text", report.message)
    end)

    it("of an object whose __tostring and __index raise", function()
      local report = caught(function()
        error(setmetatable({}, {
          __tostring = function() error "again" end,
          __index = function() error "and again" end,
        }))
      end)
      assert.are.equal("{}", report.message)
      assert.are.equal("LuaError", report.name)
    end)

    it("of an object with a protected metatable", function()
      local report = caught(function()
        error(setmetatable({ message = "m" }, { __metatable = "no" }))
      end)
      assert.are.equal("m", report.message)
    end)

    it("cuts a name at 100 characters", function()
      local report = errors.report { name = ("n"):rep(300) }
      assert.are.equal(100, #report.name)
    end)

    it("keep the position of a Lua error", function()
      local report = caught(function()
        local t = nil
        return t.x
      end)
      assert.is_truthy(report.message:find "errors_spec.lua:%d+: attempt to index a nil value")
    end)

    it("are what tostring gives", function()
      assert.are.equal("boom", tostring(errors.report "boom"))
    end)

    it("are made once: a report stays itself", function()
      local report = errors.report "x"
      assert.are.equal(report, errors.report(report))
      assert.are.equal(report, caught(function() error(report) end))
    end)
  end)

  describe("traceback", function()
    -- What the runner is to us: code of resque/ that calls a job. A coroutine, so that busted's own
    -- frames are not below it.
    local function as_runner(fn)
      local source = "local fn, handler = ... return select(2, xpcall(fn, handler))"
      local own = debug.getinfo(errors.handler, "S").source:gsub("errors%.lua$", "runner.lua")
      return coroutine.wrap(load(source, own))(fn, errors.handler)
    end

    it("shows the user's frames, innermost first, and not ours", function()
      local job = load([[
        local job = {}
        function job:helper()
          error("boom")
        end
        function job:perform()
          self:helper()
          return true
        end
        return job]], "@jobs/mail.lua")()
      local report = as_runner(function()
        job:perform()
        return 1
      end)
      assert.are.equal("jobs/mail.lua:3: in method 'helper'", report.trace[1])
      assert.are.equal("jobs/mail.lua:6: in method 'perform'", report.trace[2])
      for _, line in ipairs(report.trace) do
        assert.is_nil(line:find("resque/", 1, true), line)
      end
      local last = report.trace[#report.trace]
      assert.is_truthy(last:find "errors_spec.lua:%d+: in function <line %d+>", last)
    end)

    it("keeps what lies between user frames", function()
      local hooks = require "resque.hooks"
      local off = hooks.on("afterFork", function() error "in the hook" end)
      local report = as_runner(function()
        hooks.emit "afterFork"
        return 1
      end)
      off()
      local text = table.concat(report.trace, "\n")
      assert.is_truthy(text:find("errors_spec.lua.*resque/hooks.lua:%d+.*errors_spec.lua"), text)
    end)

    it("names C functions and keeps a full path", function()
      local path = "/srv/" .. ("long/"):rep(30) .. "jobs.lua"
      local f = load("string.rep() return 1", "@" .. path)
      local report = caught(f)
      assert.are.equal("[C]: in function 'rep'", report.trace[1])
      assert.are.equal(path .. ":1: in main chunk", report.trace[2])
    end)

    it("shortens a deep stack", function()
      local function deep(n)
        if n == 0 then
          error "bottom"
        end
        deep(n - 1)
        return 1
      end
      local report = caught(function() deep(1000) end)
      assert.is_true(#report.trace <= 41, #report.trace)
      local text = table.concat(report.trace, "\n")
      local left_out = tonumber(text:match "%.%.%. %((%d+) levels left out%)")
      assert.is_true(left_out > 900 and left_out < 1000, left_out)
    end)

    it("survives a stack overflow, in Lua and in C", function()
      local function endless()
        return 1 + endless()
      end
      local report = caught(endless)
      assert.is_truthy(report.message:find "stack overflow", report.message)
      assert.is_true(#report.trace > 10)
      local nested = setmetatable({}, {})
      getmetatable(nested).__index = function(t, key) return t[key .. "x"] end
      report = caught(function() return nested.x end)
      assert.is_truthy(report.message:find "overflow", report.message)
    end)

    it("missing, an attempt still reports", function()
      local getinfo = debug.getinfo
      local ok, report = errors.attempt(function()
        debug.getinfo = nil -- luacheck: ignore 122
        error "boom"
      end)
      debug.getinfo = getinfo -- luacheck: ignore 122
      assert.is_false(ok)
      assert.are.equal("LuaError", report.name)
      assert.is_string(report.message)
      assert.are.same({}, report.trace)
      assert.are.same({ true, 1, nil, 3, n = 4 }, table.pack(errors.attempt(function(...)
        return ...
      end, 1, nil, 3)))
    end)

    it("can be had without an error", function()
      local lines = errors.trace()
      assert.is_truthy(lines[1]:find "errors_spec.lua:%d+")
    end)
  end)

  describe("skipping", function()
    for _, name in ipairs { "DontPerform", "DontCreate" } do
      local class = errors[name]
      local raise = name == "DontPerform" and errors.dont_perform or errors.dont_create
      local other = name == "DontPerform" and errors.DontCreate or errors.DontPerform

      it(name .. " is known in each form", function()
        for _, f in ipairs {
          function() error(class) end,
          function() error(class "why") end,
          function() raise "why" end,
          function() raise() end,
        } do
          local _, err = pcall(f)
          assert.is_true(errors.is(err, class))
          assert.is_false(errors.is(err, other))
        end
        assert.is_false(errors.is("x", class))
        assert.is_false(errors.is({}, class))
      end)

      it(name .. " carries its reason", function()
        local report = caught(function() raise "not today" end)
        assert.are.equal(name, report.name)
        assert.are.equal("not today", report.message)
        assert.is_true(errors.is(report.value, class))
        report = caught(function() error(class) end)
        assert.are.equal(name, report.message)
        assert.are.equal(name, tostring(class))
      end)
    end
  end)
end)
