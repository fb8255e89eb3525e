-- prune.lua: accounts for a dead worker, ours or another implementation's.
local cjson = require "cjson"
local mime = require "mime"
local scene = require "spec.support.scene"
local scripts = require "spec.support.scripts"

local s <const> = scene.scripts()

local JOB = '{"class":"A","args":[]}'
local NONCE = scripts.NONCE
local BEAT = "2012-01-16T05:42:55+00:00"
local PRUNER = "web9:1"

local function prune(kind, expected, started)
  return s:run("prune", kind, expected, PRUNER, started or "")
end

-- A worker of another implementation that has beaten once, with this record.
local function foreign(record)
  s:reset(true)
  s.worker = "web2:77:default"
  s:key("SADD", "workers", s.worker)
  s:key("HSET", "workers:heartbeat", s.worker, BEAT)
  s:key("SET", "worker:" .. s.worker .. ":started", "2012-01-16 05:00:00 +0000")
  if record then s:key("SET", "worker:" .. s.worker, record) end
end

local function gone()
  for _, key in ipairs(s:set("KEYS", "*")) do
    assert.is_nil(key:find(s.worker, 1, true), key)
  end
  assert.equal(0, s:key("SISMEMBER", "workers", s.worker))
  assert.is_nil(s:key("HGET", "workers:heartbeat", s.worker))
end

describe("prune acts only on proof", function()
  local rows = {
    { "heartbeat", BEAT, true }, { "heartbeat", "2012-01-16T05:42:56+00:00", false },
    { "heartbeat", "", false }, { "proc", NONCE, true }, { "proc", scripts.OTHER, false },
    { "proc", NONCE:sub(1, 15), false }, { "proc", "", false }, { "proc", BEAT, false },
    { "reaped", NONCE, true }, { "reaped", scripts.OTHER, false }, { "reaped", "", false },
  }
  for _, row in ipairs(rows) do
    it(("%s %q: %s"):format(row[1], row[2], row[3] and "OK" or "GONE"), function()
      local token = s:working(JOB)
      s:key("HSET", "workers:heartbeat", s.worker, BEAT)
      local before = s:everything()
      local answer = prune(row[1], row[2], token)
      if row[3] then
        assert.same({ "OK", "FAILED", "A" }, answer)
        gone()
      else
        assert.same({ "GONE" }, answer)
        assert.same(before, s:everything())
      end
    end)
  end

  it("and not when there is nothing to compare, or it is of another type", function()
    s:reset(true)
    assert.same({ "GONE" }, prune("heartbeat", BEAT))
    assert.same({ "GONE" }, prune("heartbeat", ""))
    for _, proof in ipairs { "proc", "reaped" } do
      for _, text in ipairs { "false", "nil", "" } do
        assert.same({ "GONE" }, prune(proof, text))
      end
    end
    s:key("SET", "workers:heartbeat", "x")
    s:key("SET", "lua:proc:" .. s.worker, "x")
    assert.same({ "GONE" }, prune("heartbeat", BEAT))
    assert.same({ "GONE" }, prune("proc", NONCE))
    s:key("DEL", "lua:proc:" .. s.worker)
    s:key("HSET", "lua:proc:" .. s.worker, "boot", "boot", "ns", "1", "pid", "12", "start", "777")
    assert.same({ "GONE" }, prune("proc", NONCE))
  end)
end)

