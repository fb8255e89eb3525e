-- What the server scripts share (lua/server/lib), each part run alone inside Redis.
local cjson = require "cjson"
local json = require "resque.json"
local mime = require "mime"
local scene = require "spec.support.scene"
local scripts = require "spec.support.scripts"

local s <const> = scene.scripts(true)

local function all_bytes()
  local bytes = {}
  for i = 0, 255 do
    bytes[#bytes + 1] = string.char(i)
  end
  return table.concat(bytes)
end

describe("clock", function()
  local formats = {
    RUN_AT = "!%Y-%m-%dT%H:%M:%SZ",
    FAILED_AT = "!%Y/%m/%d %H:%M:%S UTC",
    HEARTBEAT = "!%Y-%m-%dT%H:%M:%S+00:00",
  }
  local seconds = { 0, 59, 86399, 86400, 68169600, 951782399, 951782400, 951868800, 1078012800,
    1326692575, 1709164800, 4107542399, 4107542400, 4102444800, 13574563200, 253402300799 }

  for name, format in pairs(formats) do
    it(name .. " agrees with the C library", function()
      math.randomseed(1)
      for _ = 1, 100 do
        seconds[#seconds + 1] = math.random(0, 253402300799)
      end
      local texts = s:lib("local t = {} for i = 3, #ARGV do t[#t + 1] = utc(" .. name
        .. ", tonumber(ARGV[i])) end return t", table.unpack(seconds))
      for i, second in ipairs(seconds) do
        assert.equal(os.date(format, second), texts[i])
      end
    end)
  end

  it("tells the server's time", function()
    local before = tonumber(s:set("TIME")[1])
    local now = s:lib "return now()"
    assert.is_true(now >= before and now <= tonumber(s:set("TIME")[1]))
  end)
end)

describe("base64", function()
  local function base64(bytes) return s:lib("return base64(ARGV[3])", bytes) end

  it("gives the vectors of RFC 4648", function()
    local vectors = { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==",
      fooba = "Zm9vYmE=", foobar = "Zm9vYmFy" }
    for plain, encoded in pairs(vectors) do
      assert.equal(encoded, base64(plain))
    end
  end)

  it("agrees with another encoder for every length around a block", function()
    local bytes = all_bytes():rep(97)
    for length = 12280, 12296 do
      assert.is_true(base64(bytes:sub(1, length)) == (mime.b64(bytes:sub(1, length))))
    end
  end)

  it("keeps a megabyte", function()
    local bytes = all_bytes():rep(4096)
    assert.is_true(mime.unb64(base64(bytes)) == bytes)
  end)
end)

describe("encode", function()
  local texts = {
    { "plain", "plain" }, { "", "" }, { "é中😀", "é中😀" },
    { "\0\1\31\127", "\0\1\31\127" }, { "a\255b", "a?b" }, { "\128\191", "??" }, { "\195", "?" },
    { "\195x", "?x" }, { "é\191", "é?" }, { "\192\175", "??" }, { "\193\191", "??" },
    { "\224\159\191", "???" }, { "\224\160\128", "\224\160\128" },
    { "\237\159\191", "\237\159\191" }, { "\237\160\128", "???" }, { "\240\143\191\191", "????" },
    { "\240\144\128\128", "\240\144\128\128" }, { "\244\143\191\191", "\244\143\191\191" },
    { "\244\144\128\128", "????" }, { "\245\128\128\128", "????" }, { "中\228\184", "中??" },
    { "\228\184中", "??中" },
  }
  for _, row in ipairs(texts) do
    it("cleans " .. ("%q"):format(row[1]):gsub("[\128-\255]", "?"), function()
      assert.equal(row[2], s:lib("return clean_utf8(ARGV[3])", row[1]))
      assert.equal(utf8.len(row[1]) ~= nil and json.check(cjson.encode(row[1]), 1) ~= nil,
        row[1] == row[2])
    end)
  end

  it("writes strict JSON strings and reads them back", function()
    for _, text in ipairs {
      "", 'a"b', "back\\slash", "a/b", "\\/", "\\\\/", "\n\t\0\31", "é", "</script>" } do
      local raw = s:lib("return json_string(ARGV[3])", text)
      assert(json.check(raw, 1))
      assert.equal(text, cjson.decode("[" .. raw .. "]")[1])
      assert.equal(text, s:lib("return json_text(ARGV[3])", raw))
      assert.is_nil(raw:find("\\/", 1, true) and not text:find("\\/", 1, true) or nil)
    end
  end)

  it("reads no text in other values", function()
    for _, raw in ipairs { "1", "null", "{}", "[]", "true" } do
      assert.is_nil(s:lib("return json_text(ARGV[3])", raw))
    end
  end)
end)

describe("splice", function()
  -- Nil or the raw members as a table.
  local function members(text)
    local flat = s:lib([[local found = json_members(ARGV[3], 98)
      if not found then return nil end
      local flat = {}
      for name, raw in pairs(found) do flat[#flat + 1] = name flat[#flat + 1] = raw end
      return flat]], text)
    if not flat then return nil end
    local found = {}
    for i = 1, #flat, 2 do
      found[flat[i]] = flat[i + 1]
    end
    return found
  end

  local function deep(levels)
    return '{"a":' .. ("["):rep(levels - 1) .. ("]"):rep(levels - 1) .. "}"
  end
  local shapes = {
    "{}", " { } ", '{"a":1}', '\t{\r\n"a" : 1 , "b":[ ] }\n', '{"a":1,}', '{,"a":1}', '{"a" 1}',
    '{"a":}', '{a:1}', "{'a':1}", '{"a":1}{', '{"a":1} x', '{"a":1', '{"a"', "{", "}", "", " ",
    "[]", "1", "null", '"a"', '{"a":[1,2,[3,{"b":[]}]]}', '{"a":[1,2}', '{"a":[1,2]]',
    '{"a":[1 2]}', '{"a":[,1]}', '{"a":[1,]}', '{"a":{"b":1,"c":[{}]},"d":""}', '{"a":{"b"}}',
    '{"a":[}', '{"a":{]}', '{"a":0}', '{"a":-0}', '{"a":-}', '{"a":01}', '{"a":-01}', '{"a":1.0}',
    '{"a":1.}', '{"a":.1}', '{"a":+1}', '{"a":1e5}', '{"a":1E+5}', '{"a":1e-5}', '{"a":1e}',
    '{"a":1e+}', '{"a":1.5e300}', '{"a":1e400}', '{"a":1.e1}', '{"a":0x10}', '{"a":NaN}',
    '{"a":nan}', '{"a":Infinity}', '{"a":-Infinity}', '{"a":inf}', '{"a":9223372036854775807}',
    '{"a":-9223372036854775808}', '{"a":123456789012345678901234567890}',
    '{"a":true,"b":false,"c":null}', '{"a":True}', '{"a":nul}', '{"a":truex}', '{"a":undefined}',
    '{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t"}', '{"a":"\\u0000\\u00e9\\uFFFF"}', '{"a":"\\x41"}',
    '{"a":"\\u12"}', '{"a":"\\u12g4"}', '{"a":"\\', '{"a":"\\"}', '{"a":"\\\\"}', '{"a":"\\\\\\""}',
    '{"a":"\\u"}', '{"a":"\\ud83d\\ude00"}', '{"a":"\\ud83d"}', '{"a":"\\ude00"}',
    '{"a":"\\ud83d\\u0041"}', '{"a":"\\ud7ff\\ue000"}', '{"a":"\\uD83D\\uDE00"}',
    '{"a":"\\udbff\\udfff"}', '{"a":"\\udc00\\ud800"}', '{"a":"\1"}', '{"a":"\n"}', '{"a":"\t"}',
    '{"a":"\0"}', '{"a":"\127"}', '{"a":1}\0', '\0{"a":1}', '{"a":1\0}', '{"a":"é中😀"}',
    '{"a":"\255"}', '{"a":"\195"}', '{"a":"\237\160\128"}', '{"\255":1}', '{"a":1}\194\160',
    '\239\187\191{"a":1}', '{"a":1}//', '/**/{"a":1}', '{"a":1,"a":2}', '{"":0}', '{"\\u0061":1}',
    deep(2), deep(98), deep(99), deep(120),
  }

  it("is exactly as strict as the worker's own check", function()
    for _, shape in ipairs(shapes) do
      local strict = json.check(shape, 98) and shape:find "^%s*{" ~= nil
      assert.message(shape).equal(strict or false, members(shape) ~= nil)
    end
  end)

  it("is as strict about every single damaged byte", function()
    local good = '{"class":"A\\u00e9","args":[1.5e3,-0,{"x":[true,null]},"é"],"id":"f"}'
    math.randomseed(2)
    for at = 1, #good do
      for _ = 1, 6 do
        local damaged = good:sub(1, at - 1) .. string.char(math.random(0, 255)) .. good:sub(at + 1)
        local strict = json.check(damaged, 98) and damaged:find "^%s*{" ~= nil
        assert.message(damaged).equal(strict or false, members(damaged) ~= nil)
      end
    end
  end)

  it("gives raw values, byte for byte", function()
    assert.same({
      class = '"A\\u0041"', args = '[ {"payload" : 1} ,9223372036854775807, 1.0 , [ ],{}]',
      n = "-0.5E-7", o = '{ "class":"inner" }', t = "true", ["n/a"] = "null", ["k\"y"] = '""',
    }, members [[ { "class" : "A\u0041",
      "args":[ {"payload" : 1} ,9223372036854775807, 1.0 , [ ],{}] ,
      "n":-0.5E-7, "o" : { "class":"inner" },"t":true,"n\/a":null , "k\"y":"" } ]])
  end)

  it("takes the last of repeated members, as every parser does", function()
    assert.equal("2", members('{"a":1,"\\u0061":2}').a)
  end)

  it("gives up on more values than it is allowed", function()
    local start = '{"a":['
    assert.is_table(members(start .. ("1,"):rep(1999997) .. "1]}"))
    assert.is_nil(members(start .. ("1,"):rep(1999998) .. "1]}"))
  end)

  it("passes a payload through only if it is strict JSON with a class", function()
    local rows = {
      ['{"class":"A","args":[]}'] = true, ['{"class":1}'] = false, ['{"args":[]}'] = false,
      ['{"class":"A","n":NaN}'] = false, ['{"class":"\255"}'] = false, ["[]"] = false,
      [""] = false,
    }
    for payload, good in pairs(rows) do
      local text, more = table.unpack(s:lib("return {presentable(ARGV[3])}", payload))
      if good then
        assert.same({ payload }, { text, more })
      else
        assert.equal("(malformed)", cjson.decode(text).class)
        assert.equal(payload, mime.unb64(more:match '^,"raw_base64":"(.*)"$') or "")
      end
    end
  end)
end)

describe("job", function()
  local ROUND = [[local record = job_record({ token = ARGV[3], status_id = ARGV[4], queue = ARGV[5],
      payload = ARGV[6] })
    local job = job_read(record)
    return { record, job.token, job.status_id, job.queue, job.payload }]]
  local token = scripts.NONCE .. ":18446744073709551615"
  local names = {
    "mail", "a b", 'quo"te', "back\\", "new\nline", "a/b", "é", "caf\233", "\255\0\1", "",
    '","queue":"x', '","run_at":"x","payload":{}', ',"payload":', "\27[31m", "p:q:r",
  }

  it("survives its record, whatever its names and bytes are", function()
    for _, name in ipairs(names) do
      for _, payload in ipairs { '{"class":"A"}', "", "\0\255}", '","queue":"y"' } do
        local got = s:lib(ROUND, token, name, name, payload)
        assert.same({ token, name, payload }, { got[2], got[4], got[5] })
        assert.equal((name:gsub("[\128-\255]", utf8.len(name) and "%0" or "?")), got[3])
      end
    end
  end)

  it("stands in a record of strict JSON with the token at a fixed place", function()
    for _, name in ipairs(names) do
      local record = s:lib(ROUND, token, name, name, '{"class":"A","args":[]}')[1]
      assert(json.check(record, 99))
      assert.equal(token, record:sub(11, 10 + #token))
      local value = cjson.decode(record)
      local clean = name:gsub("[\128-\255]", utf8.len(name) and "%0" or "?")
      assert.same({ clean ~= "" and clean or nil, clean }, { value.status_id, value.queue })
      assert.same({ class = "A", args = {} }, value.payload)
    end
  end)

  it("is written into the record also when the payload has no id", function()
    assert.matches('^{"token":"' .. token
      .. '","queue":"mail","run_at":"%d+%-%d%d%-%d%dT%d%d:%d%d:%d%dZ"'
      .. ',"payload":{"class":"A"}}$', s:lib(ROUND, token, "", "mail", '{"class":"A"}')[1])
  end)

  it("is not read out of other records", function()
    for _, record in ipairs {
      "", "{}", "x", '{"queue":"q","run_at":"x","payload":{}}', '{"token":"zz:1","queue":"q"',
      '{"token":"ab:1","queue":"q","payload":{}}',
      '{"token":"ab","queue":"q","run_at":"","payload":{}}',
    } do
      assert.equal("none", s:lib('return job_read(ARGV[3]) and "a job" or "none"', record))
    end
  end)
end)
