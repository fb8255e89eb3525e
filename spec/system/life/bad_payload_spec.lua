--- Bad input in a queue: whatever is there ends up whole in `failed` or runs exactly as sent,
-- and the next job runs.
local cjson = require "cjson"
local base64 = require "spec.fixtures.base64"
local proc = require "spec.support.proc"
local running = require "spec.support.running"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

local function nested(depth)
  return '{"class":"Noop","args":[' .. ("["):rep(depth) .. ("]"):rep(depth) .. "]}"
end

describe("a payload", function()
  local w <const> = scene.shared()
  local run

  setup(function()
    run = w:start_idle { QUEUE = "*", MAX_PAYLOAD = "100k" }
  end)

  -- Pushes the bytes and a job behind them; returns the failure record, its raw text and how many
  -- there were.
  local function push(bytes, queue)
    local before = w:account()
    w:push(queue or "default", bytes, world.payload("Note", { n = before.processed }))
    w:wait_processed(before.processed + 2)
    w:wait_ledger("^Note " .. before.processed .. "$")
    local after = w:account()
    assert.equal(0, after.queued + after.working + after.overflow)
    assert.equal(before.processed + 2, after.processed)
    local records, raw = w:failed()
    assert.equal(w:stat "failed", #records)
    return records[#records], raw[#raw], after.failed - before.failed
  end

  -- name, bytes, pattern of the reason
  local malformed = {
    { "that is empty", "", "" },
    { "that is not JSON", "hello", "" },
    { "cut short", '{"class":"Noop","args":[', "" },
    { "with text behind it", '{"class":"Noop","args":[]} x', "" },
    { "that is an array", '["Noop"]', "object" },
    { "that is a string", '"Noop"', "object" },
    { "that is null", "null", "object" },
    { "that is a number", "17", "object" },
    { "without a class", '{"args":[]}', "class" },
    { "with a class of null", '{"class":null,"args":[]}', "class" },
    { "with a number as class", '{"class":7,"args":[]}', "class" },
    { "with a list as class", '{"class":["Noop"],"args":[]}', "class" },
    { "with NaN", '{"class":"Noop","args":[NaN]}', "" },
    { "with a hexadecimal number", '{"class":"Noop","args":[0x10]}', "" },
    { "with a leading zero", '{"class":"Noop","args":[01]}', "" },
    { "with invalid UTF-8", '{"class":"Noop","args":["\xc3("]}', "UTF%-8" },
    { "with an overlong NUL", '{"class":"Noop","args":["\xc0\x80"]}', "UTF%-8" },
    { "with a lone surrogate", '{"class":"Noop","args":["\\ud800"]}', "unicode escape" },
    { "with a raw control character", '{"class":"Noop","args":["a\nb"]}', "control" },
    { "with a byte order mark", '\xef\xbb\xbf{"class":"Noop","args":[]}', "" },
    { "deeper than 98 levels", nested(97), "deep" },
    { "full of NULs", ("\0"):rep(50), "" },
  }
  for _, row in ipairs(malformed) do
    it(row[1] .. " is recorded with its bytes", function()
      local record, raw, count = push(row[2])
      assert.equal(1, count)
      assert.equal("(malformed)", record.payload.class)
      assert.equal(1, #record.payload.args)
      assert.equal(base64(row[2]), record.raw_base64 or record.payload.raw_base64)
      assert.matches(row[3], record.error)
      assert.equal("default", record.queue)
      assert.is_table(record.backtrace)
      assert.is_not_nil(utf8.len(raw), "the record is not valid UTF-8")
    end)
  end

  it("98 levels deep runs", function()
    local _, _, count = push(nested(96))
    assert.equal(0, count)
  end)

  it("larger than MAX_PAYLOAD is recorded whole and never sent to the worker", function()
    local bytes = world.payload("Noop", { text = ("x"):rep(5000000) })
    local function sent()
      return tonumber(w.server:call("INFO", "stats"):match "total_net_output_bytes:(%d+)")
    end
    local before, processed = sent(), w:stat "processed"
    w:push("default", bytes)
    w:wait_processed(processed + 1)
    assert.is_true(sent() - before < 200000)
    local _, raw = w:failed()
    assert.truthy(raw[#raw]:find(bytes, 1, true))
    assert.matches("MAX_PAYLOAD", cjson.decode(raw[#raw]).error)
    assert.is_true(proc.rss_kb(run:worker()) < 40000)
  end)

  -- name, args as JSON, what resque.json.encode makes of self.args
  local exact = {
    { "NUL", '["a\\u0000b"]', '"a\\u0000b"' },
    { "the largest integer", "[9223372036854775807]", "9223372036854775807" },
    { "the smallest integer", "[-9223372036854775808]", "-9223372036854775808" },
    { "2^53+1", "[9007199254740993]", "9007199254740993" },
    { "an empty list and an empty object", '[{"a":[],"o":{}}]', nil },
    { "1.0 and 1", "[[1.0,1]]", "[1.0,1]" },
    { "0.1", "[0.1]", "0.1" },
    { "null", '[{"n":null}]', '{"n":null}' },
    { "text of other scripts", '["工作é\\ud83d\\ude00"]', '"工作é😀"' },
    { "no arguments", "[]", "{}" },
    { "null as argument", "[null]", "{}" },
    { "an object instead of a list", '{"name":"Chris"}', '{"name":"Chris"}' },
  }
  for _, row in ipairs(exact) do
    it("with " .. row[1] .. " reaches the job as sent", function()
      local from = #w:ledger()
      local _, _, count = push(('{"class":"Echo","args":%s}'):format(row[2]))
      assert.equal(0, count)
      local got = w:ledger()[from + 1]:match "^Echo default (.*)$"
      if row[3] then
        assert.equal(row[3], got)
      else
        assert.matches('"a":%[%]', got)
        assert.matches('"o":{}', got)
      end
    end)
  end

  it("with a class of odd characters is literal in Redis and escaped in the log", function()
    local name = 'We "ird\n\27[31m: \u{202e}'
    local from = #run:err()
    local record = push(world.payload(name, {}))
    assert.equal(name, record.payload.class)
    assert.truthy(record.error:find("Could not find job class", 1, true))
    local log = run:err():sub(from + 1)
    assert.is_nil(log:find("\27", 1, true))
    assert.is_nil(log:find('We "ird\n', 1, true))
    assert.truthy(log:find('We "ird\\n', 1, true))
  end)

  it("in a queue of odd characters is literal in Redis and escaped in title and log", function()
    local queue = 'my "que\nue\27[31m\t:x'
    w:job("Gate", { gate = "odd" }, { queue = queue })
    w:wait_ledger "start odd"
    local title = running.words(run:wait_job())
    assert.is_nil(title:find "%c")
    assert.truthy(title:find('my "que\\nue', 1, true), title)
    local _, record = next(w:records())
    assert.equal(queue, cjson.decode(record).queue)
    local before = w:stat "processed"
    w:open_gate "odd"
    w:wait_processed(before + 1)
    w:job("Raise", {}, { queue = queue })
    w:wait_processed(before + 2)
    local records = w:failed()
    assert.equal(queue, records[#records].queue)
    assert.is_nil(run:err():find "[^\n%C]")
  end)
end)

describe("a payload of 10 MB", function()
  it("reaches the job as sent", function()
    local w = world.new()
    finally(function()
      w:close()
    end)
    w:start_idle()
    local text = ("0123456789abcdef"):rep(640 * 1024)
    w:push("default", ('{"class":"Size","args":[{"text":"%s"}]}'):format(text))
    w:wait_processed(1, 20)
    assert.same({}, (w:failed()))
    assert.same({ ("Size %d true"):format(#text) }, w:ledger())
  end)
end)
