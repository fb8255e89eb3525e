--- resque-enqueue, against a real Redis. What a payload looks like byte for byte is life_spec's;
-- arguments form by form are cli_args_spec's; how a job goes on is job_spec's.
local cjson = require "cjson"
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local process = require "spec.support.process"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

local w <const> = scene.fresh { tcp = true }

-- Runs resque-enqueue to its end: code, stdout, stderr.
local function enqueue(args, env, opts)
  opts = opts or {}
  opts.enqueue = true
  return w:run(args, env, opts)
end

-- class and args of the waiting jobs of a queue, as texts.
local function waiting(queue)
  local list = {}
  for i, payload in ipairs(w:on("LRANGE", "queue:" .. queue, 0, -1)) do
    local class, args = payload:match(
      '^{"class":(".-"),"args":(.*),"id":"[^"]*","queue_time":[%d.]+}$')
    list[i] = class .. " " .. args
  end
  return list
end

-- Starts resque-enqueue in a shell that gives it the text, then waits for the gate, then the rest.
local function stream(text, rest, args)
  local script = ([[
    { printf '%%s' "$1"; while [ -d "$GATES" ] && [ ! -e "$GATES/gate" ]; do sleep 0.01; done
      printf '%%s' "$2"; } | "%s" %s]]):format(world.enqueue_program, args)
  local env = w:env()
  local p = process.start({ "bash", "-c", script, "bash", text, rest },
    { env = env, clean = true, dir = w.dir })
  return p, function() w:write("gate", "") end
end

local function count_lines(n, format)
  local list = {}
  for i = 1, n do
    list[i] = format:format(i)
  end
  return table.concat(list)
end

