--- SANDBOX=strict in Lua: what a script still has, and every way out that we know of, each tried by
-- a job. Run by `resque-lua perform`, which confines as a worker does but for system calls
-- (isolation_spec).
local cjson = require "cjson"
local world = require "spec.support.world"

local w
before_each(function()
  w = world.new()
  w:write("beside.lua", "return { name = ..., file = select(2, ...) }")
  w:write("inner.lua", "return require 'beside'")
  w:write("broken.lua", "return (")
end)
after_each(function()
  w:close()
end)

-- Runs `body` as the job's perform; gives what it returned, or nil and what was said of its end.
-- opts: modules, before (text that stands before the job class), include, sandbox, table
local function try(body, opts)
  opts = opts or {}
  local path = w:write("jobs.lua", table.concat({
    "local resque = require 'resque'", opts.before or "",
    "local Try = resque.job 'Try'", opts.table or "",
    "function Try:perform()", body, "end",
  }, "\n"))
  local code, out, err = w:run({ "perform", "Try", "here=" .. w.dir }, {
    APP_INCLUDE = opts.include or path, SANDBOX = opts.sandbox or "strict",
    SANDBOX_MODULES = opts.modules or false, SECRET = "s3cret",
  }, { cwd = opts.cwd })
  if code ~= 0 then
    return nil, err
  end
  return out == "" and "nothing" or cjson.decode("[" .. out .. "]")[1]
end