describe("prune", function()
  it("removes an idle worker and records nothing", function()
    assert.same({ "OK" }, prune("proc", NONCE))
    assert.same({}, s:set("KEYS", "*"))
  end)

  it("records the job in flight once, by the name of its worker", function()
    s:key("SET", "job:my_a:status", '{"status":1,"updated":1326692575,"started":1326692570}')
    local payload = '{"class":"Mail::Send","args":[[],{},9223372036854775807],'
      .. '"id":"a","prefix":"my"}'
    local token = s:working(payload)
    assert.same({ "OK", "FAILED", "Mail::Send" }, prune("reaped", NONCE, token))
    assert.is_truthy(s:failure():find(
      '"payload":' .. payload .. ',"exception":"Resque::PruneDeadWorkerDirtyExit",'
      .. '"error":"Worker web1:12:mail did not gracefully exit while processing Mail::Send",'
      .. '"backtrace":[],"worker":"web1:12:mail","queue":"mail","host":"web1","attempt":1,'
      .. '"pruned_by":"web9:1"}', 1, true))
    assert.equal("failed", s:places(payload))
    assert.equal("1 1 / 0 0", s:counters())
    assert.equal(3, cjson.decode(s:key("GET", "job:my_a:status")).status)
    gone()
    assert.same({ "GONE" }, prune("reaped", NONCE))
    assert.equal(1, s:key("LLEN", "failed"))
  end)

  -- The token of the last job whose code had begun, against the record's.
  local starts = {
    { "reaped", "the same", "FAILED" }, { "reaped", "none", "PUTBACK" },
    { "reaped", "the one before", "PUTBACK" }, { "reaped", "another worker's", "PUTBACK" },
    { "proc", "the same", "FAILED" }, { "proc", "none", "FAILED" },
    { "proc", "the one before", "FAILED" }, { "heartbeat", "none", "FAILED" },
    { "heartbeat", "the one before", "FAILED" },
  }
  for _, row in ipairs(starts) do
    it(("by %s, last started: %s: the job is %s"):format(row[1], row[2], row[3]), function()
      local payload = '{"class":"A","args":[NaN]}'
      s:working(JOB)
      s:done(scripts.NONCE .. ":1")
      local token = s:working(payload)
      s:key("HSET", "workers:heartbeat", s.worker, BEAT)
      local started = { ["the same"] = token, ["the one before"] = scripts.NONCE .. ":1",
        ["another worker's"] = scripts.OTHER .. ":2", none = "" }
      assert.same({ "OK", row[3], "A" },
        prune(row[1], row[1] == "heartbeat" and BEAT or NONCE, started[row[2]]))
      local back = row[3] == "PUTBACK"
      assert.equal(back and 1 or 0, s:key("LLEN", "queue:mail"))
      assert.equal(back and 0 or 1, s:key("LLEN", "failed"))
      if back then
        assert.equal(payload, s:key("LINDEX", "queue:mail", 0))
      end
      assert.equal(back and "1 0 / 0 0" or "2 1 / 0 0", s:counters())
      gone()
    end)
  end

  it("works on a full Redis", function()
    s:working(JOB)
    s:fill()
    assert.same({ "OK", "FAILED", "A" }, prune("proc", NONCE))
    assert.equal("failed", s:places(JOB))
    s:reset()
    s:working(JOB)
    s:fill()
    assert.same({ "OK", "PUTBACK", "A" }, prune("reaped", NONCE))
    assert.equal("queue:mail", s:places(JOB))
  end)

  it("uses failed:overflow, and removes nothing when that is no list either", function()
    s:working(JOB)
    s:key("SET", "failed", "x")
    s:key("SET", "failed:overflow", "x")
    local before = s:everything()
    assert.equal("ERR", prune("proc", NONCE)[1])
    assert.same(before, s:everything())
    s:key("DEL", "failed:overflow")
    assert.same({ "OK", "FAILED", "A" }, prune("proc", NONCE))
    assert.equal("failed:overflow", s:places(JOB))
  end)

  it("keeps the bytes of a payload of ours that was never checked", function()
    for _, payload in ipairs { '{"class":"A","args":[NaN]}\0\255', '{"class":"A","args":["\255"]}',
      '{"class":"A","args":' .. ("["):rep(98) .. ("]"):rep(98) .. "}" } do
      s:reset()
      s:working(payload)
      assert.same({ "OK", "FAILED", "A" }, prune("proc", NONCE))
      local _, failure = s:failure()
      assert.same({ "(malformed)", payload }, {
        failure.payload.class, mime.unb64(failure.raw_base64) })
    end
  end)

  it("splices a payload of a million values", function()
    local payload = '{"class":"A","args":[' .. ("1,"):rep(1000000) .. "1]}"
    s:working(payload)
    prune("proc", NONCE)
    assert.is_truthy(s:key("LINDEX", "failed", 0):find('"payload":' .. payload .. ",", 1, true))
  end)

  it("knows a queue whose name is not UTF-8", function()
    s:push("caf\233", JOB)
    s:reserve "caf\233"
    assert.same({ "OK", "PUTBACK", "A" }, prune("reaped", NONCE))
    assert.equal(1, s:key("LLEN", "queue:caf\233"))
  end)
end)

