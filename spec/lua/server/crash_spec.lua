-- What becomes of a job that crashed (fail.lua), whose worker died while it ran, or each time
-- before it began (prune.lua): ON_CRASH.
local cjson = require "cjson"
local scene = require "spec.support.scene"
local scripts = require "spec.support.scripts"

local s <const> = scene.scripts()

local JOB = '{"class":"A","args":[[],{},1e400],"id":"a"}'
local BARE = '{"class":"A","args":["\\u00e9"]}'

local function crash(token, most, options)
  local all = { kind = "crashed", most = most, exception = "Resque::DirtyExit",
    error = "Job killed by signal 9 (SIGKILL)", wall_ms = "5", cpu_ms = "1", peak_kb = "9" }
  for name, value in pairs(options or {}) do
    all[name] = value
  end
  return s:fail(token, all)
end

local function counts(name)
  return table.concat(s:key("HMGET", "lua:attempts:" .. name, "crashed", "unstarted"), " ")
end

local function counted(name)
  return s:key("EXISTS", "lua:attempts:" .. name) == 1
end

local function status(id)
  return cjson.decode(s:key("GET", "job:" .. id .. ":status")).status
end

-- The worker again, after its death.
local function again(on_crash)
  s.on_crash = on_crash
  s:worker_named(s.worker)
  s.on_crash = nil
end

describe("a crash that is not forgiven", function()
  it("is a failure as any other, the first attempt, and nothing is counted", function()
    assert.same({ "OK" }, crash(s:working(JOB), 0))
    local text, failure = s:failure()
    assert.same({ "Resque::DirtyExit", "Job killed by signal 9 (SIGKILL)", 1 },
      { failure.exception, failure.error, failure.attempt })
    assert.is_truthy(text:find('"payload":' .. JOB .. ',"exception"', 1, true))
    assert.equal("1 1 / 1 1", s:counters())
    assert.is_false(counted "a")
  end)
end)

