-- resque.job.loader: real files in a temporary folder, a loader of its own for each test.
local folder = require "spec.support.folder"
local uv = require "luv"

local OURS = { "job.loader", "job", "errors" }

describe("resque.job.loader", function()
  local dir, loader, job, errors, path_before, globals_before

  local function write(name, text)
    local path = dir .. "/" .. name
    local file = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
    return path
  end

  before_each(function()
    dir = folder.make "loader"
    assert(uv.fs_mkdir(dir .. "/jobs", 448))
    path_before, globals_before = package.path, {}
    for name in pairs(_G) do
      globals_before[name] = true
    end
    for _, name in ipairs(OURS) do
      package.loaded["resque." .. name] = nil
    end
    loader, job, errors = require "resque.job.loader", require "resque.job", require "resque.errors"
    _G.spec_resque_job = job
    globals_before.spec_resque_job = true
  end)

  after_each(function()
    for name in pairs(_G) do
      if not globals_before[name] then
        _G[name] = nil
      end
    end
    _G.spec_resque_job = nil
    package.path = path_before
    folder.remove(dir)
  end)

  local PERFORM = "{ perform = function(self) return self end }"

  describe("finds", function()
    it("what resque.job registered", function()
      assert.is_true(loader.load(write("a.lua", 'spec_resque_job("A::B").perform = print')))
      assert.are.equal(job.lookup "A::B", loader.find "A::B")
      assert.are.equal(job.lookup "A::B", loader.find "A\\B")
    end)

    it("a table that the script returned, under its name or path", function()
      assert.is_true(loader.load(write("a.lua", ([[return {
        SendMail = %s, ["App\\Jobs\\Mail"] = %s, Mail = { Send = %s },
      }]]):gsub("%%s", PERFORM))))
      assert.is_table(loader.find "SendMail")
      assert.is_table(loader.find "App\\Jobs\\Mail")
      local send = loader.find "Mail.Send"
      assert.is_table(send)
      assert.are.equal(send, loader.find "Mail::Send")
      assert.are.equal(send, loader.find "Mail\\Send")
    end)

    it("a job that the file is", function()
      assert.is_true(loader.load(write("SendMail.lua", "return " .. PERFORM)))
      assert.is_table(loader.find "SendMail")
      assert.is_nil(loader.find "sendmail")
    end)

    it("a global that a script made, at once or later", function()
      assert.is_true(loader.load(write("a.lua", ([[
        SendMail = %s
        Mail = { Send = %s }
        function make() Later = %s end]]):gsub("%%s", PERFORM))))
      assert.are.equal(_G.SendMail, loader.find "SendMail")
      assert.are.equal(_G.Mail.Send, loader.find "Mail::Send")
      _G.make()
      assert.are.equal(_G.Later, loader.find "Later")
    end)

    it("a file in jobs/ beside the script, and in a folder of autoload", function()
      assert.is_true(loader.load(write("a.lua", "")))
      write("jobs/Returned.lua", "return " .. PERFORM)
      write("jobs/Registered_1.lua", 'spec_resque_job("Registered_1").perform = function() end')
      write("jobs/Global.lua", "Global = " .. PERFORM)
      assert.is_table(loader.find "Returned")
      assert.are.equal(loader.find "Returned", loader.find "Returned")
      local class = loader.find "Registered_1"
      assert.are.equal(job.lookup "Registered_1", class)
      class = loader.find "Global"
      assert.are.equal(_G.Global, class)
      assert.is_nil(loader.find "Elsewhere")
      loader.autoload(dir)
      write("Elsewhere.lua", "return " .. PERFORM)
      assert.is_table(loader.find "Elsewhere")
    end)

    it("in this order: registered, returned, global, file", function()
      local function mark(n)
        return ("{ n = %d, perform = function() end }"):format(n)
      end
      assert.is_true(loader.load(write("a.lua", ([[
        spec_resque_job("A", %s)
        A, B, C = %s, %s, %s
        return { A = %s, B = %s }]]):format(mark(1), mark(3), mark(3), mark(3), mark(2), mark(2)))))
      for _, name in ipairs { "A", "B", "C", "D" } do
        write("jobs/" .. name .. ".lua", "return " .. mark(4))
      end
      assert.are.same({ 1, 2, 3, 4 }, {
        loader.find("A").n, loader.find("B").n, loader.find("C").n, loader.find("D").n,
      })
    end)

    it("one with perform before one without", function()
      assert.is_true(loader.load(write("a.lua", "Mail = {} return { Mail = " .. PERFORM .. " }")))
      assert.is_table(loader.find "Mail")
      write("jobs/Other.lua", "return " .. PERFORM)
      _G.Other = {}
      assert.is_table(loader.find "Other")
    end)
  end)

  describe("never finds", function()
    before_each(function()
      assert.is_true(loader.load(write("a.lua", "G = _G Sys = os return { Up = { up = 1 } }")))
    end)
    -- No class name reaches the standard library, a file outside the folders or anybody's code.
    for _, name in ipairs {
      "os", "os.execute", "string", "string.rep", "_G", "_G.os", "G.os", "Sys", "Sys.execute",
      "package.loaded", "../a", "/etc/passwd", "jobs/../a", "a/b", "", ".", "::", "\\", "a.lua",
      "\0", "Up.up.up",
      ("x"):rep(100000), "debug", "io", "spec_resque_job",
    } do
      it(("%q"):format(name:sub(1, 40)):gsub("\n", "n"), function()
        local class, report = loader.find(name)
        assert.is_nil(class)
        assert.are.equal("Resque::NoClassError", report.name)
      end)
    end

    it("by a name of nothing what a script returns, even if it is a class", function()
      assert.is_true(loader.load(write("class.lua", "return { perform = print }")))
      for _, name in ipairs { "", ".", "..", "::", "\\" } do
        local class, report = loader.find(name)
        assert.is_nil(class)
        assert.are.equal(("Could not find job class %s."):format(name), report.message)
      end
    end)

    it("the standard library, even if a script gives it a perform", function()
      _G.table.perform = print
      for _, name in ipairs { "table", "os", "string.rep", "_G" } do
        local class, report = loader.find(name)
        assert.is_nil(class)
        assert.are.equal(("Could not find job class %s."):format(name), report.message)
      end
      _G.table.perform = nil
    end)

    it("what an __index makes up", function()
      local asked = {}
      _G.Magic = setmetatable({}, { __index = function(_, key)
        asked[key] = true
        error "asked"
      end })
      local class, report = loader.find "Magic.Inside.x"
      assert.is_nil(class)
      assert.is_nil(asked.Inside)
      assert.is_truthy(report.message:find "Could not find", report.message)
    end)
  end)

  describe("says", function()
    it("which name is nearest", function()
      loader.load(write("a.lua", 'spec_resque_job("SendMail").perform = print'))
      local _, report = loader.find "SendMial"
      assert.are.equal("Could not find job class SendMial. Did you mean SendMail?", report.message)
      write("jobs/ResizeImage.lua", "")
      _, report = loader.find "ResizeImages"
      assert.is_truthy(report.message:find "Did you mean ResizeImage%?", report.message)
      _, report = loader.find "Quux"
      assert.are.equal("Could not find job class Quux.", report.message)
    end)

    it("that there is no perform", function()
      loader.load(write("a.lua", 'spec_resque_job("SendMail")'))
      local _, report = loader.find "SendMail"
      assert.are.equal("Job class SendMail does not contain a perform method.", report.message)
    end)

    it("what is wrong with a job file, and goes on", function()
      loader.load(write("a.lua", ""))
      write("jobs/Broken.lua", "\nlocal = 5")
      write("jobs/Raises.lua", "\nerror 'no'")
      write("jobs/Nothing.lua", "")
      write("jobs/Good.lua", "return " .. PERFORM)
      local _, report = loader.find "Broken"
      assert.is_truthy(report.message:find "jobs/Broken.lua:2:", report.message)
      _, report = loader.find "Raises"
      assert.is_truthy(report.message:find "jobs/Raises.lua:2: no", report.message)
      _, report = loader.find "Nothing"
      assert.is_truthy(report.message:find "jobs/Nothing.lua neither returns", report.message)
      assert.is_table(loader.find "Good")
    end)

    it("all classes, for check", function()
      loader.load(write("a.lua", ([[
        spec_resque_job("A", %s)
        B = %s
        Not = {}
        return { C = %s, A2 = spec_resque_job "A", [1] = 5 }]]):gsub("%%s", PERFORM)))
      local list = loader.classes()
      local names = {}
      for i, entry in ipairs(list) do
        names[i] = entry.name .. " " .. entry.from
      end
      assert.are.same({ "A resque.job", "B global", "C returned" }, names)
    end)
  end)

  describe("load", function()
    it("without files is fine", function()
      assert.is_true(loader.load(nil))
      assert.is_true(loader.load "")
    end)

    it("takes a comma list, in order, stopping at an error", function()
      local a = write("a.lua", "order = 'a'")
      local b = write("b.lua", "order = order .. 'b'")
      local c = write("c.lua", "order = order .. 'c' nothing.x = 1")
      local ok, report = loader.load((" %s , %s,%s,%s "):format(a, b, c, b))
      assert.is_nil(ok)
      assert.are.equal("abc", _G.order)
      assert.are.equal(c, report.file)
      assert.is_truthy(report.message:find("c.lua:1: attempt to index", 1, true), report.message)
      assert.is_truthy(report.trace[1]:find("c.lua:1: in main chunk", 1, true), report.trace[1])
    end)

    it("finds modules beside the script", function()
      write("spec_beside_mail.lua", "return { answer = 42 }")
      local a = write("a.lua", "answer = require('spec_beside_mail').answer")
      assert.is_true(loader.load(a))
      assert.are.equal(42, _G.answer)
      package.loaded.spec_beside_mail = nil
    end)

    local rows = {
      { "a missing file", nil, "APP_INCLUDE (%s) does not exist." },
      { "a syntax error", "local x = = 1", "%s:1: unexpected symbol" },
      { "an error", "\n\nerror 'boom'", "%s:3: boom" },
      { "an error without a place", "error('boom', 0)", "%s: boom" },
      { "an error table", "error { message = 'm', name = 'N' }", "%s: m" },
      { "nil raised", "error()", "%s: nil was raised" },
      { "bytecode", string.dump(load "return 1"), "attempt to load a binary chunk" },
      { "a module that is missing", "require 'spec_no_such_module'", "%s:1: module 'spec_no_such" },
    }
    for _, row in ipairs(rows) do
      it("reports " .. row[1], function()
        local path = row[2] and write("a.lua", row[2]) or dir .. "/none.lua"
        local ok, report = loader.load(path)
        assert.is_nil(ok)
        local expected = row[3]:gsub("%%s", path)
        assert.is_truthy(report.message:find(expected, 1, true), report.message)
        assert.is_truthy(report.message:find(path, 1, true), report.message)
        assert.are.equal(path, report.file)
        assert.are.equal(report, errors.report(report))
      end)
    end

    it("refuses a folder that is none", function()
      assert.has_error(function() loader.autoload(5) end)
    end)
  end)
end)