-- The record of a running job, as each implementation writes it (docs/redis.md).
describe("prune of", function()
  local records = {
    { "Ruby", "default", "RJob", '{"class":"RJob","args":[1]}',
      '{"queue":"default","run_at":"2026-11-22T09:52:02Z","payload":%s}' },
    { "Ruby with objects", "default", "RJob",
      '{"class":"RJob","args":[1,"é/x",{"a":null,"payload":{"class":"B"}}]}',
      '{"queue":"default","run_at":"2026-11-22T09:52:02Z","payload":%s}' },
    { "php-2012", "default", "My_Job",
      '{"class":"My_Job","args":[{"name":"Chris"}],"id":"6055fe20b95"}',
      '{"queue":"default","run_at":"Mon Jan 16 13:42:55 CST 2012","payload":%s}' },
    { "php-cb", "q/1", "My_Job",
      [[{"class":"My_Job","args":[null],"id":"96e6","queue_time":1795341259.662578}]],
      [[{"queue":"q\/1","run_at":"Mon Jan 16 13:42:55 CST 2012","payload":%s}]] },
    { "php-new", "default", "App\\Jobs\\Mail",
      [[{"class":"App\\Jobs\\Mail","args":[{"u":"\u00e9\/"}],"id":"a94d",]]
      .. [["prefix":"","queue_time":1795341117.777}]],
      '{"queue":"default","run_at":"2026-11-22T09:51:57+00:00","payload":%s}' },
    { "node", "q", "add", '{"class":"add","queue":"math","args":{}}',
      '{"run_at":"Fri Dec 12 2014 14:01:16 GMT-0800 (PST)","queue":"q","payload":%s,'
      .. '"worker":"host:123"}' },
    { "goworker", "q", "A", '{"class":"A","args":[]}',
      '{"queue":"q","run_at":"2012-01-16T05:42:55.123456789Z","payload":%s}' },
    { "somebody who likes blanks", "q", "A", '{ "class" : "A" }',
      ' { "payload" : %s , "queue":"q" } ' },
    { "somebody who repeats himself", "q", "A", JOB,
      '{"payload":{"class":"B"},"queue":"b","payload":%s,"queue":"q"}' },
    { "somebody who escapes", "q", "A", JOB, '{"p\\u0061yload":%s,"queue":"\\u0071"}' },
    { "somebody with a misleading text", "q", "A", JOB,
      '{"note":"\\"payload\\":{","queue":"q","payload":%s}' },
    { "somebody without a queue", "", "A", JOB, '{"payload":%s}' },
    { "somebody whose queue is a number", "", "A", JOB, '{"payload":%s,"queue":5}' },
  }
  for _, row in ipairs(records) do
    local name, queue, class, payload, record = table.unpack(row)
    it(name .. " splices the payload as it is", function()
      foreign((record:gsub("%%s", function() return payload end)))
      assert.same({ "OK", "FAILED", class }, prune("heartbeat", BEAT))
      local text, failure = s:failure()
      assert.is_truthy(text:find(
        '"payload":' .. payload .. ',"exception":"Resque::PruneDeadWorkerDirtyExit"', 1, true))
      assert.same({ queue, "web2:77:default",
        "Worker web2:77:default did not gracefully exit while processing " .. class },
        { failure.queue, failure.worker, failure.error })
      assert.equal("1 1 / 0 0", s:counters())
      gone()
    end)
  end

  local odd = {
    ["text"] = "junk", ["nothing"] = "", ["binary"] = "\0\255", ["an empty object"] = "{}",
    ["a list"] = "[]", ["no payload"] = '{"queue":"q","run_at":"x"}',
    ["cut text"] = '{"queue":"q","run_at":"x","payload":{"class":"A","args":[1',
    ["something that only cjson reads"] = '{"queue":"q","payload":{"class":"A","args":[NaN]}}',
    ["bad UTF-8"] = '{"queue":"q","payload":{"class":"A","args":["\255"]}}',
    ["too many levels"] = '{"queue":"q","payload":{"class":"A","args":' .. ("["):rep(98)
      .. ("]"):rep(98) .. "}}",
  }
  for name, record in pairs(odd) do
    it("a record that is " .. name .. " keeps all its bytes", function()
      foreign(record)
      assert.same({ "OK", "FAILED", "(malformed)" }, prune("heartbeat", BEAT))
      local _, failure = s:failure()
      assert.same({ "(malformed)", record }, {
        failure.payload.class, mime.unb64(failure.raw_base64) or "" })
      assert.equal("1 1 / 0 0", s:counters())
      gone()
    end)
  end

  for _, payload in ipairs { '"text"', "null", "[]", "{}", '{"class":null}', "1" } do
    it("a record with the payload " .. payload .. " keeps that", function()
      foreign('{"queue":"q","payload":' .. payload .. "}")
      assert.same({ "OK", "FAILED", "(malformed)" }, prune("heartbeat", BEAT))
      local _, failure = s:failure()
      assert.same({ payload, "q" }, { mime.unb64(failure.raw_base64), failure.queue })
    end)
  end

  it("a record that is no string leaves that key alone", function()
    foreign()
    s:key("HSET", "worker:" .. s.worker, "job", "x")
    assert.same({ "OK" }, prune("heartbeat", BEAT))
    assert.equal("x", s:key("HGET", "worker:" .. s.worker, "job"))
    assert.equal(0, s:key("EXISTS", "workers", "workers:heartbeat", "failed"))
  end)

  it("a heartbeat that nobody is registered for", function()
    foreign()
    s:key("SREM", "workers", s.worker)
    assert.same({ "OK" }, prune("heartbeat", BEAT))
    assert.same({}, s:set("KEYS", "*"))
  end)

  it("a record that is not ours never puts anything back", function()
    foreign('{"queue":"q","payload":' .. JOB .. "}")
    s:key("HSET", "lua:proc:" .. s.worker, "nonce", NONCE)
    assert.same({ "OK", "FAILED", "A" }, prune("reaped", NONCE))
  end)
end)