describe("SANDBOX=strict leaves", function()
  it("Lua itself", function()
    assert.equal("1,1,b,2,x,4", try [[
      local t = setmetatable({}, { __index = function() return 1 end })
      local co = coroutine.wrap(function() coroutine.yield "b" end)
      local ok = pcall(error, "x")
      return table.concat({ t.a, math.tointeger(1), co(), utf8.len "éx", ok and "" or "x",
        select("#", load("return 1, 2, 3, 4")()) }, ",")]])
  end)
  it("exactly these globals", function()
    assert.equal("_G _VERSION assert collectgarbage coroutine dofile error getmetatable ipairs "
      .. "load loadfile math next os package pairs pcall print rawequal rawget rawlen rawset "
      .. "require select setmetatable string table tonumber tostring type utf8 warn xpcall", try [[
        local names = {}
        for name in pairs(_G) do names[#names + 1] = name end
        table.sort(names)
        return table.concat(names, " ")]])
  end)
  it("exactly these functions of os, and they work", function()
    assert.equal("clock date difftime exit time", try [[
      assert(os.time { year = 2026, month = 1, day = 1 } > 0 and os.clock() >= 0)
      local names = {}
      for name in pairs(os) do names[#names + 1] = name end
      table.sort(names)
      return table.concat(names, " ")]])
  end)
  for _, name in ipairs { "cjson", "coroutine", "math", "os", "package", "resque", "resque.dequeue",
    "resque.errors", "resque.hooks", "resque.job", "resque.json", "resque.queue", "resque.status",
    "string", "table", "utf8", "_G" } do
    it("require " .. name, function()
      assert.equal("table", try(("return type(require %q)"):format(name)))
    end)
  end
  it("modules beside APP_INCLUDE, loaded once, told their name and file", function()
    assert.same({ "beside", w.dir .. "/beside.lua", true, w.dir .. "/beside.lua" }, try [[
      local first, file = require "beside"
      return resque.array { first.name, first.file, require "inner" == first, file }]])
  end)
  it("them also when APP_INCLUDE is a name without a folder, or with .. in it", function()
    try ""
    for _, include in ipairs { "jobs.lua", "./jobs.lua",
      "../" .. w.dir:match "[^/]+$" .. "/jobs.lua" } do
      assert.equal("beside", (try("return require 'beside'.name",
        { include = include, cwd = w.dir })))
    end
  end)
  it("loadfile and dofile below its folder", function()
    assert.same({ "a", "b" }, try [[
      return resque.array { loadfile(self.args.here .. "/beside.lua")("a").name,
        assert(loadfile(self.args.here .. "/./beside.lua", "t", _G))("b").name }]])
  end)
  it("package.preload and package.loaded, as the script's own", function()
    assert.equal("made again", try [[
      package.preload.made = function(name, where) return { name .. where } end
      assert(require "made"[1] == "made:preload:" and package.loaded.made == require "made")
      package.loaded.made = "made again"
      return require "made"]])
  end)
  it("errors with tracebacks", function()
    local _, err = try "error 'boom'"
    assert.matches("LuaError: .*jobs%.lua:6: boom\n  .*jobs%.lua:6: in ", err)
  end)
  it("resque's log, settings, hooks and JSON", function()
    assert.equal("off", try([[
      local seen
      resque.on("beforeEnqueue", function() seen = true resque.dont_create() end)
      resque.log.info("hello %s", "x")
      assert(resque.json.decode(resque.json.encode { 1 })[1] == 1)
      assert(resque.enqueue("q", "Other") == nil and seen)
      return resque.config.sandbox == "strict" and "off"]]))
  end)
  it("a broken module's error", function()
    local _, err = try "require 'broken'"
    assert.matches("error loading module 'broken' from file '.*broken%.lua'", err)
  end)
end)

describe("SANDBOX_MODULES opens", function()
  local rows = {
    { "a module by its name", "lfs_of_ours", "lfs_of_ours", true },
    { "no other", "lfs_of_ours", "lfs_of_ours2", false },
    { "several, with blanks", "a, lfs_of_ours ,b", "lfs_of_ours", true },
    { "by a glob", "lfs_*", "lfs_of_ours", true },
    { "by a glob in the middle", "l*s", "lfs_of_ours", true },
    { "nothing when a dot is meant as one", "lfs.of_ours", "lfs_of_ours", false },
    { "a library of Lua", "io", "io", true },
    { "one of ours", "resque.sys", "resque.sys", true },
    { "all with *", "*", "debug", true },
    { "nothing when empty", "", "io", false },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      assert(require "luv".fs_mkdir(w.dir .. "/system", 493))
      w:write("system/lfs_of_ours.lua", "return {}")
      w:write("system/lfs_of_ours2.lua", "return {}")
      local code, out = w:run({ "perform", "Try" }, {
        APP_INCLUDE = w:write("jobs.lua", ([[
          local Try = require "resque".job "Try"
          function Try:perform() return (pcall(require, %q)) end]]):format(row[3])),
        SANDBOX = "strict", SANDBOX_MODULES = row[2], LUA_PATH = w.dir .. "/system/?.lua",
      })
      assert.equal(0, code)
      assert.equal(tostring(row[4]) .. "\n", out)
    end)
  end
  it("says how to open what it closes", function()
    local _, err = try "require 'socket.core'"
    assert.matches("module 'socket%.core' is closed by SANDBOX=strict.*"
      .. "hint: SANDBOX_MODULES=socket%.core", err)
  end)
end)

-- Each is a job that tries to get hold of something, and returns it or what it could do with it.
describe("no way out of SANDBOX=strict:", function()
  local ways = {
    { "io", "return io" },
    { "debug", "return debug" },
    { "os.execute", "return os.execute" },
    { "os.getenv", "return os.getenv" },
    { "os.remove", "return os.remove" },
    { "os.rename", "return os.rename" },
    { "os.tmpname", "return os.tmpname" },
    { "os.setlocale", "return os.setlocale" },
    { "package.loadlib", "return package.loadlib" },
    { "package.searchers", "return package.searchers" },
    { "package.searchpath", "return package.searchpath" },
    { "package.cpath for a C module",
      "return require 'socket.core'" },
    { "package.path for a file elsewhere", "package.path = '/usr/share/lua/5.4/?.lua' "
      .. "return require 'busted.status'" },
    { "package.loaded.io", "return package.loaded.io" },
    { "package.loaded.debug", "return package.loaded.debug" },
    { "package.loaded of our modules", "return package.loaded['resque.sys']" },
    { "the package of package.loaded", "return package.loaded.package.loadlib" },
    { "package.preload of our modules", "return package.preload['resque.sys']" },
    { "require io", "return require 'io'" },
    { "require debug", "return require 'debug'" },
    { "require package", "return require 'package'.loadlib" },
    { "require _G", "return require '_G'.io" },
    { "require resque.sys", "return require 'resque.sys'" },
    { "require resque.sys.json", "return require 'resque.sys.json'" },
    { "require resque.net", "return require 'resque.net'" },
    { "require resque.connection", "return require 'resque.connection'" },
    { "require resque.job.loader", "return require 'resque.job.loader'" },
    { "require resque.job.runner", "return require 'resque.job.runner'" },
    { "require resque.job.sandbox", "return require 'resque.job.sandbox'" },
    { "require of a command", "return require 'resque.cli.input'" },
    { "package.loaded with a metatable", [[
      package.loaded = setmetatable({}, { __index = function(_, name) return nil end })
      return require "io"]] },
    { "a module list changed", "string.find = function() return 1 end return require 'io'" },
    { "the pattern functions changed", [[
      local old = {}
      for _, name in ipairs { "find", "match", "gmatch", "gsub", "sub" } do
        old[name], string[name] = string[name], function() return "" end
      end
      local got = loadfile "/usr/share/lua/5.4/busted/init.lua"
      for name, value in pairs(old) do string[name] = value end
      return got]] },
    { "the metatable of strings", [[
      getmetatable("").__index = function() end
      getmetatable("").__index = string
      return true]] },
    { "loadfile elsewhere", "return loadfile '/usr/share/lua/5.4/busted/init.lua'" },
    { "loadfile by ..", [[
      local root = self.args.here .. ("/.."):rep(20)
      return loadfile(root .. "/usr/share/lua/5.4/busted/init.lua")]] },
    { "loadfile of a relative path", "return loadfile 'demo/init.lua'" },
    { "loadfile with a NUL",
      "return loadfile('/usr/share/lua/5.4/busted/init.lua\0' .. self.args.here)" },
    { "loadfile of standard input", "return loadfile()" },
    { "dofile elsewhere", "return dofile '/usr/share/lua/5.4/busted/core.lua'" },
    { "dofile of standard input", "dofile() return true" },
    { "the error that tells what is in a file", [[
      local _, why = loadfile "/etc/passwd"
      return why:find("passwd:1: ", 1, true)]] },
    { "autoload of a folder elsewhere", "resque.autoload '/usr/share/lua/5.4' return true" },
    { "another Redis", "resque.set_backend 'localhost:1' return true" },
    { "another Redis by the table of resque",
      "return getmetatable(resque).__index(resque, 'set_backend') 'localhost:1' or true" },
    { "resque.env", "return resque.env.SECRET" },
    { "resque.env by its metatable", "return getmetatable(resque.env).__index(nil, 'SECRET')" },
    { "resque.env made again", "resque.env = nil return resque.env.SECRET" },
    { "a stack by a coroutine", [[
      local co = coroutine.create(function() coroutine.yield() end)
      coroutine.resume(co)
      return coroutine.debug or coroutine.getinfo or debug and debug.traceback(co)]] },
    { "our globals, through the environment of a function",
      "return load('return _ENV', 'x', 't')().io" },
    { "our globals, through a finalizer", [[
      local found
      setmetatable({}, { __gc = function() found = io or debug end })
      collectgarbage()
      return found]] },
    { "the metatable of files", "return getmetatable(io and io.stdout or print)" },
  }
  for _, row in ipairs(ways) do
    it(row[1], function()
      local got, err = try("local got = (function(self) " .. row[2] .. " end)(self)\n"
        .. "return got ~= nil and 'it got a ' .. type(got) or nil")
      assert(got == nil or got == "nothing", got)
      assert.is_nil(err and err:find("s3cret", 1, true))
    end)
  end

  -- APP_INCLUDE, not confined yet, notes every function that is to be out of reach; the job then
  -- walks over all that it can reach: fields, keys, metatables, modules it may load.
  it("nothing that can be reached from what is left", function()
    local found = try([[
      require "resque.status" require "resque.queue" require "resque.dequeue"
      local seen, ways, count = {}, { { "_G", _G } }, 0
      for _, name in ipairs { "cjson", "resque", "resque.dequeue", "resque.errors", "resque.hooks",
        "resque.job", "resque.json", "resque.queue", "resque.status" } do
        ways[#ways + 1] = { name, require(name) }
      end
      for _, name in ipairs { "status", "config", "env", "redis", "enqueue", "autoload", "key" } do
        ways[#ways + 1] = { "resque." .. name, resque[name] }
      end
      ways[#ways + 1] = { "self", self }
      ways[#ways + 1] = { "status", resque.status "x" }
      ways[#ways + 1] = { "text", "" }
      while #ways > 0 do
        local path, value = table.unpack(table.remove(ways))
        local meta = getmetatable(value)
        if type(meta) == "table" and not seen[meta] then
          ways[#ways + 1] = { path .. ":meta", meta }
        end
        if closed[value] then
          return path .. " is " .. closed[value]
        end
        if type(value) == "table" and not seen[value] then
          seen[value], count = true, count + 1
          for key, field in next, value do
            ways[#ways + 1] = { path .. "." .. tostring(key), field }
            ways[#ways + 1] = { path .. ":key", key }
          end
        end
      end
      return count > 30]], {
      sandbox = "off", table = "Try.sandbox = 'strict'",
      before = [[
        local closed = {}
        local function close(name, from, but)
          closed[from] = name
          for key, value in pairs(from) do
            if type(value) == "function" and not (but or {})[key] then
              closed[value] = name .. "." .. key
            end
          end
        end
        close("io", io) close("debug", debug)
        closed[getmetatable(io.stdout)] = "files"
        for _, name in ipairs { "execute", "getenv", "remove", "rename", "setlocale", "tmpname" } do
          closed[os[name] ] = name
        end
        close("package", package)
        close("searchers", package.searchers) close("preload", package.preload)
        closed[require] = "require" closed[loadfile] = "loadfile" closed[dofile] = "dofile"
        close("sys", require "resque.sys", { sleep = true })
        close("net", require "resque.net")
        close("loader", require "resque.job.loader", { autoload = true })
        close("connection", require "resque.connection",
          { key = true, set_prefix = true, set_backend = true })
        close("runner", require "resque.job.runner")
        close("sandbox", require "resque.job.sandbox")]],
    })
    assert.is_true(found)
  end)

  it("hooks of the worker are refused", function()
    local code, _, err = w:run({ "--burst" }, { QUEUE = "q", SANDBOX = "strict",
      APP_INCLUDE = w:write("h.lua", "require 'resque'.on('beforeFork', print)") })
    assert.equal(3, code)
    assert.matches("runs no scripts with SANDBOX=strict", err)
  end)
  it("APP_INCLUDE is confined, too, also while it is checked", function()
    local path = w:write("h.lua", "io.open '/etc/passwd'")
    local code, _, err = w:run({ "--burst" },
      { QUEUE = "q", SANDBOX = "strict", APP_INCLUDE = path })
    assert.equal(3, code)
    assert.matches("h%.lua:1: attempt to index a nil value %(global 'io'%)", err)
    code, _, err = w:run({ "check", path }, { SANDBOX = "strict" })
    assert.equal(3, code)
    assert.matches("global 'io'", err)
  end)
end)

describe("sandbox of a job table", function()
  it("closes from setUp on, not before", function()
    assert.same({ true, false, false }, try([[return resque.array(seen)]], {
      sandbox = "off",
      before = "seen = { io ~= nil }",
      table = "Try.sandbox = 'strict' function Try:setUp() "
        .. "seen[2], seen[3] = io ~= nil, (pcall(require, 'io')) end",
    }))
  end)
  it("leaves what APP_INCLUDE kept, as the page says", function()
    assert.equal("file", try("return io_type(io_stdout)", {
      sandbox = "off", before = "io_type, io_stdout = io.type, io.stdout",
      table = "Try.sandbox = 'strict'",
    }))
  end)
  it("leaves modules that were loaded beside it, and no others", function()
    assert.same({ true, false }, try([[
      return resque.array { require "beside" == before, (pcall(require, "resque.job.loader")) }]], {
      sandbox = "off", table = "Try.sandbox = 'strict'",
      before = "before = require 'beside' require 'resque.job.loader'",
    }))
  end)
  it("off is what the worker says", function()
    for sandbox, kind in pairs { off = "table", strict = "nil" } do
      assert.equal(kind, try("return type(io)",
        { sandbox = sandbox, table = "Try.sandbox = 'off'" }))
    end
  end)
  it("as anything else fails the job", function()
    local _, err = try("return 1", { sandbox = "off", table = "Try.sandbox = true" })
    assert.matches('sandbox of job class Try is a boolean, which is not "strict" or "off"', err)
  end)
  it("of another table does not count", function()
    assert.equal("table", try("return type(io)",
      { sandbox = "off", before = "resque.job 'Other'.sandbox = 'strict'" }))
  end)
end)
