--- resque-lua doctor about what is in Redis: workers, queues, jobs, records; every finding is
-- provoked for real.
local cjson = require "cjson"
local doctor = require "spec.support.doctor"
local scene = require "spec.support.scene"

local GOOD = doctor.GOOD
local BEAT = "!%Y-%m-%dT%H:%M:%S+00:00"

local w <const> = scene.fresh()

local function assert_found(...)
  return doctor.assert_found(w, ...)
end

-- A worker, and how many seconds ago it gave a sign of life; nil: never.
local function register(id, age)
  w:on("SADD", "workers", id)
  if age then
    w:on("HSET", "workers:heartbeat", id, os.date(BEAT, os.time() - age))
  end
end

describe("doctor says of the fleet:", function()
  it("a worker without a heartbeat for longer than RESQUE_PRUNE", function()
    register("host:1:mail", 400)
    register("host:2:mail", 10)
    assert_found("heartbeats", "warn", "^1 worker silent for more than 5m: host:1:mail$")
    assert_found("heartbeats", "ok", "^2 workers, none silent", { RESQUE_PRUNE = "10m" })
    w:on("SET", "worker:host:1:mail", '{"queue":"mail","payload":{"class":"A","args":[]}}')
    assert_found("heartbeats", "fail", "with a job that nobody accounts for: host:1:mail")
  end)

  it("heartbeats of any zone are read, and one that is no time is named", function()
    register "host:1:mail"
    w:on("HSET", "workers:heartbeat", "host:1:mail",
      os.date("!%Y-%m-%dT%H:%M:%S+02:00", os.time() + 7200))
    assert_found("heartbeats", "ok", "^1 worker, none silent")
    w:on("HSET", "workers:heartbeat", "host:1:mail", "yesterday")
    assert_found("heartbeats", "warn", "heartbeat is no time: host:1:mail")
  end)

  it("workers that never beat are named, not judged", function()
    register "php:1:mail"
    assert_found("no-heartbeat", "ok", "^1 worker without any.*not judged: php:1:mail$")
  end)

  it("workers that know less than its own program would", function()
    register("host:1:mail", 0) -- Ruby's has no lua:proc
    w:on("HSET", "lua:proc:host:2:mail", "nonce", "1") -- of one that has left
    assert_found("features", "ok", "^no worker knows less than this resque%-lua %(features %d+%)$")
    for n = 3, 6 do
      register(("host:%d:mail"):format(n), 0)
      w:on("HSET", ("lua:proc:host:%d:mail"):format(n), "nonce", "1")
    end
    local found = assert_found("features", "warn", "^workers of different versions are registered: "
      .. "host:3:mail %(features 0%), host:4:mail %(features 0%), host:5:mail %(features 0%) and "
      .. "1 more, and this resque%-lua has features %d+$")
    assert.matches("^upgrade the older ones", found.hint)
  end)

  it("such workers, also behind a thousand others", function()
    local ids = {}
    for n = 1, 2345 do
      ids[n] = ("a:%d:mail"):format(n)
    end
    ids[#ids + 1] = "z:1:mail"
    w:on("SADD", "workers", table.unpack(ids))
    w:on("HSET", "lua:proc:z:1:mail", "nonce", "1")
    assert_found("features", "warn", "registered: z:1:mail %(features 0%), and this")
  end)

  it("ids with fewer than three parts", function()
    register("host:1", 0)
    register("fine:1:a", 0)
    assert_found("ids", "fail", "^1 id is not host:process:queues: host:1;")
  end)

  it("the job of a worker that is not registered", function()
    w:on("SET", "worker:gone:1:mail", '{"queue":"mail","payload":{"class":"A","args":[]}}')
    w:on("SET", "worker:gone:1:mail:started", "2026-11-22T10:00:00Z")
    local found = assert_found("orphans", "fail", "^1 job is left .* gone:1:mail;")
    assert.is_truthy(found.hint:find(w:key "worker:gone:1:mail", 1, true))
  end)

  it("a lock for pruning without an end", function()
    w:on("SET", "pruning_dead_workers_in_progress", "x", "EX", "60")
    assert_found("lock", "ok", "somebody is removing dead workers")
    w:on("PERSIST", "pruning_dead_workers_in_progress")
    assert_found("lock", "fail", "nobody removes dead workers")
  end)

  it("a sandbox without its half in the kernel is in no program that these specs build", function()
    assert_found("sandbox", "ok", "SANDBOX is off")
    local _, out = w:run({ "doctor", "--sandbox", "strict" })
    assert.truthy(out:find("ok\tsandbox\tSANDBOX=strict, with seccomp\n", 1, true))
  end)

  it("a pause", function()
    w:on("SET", "pause-all-workers", " True\n")
    assert_found("pause", "warn", "no worker takes a job")
    w:on("SET", "pause-all-workers", "no")
    assert_found("pause", "ok", "not paused")
  end)
end)

describe("doctor says of jobs:", function()
  for name, wrong in pairs { queues = "list", workers = "string", ["workers:heartbeat"] = "set",
    failed = "string", ["stat:failed"] = "hash", ["queue:mail"] = "hash",
    ["stat:processed:a:1:b"] = "list", ["worker:a:1:b"] = "list" } do
    it(("%s is a %s"):format(name, wrong), function()
      local make = { list = { "RPUSH", "x" }, string = { "SET", "x" }, set = { "SADD", "x" },
        hash = { "HSET", "a", "b" } }
      w:on(make[wrong][1], name, table.unpack(make[wrong], 2))
      assert_found("types", "fail", name:gsub("%-", "%%-") .. " is a " .. wrong .. ", not a ")
    end)
  end

  it("a counter that is no number", function()
    w:on("SET", "stat:processed", "many")
    assert_found("counters", "fail", "^stat:processed: no number")
  end)

  it("a queue that is not among the queues", function()
    w:on("RPUSH", "queue:lost:and found", "x")
    local found = assert_found("queues", "fail", "^1 queue with jobs, .*: lost:and found;")
    assert.is_truthy(found.hint:find "SADD .*queues 'lost:and found'")
    w:on("SADD", "queues", "lost:and found")
    assert_found("queues", "ok", "^1 queue, each")
  end)

  it("queues with jobs that no worker serves", function()
    for _, queue in ipairs { "mail", "mail_de", "low", "odd.name" } do
      w:push(queue, "x")
    end
    assert_found("served", "warn", "^4 queues with jobs, and no worker is registered")
    register("host:1:mail,!mail", 0)
    assert_found("served", "warn", "^4 queues with jobs that no worker's QUEUE names: ")
    register("host:2:other,mail*", 0)
    local found = assert_found("served", "warn", "^2 queues .* names: low, odd.name$")
    assert.is_truthy(found.hint:find("QUEUE='low'", 1, true))
    register("host:3:!low,*", 0)
    assert_found("served", "warn", "^1 queue .* names: low$")
    register("host:4:@app", 0)
    assert_found("served", "ok", "every queue with jobs has a worker")
  end)

  it("nothing of keys that only look as if they were under PREFIX", function()
    w.server:call("RPUSH", "t12:queue:other", "x")
    assert_found("queues", "ok", "^no queue yet", { PREFIX = "t1?" })
  end)

  it("failures in failed:overflow", function()
    w:on("RPUSH", "failed:overflow", GOOD, GOOD)
    local found = assert_found("overflow", "warn", "^2 failures in failed:overflow")
    assert.matches("RPOPLPUSH", found.hint)
  end)

  it("a failure that resque-web cannot show, whichever member is wrong", function()
    local function without(member)
      return (GOOD:gsub('"' .. member .. '":%b{},?', ""):gsub('"' .. member .. '":%b[],?', "")
        :gsub('"' .. member .. '":"[^"]*",?', ""):gsub(",}", "}"))
    end
    for _, row in ipairs {
      { "x", "is not JSON" }, { "[]", "is no object" }, { GOOD .. "\255", "is not JSON" },
      { without "failed_at", "has no failed_at" }, { without "worker", "has no worker" },
      { without "queue", "has no queue" }, { without "exception", "has no exception" },
      { without "error", "has no error" }, { without "backtrace", "has no backtrace" },
      { without "payload", "has no payload" },
      { GOOD:gsub('"2026[^"]*"', '"soon"'), "failed_at is no time" },
      { GOOD:gsub('"a:1:q"', '"a:1"'), "worker is not host:process:queues" },
      { GOOD:gsub('"e"', "{}"), "error is no text" },
      { GOOD:gsub('"backtrace":%[%]', '"backtrace":"x"'), "backtrace is no list of lines" },
      { GOOD:gsub('"backtrace":%[%]', '"backtrace":[1]'), "backtrace is no list of lines" },
      { GOOD:gsub('"class":"A"', '"class":5'), "payload has no class" },
    } do
      w:on("DEL", "failed")
      w:on("RPUSH", "failed", GOOD, row[1])
      local found = assert_found("failed", "fail", "^1 of 2 records .*: number 1 " .. row[2])
      assert.is_truthy(found.hint:find(("LINDEX %s 1 "):format(w:key "failed"), 1, true))
    end
  end)

  it("the first and last 5,000 of a long list of failures", function()
    local push = ([[for i = 1, 12000 do redis.call("RPUSH", KEYS[1],
      (i == 1 or i == 5001 or i == 12000) and "x" or ARGV[1]) end]])
    w.server:call("EVAL", push, 1, w:key "failed", GOOD)
    assert_found("failed", "fail",
      "^2 of 10,000 records %(of 12,000%) .* number 0 is not JSON, number 11999 is not JSON$")
  end)

  it("a record of a worker that is no JSON, or has no class", function()
    register("a:1:q", 0)
    register("b:1:q", 0)
    w:on("SET", "worker:a:1:q", "junk")
    assert_found("working", "fail", "^1 of 1 record .*: a:1:q is not JSON")
    w:on("SET", "worker:a:1:q", '{"queue":"q","payload":{}}')
    local found = assert_found("working", "fail", "a:1:q payload has no class")
    assert.is_truthy(found.hint:find(("GET '%s'"):format(w:key "worker:a:1:q"), 1, true))
  end)
end)

describe("doctor of a Redis full of nonsense", function()
  local SEED = tonumber(os.getenv "SEED") or os.time()
  local NAMES = { "queues", "workers", "workers:heartbeat", "failed", "failed:overflow",
    "stat:processed", "stat:failed", "pause-all-workers", "pruning_dead_workers_in_progress",
    "queue:mail", "queue:", "worker:a:1:b", "worker:", "stat:", "worker:a:1:b:started" }
  local VALUES = { "", "x", "\0", "\xff\xfe", "a:1:b", "a", "a:b", "::", "a:1:*,!x,@y,[%", "true",
    "null", "{}", "[]", '{"failed_at":1}', '{"payload":{}}', GOOD, ("{"):rep(2000), "1e999",
    "2026-11-22T10:00:00+99:99", "2026-13-45T99:99:99Z", ("long"):rep(5000), "\27[2J\n", "9" }
  local MAKE = {
    function(key, value) w:on("SET", key, value) end,
    function(key, value) w:on("RPUSH", key, value, "second") end,
    function(key, value) w:on("SADD", key, value, "second") end,
    function(key, value) w:on("HSET", key, value, value) end,
    function(key, value) w:on("ZADD", key, "1", value) end,
    function(key, value) w:on("XADD", key, "*", value, value) end,
  }

  it("answers in valid JSON and plain lines, whatever there is", function()
    math.randomseed(SEED)
    print("SEED=" .. SEED)
    for _ = 1, 30 do
      for _, name in ipairs(NAMES) do
        w:on("DEL", name)
        if math.random(3) > 1 then
          local usual = { queues = 3, workers = 3, ["workers:heartbeat"] = 4, failed = 2 }
          local kind = math.random(2) == 1 and usual[name] or math.random(#MAKE)
          for _ = 1, kind == 1 and 1 or math.random(4) do
            MAKE[kind](name, VALUES[math.random(#VALUES)])
          end
        end
      end
      local code, out, err = w:run { "doctor", "--json" }
      assert.is_true(code == 0 or code == 1, err)
      assert.is_nil(err:find("traceback", 1, true), err)
      assert.is_truthy(utf8.len(out))
      local checks = #cjson.decode(out).checks
      assert.is_true(checks > 25)
      out = select(2, w:run { "doctor" })
      assert.is_nil(out:find("[^\n\t%C]"), out)
      assert.equal(checks, select(2, out:gsub("\n", "")))
    end
  end)
end)