describe("a crash that is forgiven", function()
  it("puts the job at the tail of its queue: counted, waiting, its bytes as they were", function()
    s:key("SET", "job:a:status", '{"status":1,"updated":5,"started":4}')
    local token = s:working(JOB)
    s:push("mail", BARE)
    assert.equal(2, status "a")
    assert.same({ "REQUEUED 1" }, crash(token, 3))
    assert.same({ BARE, JOB }, s:key("LRANGE", "queue:mail", 0, -1))
    assert.equal(1, status "a")
    assert.equal(0, s:key("LLEN", "failed"))
    assert.equal("0 0 / 0 0", s:counters())
    assert.is_nil(s:record())
    assert.same({ "1" }, { s:key("HGET", "lua:attempts:a", "crashed") })
    local ttl = s:key("TTL", "lua:attempts:a")
    assert.is_true(ttl > 2591000 and ttl <= 2592000)
  end)

  it("is told to whoever runs the job next, also where the reply was lost", function()
    crash(s:working(JOB), 3)
    local answer = s:reserve "mail"
    assert.same({ "JOB", JOB, "1" }, { answer[1], answer[6], answer[7] })
    assert.equal("1", s:reserve("mail")[7])
    assert.matches('"status_id":"a","attempts":1,"queue":"mail"', s:record())
  end)

  it("brings the next job in the same trip, itself if there is no other", function()
    local token = s:working(JOB)
    local answer = crash(token, 3, { next_token = s:token(), queues = { "mail" } })
    assert.same({ "REQUEUED 1", "JOB", JOB, "1" }, { answer[1], answer[2], answer[7], answer[8] })
  end)

  it("is poison when it is one too many: failed with its cause, and how often", function()
    s:key("SET", "job:a:status", '{"status":1}')
    local token = s:working(JOB)
    for i = 1, 2 do
      assert.same({ "REQUEUED " .. i }, crash(token, 2))
      token = s:reserve("mail")[2]
    end
    local text = "Job crashed 3 times, of which ON_CRASH forgives 2. The last time: "
      .. "Job killed by signal 9 (SIGKILL)"
    assert.same({ "POISON " .. text }, crash(token, 2, { output = "last words" }))
    local raw, failure = s:failure()
    assert.same({ "Resque::PoisonJob", text, 3, 5, "last words" }, { failure.exception,
      failure.error, failure.attempt, failure.wall_ms, failure.output })
    assert.is_truthy(raw:find('"payload":' .. JOB .. ',"exception"', 1, true))
    assert.equal(3, status "a")
    assert.equal("1 1 / 1 1", s:counters())
    assert.is_false(counted "a")
  end)

  it("is forgotten when the job is done", function()
    crash(s:working(JOB), 3)
    assert.is_true(counted "a")
    s:done(s:reserve("mail")[2])
    assert.is_false(counted "a")
    assert.equal("1 0 / 1 0", s:counters())
  end)

  it("is forgotten when the job has failed in another way, which says the attempt", function()
    crash(s:working(JOB), 3)
    s:fail(s:reserve("mail")[2], { wall_ms = "1" })
    assert.is_false(counted "a")
    assert.equal(2, select(2, s:failure()).attempt)
  end)

  it("is remembered while the job is put back unstarted", function()
    crash(s:working(JOB), 3)
    s:run("unreserve", s:reserve("mail")[2])
    assert.equal("1", s:reserve("mail")[7])
  end)

  it("of a job without an id is counted by its bytes", function()
    crash(s:working(BARE), 3)
    local key = "lua:attempts:" .. s:set("EVAL", "return redis.sha1hex(ARGV[1])", 0, BARE)
    assert.equal("1", s:key("HGET", key, "crashed"))
    s:push("mail", BARE) -- its twin
    assert.equal("1", s:reserve("mail")[7])
  end)

  it("is counted under the id with php-resque's prefix", function()
    crash(s:working '{"class":"A","args":[],"id":"a","prefix":"my"}', 3)
    assert.is_true(counted "my_a")
  end)

  it("once, though it is told twice", function()
    local token = s:working(JOB)
    crash(token, 3)
    assert.same({ "ALREADY" }, crash(token, 3))
    assert.same({ JOB }, s:key("LRANGE", "queue:mail", 0, -1))
    assert.equal("1", s:key("HGET", "lua:attempts:a", "crashed"))
  end)

  it("works on a full Redis", function()
    local token = s:working(JOB)
    s:fill()
    assert.same({ "REQUEUED 1" }, crash(token, 3))
    s:set("CONFIG", "SET", "maxmemory", "0")
    assert.equal("queue:mail", s:places(JOB))
  end)

  it("makes its queue known again", function()
    local token = s:working(JOB)
    s:key("DEL", "queues")
    crash(token, 3)
    assert.same({ "mail" }, s:key("SMEMBERS", "queues"))
  end)

  it("is a failure where the count is no hash: 'at most' is a promise", function()
    s:key("SET", "lua:attempts:a", "x")
    assert.same({ "OK" }, crash(s:working(JOB), 3))
    assert.matches("%(SIGKILL%) %(and could not be put back into its queue: its crashes cannot be",
      select(2, s:failure()).error)
    assert.equal("failed", s:places(JOB))
  end)

  it("is a failure where the queue is no list, and not counted while nothing takes it", function()
    local token = s:working(JOB)
    for _, key in ipairs { "queue:mail", "failed", "failed:overflow" } do
      s:key("SET", key, "x")
    end
    local record = s:record()
    for _ = 1, 3 do
      assert.equal("ERR", crash(token, 1)[1])
      assert.equal(record, s:record())
    end
    s:key("DEL", "failed")
    assert.same({ "OK" }, crash(token, 1))
    assert.matches("WRONGTYPE", select(2, s:failure()).error)
    assert.equal("failed", s:places(JOB))
  end)

  it("takes a count that is no number for none", function()
    s:key("HSET", "lua:attempts:a", "crashed", "-9e9")
    assert.same({ "REQUEUED 1" }, crash(s:working(JOB), 1))
  end)
end)

