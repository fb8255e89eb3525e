-- reserve.lua: the next job, written into the worker's record in the same step. What it rejects is
-- reserve_rejects_spec's.
local cjson = require "cjson"
local json = require "resque.json"
local scene = require "spec.support.scene"
local scripts = require "spec.support.scripts"

local s <const> = scene.scripts()

local JOB = '{"class":"A","args":[]}'
local NONCE, OTHER = scripts.NONCE, scripts.OTHER

local function file(bytes, from, to)
  local random = assert(io.open("/dev/urandom", "rb"))
  local text = random:read(bytes):gsub(from, to)
  random:close()
  return text
end

describe("reserve", function()
  it("takes the head of the first queue that has a job, in the order given", function()
    s:push("low", JOB)
    s:push("high", '{"class":"B","args":[1]}', '{"class":"C","args":[2]}')
    local classes = {}
    for i = 1, 4 do
      local answer = s:reserve("empty", "high", "low")
      classes[i] = answer[4] or answer[1]
      s:done(answer[2] or "")
    end
    assert.same({ "B", "C", "A", "EMPTY" }, classes)
  end)

  it("answers with token, queue, class, id and the payload", function()
    local payload = '{"class":"My_Job","args":[{"name":"Chris"}],"id":"96e668fc",'
      .. '"queue_time":1795341259.662578}'
    s:push("mail", payload)
    assert.same({ "JOB", NONCE .. ":1", "mail", "My_Job", "96e668fc", payload, "0" },
      s:reserve "mail")
  end)

  it("writes the record: token at a fixed place, Ruby's run_at", function()
    s:working(JOB)
    local run_at = s:record():match(
      '^{"token":"0123456789abcdef:1","queue":"mail","run_at":"([^"]*)",'
      .. '"payload":{"class":"A","args":%[%]}}$')
    local now = tonumber(s:set("TIME")[1])
    assert.is_true(run_at == os.date("!%Y-%m-%dT%H:%M:%SZ", now)
      or run_at == os.date("!%Y-%m-%dT%H:%M:%SZ", now - 1))
  end)

  it("leaves `queues` alone when it empties a queue", function()
    s:working(JOB)
    assert.same({ "mail" }, s:key("SMEMBERS", "queues"))
  end)

  it("takes any queue name literally", function()
    for _, queue in ipairs { "a b", "a:b", 'q"\\', "new\nline", "caf\233", "*", "é/" } do
      s:push(queue, JOB)
      local answer = s:reserve(queue)
      assert.same({ "JOB", queue }, { answer[1], answer[3] })
      assert(json.check(s:record(), 99))
      assert.same({ "OK" }, s:run("unreserve", answer[2]))
      assert.equal(1, s:key("LLEN", "queue:" .. queue))
      s:key("DEL", "queue:" .. queue)
    end
  end)
end)

