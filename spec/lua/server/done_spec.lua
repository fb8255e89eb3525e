-- done.lua: a job has succeeded; maybe the next one in the same trip.
local cjson = require "cjson"
local scene = require "spec.support.scene"
local scripts = require "spec.support.scripts"

local s <const> = scene.scripts()

local JOB = '{"class":"A","args":[]}'
local NONCE, OTHER = scripts.NONCE, scripts.OTHER

describe("done", function()
  it("removes the record and counts, and nothing else", function()
    local token = s:working(JOB)
    assert.same({ "OK" }, s:done(token))
    assert.equal("", s:places(JOB))
    assert.equal("1 0 / 1 0", s:counters())
    assert.equal(0, s:key("EXISTS", "failed"))
  end)

  it("goes on with the next job", function()
    s:push("mail", JOB, '{"class":"B","args":[],"id":"x"}')
    local token = s:reserve("mail")[2]
    assert.same({ "OK", "JOB", NONCE .. ":2", "mail", "B", "x",
      '{"class":"B","args":[],"id":"x"}', "0" },
      s:done(token, "", NONCE .. ":2", "mail"))
    assert.same({ "OK", "EMPTY" }, s:done(NONCE .. ":2", "", NONCE .. ":3", "mail"))
    assert.equal("2 0 / 2 0", s:counters())
  end)

  it("costs nine commands for an untracked job and the next", function()
    s:push("mail", JOB, JOB)
    local token = s:reserve("mail")[2]
    s:set("CONFIG", "RESETSTAT")
    assert.equal("JOB", s:done(token, "", s:token(), "mail")[2])
    local counts = s.server:command_counts()
    assert.same({ get = 2, del = 1, incr = 2, sismember = 1, lpop = 1, time = 1, set = 1 }, {
      get = counts.get, del = counts.del, incr = counts.incr, sismember = counts.sismember,
      lpop = counts.lpop, time = counts.time, set = counts.set,
    })
  end)

  it("passes on what reserve answers instead of a job", function()
    local rows = {
      PAUSED = function() s:key("SET", "pause-all-workers", "true") end,
      LOST = function() s:key("SREM", "workers", s.worker) end,
      REJECTED = function() s:push("mail", "junk") end,
      EMPTY = function() end,
      ERR = function()
        s:push("mail", "junk")
        s:key("SET", "failed", "x")
        s:key("SET", "failed:overflow", "x")
      end,
    }
    for word, prepare in pairs(rows) do
      s:reset()
      local token = s:working(JOB)
      prepare()
      local answer = s:done(token, "", s:token(), "mail")
      assert.same({ "OK", word }, { answer[1], answer[2] })
    end
  end)

  it("also acts when the counters are no numbers", function()
    local token = s:working(JOB)
    s:key("RPUSH", "stat:processed", "x")
    s:key("SET", "stat:processed:" .. s.worker, "x")
    assert.same({ "OK" }, s:done(token))
    assert.is_nil(s:record())
  end)

  it("works on a full Redis, with the status and the next job", function()
    s:key("SET", "job:a:status", '{"status":1,"updated":1,"started":1}')
    local token = s:working '{"class":"A","args":[],"id":"a"}'
    s:push("mail", JOB)
    s:fill()
    assert.equal("JOB", s:done(token, '"x"', s:token(), "mail")[2])
    assert.equal(4, cjson.decode(s:key("GET", "job:a:status")).status)
    assert.equal("1 0 / 1 0", s:counters())
  end)
end)

describe("done twice", function()
  it("changes nothing and answers ALREADY", function()
    local token = s:working(JOB)
    s:done(token)
    local before = s:everything()
    assert.same({ "ALREADY" }, s:done(token))
    assert.same(before, s:everything())
  end)

  it("resumes the job that the first try brought", function()
    s:push("mail", JOB, '{"class":"B","args":[]}', '{"class":"C","args":[]}')
    local token = s:reserve("mail")[2]
    s:done(token, "", NONCE .. ":2", "mail")
    local before = s:everything()
    assert.same({ "ALREADY", "JOB", NONCE .. ":2", "mail", "B", "", '{"class":"B","args":[]}',
      "0" },
      s:done(token, "", NONCE .. ":3", "mail"))
    assert.same(before, s:everything())
  end)

  it("reserves a new one if the first try brought none", function()
    local token = s:working(JOB)
    s:done(token)
    s:push("mail", '{"class":"B","args":[]}')
    local answer = s:done(token, "", NONCE .. ":3", "mail")
    assert.same({ "ALREADY", "JOB", NONCE .. ":3" }, { answer[1], answer[2], answer[3] })
    assert.equal("1 0 / 1 0", s:counters())
  end)
end)