describe("a worker's death", function()
  local function prune(kind, started)
    return s:run("prune", kind or "proc", scripts.NONCE, "web9:1", started or "")
  end

  local function job_says(token, text)
    s:key("HSET", "lua:proc:" .. s.worker, "job_on_crash", (text:gsub("TOKEN", token)))
  end

  -- The worker's ON_CRASH, what the job's table said, and what becomes of the job.
  local rows = {
    { "0", nil, "FAILED" }, { "1", nil, "REQUEUED" }, { "1", "TOKEN 0", "FAILED" },
    { "0", "TOKEN 2", "REQUEUED" }, { "0", "fedcba9876543210:9 2", "FAILED" },
    { "1", "fedcba9876543210:9 0", "REQUEUED" }, { "0", "TOKEN", "FAILED" },
    { "0", "TOKEN x", "FAILED" },
  }
  for _, row in ipairs(rows) do
    for _, kind in ipairs { "proc", "reaped" } do
      it(("(%s) with ON_CRASH %s and table %s: %s"):format(kind, row[1], row[2], row[3]), function()
        s:key("SET", "job:a:status", '{"status":1}')
        s:run("unregister", scripts.NONCE, 0)
        again(row[1])
        local token = s:working(JOB)
        if row[2] then job_says(token, row[2]) end
        assert.same({ "OK", row[3], "A" }, prune(kind, token))
        local back = row[3] == "REQUEUED"
        assert.equal(back and "queue:mail" or "failed", s:places(JOB))
        assert.equal(back and 1 or 3, status "a")
        assert.equal(back and "0 0 / 0 0" or "1 1 / 0 0", s:counters())
        assert.equal(back, counted "a")
        assert.equal(0, s:key("EXISTS", "lua:proc:" .. s.worker))
      end)
    end
  end

  it("counts together with crashes: poison after both", function()
    s:run("unregister", scripts.NONCE, 0)
    again "2"
    crash(s:working(JOB), 2)
    s:reserve "mail"
    assert.same({ "OK", "REQUEUED", "A" }, prune())
    again "2"
    s:reserve "mail"
    assert.same({ "OK", "POISON", "A" }, prune())
    local _, failure = s:failure()
    assert.same({ "Resque::PoisonJob", 3, "web9:1" },
      { failure.exception, failure.attempt, failure.pruned_by })
    assert.equal("Job crashed 3 times, of which ON_CRASH forgives 2. The last time: Worker "
      .. "web1:12:mail did not gracefully exit while processing A", failure.error)
    assert.is_false(counted "a")
  end)

  it("puts back bytes that no parser reads as they were", function()
    s:run("unregister", scripts.NONCE, 0)
    again "1"
    local odd = '{"class":"A","args":[NaN]}' -- the worker had not looked at them yet
    s:working(odd)
    assert.same({ "OK", "REQUEUED", "A" }, prune())
    assert.same({ odd }, s:key("LRANGE", "queue:mail", 0, -1))
  end)

  it("before the job began is counted, and the fifth is one too many", function()
    s:key("SET", "job:a:status", '{"status":1}')
    s:working(JOB)
    s:push("mail", BARE)
    for i = 1, 4 do
      assert.same({ "OK", "PUTBACK", "A" }, prune "reaped")
      assert.equal(tostring(i), s:key("HGET", "lua:attempts:a", "unstarted"))
      assert.same({ JOB, BARE }, s:key("LRANGE", "queue:mail", 0, -1))
      again()
      assert.equal("0", s:reserve("mail")[7]) -- it never ran
    end
    assert.same({ "OK", "POISON", "A" }, prune "reaped")
    local raw, failure = s:failure()
    assert.same({ "Resque::PoisonJob", "Its worker died 5 times before the job started, the last "
      .. "time as web1:12:mail", "web9:1" },
      { failure.exception, failure.error, failure.pruned_by })
    assert.is_nil(failure.attempt)
    assert.is_truthy(raw:find('"payload":' .. JOB .. ',"exception"', 1, true))
    assert.equal("1 1 / 0 0", s:counters())
    assert.equal(3, status "a")
    assert.is_false(counted "a")
  end)

  it("before the job began is forgotten when it is done", function()
    s:working(JOB)
    prune "reaped"
    again()
    s:done(s:reserve("mail")[2])
    assert.is_false(counted "a")
  end)

  it("before the job began says nothing against its crashes, and the other way round", function()
    s:working(JOB)
    prune "reaped"
    again "1"
    crash(s:reserve("mail")[2], 1)
    assert.equal("1 1", counts "a")
    assert.equal("1", s:reserve("mail")[7])
  end)

  it("before the job began puts it back uncounted where the count is no hash", function()
    s:key("SET", "lua:attempts:a", "x")
    s:working(JOB)
    assert.same({ "OK", "PUTBACK", "A" }, prune "reaped")
    assert.equal("queue:mail", s:places(JOB))
  end)
end)
