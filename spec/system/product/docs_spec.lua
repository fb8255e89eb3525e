--- The documents say what the program does: docs, the manual pages and example.env against the
-- table of settings and against each other. (Links and examples: pages_spec.lua.)
local cjson = require "cjson"
local pages = require "spec.support.pages"
local world = require "spec.support.world"

local all, sorted, text_of = pages.matches, pages.sorted, pages.text

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

  it("in docs/running.md have their variables, flags and defaults", function()
    local code, out = w:run({ "config", "--json" }, { REDIS_BACKEND = false, PREFIX = false })
    assert.equal(0, code)
    local types = cjson.decode(out)
    local seen = {}
    for _, cells in ipairs(pages.rows("docs/running.md", "Variable | Flag")) do
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

  it("in README.md are five of these, word for word", function()
    local there = {}
    for _, cells in ipairs(pages.rows("docs/running.md", "Variable | Flag")) do
      there[table.concat(cells, "|")] = true
    end
    local rows_shown = pages.rows("README.md", "Variable | Flag")
    for _, cells in ipairs(rows_shown) do
      assert.is_true(there[table.concat(cells, "|")], cells[1])
    end
    assert.equal(5, #rows_shown)
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

-- What a manual page and a page of docs both say.
describe("the manual pages agree with docs", function()
  local jobs_page = text_of "conf/man/resque-lua-jobs.7"
  local main_page = text_of "conf/man/resque-lua.1"

  local function section(page, name)
    return assert(page:match("\n%.Sh " .. name .. "\n(.-)\n%.Sh "), name)
  end

  it("on the hooks and their arguments", function()
    local there, documented = {}, {}
    for item in section(jobs_page, "HOOKS"):gmatch "\n%.It Li ([^\n]*)" do
      for name, arguments in item:gmatch "(%a+)(%b())" do
        there[name] = select(2, arguments:gsub("%a+", ""))
      end
    end
    for _, cells in ipairs(pages.rows("docs/jobs.md", "Event | Arguments")) do
      local arguments = select(2, cells[2]:gsub("[^,]+", ""))
      documented[cells[1]:match "^`(%a+)`$"] = arguments
    end
    assert.same(there, documented)
    assert.equal(8, #sorted(there))
  end)

  it("on the functions", function()
    local there, documented = {}, {}
    for item in section(jobs_page, "FUNCTIONS"):gmatch "\n%.It Li ([^\n]*)" do
      for name in item:gmatch "resque%.([%w_]+)" do
        there[name] = true
      end
    end
    for _, cells in ipairs(pages.rows("docs/jobs.md", "Member | Is")) do
      for name in table.concat(cells, " "):gmatch "resque%.([%w_]+)" do
        documented[name] = true
      end
    end
    for _, name in ipairs(sorted(there)) do
      assert.is_true(documented[name], "docs/jobs.md lacks resque." .. name)
    end
    for _, name in ipairs(sorted(documented)) do
      assert.truthy(jobs_page:find("resque." .. name, 1, true), "the page lacks resque." .. name)
    end
  end)

  it("on the signals", function()
    local there, documented = {}, {}
    for item in section(main_page, "SIGNALS"):gmatch "\n%.It ([^\n]*)" do
      for name in item:gmatch "%u[%u%d]+" do
        there[name] = true
      end
    end
    for _, cells in ipairs(pages.rows("docs/running.md", "Signal | The running job")) do
      for name in cells[1]:gmatch "%u[%u%d]+" do
        documented[name] = true
      end
    end
    assert.same(sorted(there), sorted(documented))
    assert.is_true(#sorted(there) >= 7)
  end)

  it("on the exit codes", function()
    local there, documented = {}, {}
    for code in section(main_page, "EXIT STATUS"):gmatch "\n%.It (%d+)" do
      there[code] = true
    end
    for _, cells in ipairs(pages.rows("docs/running.md", "Code | Means")) do
      documented[cells[1]] = true
    end
    assert.same(sorted(there), sorted(documented))
    assert.equal(6, #sorted(there))
  end)

  it("on the Redis user", function()
    local rules = section(main_page, "REDIS USER"):match "ACL SETUSER resque (.-)\n%.Ed"
    assert.same(pages.redis_user(), all(rules, "%S+"))
    local more = "sees all there is to see with.-(%+[^\n`]*)"
    assert.equal(text_of "docs/redis.md":match(more), (main_page:match(more)))
  end)

  -- "Resque::Name" in the sources and in docs/failures.md; the manual pages name some of them.
  it("and with the sources on the names of failures", function()
    local made = {}
    local pipe = assert(io.popen(("grep -rhoE 'Resque::[A-Za-z]+' '%s/src' '%s/lua'"):format(
      world.root, world.root)))
    for name in pipe:lines() do
      made[name] = true
    end
    pipe:close()
    local documented = {}
    for name in text_of "docs/failures.md":gmatch "Resque::%a+" do
      documented[name] = true
    end
    assert.same(sorted(made), sorted(documented))
    for name in (main_page .. jobs_page):gmatch "Resque::%a+" do
      assert.is_true(documented[name], name)
    end
  end)
end)
