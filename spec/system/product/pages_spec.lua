--- The pages of the documentation: every link leads somewhere, every block of code that the README
-- shows runs as it stands, tables and names agree with the program.
local cjson = require "cjson"
local uv = require "luv"
local clock = require "spec.support.clock"
local pages = require "spec.support.pages"
local proc = require "spec.support.proc"
local process = require "spec.support.process"
local world = require "spec.support.world"

local sorted, text_of = pages.sorted, pages.text

-- "docs/../conf" -> "conf"; nil above the top.
local function resolve(path)
  local parts = {}
  for part in path:gmatch "[^/]+" do
    if part == ".." then
      if #parts == 0 then
        return nil
      end
      table.remove(parts)
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  return table.concat(parts, "/")
end

-- What is wrong with a link of a page; nil: nothing.
local function broken(page, target)
  if target:find "^https?://" then
    return nil
  end
  local path, anchor = target:match "^([^#]*)#?(.*)$"
  local file = path == "" and page or resolve((page:match "^(.*/)" or "") .. path)
  if not file or not uv.fs_stat(world.root .. "/" .. file) then
    return ("%s links %s, which is not there"):format(page, target)
  elseif anchor ~= "" and not pages.anchors(file)[anchor] then
    return ("%s links %s, where no heading has that name"):format(page, target)
  end
end