describe("reserve keeps every byte of", function()
  local rows = {
    ["[] and {}"] = '{"class":"A","args":[[],{},[{}]],"empty":{}}',
    ["2^63-1 and 2^53+1"] = '{"class":"A","args":[9223372036854775807,9007199254740993]}',
    ["long floats"] = '{"class":"A","args":[1.0,1e400,0.1000000000000000055511151231257827]}',
    ["php escapes"] = [[{"class":"A\\B","args":[{"p":"a\/b","u":"\u00e9\ud83d\ude00"}]}]],
    ["blanks and repeated names"] = ' { "class" : "X" ,\t"class":"A",\r\n"args" : [ ] } ',
    ["escaped NULs"] = '{"class":"A","args":["\\u0000"]}',
    ["a raw NUL behind the object"] = '{"class":"A","args":[]}\0binary\255',
    ["invalid UTF-8"] = '{"class":"A","args":["\255\128\195"]}',
    ["control characters"] = '{"class":"A","args":["\1\n\27"]}',
    ["what only the server's cjson takes"] = '{"class":"A","args":[NaN,0x10,01]}',
    ["100 KB of binary junk in a string"] = '{"class":"A","args":["' .. file(100000, '[%z"\\]', "x")
      .. '"]}',
    ["1 MB of text"] = '{"class":"A","args":["' .. file(1000000, "[^%w]", "é") .. '"],"id":"x"}',
  }
  for name, payload in pairs(rows) do
    it(name, function()
      local token = s:working(payload)
      assert.is_true(s:record():sub(-#payload - 1, -2) == payload)
      assert.is_true(s:reserve("mail")[6] == payload) -- resumed
      assert.same({ "OK" }, s:run("unreserve", token))
      assert.is_true(s:key("LINDEX", "queue:mail", 0) == payload)
    end)
  end
end)

describe("reserve of odd ids", function()
  local rows = {
    { '"id":5', "", "" }, { '"id":null', "", "" }, { '"id":""', "", "" }, { '"id":[]', "", "" },
    { '"id":{"a":1}', "", "" }, { '"id":true', "", "" }, { '"id":1,"id":"b"', "b", "b" },
    { '"id":"b","id":1', "", "" }, { '"id":"a\\"b"', 'a"b', 'a"b' },
    { '"id":"\\u0000"', "\0", "\0" }, { '"id":"x","prefix":"mine"', "x", "mine_x" },
    { '"id":"x","prefix":""', "x", "x" }, { '"id":"x","prefix":7', "x", "x" },
    { '"id":"x","prefix":null', "x", "x" }, { '"prefix":"mine"', "", "" },
    { '"id":",\\"queue\\":\\"y"', ',"queue":"y', ',"queue":"y' },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      local payload = '{"class":"A","args":[],' .. row[1] .. "}"
      s:key("SET", "job:" .. row[3] .. ":status", '{"status":1,"updated":1,"started":1}')
      local token = s:working(payload)
      local tracked = row[3] ~= ""
      assert.equal(row[2], s:reserve("mail")[5])
      local status = "job:" .. row[3] .. ":status"
      assert.equal(tracked and 2 or 1, cjson.decode(s:key("GET", status)).status)
      assert.same({ "OK" }, s:done(token))
      assert.equal(tracked and 4 or 1, cjson.decode(s:key("GET", status)).status)
    end)
  end
end)

describe("reserve takes nothing", function()
  local function unchanged(answer, ...)
    s:push("mail", JOB)
    local before = s:everything()
    assert.same(answer, s:reserve(...))
    assert.same(before, s:everything())
  end

  for _, value in ipairs { "true", " TRUE\n", "True" } do
    it(("while pause-all-workers is %q"):format(value), function()
      s:key("SET", "pause-all-workers", value)
      unchanged({ "PAUSED" }, "mail")
    end)
  end

  it("when it is not registered", function()
    s:key("SREM", "workers", s.worker)
    unchanged({ "LOST" }, "mail")
  end)

  it("when the record is another nonce's", function()
    s:key("SET", "worker:" .. s.worker, '{"token":"' .. OTHER
      .. ':3","queue":"q","run_at":"x","payload":{}}')
    unchanged({ "CONFLICT", OTHER .. ":3" }, "mail")
  end)

  for _, record in ipairs { "junk", "", '{"queue":"q","run_at":"x","payload":{"class":"B"}}' } do
    it(("when the record is %q"):format(record), function()
      s:key("SET", "worker:" .. s.worker, record)
      unchanged({ "CONFLICT", "" }, "mail")
    end)
  end

  it("when the record key is no string", function()
    s:key("RPUSH", "worker:" .. s.worker, "x")
    unchanged({ "CONFLICT", "" }, "mail")
  end)

  it("when the queues are empty, or none is given", function()
    unchanged({ "EMPTY" }, "a", "b")
    s:key("DEL", "queue:mail")
    unchanged { "EMPTY" }
  end)
end)

describe("reserve goes on", function()
  for _, value in ipairs { "false", "", "1", "truely" } do
    it(("when pause-all-workers is %q"):format(value), function()
      s:key("SET", "pause-all-workers", value)
      s:working(JOB)
    end)
  end

  it("when pause-all-workers is no string", function()
    s:key("RPUSH", "pause-all-workers", "true")
    s:working(JOB)
  end)

  it("with the next queue where a queue key is no list", function()
    s:key("SET", "queue:text", "x")
    s:key("HSET", "queue:hash", "x", "y")
    s:push("mail", JOB)
    assert.equal("mail", s:reserve("text", "hash", "mail")[3])
    assert.equal("x", s:key("GET", "queue:text"))
  end)
end)

describe("reserve resumes", function()
  it("the job of an older token: a reply was lost", function()
    s:push("mail", JOB, '{"class":"B","args":[]}')
    local first = s:reserve "mail"
    local before = s:everything()
    assert.same(first, s:reserve "mail")
    assert.same(before, s:everything())
  end)

  it("the job of a newer token: a late command came first", function()
    s:push("mail", JOB)
    s:run("reserve", NONCE .. ":9", scripts.LARGEST, "mail")
    assert.equal(NONCE .. ":9", s:reserve("mail")[2])
  end)

  it("while workers are paused", function()
    local token = s:working(JOB)
    s:key("SET", "pause-all-workers", "true")
    assert.equal(token, s:reserve("mail")[2])
  end)
end)

describe("reserve and job status", function()
  local function status(value)
    s:key("SET", "job:a:status", value)
    s:working '{"class":"A","args":[],"id":"a"}'
    return s:key("GET", "job:a:status")
  end

  it("keeps started and becomes 2, without a time to live", function()
    s:key("SET", "job:a:status", "x", "EX", 100)
    local before = os.time()
    local text = status '{"status":1,"updated":1326692575,"started":1326692570,"result":null}'
    local updated = cjson.decode(text).updated
    assert.matches('^{"status":2,"updated":%d+,"started":1326692570,"result":null}$', text)
    assert.equal(-1, s:key("TTL", "job:a:status"))
    -- os.time is that of the kernel's last tick, and may be behind the time that Redis asks for.
    assert.is_true(updated >= before and updated <= os.time() + 1)
  end)

  for _, odd in ipairs {
    "junk", "", "null", "5", '"x"', "[]", "{}", '{"started":null}', '{"started":"soon"}',
    '{"started":{}}', '{"started":-1}', '{"started":NaN}', '{"started":1e300}',
    '{"started":Infinity}',
  } do
    it("survives " .. odd, function()
      local text = status(odd)
      assert(json.check(text, 1))
      local value = cjson.decode(text)
      assert.same({ 2, value.updated }, { value.status, value.started })
    end)
  end

  it("takes updated for started where a writer leaves that out", function()
    assert.equal(1326692575, cjson.decode(status '{"status":1,"updated":1326692575}').started)
  end)

  it("makes no status where there is none, and leaves another type alone", function()
    s:working '{"class":"A","args":[],"id":"b"}'
    assert.equal(0, s:key("EXISTS", "job:b:status"))
    s:reset()
    s:key("RPUSH", "job:a:status", "x")
    s:working '{"class":"A","args":[],"id":"a"}'
    assert.equal(1, s:key("LLEN", "job:a:status"))
  end)
end)

describe("reserve on a full Redis", function()
  it("still takes the job: LPOP opens the way for SET", function()
    s:push("mail", JOB)
    s:fill()
    assert.equal("JOB", s:reserve("mail")[1])
    assert.equal("worker:" .. s.worker, s:places(JOB))
  end)

  it("still rejects", function()
    s:push("mail", "junk")
    s:fill()
    assert.equal("REJECTED", s:reserve("mail")[1])
    assert.equal(1, s:key("LLEN", "failed"))
  end)

  it("refuses nothing up front, when there is nothing to take", function()
    s:fill()
    assert.same({ "EMPTY" }, s:reserve "mail")
  end)
end)

describe("reserve on a server that takes no writes", function()
  after_each(function() s:set("REPLICAOF", "NO", "ONE") end)

  it("says so: its queues are not empty", function()
    s:push("mail", JOB)
    s:set("REPLICAOF", "127.0.0.1", "1")
    local answer = s:reserve "mail"
    assert.equal("ERR", answer[1])
    assert.matches("READONLY", answer[2])
  end)
end)

describe("reserve that may not touch one of its queues", function()
  after_each(function() s:set("ACL", "DELUSER", "poor") end)

  it("takes from the others, and says so when there is nothing", function()
    local digest = s:set("SCRIPT", "LOAD", scripts.text "reserve")
    s:push("mail", JOB)
    s:set("ACL", "SETUSER", "poor", "on", "nopass", "+@all", "~p:worker*", "~p:pause*",
      "~p:queue:mail", "~p:lua:*")
    local poor = require "spec.support.resp".connect(s.server.socket)
    poor:call("AUTH", "poor", "x")
    local function reserve(token, ...)
      return poor:try("EVALSHA", digest, 1, "p:worker:" .. s.worker, "p:", s.worker, token,
        scripts.LARGEST, ...)
    end
    local first = reserve(s:token(), "secret", "mail")
    s:key("DEL", "worker:" .. s.worker)
    local second = reserve(s:token(), "secret", "mail")
    poor:close()
    assert.equal("JOB", first[1])
    assert.equal("ERR", second[1])
  end)
end)

describe("reserve whose SET is refused", function()
  after_each(function() s:set("ACL", "DELUSER", "poor") end)

  it("puts the job back at the head", function()
    local digest = s:set("SCRIPT", "LOAD", scripts.text "reserve")
    s:push("mail", JOB, '{"class":"B","args":[]}')
    s:set("ACL", "SETUSER", "poor", "on", "nopass", "~*", "+@all", "-set")
    local poor = require "spec.support.resp".connect(s.server.socket)
    poor:call("AUTH", "poor", "x")
    local before = s:everything()
    local answer = poor:try("EVALSHA", digest, 1, "p:worker:" .. s.worker, "p:", s.worker,
      s:token(), scripts.LARGEST, "mail")
    poor:close()
    assert.equal("ERR", answer[1])
    assert.same(before, s:everything())
  end)
end)