describe("one job", function()
  it("is put in whatever form its arguments have", function()
    w:write("body", "two\nlines")
    local rows = {
      { {}, "[{}]" },
      { { '{"name":"Chris","list":[],"big":9223372036854775807}' },
        '[{"name":"Chris","list":[],"big":9223372036854775807}]' },
      { { "[1,2]" }, "[[1,2]]" },
      { { "name=Chris", "n:=5", "body=@body" }, '[{"body":"two\\nlines","n":5,"name":"Chris"}]' },
      { { "--positional", '["x",1]' }, '["x",1]' },
      { { "--", "--positional=x" }, '[{"--positional":"x"}]' },
    }
    for i, row in ipairs(rows) do
      local code, out, err = enqueue({ "mail", "Echo", table.unpack(row[1]) }, nil, { cwd = w.dir })
      assert.same({ 0, "" }, { code, err })
      assert.matches("^%x+\n$", out)
      assert.equal(32, #out - 1)
      assert.equal('"Echo" ' .. row[2], waiting "mail"[i])
    end
    assert.same({ "mail" }, w:on("SMEMBERS", "queues"))
  end)

  it("keeps odd names as they are", function()
    local queue, class = "odd \27[31m\"queue\"\n{x}", "App\\Jobs\\“Mail” \7"
    assert.equal(0, (enqueue { queue, class }))
    assert.same({ queue }, w:on("SMEMBERS", "queues"))
    local payload = cjson.decode(w:on("LRANGE", "queue:" .. queue, 0, -1)[1])
    assert.equal(class, payload.class)
  end)

  it("says so on a terminal, prints the bare id otherwise, an object with --json", function()
    assert.same({ 0, "seven\n", "" }, { enqueue { "mail", "Echo", "--id", "seven" } })
    local _, out = enqueue { "mail", "Echo", "--id=seven", "--json" }
    assert.same({ id = "seven", queue = "mail", class = "Echo" }, cjson.decode(out))
    local line = world.enqueue_program .. " mail Echo --id seven"
    local _, seen = process.run({ "script", "-qec", line, "/dev/null" },
      { env = w:env(), clean = true, dir = w.dir })
    assert.equal("Queued job seven\r\n", seen)
  end)

  it("is only shown with --dry-run, and Redis is not asked", function()
    local nowhere = { REDIS_BACKEND = "unix:///nonexistent" }
    local code, out, err = enqueue({ "mail", "Echo", "a=1", "--dry-run", "--id=7" }, nowhere)
    assert.same({ 0, "" }, { code, err })
    assert.matches('^mail\t{"class":"Echo","args":%[{"a":"1"}%],"id":"7","queue_time":[%d.]+}\n$',
      out)
    code, out = enqueue({ "mail", "Echo", "--dry-run", "--json" }, nowhere)
    local shown = cjson.decode(out)
    assert.equal(0, code)
    assert.same({ "mail", "Echo" }, { shown.queue, shown.payload.class })
    code, out, err = enqueue({ "mail", "Echo", "--dry-run", "-" },
      nowhere, { stdin = '{"a":1}\n{"a":\n{"a":2}\n' })
    assert.same({ 1, "" }, { code, (out:gsub("mail\t[^\n]+\n", "", 2)) })
    assert.matches("stdin:2: .*\n2 would be queued, 1 rejected\n", err)
  end)

  it("goes to the queue its job table names with --class", function()
    w:write("own.lua", 'local resque = require "resque"\n'
      .. 'local Post = resque.job "Post"\nPost.queue = "letters"\nfunction Post:perform() end\n'
      .. 'local Loose = resque.job "Loose"\nfunction Loose:perform() end\n')
    local env = { APP_INCLUDE = w.dir .. "/own.lua" }
    assert.equal(0, (enqueue({ "--class", "Post", "to=x" }, env)))
    assert.same({ '"Post" [{"to":"x"}]' }, waiting "letters")
    local rows = { { "Loose", "names no queue" }, { "Pots", "Did you mean Post%?" } }
    for _, row in ipairs(rows) do
      local code, out, err = enqueue({ "--class", row[1] }, env)
      assert.same({ 2, "" }, { code, out })
      assert.matches(row[2], err)
      assert.matches("hint: ", err)
    end
  end)

  it("is not queued when Redis refuses it", function()
    w:on("SET", "queue:mail", "no list")
    local code, out, err = enqueue { "mail", "Echo", "--track", "--id=7" }
    assert.same({ 1, "" }, { code, out })
    assert.matches("not queued: WRONGTYPE", err)
    assert.is_nil(w:status "7")
    assert.same({}, w:on("SMEMBERS", "queues"))
  end)
end)

describe("wrong use exits 2 and queues nothing:", function()
  local rows = {
    { "nothing at all", {}, "no queue and no job class" },
    { "a queue alone", { "mail" }, "no job class is named" },
    { "a comma in the queue's name", { "a,b", "Echo" }, "queue 'a,b': .* ','" },
    { "an empty class", { "mail", "" }, "the class is empty" },
    { "an empty id", { "mail", "Echo", "--id=" }, "the id is empty" },
    { "bytes for a class", { "mail", "\xff" }, "not valid UTF%-8" },
    { "half an object", { "mail", "Echo", '{"a":' }, "not JSON: byte" },
    { "a word", { "mail", "Echo", "Chris" }, "'Chris' is not name=value" },
    { "arguments and standard input", { "mail", "Echo", "a=1", "-" }, "exclude each other" },
    { "an id for many", { "mail", "Echo", "-", "--id=7" }, "%-%-id names one job" },
    { "waiting for many", { "mail", "Echo", "--stdin", "--wait" }, "%-%-wait waits for one" },
    { "an unknown option", { "mail", "Echo", "--tarck" }, "did you mean %-%-track" },
    { "a worker's option", { "mail", "Echo", "--count=2" }, "no option of `enqueue`" },
    { "a bad rate", { "mail", "Echo", "-", "--rate=fast" }, "%-%-rate is 'fast'" },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      local code, out, err = enqueue(row[2], nil, { stdin = "{}\n" })
      assert.same({ 2, "" }, { code, out })
      assert.matches(row[3], err)
      assert.matches("\nhint: ", err)
      assert.same({}, w:on("SMEMBERS", "queues"))
    end)
  end
end)

describe("Redis that cannot be used", function()
  it("is exit 4 with the address and never the password", function()
    w.server:call("ACL", "SETUSER", "known", "on", ">s3cret", "~*", "&*", "+@all")
    local here = "127.0.0.1:" .. w.server.port
    local rows = {
      { "redis://:canary@127.0.0.1:1", "127%.0%.0%.1:1.*refused" },
      { "redis://known:canary@" .. here, "WRONGPASS" },
      { "unix:///nonexistent/sock", "/nonexistent/sock" },
    }
    for _, row in ipairs(rows) do
      for _, line in ipairs { { "mail", "Echo" }, { "mail", "Echo", "-" } } do
        local code, out, err = enqueue(line, { REDIS_BACKEND = row[1] }, { stdin = "{}\n" })
        assert.same({ 4, "" }, { code, out })
        assert.matches(row[2], err)
        assert.matches("hint: ", err)
        assert.is_nil(err:find("canary", 1, true))
      end
    end
  end)

  it("does not leave the password where ps shows it", function()
    w.server:call("ACL", "SETUSER", "known", "on", ">canary", "~*", "&*", "+@all")
    local url = ("redis://known:canary@127.0.0.1:%d"):format(w.server.port)
    local p, open = stream("{}\n", "", "mail Echo - --redis " .. url)
    clock.wait_until(function() return w:queued "mail" == 1 end)
    local titles = {}
    for _, pid in ipairs(proc.descendants(p.pid)) do
      local title = proc.title(pid) or ""
      titles[#titles + 1] = title:match "^resque%-.*" -- the shell's own words are the spec's
    end
    open()
    p:wait(5)
    assert.same({ "resque-1.0: enqueue" }, titles)
  end)
end)

describe("hooks", function()
  before_each(function()
    w:write("enqueue_hooks.lua", [[
local resque = require "resque"
local function note(...)
  local file = io.open(os.getenv "LEDGER", "a")
  file:write(table.concat({ ... }, " "), "\n")
  file:close()
end
resque.on("beforeEnqueue", function(class, args, queue, id)
  note("before", class, resque.json.encode(args), queue, id)
  if args.drop then error(resque.DontCreate "not wanted") end
  if args.bad then error "hook broke" end
end)
resque.on("afterEnqueue", function(class, args, queue, id)
  note("after", class, resque.json.encode(args), queue, id)
end)
]])
  end)
  local function with_hooks(...)
    return enqueue({ "mail", "Echo", "--include", w.dir .. "/enqueue_hooks.lua", ... }, nil,
      { stdin = '{"n":1}\n{"drop":true}\n{"n":[]}\n' })
  end

  it("are called around the push", function()
    assert.equal(0, (with_hooks("--id=7", '{"a":[]}')))
    assert.same({ 'before Echo {"a":[]} mail 7', 'after Echo {"a":[]} mail 7' }, w:ledger())
  end)

  it("are named with -v", function()
    local _, _, err = with_hooks("-v")
    assert.matches("enqueue_hooks%.lua is loaded; hooks that are called here: "
      .. "beforeEnqueue, afterEnqueue\n", err)
    assert.is_nil((select(3, with_hooks())):find("hooks", 1, true))
    _, _, err = enqueue { "mail", "Echo", "-v" }
    assert.matches("jobs%.lua is loaded; hooks that are called here: none", err)
  end)

  it("may say no", function()
    local code, out, err = with_hooks "drop:=true"
    assert.same({ 1, "" }, { code, out })
    assert.matches("not queued: not wanted", err)
    assert.equal(1, #w:ledger())
    assert.equal(0, w:queued "mail")
  end)

  it("that raise keep the job out", function()
    local code, out, err = with_hooks "bad:=true"
    assert.same({ 1, "" }, { code, out })
    assert.matches("not queued: beforeEnqueue: .*enqueue_hooks%.lua:%d+: hook broke", err)
    assert.equal(0, w:queued "mail")
  end)

  it("are called for each line of standard input", function()
    local code, out, err = with_hooks "-"
    assert.equal(1, code)
    assert.equal(2, select(2, out:gsub("%x+\n", "")))
    assert.matches("stdin:2: not wanted\n2 queued, 1 rejected", err)
    assert.equal(5, #w:ledger())
    assert.same({ '"Echo" [{"n":1}]', '"Echo" [{"n":[]}]' }, waiting "mail")
  end)

  it("of a file that does not load: exit 3", function()
    w:write("broken.lua", "x = = 1\n")
    local code, out, err = enqueue { "mail", "Echo", "-I", w.dir .. "/broken.lua" }
    assert.same({ 3, "" }, { code, out })
    assert.matches("broken%.lua:1: ", err)
    assert.equal(0, w:queued "mail")
  end)
end)

describe("standard input", function()
  it("brings arguments, one job per line, in their order", function()
    local code, out, err = enqueue({ "mail", "Echo", "-" }, nil,
      { stdin = '{"n":1}\n\n[2]\r\n  \n"three"' })
    assert.same({ 0, "3 queued, 0 rejected\n" }, { code, err })
    assert.same({ '"Echo" [{"n":1}]', '"Echo" [[2]\r]', '"Echo" ["three"]' }, waiting "mail")
    local ids = {}
    for id in out:gmatch "(%x+)\n" do
      ids[#ids + 1] = id
    end
    for i, payload in ipairs(w:on("LRANGE", "queue:mail", 0, -1)) do
      assert.equal(ids[i], cjson.decode(payload).id)
    end
  end)

  it("brings whole jobs for any queue", function()
    local code, out = enqueue({ "--stdin", "--json" }, nil, { stdin = [[
{"queue":"a","class":"One"}
{"queue":"b","class":"Two","args":{"x":[]},"id":"seven"}
{"queue":"a","class":"Three","args":[1,"x"]}
]] })
    assert.equal(0, code)
    assert.same({ '"One" [{}]', '"Three" [1,"x"]' }, waiting "a")
    assert.same({ '"Two" [{"x":[]}]' }, waiting "b")
    assert.same({ id = "seven", queue = "b", class = "Two" }, cjson.decode(out:match "\n(.-)\n"))
    assert.equal(3, select(2, out:gsub("\n", "")))
  end)

  it("tells bad lines by number and takes the rest", function()
    local code, _, err = enqueue({ "--stdin" }, nil, { stdin = [[
{"queue":"a","class":"One"}
nonsense
{"queue":"a,b","class":"One"}
{"queue":"a","clas":"One"}

{"queue":"a","class":"Two"}
]] })
    assert.equal(1, code)
    assert.same({ '"One" [{}]', '"Two" [{}]' }, waiting "a")
    assert.matches("stdin:2: not JSON: byte 2", err)
    assert.matches("stdin:3: the name of a queue cannot contain ','", err)
    assert.matches('stdin:4: unknown key "clas", did you mean "class"%?', err)
    assert.matches("2 queued, 3 rejected\n$", err)
  end)

  it("may be tracked", function()
    enqueue({ "mail", "Echo", "-", "--track" }, nil, { stdin = "{}\n{}\n" })
    for _, payload in ipairs(w:on("LRANGE", "queue:mail", 0, -1)) do
      assert.equal(1, w:status(cjson.decode(payload).id).status)
    end
  end)

  it("of 100,000 lines takes seconds, by batches", function()
    local text = count_lines(100000, '{"n":%d,"to":"someone@example.org"}\n')
    local before, began = w.server:command_counts(), clock.now()
    local code, _, err = enqueue({ "mail", "Noop", "-" }, nil, { stdin = text, seconds = 60 })
    local seconds = clock.now() - began
    assert.same({ 0, "100,000 queued, 0 rejected\n" }, { code, err })
    assert.equal(100000, w:queued "mail")
    assert.matches('{"n":100000,', w:on("LINDEX", "queue:mail", -1))
    assert.is_true(seconds < clock.limit(25), seconds .. " s")
    assert.equal(200, w.server:command_counts().exec - (before.exec or 0))
  end)

  it("shows a bar on a terminal only", function()
    local file = w:write("lines", count_lines(20000, '{"n":%d}\n'))
    local function on_terminal(more, term)
      local line = ("%s mail Noop - %s < %s"):format(world.enqueue_program, more, file)
      local _, out = process.run({ "script", "-qec", line, "/dev/null" },
        { env = w:env { TERM = term or "xterm" }, clean = true, dir = w.dir })
      return out
    end
    local seen = on_terminal ""
    assert.matches("\r[█░]+ %d+%% [%d,]+/20,000 [%d,]+/s ETA ", seen)
    assert.matches("20,000 queued, 0 rejected\r\n$", seen)
    assert.is_nil(seen:find("%x%x%x%x%x%x%x%x\r\n"), "ids are not for people")
    assert.is_nil(on_terminal("--no-progress"):find("░", 1, true))
    assert.is_nil(on_terminal("", "dumb"):find("░", 1, true))
    local _, _, err = enqueue({ "mail", "Noop", "-" }, nil, { stdin = "{}\n" })
    assert.equal("1 queued, 0 rejected\n", err)
    _, _, err = enqueue({ "mail", "Noop", "-", "--quiet" }, nil, { stdin = "{}\n" })
    assert.equal("", err)
  end)

  it("does not get Redis as its stderr when that is closed", function()
    local p, open = stream('bad\n{"n":1}\n', "", "mail Echo - 2>&-")
    clock.wait_until(function() return w:queued "mail" == 1 end)
    local targets = {}
    for _, pid in ipairs(proc.descendants(p.pid)) do
      local title = proc.title(pid) or ""
      if title:find("/resque-enqueue mail", 1, true) and not title:find("bash", 1, true) then
        targets[#targets + 1] = uv.fs_readlink(("/proc/%d/fd/2"):format(pid))
      end
    end
    open()
    assert.equal(1, (p:wait(5)))
    assert.same({ "/dev/null" }, targets)
  end)

  it("that comes slowly is not held back", function()
    local p, open = stream('{"n":1}\n{"n":', '2}\n', "mail Echo -")
    clock.wait_until(function() return w:queued "mail" == 1 end, 5, "the first job arrives")
    assert.is_true(p:running())
    open()
    assert.equal(0, (p:wait(5)))
    assert.same({ '"Echo" [{"n":1}]', '"Echo" [{"n":2}]' }, waiting "mail")
  end)

  it("keeps to --rate", function()
    local began = clock.now()
    assert.equal(0, (enqueue({ "mail", "Noop", "-", "--rate", "40/s" }, nil,
      { stdin = count_lines(24, "%d\n") })))
    assert.is_true(clock.now() - began >= 0.5)
    assert.equal(24, w:queued "mail")
  end)

  it("says what is known when Redis goes away", function()
    local p, open = stream('{"n":1}\n', '{"n":2}\n{"n":3}\n', "mail Echo -")
    clock.wait_until(function() return w:queued "mail" == 1 end)
    w.server:kill()
    open()
    assert.equal(4, (p:wait(10)))
    assert.matches("1 queued, 0 rejected\nresque%-lua: stopped at line 2: Redis at ", p:err())
    assert.matches("hint: everything before line 2 is done; the jobs of lines 2 to 3 may be",
      p:err())
  end)
end)