describe("the links of every page", function()
  it("lead to files and headings that exist", function()
    local wrong, seen = {}, 0
    local names = pages.names()
    for _, page in ipairs(names) do
      for _, target in ipairs(pages.links(page)) do
        seen = seen + 1
        wrong[#wrong + 1] = broken(page, target)
      end
    end
    assert.same({}, wrong)
    assert.is_true(#names > 10 and seen > 100)
  end)

  it("are seen when they lead nowhere", function()
    assert.is_nil(broken("docs/jobs.md", "running.md#deploying"))
    assert.is_nil(broken("docs/jobs.md", "#hooks"))
    assert.matches("not there", broken("docs/jobs.md", "README.md"))
    assert.matches("not there", broken("README.md", "../README.md"))
    assert.matches("no heading", broken("README.md", "docs/jobs.md#hook"))
  end)

  it("reach every page of docs from the README", function()
    local linked = {}
    for _, target in ipairs(pages.links "README.md") do
      linked[target:match "^[^#]*"] = true
    end
    for _, page in ipairs(pages.names()) do
      if page:find "^[^/]+$" and page ~= "README.md" or page:find "^docs/" then
        assert.is_true(linked[page], page)
      end
    end
  end)

  it("and the pages that sources name are there", function()
    local pipe = assert(io.popen(("cd '%s' && grep -rnoE --include='*.[ch]' --include='*.lua' "
      .. "'[A-Za-z0-9_/-]+[.]md' src lua jobs demo conf"):format(world.root)))
    local seen = 0
    for line in pipe:lines() do
      local name = line:match "[^:]+$"
      seen = seen + 1
      assert.truthy(uv.fs_stat(world.root .. "/" .. name), line)
    end
    pipe:close()
    assert.is_true(seen > 3)
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

  -- A shell block as it stands, in the folder of this world, with our programs in PATH.
  local function shell(block)
    local env = w:env { APP_INCLUDE = false }
    env.PATH = world.build .. ":" .. env.PATH
    return process.start({ "sh", "-euc", block }, { env = env, clean = true, dir = w.dir,
      cwd = w.dir })
  end

  -- Each block has a test: these two are run here, the commands of the first by demo_spec and
  -- spec/roots, those of the last by install_spec.
  it("shows five blocks of code", function()
    local kinds = {}
    for i, block in ipairs(pages.blocks "README.md") do
      kinds[i] = block.kind .. ": " .. block.text:match "%S+ ?%S*"
    end
    assert.same({ "sh: ./demo/run ", "lua: local resque", "sh: APP_INCLUDE=jobs.lua QUEUE=mail",
      "sh: resque-enqueue mail", "sh: apt-get install" }, kinds)
  end)

  it("has its two commands in the first screen", function()
    local screen = table.concat(pages.matches(text_of "README.md", "([^\n]*)\n"), "\n", 1, 24)
    assert.truthy(screen:find("\n    ./demo/run ", 1, true))
    assert.truthy(screen:find("\n    ./spec/run ", 1, true))
  end)

  it("has a job and a worker that can be typed as they stand", function()
    local blocks = pages.blocks "README.md"
    w:write("jobs.lua", blocks[2].text)
    local worker = shell(blocks[3].text)
    worker:wait_for "Starting worker"
    local job = shell(blocks[4].text)
    assert.equal(0, job:wait(20), job:err())
    assert.truthy(job:out():find '\ncomplete\t{"sent":true}\n$')
    worker:wait_for "%*%*%* mail to chris@example.org\n"
    for _, pid in ipairs { worker.pid, table.unpack(proc.descendants(worker.pid)) } do
      if (proc.title(pid) or ""):find("Monitoring", 1, true) then
        uv.kill(pid, "sigterm")
      end
    end
    clock.wait_until(function()
      return not worker:running() and w:on("SCARD", "workers") == 0
    end, 10, "the worker left")
  end)

  it("has what can be had in less than 130 lines", function()
    assert.is_true(select(2, text_of "README.md":gsub("\n", "")) < 130)
  end)
end)

describe("docs/jobs.md", function()
  local w

  before_each(function()
    w = world.new()
  end)
  after_each(function()
    w:close()
  end)

  it("lists the hooks there are", function()
    local names, there = {}, {}
    for _, cells in ipairs(pages.rows("docs/jobs.md", "Event | Arguments")) do
      names[cells[1]:match "^`(%a+)`$"] = true
    end
    for name in text_of "lua/resque/hooks.lua":match "listeners = (%b{})":gmatch "(%a+) = {}" do
      there[name] = true
    end
    assert.same(sorted(there), sorted(names))
  end)

  it("lists members of resque that exist", function()
    local names = {}
    for _, cells in ipairs(pages.rows("docs/jobs.md", "Member | Is")) do
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

  it("shows a job that works", function()
    local path = w:write("jobs.lua", pages.blocks "docs/jobs.md"[1].text)
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

  it("shows limits and arguments that are taken", function()
    local limits
    for _, block in ipairs(pages.blocks "docs/jobs.md") do
      limits = block.text:find "^SendMail.timeout" and block.text or limits
    end
    local path = w:write("jobs.lua", pages.blocks "README.md"[2].text .. limits)
    local code, _, err = w:run { "check", "--strict", path }
    assert.equal(0, code, err)
    w:write("letter.txt", "Dear Chris")
    w:write("file.json", "[1]")
    local seen = 0
    for _, cells in ipairs(pages.rows("docs/jobs.md", "Arguments | What")) do
      local words = cells[1]:match "^`… (.*)`$"
      if words then
        local job = process.start({ "sh", "-euc",
          world.enqueue_program .. " mail SendMail --dry-run " .. words },
          { env = w:env { APP_INCLUDE = path }, clean = true, dir = w.dir, cwd = w.dir })
        assert.equal(0, job:wait(10), job:err())
        seen = seen + 1
      end
    end
    assert.equal(3, seen)
  end)
end)

describe("HOWITWORKS.md", function()
  -- `name` or `module.name` behind "The life of a job" is a function of the program.
  it("tells the life of a job with names that exist", function()
    local source = {}
    local pipe = assert(io.popen(("cd '%s' && find src lua -name '*.[chl]*'"):format(world.root)))
    for name in pipe:lines() do
      source[#source + 1] = text_of(name)
    end
    pipe:close()
    source = table.concat(source, "\n")
    local seen = 0
    for name in pages.section("HOWITWORKS.md", "## The life of a job"):gmatch "`([%a_.]+)`" do
      local last = name:match "[%a_]+$"
      if last:find "^[%l_]+$" and last ~= "queues" and last ~= "failed" then
        local defined = source:find("function [%w_.:]*%f[%w_]" .. last .. "%(")
          or source:find("\n[%w_ *]+[ *]" .. last .. "%([^;{]*%)%s*\n{")
        assert.truthy(defined, name .. " is no function")
        seen = seen + 1
      end
    end
    assert.is_true(seen > 12)
  end)

  -- Every folder there is has its row, and every row its folder.
  it("has a row for each folder of src and lua", function()
    local there, documented = {}, {}
    local pipe = assert(io.popen(("cd '%s' && find src lua -type d"):format(world.root)))
    for name in pipe:lines() do
      there[name] = name:find "/" and true or nil
    end
    pipe:close()
    for top in pairs { src = true, lua = true } do
      for _, cells in ipairs(pages.rows("HOWITWORKS.md", top .. "/ | is for")) do
        for name in table.concat(cells, " "):gmatch "([%l_/]+)/" do
          documented[top .. "/" .. name] = true
        end
      end
    end
    assert.same(sorted(there), sorted(documented))
  end)

  it("has at most 25 words", function()
    local count = 0
    for _, cells in ipairs(pages.rows("HOWITWORKS.md", "Word | Means")) do
      count = count + 1 + select(2, cells[2]:gsub("%*%*%l+%*%*", ""))
    end
    assert.is_true(count > 15 and count <= 25, count .. " words")
  end)
end)

describe("docs/redis.md", function()
  local w

  before_each(function()
    w = world.new()
  end)
  after_each(function()
    w:close()
  end)

  it("lists every key that a worker makes", function()
    local patterns = { "^stat:%w+:.+$" } -- the row says: also with :<id>
    for _, cells in ipairs(pages.rows("docs/redis.md", "Key | Type")) do
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

  it("are fine", function()
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
