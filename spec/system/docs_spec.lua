--- The documents say what the program does: README.md, the manual pages and example.env against the
-- table of settings; names, links and examples that exist.
local cjson = require "cjson"
local uv = require "luv"
local proc = require "spec.support.proc"
local world = require "spec.support.world"

local function text_of(name)
  return assert(proc.read(world.root .. "/" .. name), name .. " is missing")
end

local function sorted(set)
  local list = {}
  for name in pairs(set) do
    list[#list + 1] = name
  end
  table.sort(list)
  return list
end

-- What matches, in order. Several captures: a table of them.
local function all(text, pattern)
  local list = {}
  for a, b in text:gmatch(pattern) do
    list[#list + 1] = b and { a, b } or a
  end
  return list
end

local README = text_of "README.md"

-- The cells of the README's table whose head begins with `head`; inner `code|code` is kept.
local function table_of(head)
  local start = assert(README:find("\n| " .. head, 1, true), "README has no table " .. head)
  local rows = {}
  for line in README:sub(start + 1):gmatch "([^\n]*)\n" do
    if line:sub(1, 1) ~= "|" then
      break
    end
    rows[#rows + 1] = all(line:gsub("\\|", "\0"), "%s*([^|]-)%s*|")
    table.remove(rows[#rows], 1)
  end
  return { table.unpack(rows, 3) } -- without head and ruler
end

describe("the settings", function()
  local w, rows, by_variable

  -- --help's rows of a command: {flag =, letter =, variables = {}, default =}
  local function help_rows(command)
    local code, out = w:run { "help", command }
    assert.equal(0, code)
    local texts = {}
    for line in out:gmatch "[^\n]+" do
      local indent = #line:match "^ *"
      if (indent == 2 or indent == 6) and line:find "^ +[-(]" then
        texts[#texts + 1] = line
      elseif indent > 20 then
        texts[#texts] = texts[#texts] .. " " .. line:match "%S.*"
      end
    end
    local list = {}
    for i, text in ipairs(texts) do
      local names = text:match "%[([%u_, ]+)[;%]]" or text:match "^%s+%(([%u_]+)%)" or ""
      list[i] = {
        flag = text:match "^[^(]-%-%-([%w-]+)", letter = text:match "^%s+%-(%a),",
        variables = all(names, "[%u_]+"), default = text:match "default ([^%]]+)%]$",
      }
    end
    return list
  end

  setup(function()
    w = world.new()
    rows, by_variable = {}, {}
    for _, row in ipairs(help_rows "work") do
      if row.variables[1] then
        rows[#rows + 1] = row
      end
      for _, name in ipairs(row.variables) do
        by_variable[name] = row
      end
    end
    assert.is_true(#rows > 20)
  end)
  teardown(function()
    w:close()
  end)

  -- Variables anywhere in the source of the table: what --help shows is all there is.
  it("in --help are those of the table", function()
    local set = {}
    for list in text_of("src/options/table.c"):gmatch "%.variables = (%b{})" do
      for _, name in ipairs(all(list, '"([%u_]+)"')) do
        set[name] = true
      end
    end
    assert.same(sorted(set), sorted(by_variable))
  end)

  it("in the README have their variables, flags and defaults", function()
    local code, out = w:run({ "config", "--json" }, { REDIS_BACKEND = false, PREFIX = false })
    assert.equal(0, code)
    local types = cjson.decode(out)
    local seen = {}
    for _, cells in ipairs(table_of "Variable | Flag") do
      local names = all(cells[1], "`([%u_]+)`")
      local row = assert(by_variable[names[1]], names[1])
      seen[#seen + 1] = row.variables[1]
      assert.same(row.variables, names)
      local flag = cells[2]:match "`%-%-([%w-]+)`"
      assert.equal(row.flag, flag)
      local letter = cells[2]:match "`%-(%a+)`"
      assert.equal(flag == "very-verbose" and "vv" or row.letter, letter)
      local kind = type(types[flag or "redis-password"].value)
      local default = row.default or kind == "boolean" and "off" or nil
      local shown = cells[3]:gsub("(%d+)M$", function(n)
        return ("%d"):format(n * 1024 * 1024)
      end)
      if not default then
        assert.truthy(shown == "–" or shown == "required" or shown == "host name", names[1])
      else
        assert.equal(default, shown)
      end
    end
    assert.equal(#rows, #seen)
  end)

  it("in resque-lua(1) are all there, as variables and as flags", function()
    local page = text_of "conf/man/resque-lua.1"
    local section = page:match "\n%.Sh ENVIRONMENT\n(.-)\n%.Sh "
    local set = {}
    for line in section:gmatch "%.It ([^\n]*)" do
      for _, name in ipairs(all(line, "Ev ([%u_]+)")) do
        assert.is_nil(set[name], name .. " is there twice")
        set[name] = true
      end
    end
    assert.same(sorted(by_variable), sorted(set))
  end)

  it("defaults in resque-lua(1) are those of the table", function()
    local page = text_of "conf/man/resque-lua.1"
    local section = page:match "\n%.Sh ENVIRONMENT\n(.-)\n%.Sh "
    local seen = 0
    for _, item in ipairs(all(section:gsub("%.It ", "\1"), "[^\1]+")) do
      local name, text = item:match "^Ev ([%u_]+)[^\n]*\n(.*)$"
      local default = name and by_variable[name].default
      if default then
        local shown = text:match "^%.Fl [^\n]* ,\n(%S+)%.\n" -- the line after the flag
        assert.equal(default, (shown:gsub("^16M$", "16777216")))
        seen = seen + 1
      end
    end
    assert.is_true(seen > 8)
  end)

  local function flags_of_page(name)
    local set = {}
    local options = text_of(name):match "\n%.Sh OPTIONS\n(.*)\n%.Sh ENVIRONMENT"
    for line in options:gmatch "%.[IF][tl] ([^\n]*)" do
      for _, flag in ipairs(all(line, "\\%-([%w-]+)")) do
        set[flag] = true
      end
    end
    return set
  end

  it("of every command are flags in its manual page, and no others", function()
    for page, commands in pairs {
      ["conf/man/resque-lua.1"] = { "work", "job", "workers", "perform", "check", "doctor",
        "config", "completion", "version", "help" },
      ["conf/man/resque-enqueue.1"] = { "enqueue" },
    } do
      local set = {}
      for _, command in ipairs(commands) do
        for _, row in ipairs(help_rows(command)) do
          set[row.flag or ""] = row.flag and true or nil
        end
      end
      if page:find "enqueue" then -- it names those by their letters, or refers to the other page
        for _, flag in ipairs { "redis", "prefix", "verbose", "help", "version", "include" } do
          set[flag] = nil
        end
      end
      local documented = flags_of_page(page)
      for flag in pairs(set) do
        assert.is_true(documented[flag], ("%s lacks --%s"):format(page, flag))
      end
      for flag in pairs(documented) do
        assert.truthy(set[flag] or flag == "include", ("%s has --%s"):format(page, flag))
      end
    end
  end)

  it("in example.env are all there, and each is accepted as it stands", function()
    local example, set, lines = text_of "conf/example.env", {}, {}
    for line in example:gmatch "[^\n]+" do
      local comment, name = line:match "^(#?)([%u_]+)="
      if name then
        assert.is_nil(set[name], name .. " is there twice")
        set[name] = true
        -- The file exists on no machine that runs specs.
        lines[#lines + 1] = name ~= "REDIS_PASSWORD_FILE" and line:sub(#comment + 1) or nil
      end
    end
    assert.same(sorted(by_variable), sorted(set))
    local path = w:write("all.env", table.concat(lines, "\n") .. "\n")
    local code, out, err = w:run({ "config", "--json", "--env-file", path },
      { REDIS_BACKEND = false, PREFIX = false, APP_INCLUDE = false })
    assert.equal(0, code, err)
    local read = 0
    for flag, setting in pairs(cjson.decode(out)) do
      if flag ~= "redis-password-file" and flag ~= "redis-db" then -- the URL in it names one
        assert.truthy(setting.from:find(path, 1, true), flag)
        read = read + 1
      end
    end
    assert.is_true(read > 20)
  end)

  it("in example.env show their defaults", function()
    local config = { w:run({ "config", "--json" }, { REDIS_BACKEND = false, PREFIX = false }) }
    local shown = text_of "conf/example.env"
    for flag, setting in pairs(cjson.decode(config[2])) do
      local row
      for _, candidate in ipairs(rows) do
        row = candidate.flag == flag and candidate or row
      end
      if row and type(setting.value) == "number" then
        local text = shown:match("\n#" .. row.variables[1] .. "=(%S+)"):gsub("^16M$", "16777216")
        assert.equal(setting.value, tonumber(text), flag)
      elseif row and setting.value == false and flag ~= "no-color" then
        assert.truthy(shown:find("\n#" .. row.variables[1] .. "=0\n", 1, true), flag)
      end
    end
  end)
end)

describe("resque-lua-isolation(7)", function()
  local page = text_of "conf/man/resque-lua-isolation.7"

  it("lists every system call that the filter refuses", function()
    local refused, listed = {}, {}
    for _, name in ipairs(all(text_of "src/os/seccomp.c", "SCMP_SYS%(([%l%d_]+)%)")) do
      refused[name] = true
    end
    for _, name in ipairs(all(text_of "src/os/seccomp.c", "CASE%(([%l%d_]+),")) do
      refused[name] = true
    end
    refused.name = nil -- of the macro itself
    local section = page:match "\n%.Ss System calls\n(.-)\n%.Ss "
    for name in section:gmatch "[%l%d_]+" do
      listed[name] = refused[name]
    end
    assert.same(sorted(refused), sorted(listed))
    assert.is_true(#sorted(refused) > 100)
  end)

  it("lists what Lua loses", function()
    for _, name in ipairs { "io", "debug", "os.execute", "os.getenv", "os.remove", "os.rename",
      "os.tmpname", "os.setlocale", "package.loadlib", "resque.env", "resque.set_backend" } do
      assert.truthy(page:find(name, 1, true), name)
    end
  end)
end)

describe("README.md", function()
  local w

  before_each(function()
    w = world.new()
  end)
  after_each(function()
    w:close()
  end)

  it("has its two commands in the first screen", function()
    local screen = table.concat(all(README, "([^\n]*)\n"), "\n", 1, 24)
    assert.truthy(screen:find("\n    ./demo/run ", 1, true))
    assert.truthy(screen:find("\n    ./spec/run ", 1, true))
  end)

  it("names files and headings that exist", function()
    local headings = {}
    for heading in README:gmatch "\n#+ ([^\n]+)" do
      headings[heading:lower():gsub(" ", "-"):gsub("[^%w-]", "")] = true
    end
    local seen = 0
    for _, target in ipairs(all(README, "%]%(([^)]+)%)")) do
      seen = seen + 1
      if target:sub(1, 1) == "#" then
        assert.is_true(headings[target:sub(2)], target)
      elseif not target:find "^https?://" then
        assert.truthy(uv.fs_stat(world.root .. "/" .. target), target)
      end
    end
    assert.is_true(seen > 15)
  end)

  it("lists the hooks there are", function()
    local names, there = {}, {}
    for _, cells in ipairs(table_of "Event | Arguments") do
      names[cells[1]:match "^`(%a+)`$"] = true
    end
    for name in text_of("lua/resque/hooks.lua"):match "listeners = (%b{})":gmatch "(%a+) = {}" do
      there[name] = true
    end
    assert.same(sorted(there), sorted(names))
  end)

  it("lists members of resque that exist", function()
    local names = {}
    for _, cells in ipairs(table_of "Member | Is") do
      for name in cells[1]:gmatch "resque%.([%w_]+)" do
        names[#names + 1] = name
      end
    end
    assert.is_true(#names > 15)
    local path = w:write("members.lua", [[
      local resque = require "resque"
      local Absent = resque.job "Absent"
      function Absent:perform()
        local list = resque.array()
        for _, name in ipairs(self.args) do
          list[#list + 1] = resque[name] == nil and name or nil
        end
        return list
      end]])
    local code, out, err = w:run({ "perform", "Absent", cjson.encode(names) },
      { APP_INCLUDE = path })
    assert.equal(0, code, err)
    assert.equal("[]\n", out)
  end)

  -- `name` or `module.name` behind "How it works" is a function or a file of that place.
  it("tells the life of a job with names that exist", function()
    local source = {}
    local function read_all(dir)
      for entry, kind in uv.fs_scandir_next, assert(uv.fs_scandir(world.root .. "/" .. dir)) do
        local path = dir .. "/" .. entry
        if kind == "directory" then
          read_all(path)
        elseif entry:find "%.[chl]%a*$" then
          source[#source + 1] = text_of(path)
        end
      end
    end
    read_all "src"
    read_all "lua"
    source = table.concat(source, "\n")
    local section = README:match "\n## How it works\n(.-)\n## "
    local seen = 0
    for name in section:gmatch "`([%a_.]+)`" do
      local last = name:match "[%a_]+$"
      if last:find "^[%l_]+$" and last ~= "queues" and last ~= "failed" then
        local defined = source:find("%f[%w_]" .. last .. "%([^;\n]*%)?\n?{?")
          and (source:find("function [%w_.:]*%f[%w_]" .. last .. "%(")
            or source:find("\n[%w_ *]+[ *]" .. last .. "%([^;{]*%)%s*\n{"))
        assert.truthy(defined, name .. " is no function")
        seen = seen + 1
      end
    end
    assert.is_true(seen > 12)
  end)

  it("begins with a job that runs as it says", function()
    w:write("jobs.lua", README:match "```lua\n(.-)```")
    local worker, job = README:match "\n    (APP_INCLUDE=jobs.lua [^\n]*)\n    ([^\n]*)\n"
    assert.equal("APP_INCLUDE=jobs.lua QUEUE=mail VERBOSE=1 resque-lua", worker)
    local run = w:start_idle({ APP_INCLUDE = "jobs.lua", QUEUE = "mail" }, { cwd = w.dir })
    local words = all(job, "%S+")
    assert.equal("resque-enqueue", table.remove(words, 1))
    local code, out, err = w:run(words, nil, { enqueue = true })
    assert.equal(0, code, err)
    assert.truthy(out:find '\ncomplete\t{"sent":true}\n$')
    assert.truthy(run:err():find("*** mail to chris@example.org\n", 1, true))
  end)

  it("shows a second job that works", function()
    local path = w:write("jobs.lua", README:match "```lua\n.-```.-```lua\n(.-)```")
    local code, _, err = w:run { "check", "--strict", path }
    assert.equal(0, code, err)
    local function perform(...)
      return w:run({ "perform", "Thumbnail", "-v", "path=" .. path, ... }, { APP_INCLUDE = path })
    end
    local out
    code, out = perform()
    assert.equal(0, code)
    assert.equal(#proc.read(path), cjson.decode(out).bytes)
    code, out, err = perform "size:=0"
    assert.equal(0, code)
    assert.equal("false\n", out)
    assert.truthy(err:find("not performed: nothing to do", 1, true))
  end)

  it("lists every key that a worker makes", function()
    local patterns = { "^stat:%w+:.+$" } -- the row says: also with :<id>
    for _, cells in ipairs(table_of "Key | Type") do
      for name in cells[1]:gmatch "`([^`]+)`" do
        patterns[#patterns + 1] = "^" .. name:gsub("%-", "%%-"):gsub("<%w+>", ".+") .. "$"
      end
    end
    local run = w:start_idle()
    w:run({ "default", "Noop", "--track" }, nil, { enqueue = true })
    w:run({ "default", "Raise", "--track" }, nil, { enqueue = true })
    w:run({ "default", "Gate", "gate=a" }, nil, { enqueue = true })
    w:wait_ledger "start a"
    local keys = w.server:call("KEYS", "*")
    assert.is_true(#keys > 10)
    for _, key in ipairs(keys) do
      local name, listed = key:match("^" .. w.prefix .. ":(.*)$"), false
      for _, pattern in ipairs(patterns) do
        listed = listed or name:find(pattern) ~= nil
      end
      assert.is_true(listed, key)
    end
    w:open_gate "a"
    run:wait_title "^Waiting"
  end)

  it("and the example jobs agree that those are fine", function()
    local files = {}
    for entry in uv.fs_scandir_next, assert(uv.fs_scandir(world.root .. "/jobs")) do
      files[#files + 1] = "jobs/" .. entry
    end
    assert.is_true(#files >= 4)
    local code, out, err = w:run({ "check", "--strict", "demo/jobs.lua", table.unpack(files) }, nil,
      { cwd = world.root })
    assert.equal(0, code, err)
    assert.truthy(out:find "FanOut\t")
    assert.truthy(out:find "Long_Lua_Job\t")
  end)
end)

describe("the example jobs", function()
  local w

  before_each(function()
    w = world.new()
    local jobs = world.root .. "/jobs/"
    w:start_idle {
      QUEUE = "default,mail,fan_out,text",
      APP_INCLUDE = ("%sHello.lua,%sSendMail.lua,%sFanOut.lua"):format(jobs, jobs, jobs),
    }
  end)
  after_each(function()
    w:close()
  end)

  it("do what they say", function()
    local a = w:write("a.txt", "to be or not to be")
    local id = w:job("FanOut", { files = cjson.decode(('["%s","%s"]'):format(a, a)) },
      { queue = "fan_out", track = true })
    w:wait_processed(3)
    assert.equal(0, w:stat "failed")
    local made = w:status(id).result.jobs
    assert.equal(2, #made)
    assert.same(made, w:on("LRANGE", "fan_out:" .. id, 0, -1))
    assert.equal(6, w:status(made[2]).result.words)
    local told = w:job("SendMail", { to = "nobody" }, { queue = "mail", track = true })
    local skipped = w:job("SendMail", { to = "a@example.org" }, { queue = "mail", track = true })
    w:job("Hello", { name = "Chris" })
    w:wait_processed(6)
    assert.equal(3, w:status(told).status)
    assert.equal("Mail::BadAddress", w:failed()[1].exception)
    assert.equal(false, w:status(skipped).result)
    assert.equal(1, w:stat "failed")
    w.runs[1].process:wait_for "Hello, Chris!"
  end)
end)
