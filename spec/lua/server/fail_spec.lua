-- fail.lua: a job has failed.
local cjson = require "cjson"
local mime = require "mime"
local scene = require "spec.support.scene"
local scripts = require "spec.support.scripts"

local s <const> = scene.scripts()

local JOB = '{"class":"A","args":[]}'
local NONCE = scripts.NONCE

describe("fail", function()
  it("writes Ruby's seven members in Ruby's order, then our host, and counts both", function()
    local token = s:working(JOB)
    assert.same({ "OK" }, s:fail(token, {
      exception = "Resque::DirtyExit", error = "Job killed by signal 9 (SIGKILL)",
      trace = { "jobs.lua:7: in perform", "[C]: in ?" },
    }))
    assert.matches('^{"failed_at":"%d%d%d%d/%d%d/%d%d %d%d:%d%d:%d%d UTC",'
      .. '"payload":{"class":"A","args":%[%]},'
      .. '"exception":"Resque::DirtyExit","error":"Job killed by signal 9 %(SIGKILL%)",'
      .. '"backtrace":%["jobs.lua:7: in perform","%[C%]: in %?"%],'
      .. '"worker":"web1:12:mail","queue":"mail","host":"web1"}$', (s:failure()))
    assert.equal("1 1 / 1 1", s:counters())
    assert.is_nil(s:record())
  end)

  it("writes what the process has used, which limit ended it, and its last words", function()
    s:fail(s:working(JOB), { wall_ms = "1200", cpu_ms = "30", peak_kb = "4096", limit = "timeout",
      output = 'one "line"\nbad \255\n' })
    assert.is_truthy(s:failure():find('"host":"web1","attempt":1,"wall_ms":1200,'
      .. '"cpu_ms":30,"peak_kb":4096,'
      .. '"limit":"timeout","output":"one \\"line\\"\\nbad ?\\n"}', 1, true), (s:failure()))
  end)

  it("names the host without the number that tells workers of one id apart", function()
    s:worker_named "web1~2:12:mail"
    s:fail(s:working(JOB))
    assert.equal("web1", select(2, s:failure()).host)
  end)

  it("always writes a list as backtrace", function()
    s:fail(s:working(JOB))
    assert.is_truthy(s:failure():find('"backtrace":[],', 1, true))
  end)

  it("appends: nothing is trimmed or reordered", function()
    for i = 1, 3 do
      s:fail(s:working(JOB), { error = "e" .. i })
    end
    for i = 1, 3 do
      assert.equal("e" .. i, select(2, s:failure(i - 1)).error)
    end
  end)

  it("keeps every byte of the payload", function()
    for _, payload in ipairs {
      '{"class":"A","args":[[],{},9223372036854775807,1.0,1e400,"\\/\\u00e9"]}',
      ' { "class":"A" , "args" : [ ] } ', '{"class":"A","args":["' .. ("é/x"):rep(250000) .. '"]}',
    } do
      s:fail(s:working(payload))
      assert.is_truthy(s:failure():find('"payload":' .. payload .. ',"exception":', 1, true))
    end
  end)

  local names = {
    ["Mail.Error"] = "Mail.Error", ["Mail::Error"] = "Mail::Error", ["App\\Error"] = "App_Error",
    ["a b\n\27é"] = "a_b____", [""] = "",
  }
  for name, written in pairs(names) do
    it(("restricts the exception %q"):format(name), function()
      s:fail(s:working(JOB), { exception = name })
      assert.equal(written, select(2, s:failure()).exception)
    end)
  end

  it("writes any text as it is, bad UTF-8 as ?", function()
    local text = 'a"b\\c/d\n\t\27[31m\0é'
    s:push("m\n\"é", JOB)
    s:worker_named('web"1:12:m\n"é')
    s:fail(s:reserve("m\n\"é")[2], { error = text .. "\255", trace = { text, "" } })
    local _, failure = s:failure()
    assert.same({ text .. "?", { text, "" }, 'web"1:12:m\n"é', "m\n\"é" },
      { failure.error, failure.backtrace, failure.worker, failure.queue })
  end)

  it("goes on with the next job, behind any number of trace lines", function()
    for _, trace in ipairs { {}, { "one" }, { "mail", "1", "" } } do
      s:reset()
      s:push("mail", JOB, '{"class":"B","args":[]}')
      local answer = s:fail(s:reserve("mail")[2],
        { trace = trace, next_token = s:token(), queues = { "none", "mail" } })
      assert.same({ "OK", "JOB", NONCE .. ":2", "mail", "B" }, { table.unpack(answer, 1, 5) })
      assert.same(trace, select(2, s:failure()).backtrace)
    end
  end)

  it("takes no trace line for a queue", function()
    s:push("mail", JOB, JOB)
    local token = s:reserve("mail")[2]
    assert.same({ "OK", "EMPTY" },
      s:fail(token, { trace = { "mail", "mail" }, next_token = s:token(), queues = { "none" } }))
  end)

  it("twice changes nothing and answers ALREADY", function()
    local token = s:working(JOB)
    s:fail(token)
    local before = s:everything()
    assert.same({ "ALREADY" }, s:fail(token))
    assert.same(before, s:everything())
  end)

  it("sets the status to 3 for a day, with started", function()
    s:key("SET", "job:a:status",
      '{"status":1,"updated":1326692575,"started":1326692570,"result":null}')
    s:fail(s:working '{"class":"A","args":[],"id":"a"}')
    assert.matches('^{"status":3,"updated":%d+,"started":1326692570,"result":null}$',
      s:key("GET", "job:a:status"))
    assert.is_true(s:key("TTL", "job:a:status") > 86390)
  end)
end)

