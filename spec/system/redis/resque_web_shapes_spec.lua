--- What resque-web shows of us, page by page: idle, busy, paused, pruned, and every kind of
-- failure. The pages are spec.support.resque_web; nobody looks at pixels here.
local cjson = require "cjson"
local uv = require "luv"
local clock = require "spec.support.clock"
local resque_web = require "spec.support.resque_web"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

local w <const> = scene.fresh()
local web
before_each(function()
  web = resque_web.new(w)
end)

-- A zone whose abbreviation Ruby takes for one half a day away.
local TAIPEI = "Asia/Taipei"

-- Members of ours, which it takes no notice of.
local OURS = { host = true, wall_ms = true, cpu_ms = true, peak_kb = true, attempt = true,
  limit = true, output = true }

-- The other names.
local function names(t)
  local list = {}
  for name in pairs(t) do
    list[#list + 1] = not OURS[name] and name or nil
  end
  table.sort(list)
  return table.concat(list, " ")
end

local function recent(age)
  return age >= -1 and age <= clock.limit(30)
end

local function start(env)
  env = env or {}
  env.TZ = env.TZ or TAIPEI
  env.WORKER_HOST = env.WORKER_HOST or "web1"
  return w:start_idle(env)
end

describe("resque-web shows a worker", function()
  it("that is idle", function()
    local run = start { QUEUE = "mail,a b,über", COUNT = "1" }
    start { QUEUE = "*_high,!low", WORKER_HOST = "fe80::1" }
    web:visit()
    local all = web:workers()
    assert.equal(2, #all)
    assert.same({ 3, 3 }, { all[1].parts, all[2].parts }) -- more would shift every column
    assert.same({ "fe80--1", "*_high" }, { all[1].host, table.concat(all[1].queues, "|") })
    assert.same({ "web1", "mail|a b|über" }, { all[2].host, table.concat(all[2].queues, "|") })
    assert.equal(tostring(run:worker()), all[2].pid)
    local worker = web:worker(all[2].id)
    assert.is_nil(worker.processing)
    assert.is_true(recent(worker.started_age), worker.started_age)
    assert.is_true(recent(worker.heartbeat_age), worker.heartbeat_age)
    assert.same({ 0, 0 }, { worker.processed, worker.failed })
    assert.same({ pending = 0, processed = 0, failed = 0, workers = 2, working = 0 }, web:stats())
    assert.equal(0, #web:working())
  end)

  it("that is busy, with its queue, its job and its counts", function()
    start { QUEUE = "mail" }
    w:job("Noop", {}, { queue = "mail" })
    w:job("Raise", {}, { queue = "mail" })
    w:job("Gate", { gate = "a" }, { queue = "mail", track = true })
    w:wait_ledger "start a"
    w:push("mail", '{"class":"Noop","args":[1,"é/x",{"a":null}]}', '{"class":"Noop"}')
    local all = web:workers()
    local worker = web:visit(all[1].id)
    assert.equal("mail", worker.processing.queue)
    assert.equal("Gate", worker.processing.class)
    assert.same({ { gate = "a" } }, worker.processing.args)
    assert.is_true(recent(worker.processing.age), worker.processing.run_at)
    assert.equal("payload queue run_at status_id token", names(worker.processing.record))
    assert.same({ 2, 1 }, { worker.processed, worker.failed })
    local busy, of = web:working()
    assert.same({ 1, 1, all[1].id }, { #busy, of, busy[1].id })
    assert.same({ pending = 2, processed = 2, failed = 1, workers = 1, working = 1 }, web:stats())
    assert.same({ { class = "Noop", args = { 1, "é/x", { a = cjson.null } } },
      { class = "Noop" } }, web:queue "mail")
    assert.same({ mail = 2 }, (web:queues()))
  end)

  it("of several busy ones in the order in which they began", function()
    start { QUEUE = "b" }
    start { QUEUE = "a", TZ = "America/New_York" }
    w:job("Gate", { gate = "first" }, { queue = "b" })
    w:wait_ledger "start first"
    local second = os.time()
    clock.wait_until(function()
      return os.time() > second
    end)
    w:job("Gate", { gate = "second" }, { queue = "a" })
    w:wait_ledger "start second"
    local busy = web:working()
    assert.same({ "b", "a" }, { busy[1].processing.queue, busy[2].processing.queue })
  end)

  it("that is paused, as one that waits and lives", function()
    local run = start { RESQUE_HEARTBEAT = "0.2" }
    run:signal "sigusr2"
    run:wait_title "^Paused"
    w:job("Noop", {})
    local id = web:workers()[1].id
    local before = w:on("HGET", "workers:heartbeat", id)
    clock.wait_until(function()
      return w:on("HGET", "workers:heartbeat", id) ~= before
    end, 5, "it goes on beating")
    local worker = web:visit(id)
    assert.is_nil(worker.processing)
    assert.equal(1, web:stats().pending)
  end)

  it("no more when it was killed, but its job among the failed", function()
    local run = start()
    w:job("Gate", { gate = "a" })
    w:wait_ledger "start a"
    local dead = web:workers()[1].id
    uv.kill(run:worker(), "sigkill")
    clock.wait_until(function()
      return w:on("LLEN", "failed") == 1
    end, 5, "the job is recorded")
    assert.is_nil(web:visit(dead))
    local failure = web:failed()[1]
    assert.equal(dead, failure.record.worker)
    assert.equal("Gate", failure.class)
    assert.equal("Resque::PruneDeadWorkerDirtyExit", failure.record.exception)
    assert.equal("backtrace error exception failed_at payload pruned_by queue worker",
      names(failure.record))
    for key in pairs(web:keys()) do
      assert.is_nil(key:find(dead, 1, true), key)
    end
  end)
end)

describe("resque-web shows a failure", function()
  local SEVEN = "backtrace error exception failed_at payload queue worker"
  local MALFORMED = "backtrace error exception failed_at payload queue raw_base64 worker"
  local MAX = 4000

  local function nested(levels) -- of the whole payload
    return ('{"class":"Raise","args":%s}'):format(
      ("["):rep(levels - 1) .. ("]"):rep(levels - 1))
  end
  local function large(head, tail)
    return head .. ("x"):rep(MAX) .. tail
  end

  -- name, payload, class and args on the page, exception, error, backtrace or not
  local rows = {
    { "of a text", '{"class":"Raise","args":[{"message":"<b>no</b> & \\u00e9"}]}',
      "Raise", '[{"message":"<b>no</b> & é"}]', "LuaError", "%.lua:%d+: <b>no</b> & é$", true },
    { "of a table", '{"class":"RaiseTable","args":[{"name":"Mail::Late","message":"a\\nb"}]}',
      "RaiseTable", '[{"name":"Mail::Late","message":"a\\nb"}]', "Mail::Late", "^a\nb$", true },
    { "of bad UTF-8", '{"class":"BadText","args":[]}',
      "BadText", nil, "LuaError", "bad %?%? text$", true },
    { "of a deep stack", '{"class":"Deep","args":[null]}',
      "Deep", "[null]", "LuaError", "stack overflow$", true },
    { "of an unknown class", '{"class":"A::Grüße \\"q\\"","args":[1,[],"x"]}',
      'A::Grüße "q"', nil, "Resque::NoClassError", "^Could not find job class A::Grüße \"q\"%." },
    { "of a class without a name", '{"class":"","args":[]}',
      "", nil, "Resque::NoClassError", "^Could not find job class %.$" },
    { "of an exit code", '{"class":"Exit","args":[{"code":3}]}',
      "Exit", '[{"code":3}]', "Resque::DirtyExit", "^Job exited with exit code 3$" },
    { "of a signal", '{"class":"Kill","args":[{"signal":"SEGV"}]}',
      "Kill", '[{"signal":"SEGV"}]', "Resque::DirtyExit", "^Job killed by signal 11 %(SIGSEGV%)$" },
    { "without args", '{"class":"Raise"}', "Raise", nil, "LuaError", "raised$", true },
    { "with an object as args", '{"class":"Raise","args":{"message":"php 1.1"}}',
      "Raise", '{"message":"php 1.1"}', "LuaError", "php 1%.1$", true },
    { "of the most levels that Ruby reads", nested(98),
      "Raise", nil, "LuaError", ".", true },
    { "of one level more", nested(99), "(malformed)",
      cjson.encode { nested(99) }, "Resque::MalformedPayload", "nested too deep$" },
    { "of what is no JSON", "{broken \xff\0", "(malformed)",
      '["{broken ?\\u0000"]', "Resque::MalformedPayload", "^not JSON" },
    { "of what is no object", "[1]", "(malformed)", '["[1]"]', "Resque::MalformedPayload",
      "^not a JSON object$" },
    { "of a class that is no text", '{"class":7}', "(malformed)", '["{\\"class\\":7}"]',
      "Resque::MalformedPayload", "^no class, or a class that is no string$" },
    { "of NaN", '{"class":"Noop","args":[NaN]}', "(malformed)",
      '["{\\"class\\":\\"Noop\\",\\"args\\":[NaN]}"]', "Resque::MalformedPayload", "^byte %d+" },
    { "of too many bytes", large('{"class":"Noop","args":["', '"]}'), "Noop",
      cjson.encode { ("x"):rep(MAX) }, "Resque::PayloadTooLarge", "MAX_PAYLOAD %(4000%)$" },
    { "of too many bytes that are no JSON", large("{", "\xff"), "(malformed)", nil,
      "Resque::PayloadTooLarge", "MAX_PAYLOAD %(4000%)$" },
    { "of too many bytes and levels", large(nested(500):sub(1, -2) .. ',"x":"', '"}'),
      "(malformed)", nil, "Resque::PayloadTooLarge", "MAX_PAYLOAD %(4000%)$" },
  }

  for _, row in ipairs(rows) do
    local name, payload, class, args, exception, message, trace = table.unpack(row, 1, 7)
    it(name, function()
      w:write_jobs("bad_text.lua",
        [[BadText = {perform = function() error("bad \xff\xfe text") end}]])
      w:push("a b", payload)
      local files = world.fixtures .. "/jobs.lua," .. w.dir .. "/bad_text.lua"
      start { QUEUE = "a b", MAX_PAYLOAD = tostring(MAX), APP_INCLUDE = files }
      w:wait_processed(1)
      web:visit()
      local failure = web:failed()[1]
      local record = failure.record
      assert.equal(class, failure.class)
      if args then
        assert.same(cjson.decode(args), record.payload.args)
      end
      assert.equal(exception, record.exception)
      assert.matches(message, record.error)
      assert.is_true(recent(failure.age), record.failed_at)
      assert.same({ "web1", 3, "a b" },
        { failure.worker.host, failure.worker.parts, record.queue })
      assert.equal(trace or false, #record.backtrace > 0)
      for _, line in ipairs(record.backtrace) do
        assert.is_nil(line:find "\n", line)
      end
      assert.matches('"backtrace":%[', failure.raw) -- an object takes the page down
      assert.equal(class == "(malformed)" and MALFORMED or SEVEN, names(record))
      assert.same({ pending = 0, processed = 1, failed = 1, workers = 1, working = 0 },
        web:stats())
      assert.equal(1, web:worker(web:workers()[1].id).failed)
    end)
  end
end)

describe("a failure", function()
  it("that resque-web retries runs with its args, and can be removed there", function()
    w:write_jobs("late.lua", "")
    start { APP_INCLUDE = w.dir .. "/late.lua" }
    local id = w:job("Late", '[{"n":7,"t":"é/x"},2]', { track = true })
    w:wait_processed(1)
    w:write_jobs("late.lua", [[
      Late = {perform = function(self, a, b)
        ledger.write("Late", math.type(a.n), a.t, b, tostring(self.job.id))
      end}]])
    web:retry(0)
    w:wait_processed(2)
    assert.same({ "Late integer é/x 2 nil" }, w:ledger())
    local list = web:failed()
    assert.equal(1, #list) -- it stays, marked
    assert.matches("UTC$", list[1].record.retried_at)
    assert.equal(3, w:status(id).status) -- a retry there has no id: nobody can tell php about it
    web:remove(0)
    assert.same({}, web:failed())
    web:visit()
  end)

  it("that is malformed fails again when retried there, and keeps its bytes", function()
    start()
    w:push("default", "{broken \xff")
    w:wait_processed(1)
    web:retry(0)
    w:wait_processed(2)
    local list = web:failed()
    assert.equal(2, #list)
    assert.equal("e2Jyb2tlbiD/", list[2].record.raw_base64)
    assert.equal("(malformed)", list[1].class)
    assert.equal("Resque::NoClassError", list[1].record.exception)
  end)

  it("is found by resque-lua job among what others left in the list", function()
    start()
    local id = w:job("Raise", { message = "here" }, { track = true })
    w:wait_processed(1)
    w:on("LPUSH", "failed", "", "{broken", "[1]", '"x"', '{"payload":7}', '{"payload":null}',
      '{"payload":{"id":7}}', '{"payload":{"id":"' .. id:upper() .. '"}}')
    w:on("RPUSH", "failed", "", "null", "\xff")
    local code, out = w:run { "job", id }
    assert.equal(0, code)
    assert.matches("status%s+failed", out)
    assert.matches("here", out)
  end)
end)
