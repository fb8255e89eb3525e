-- reserve.lua: what no worker could run goes from its queue to `failed`, whole.
local cjson = require "cjson"
local mime = require "mime"
local scene = require "spec.support.scene"

local s <const> = scene.scripts()

local JOB = '{"class":"A","args":[]}'

describe("reserve rejects", function()
  local rows = {
    { "", "not JSON" }, { "junk", "not JSON" }, { "{", "not JSON" }, { "\0\255\254", "not JSON" },
    { '{"class":"A","args":[}', "not JSON" }, { ("["):rep(2000), "not JSON" },
    { "[]", "not a JSON object" }, { " [1]", "not a JSON object" }, { '{"args":[]}', "no class" },
    { '{"class":null}', "no class" }, { '{"class":5}', "no class" },
    { '{"class":["A"]}', "no class" }, { "{}", "no class" },
    { '{"class":{"class":"A"}}', "no class" },
  }
  for _, row in ipairs(rows) do
    it(("%q"):format(row[1]:sub(1, 30)):gsub("[%c\128-\255]", "?"), function()
      s:push("mail", row[1], JOB)
      local answer = s:reserve "mail"
      assert.same({ "REJECTED", "mail" }, { answer[1], answer[2] })
      assert.equal(1, answer[3]:find(row[2], 1, true))
      local _, failure = s:failure()
      assert.same({ "(malformed)", "Resque::MalformedPayload", answer[3], s.worker, "mail",
        row[1] }, {
        failure.payload.class, failure.exception, failure.error, failure.worker, failure.queue,
        mime.unb64(failure.raw_base64) or "",
      })
      assert.equal("1 1 / 1 1", s:counters())
      assert.is_nil(s:record())
      assert.equal("JOB", s:reserve("mail")[1])
    end)
  end

  it("text that is no JSON value, such as null", function()
    for _, payload in ipairs { "null", "1", '"text"', "true" } do
      s:push("mail", payload)
      assert.equal("REJECTED", s:reserve("mail")[1])
      assert.equal(payload, mime.unb64(select(2, s:failure()).raw_base64))
    end
  end)

  it("shows the beginning of a long malformed payload, and keeps all of it", function()
    local payload = ("é\1\255"):rep(250000)
    s:push("mail", payload)
    s:reserve "mail"
    local text, failure = s:failure()
    local shown = failure.payload.args[1]
    assert.is_true(#shown < 1100)
    assert.equal("é\1?é\1?", shown:sub(1, 8))
    assert.matches("%(1000000 bytes%)$", shown)
    assert.is_true(mime.unb64(failure.raw_base64) == payload)
    assert.matches('^{"failed_at":".-","payload":.-,"exception":".-","error":".-","backtrace":%[%],'
      .. '"worker":".-","queue":"mail","host":"web1","raw_base64":"[%w+/]*=*"}$', text)
  end)

  it("and gives the payload back when neither failed nor failed:overflow is a list", function()
    s:push("mail", "junk", JOB)
    s:key("SET", "failed", "x")
    s:key("SET", "failed:overflow", "x")
    local before = s:everything()
    local answer = s:reserve "mail"
    assert.equal("ERR", answer[1])
    assert.matches("WRONGTYPE", answer[2])
    assert.same(before, s:everything())
  end)

  it("into failed:overflow when failed is no list", function()
    s:push("mail", "junk")
    s:key("SET", "failed", "x")
    assert.equal("REJECTED", s:reserve("mail")[1])
    assert.equal("junk", mime.unb64(select(2, s:failure(0, "failed:overflow")).raw_base64))
  end)
end)

describe("reserve of a payload larger than MAX_PAYLOAD", function()
  local function reserve_small(payload)
    s:push("mail", payload)
    return s:run("reserve", s:token(), 100, "mail")
  end

  it("counts bytes: exactly the limit is a job", function()
    local payload = '{"class":"A","args":["' .. ("x"):rep(75) .. '"]}'
    assert.equal(100, #payload)
    assert.equal("JOB", reserve_small(payload)[1])
  end)

  it("splices it whole into failed, and never answers with it", function()
    local payload = ' {"class":"Big","args":["' .. ("é"):rep(60)
      .. '",9223372036854775807,[],{}],"id":"a"}'
    local answer = reserve_small(payload)
    assert.same({ "REJECTED", "mail", #payload .. " bytes are more than MAX_PAYLOAD (100)" },
      answer)
    local text, failure = s:failure()
    assert.is_truthy(text:find(
      '"payload":' .. payload .. ',"exception":"Resque::PayloadTooLarge"', 1, true))
    assert.same({ "Big", nil }, { failure.payload.class, failure.raw_base64 })
    assert.equal("1 1 / 1 1", s:counters())
  end)

  local rows = {
    ["junk"] = ("\0junk\255"):rep(30),
    ["JSON that only cjson reads"] = '{"class":"A","args":[NaN,"' .. ("x"):rep(90) .. '"]}',
    ["JSON without a class"] = '{"args":["' .. ("x"):rep(90) .. '"]}',
    ["bad UTF-8"] = '{"class":"A","args":["' .. ("\255"):rep(90) .. '"]}',
    ["more levels than Ruby reads"] = '{"class":"A","args":' .. ("["):rep(98) .. ("]"):rep(98)
      .. "}",
    ["more values than can be looked at quickly"] = '{"class":"A","args":[' .. ("1,"):rep(2000000)
      .. "1]}",
  }
  for name, payload in pairs(rows) do
    it("keeps the bytes of " .. name, function()
      assert.equal("REJECTED", reserve_small(payload)[1])
      local _, failure = s:failure()
      assert.same({ "(malformed)", "Resque::PayloadTooLarge" },
        { failure.payload.class, failure.exception })
      assert.is_true(mime.unb64(failure.raw_base64) == payload)
    end)
  end
end)

describe("reserve of a tracked payload that no worker can run", function()
  local rows = {
    ["too large"] = { "a", '{"id":"a","class":"A","args":["' .. ("x"):rep(90) .. '"]}' },
    ["too large, with a prefix"] = { "p_a",
      '{"prefix":"p","id":"a","class":"A","args":["' .. ("x"):rep(90) .. '"]}' },
    ["without a class"] = { "a", '{"id":"a","args":[]}' },
    ["with a class that is no string"] = { "p_a", '{"prefix":"p","id":"a","class":1}' },
  }
  for name, row in pairs(rows) do
    it("ends the status of one " .. name, function()
      local key = "job:" .. row[1] .. ":status"
      s:key("SET", key, '{"status":1,"updated":1,"started":1,"result":null}')
      s:push("mail", row[2])
      assert.equal("REJECTED", s:run("reserve", s:token(), 100, "mail")[1])
      assert.equal(3, cjson.decode(s:key("GET", key)).status)
      assert.is_true(s:key("TTL", key) > 86000)
    end)
  end
end)