describe("fail of a malformed payload", function()
  local rows = {
    ["a raw NUL and binary"] = '{"class":"A","args":[]}\0\255\1',
    ["NaN"] = '{"class":"A","args":[NaN]}',
    ["bad UTF-8"] = '{"class":"A","args":["\255"]}',
    ["a newline in a string"] = '{"class":"A","args":["a\nb"]}',
    ["99 levels"] = '{"class":"A","args":' .. ("["):rep(98) .. ("]"):rep(98) .. "}",
  }
  for name, payload in pairs(rows) do
    it("keeps the bytes: " .. name, function()
      local token = s:working(payload)
      assert.same({ "OK" }, s:fail(token, {
        kind = "malformed", exception = "Resque::MalformedPayload", error = "byte 3: invalid UTF-8",
      }))
      local _, failure = s:failure()
      assert.same({ "(malformed)", 1, payload, "byte 3: invalid UTF-8" }, { failure.payload.class,
        #failure.payload.args, mime.unb64(failure.raw_base64), failure.error })
      assert.equal((payload:gsub("\255", "?")), failure.payload.args[1])
      assert.equal("1 1 / 1 1", s:counters())
    end)
  end
end)

describe("fail where failed cannot be written", function()
  it("uses failed:overflow", function()
    s:key("SET", "failed", "x")
    assert.same({ "OK" }, s:fail(s:working(JOB)))
    assert.equal("failed:overflow", s:places(JOB))
    assert.equal("boom", select(2, s:failure(0, "failed:overflow")).error)
    assert.equal("1 1 / 1 1", s:counters())
  end)

  it("puts the record back, changes nothing and says so, when that is no list either", function()
    s:key("SET", "job:a:status", '{"status":1,"updated":1,"started":1}')
    local token = s:working '{"class":"A","args":[],"id":"a"}'
    s:push("mail", JOB)
    s:key("SET", "failed", "x")
    s:key("SET", "failed:overflow", "x")
    local before = s:everything()
    for _, kind in ipairs { "failed", "malformed" } do
      local answer = s:fail(token, { kind = kind, next_token = s:token(), queues = { "mail" } })
      assert.equal("ERR", answer[1])
      assert.matches("^cannot write to p:failed nor to failed:overflow: .*WRONGTYPE", answer[2])
      assert.same(before, s:everything())
    end
    s:key("DEL", "failed")
    assert.same({ "OK" }, s:fail(token))
  end)

  it("works on a full Redis", function()
    s:key("SET", "job:a:status", '{"status":1,"updated":1,"started":1}')
    local token = s:working '{"class":"A","args":[],"id":"a"}'
    s:push("mail", JOB)
    s:fill()
    assert.equal("JOB", s:fail(token, { next_token = s:token(), queues = { "mail" } })[2])
    assert.equal(3, cjson.decode(s:key("GET", "job:a:status")).status)
    assert.equal("1 1 / 1 1", s:counters())
  end)

  it("puts the record back on a full Redis too", function()
    local token = s:working(JOB)
    s:key("SET", "failed", "x")
    s:key("SET", "failed:overflow", "x")
    local record = s:record()
    s:fill()
    assert.equal("ERR", s:fail(token)[1])
    assert.equal(record, s:record())
  end)
end)