describe("done of a token that the record does not have", function()
  local record = '{"token":"%s","queue":"q","run_at":"x","payload":{}}'
  local rows = {
    { "absent, registered", nil, true, "ALREADY" },
    { "absent, not registered", nil, false, "LOST" },
    { "newer, own", record:format(NONCE .. ":12"), true, "ALREADY" },
    { "older, own", record:format(NONCE .. ":1"), true, "ALREADY" },
    { "a longer number", record:format(NONCE .. ":50"), true, "ALREADY" },
    { "own, not registered", record:format(NONCE .. ":12"), false, "LOST" },
    { "another owner's", record:format(OTHER .. ":5"), true, "LOST" },
    { "junk", "junk", true, "LOST" },
    { "Ruby's", '{"queue":"q","run_at":"x","payload":{}}', true, "LOST" },
  }
  for _, row in ipairs(rows) do
    it(row[1] .. ": " .. row[4], function()
      if row[2] then s:key("SET", "worker:" .. s.worker, row[2]) end
      if not row[3] then s:key("SREM", "workers", s.worker) end
      local before = s:everything()
      for _, name in ipairs { "done", "fail", "unreserve" } do
        local answer = name == "unreserve" and s:run(name, NONCE .. ":5")
          or s[name](s, NONCE .. ":5")
        assert.same({ row[4] }, answer)
      end
      if row[4] == "LOST" then
        assert.same({ "LOST" }, s:done(NONCE .. ":5", "", NONCE .. ":6", "mail"))
      end
      assert.same(before, s:everything())
    end)
  end

  it("LOST when the record is no string", function()
    s:key("RPUSH", "worker:" .. s.worker, "x")
    assert.same({ "LOST" }, s:done(NONCE .. ":5"))
  end)
end)

describe("done and job status", function()
  local function finish(result, payload, key)
    s:key("SET", key or "job:a:status",
      '{"status":1,"updated":1326692575,"started":1326692570,"result":null}')
    s:done(s:working(payload or '{"class":"A","args":[],"id":"a"}'), result)
    return s:key("GET", key or "job:a:status")
  end

  it("becomes 4 for a day, with started and the result as it was sent", function()
    for _, result in ipairs {
      "null", "[]", "{}", "9223372036854775807", '"é/\\u0000"', "1.0", '{"a":[1,{}]}' } do
      s:reset()
      local text = finish(result)
      assert.matches('^{"status":4,"updated":%d+,"started":1326692570,"result":', text)
      assert.equal(result .. "}", text:match '"result":(.*)$')
      local left = s:key("TTL", "job:a:status")
      assert.is_true(left > 85000 and left <= 86400)
    end
  end)

  it("has null where there is no result", function()
    assert.matches('"result":null}$', finish "")
  end)

  it("honours php-resque's prefix", function()
    assert.matches('^{"status":4',
      finish("", '{"class":"A","args":[],"id":"a","prefix":"my"}', "job:my_a:status"))
  end)

  it("survives a status that is no JSON, no string, or gone", function()
    for _, prepare in ipairs {
      function() s:key("SET", "job:a:status", "junk") end,
      function() s:key("DEL", "job:a:status") s:key("RPUSH", "job:a:status", "x") end,
      function() s:key("DEL", "job:a:status") end,
    } do
      s:reset()
      local token = s:working '{"class":"A","args":[],"id":"a"}'
      prepare()
      local kind = s:key("TYPE", "job:a:status")
      assert.same({ "OK" }, s:done(token))
      assert.equal(kind, s:key("TYPE", "job:a:status"))
    end
  end)
end)
