-- resque.json: what is read and written must be exactly what was sent.
local cjson = require "cjson"
local json = require "resque.json"

-- Equal in every bit that matters: kinds of numbers, arrays, nesting.
local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b and math.type(a) == math.type(b)
  end
  if json.is_array(a) ~= json.is_array(b) then
    return false
  end
  for key, value in pairs(a) do
    if not same(value, b[key]) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

-- A reproducible generator of values; the seed is in the name of the test that fails.
local function generator(seed)
  math.randomseed(seed)
  local random = math.random
  local texts = { "", "a", "é/x", "\0", '"\\', "\u{1F600}", "a\nb", "1.0", "[]", "{}", "\127\31" }
  local numbers = {
    0, 1, -1, 2^53 | 0, (2^53 | 0) + 1, math.maxinteger, math.mininteger, 1.0, -1.5, 0.1, 1e15,
    1e300, 5e-324, 1.7976931348623157e308, 123456789012345678.0, 1 / 3, 999999999999999,
  }
  local value
  local function list(depth)
    local t = json.array()
    for i = 1, random(0, 4) do
      t[i] = value(depth - 1)
    end
    return t
  end
  local function object(depth)
    local t = {}
    for _ = 1, random(0, 4) do
      t[texts[random(#texts)] .. random(9)] = value(depth - 1)
    end
    return t
  end
  local function number()
    local kind = random(4)
    if kind == 1 then
      return numbers[random(#numbers)]
    elseif kind == 2 then
      return random(0) -- any 64 bits
    elseif kind == 3 then
      return random(-1000, 1000)
    end
    local float
    repeat
      float = string.unpack("d", string.pack("j", random(0)))
    until float == float and float - float == 0
    return float
  end
  function value(depth)
    local kind = random(depth > 0 and 7 or 5)
    if kind <= 2 then
      return number()
    elseif kind == 3 then
      return texts[random(#texts)]
    elseif kind == 4 then
      return random(2) == 1
    elseif kind == 5 then
      return json.null
    end
    return kind == 6 and list(depth) or object(depth)
  end
  return value
end

describe("resque.json", function()
  it("reads back whatever it writes, of 3000 random values", function()
    local value = generator(20120116)
    for i = 1, 3000 do
      local v = value(5)
      local text = json.encode(v)
      local back, err = json.decode(text)
      assert.is_nil(err, text)
      assert.is_true(same(v, back), ("value %d: %s"):format(i, text))
      assert.are.equal(text, json.encode(back))
    end
  end)

  it("checks to the depth it is given", function()
    assert.is_true(json.check("[[1]]", 2))
    local ok, err = json.check("[[1]]", 1)
    assert.is_nil(ok)
    assert.is_string(err)
    assert.has_error(function() json.check("1", 0) end)
    assert.has_error(function() json.check("1", 1001) end)
  end)

  describe("decode", function()
    local rows = {
      { "9223372036854775807", math.maxinteger },
      { "-9223372036854775808", math.mininteger },
      { "9223372036854775808", 2.0^63 },
      { "-9223372036854775809", -2.0^63 },
      { "9007199254740993", 9007199254740993 },
      { "999999999999999", 999999999999999 },
      { "1000000000000000", 1000000000000000 },
      { "1", 1 },
      { "1.0", 1.0 },
      { "1e0", 1.0 },
      { "10E-1", 1.0 },
      { "-0", 0 },
      { "0.1", 0.1 },
      { "0.30000000000000004", 0.30000000000000004 },
      { "1.7976931348623157e308", 1.7976931348623157e308 },
      { "5e-324", 5e-324 },
      { "1e400", math.huge },
      { "-1e400", -math.huge },
      { ("1"):rep(400), math.huge },
      { "123456789012345678.5", 123456789012345678.5 },
      { "1.00000000000000000001", 1.0 },
      { '"\\u0000"', "\0" },
      { '"\\ud83d\\ude00\\/\\u00e9"', "\u{1F600}/é" },
      { '"[]1.0"', "[]1.0" },
      { " true\n", true },
      { "false", false },
      { "null", cjson.null },
    }
    -- Around a value: containers.
    local function at(...)
      local path = { ... }
      return function(v)
        for _, key in ipairs(path) do
          v = v[key]
        end
        return v
      end
    end
    local frames = {
      { "[", "]", at(1) },
      { '{"k":', "}", at("k") },
      { "[[],", "]", at(2) },
      { '[[],{"k":', "}]", at(2, "k") },
      { '[{"k":', "},1.0]", at(1, "k") },
      { "[[1, ", " ,2]]", at(1, 2) },
    }
    for _, row in ipairs(rows) do
      it("reads " .. row[1]:sub(1, 40), function()
        local got = json.decode(row[1])
        assert.is_true(same(row[2], got), tostring(got))
        for _, frame in ipairs(frames) do
          local text = frame[1] .. row[1] .. frame[2]
          assert.is_true(same(row[2], frame[3](json.decode(text))), text)
        end
      end)
    end

    it("keeps apart the empty array and the empty object, at any depth", function()
      local v = json.decode '{"a":[],"o":{},"n":[[],{},[[]]]}'
      assert.is_true(json.is_array(v.a))
      assert.is_false(json.is_array(v.o))
      assert.are.equal('{"a":[],"n":[[],{},[[]]],"o":{}}', json.encode(v))
    end)

    it("keeps an array that was emptied an array", function()
      local v = json.decode '{"list":[1,"x"]}'
      table.remove(v.list)
      table.remove(v.list)
      assert.are.equal('{"list":[]}', json.encode(v))
    end)

    it("takes the last of equal keys", function()
      assert.are.equal(2, json.decode('{"a":1,"a":2}').a)
      assert.are.equal(2, json.decode('{"a":[],"a":2}').a)
    end)

    it("reads strings that look like structure", function()
      local text = '{"a]":"}\\"[],1.0","b":"\\\\","c":[],"d":"\\\\\\"x"}'
      local v = json.decode(text)
      assert.are.same({ "}\"[],1.0", "\\", '\\"x' }, { v["a]"], v.b, v.d })
      assert.are.equal(0, #v.c)
    end)

    it("reads every escape, and bytes between them", function()
      local text = [["\"\\\/\b\f\n\r\t\u0000\u001F\u007f\u00e9\u20ac\uD83D\uDE00é\u00E9x"]]
      assert.are.equal('"\\/\b\f\n\r\t\0\31\127é€\u{1F600}ééx', json.decode(text))
      local long = ("é"):rep(5000)
      assert.are.equal(long .. "\n" .. long, json.decode('"' .. long .. "\\n" .. long .. '"'))
    end)

    -- It is told that somebody has checked the text: one that nobody has may be read as anything.
    it("does nothing worse than raise for a text that was not checked", function()
      local good = '{"a":[1,-2.5e3,"x\\u00e9\\ud83d\\ude00\\n",{"b":null}],"c":[true,false],"d":{}}'
      local raised = 0
      for place = 1, #good do
        for _, byte in ipairs { "", "\0", '"', "\\", "u", "]", "}", "[", ",", "-", "9" } do
          local text = good:sub(1, place - 1) .. byte .. good:sub(place + 1)
          local ok = pcall(json.decode_checked, text)
          raised = raised + (ok and 0 or 1)
        end
        assert.is_false((pcall(json.decode_checked, good:sub(1, place - 1))))
      end
      assert.is_true(raised > #good)
      assert.is_false((pcall(json.decode_checked, ("["):rep(1001) .. ("]"):rep(1001))))
    end)

    it("reads blanks of every kind", function()
      local v = json.decode "\t{ \"a\" :\r\n[ ] , \"b\" : [ 1 , 2.0 ] }\n"
      assert.are.equal('{"a":[],"b":[1,2.0]}', json.encode(v))
    end)

    it("reads 1000 levels and refuses 1001", function()
      for _, pair in ipairs { { "[", "]", "1" }, { "[", "]", "" }, { '{"a":', "}", "1" } } do
        local function nested(n)
          return pair[1]:rep(n) .. pair[3] .. pair[2]:rep(n)
        end
        assert.are.equal(nested(1000), json.encode(json.decode(nested(1000))))
        local v, err = json.decode(nested(1001))
        assert.is_nil(v)
        assert.is_string(err)
      end
    end)

    it("reads an array of 200,000 integers, and of floats", function()
      local ints = {}
      for i = 1, 200000 do
        ints[i] = i
      end
      local text = "[" .. table.concat(ints, ",") .. "]"
      local v = json.decode(text)
      assert.are.equal(200000, #v)
      assert.are.equal("integer", math.type(v[200000]))
      assert.are.equal(text, json.encode(v))
      v = json.decode("[" .. table.concat(ints, ".0,") .. "]")
      assert.are.equal("float", math.type(v[1]))
      assert.are.equal(199999.0, v[199999])
    end)

    local bad = {
      "", " ", "{", "[1", "[1,]", '{"a"}', '{"a":1,}', "{a:1}", "01", "1.", ".5", "+1", "0x10",
      "nan", "NaN", "Infinity", "-", "1e", '"\1"', '"\\x"', '"\\ud800"', '"\xff"', '"\xc0\x80"',
      "'a'", "tru", "nul", "[1] 2", "\xef\xbb\xbf1", "[1]\0", '"abc', "1 1",
    }
    for _, text in ipairs(bad) do
      it(("refuses %q"):format(text), function()
        local v, err = json.decode(text)
        assert.is_nil(v)
        assert.is_string(err)
        assert.is_truthy(#err > 0)
      end)
    end

    it("says where: byte 5", function()
      local _, err = json.decode '[1,2\1]'
      assert.is_truthy(err:find("byte 5", 1, true), err)
    end)

    it("raises for what is no text", function()
      assert.has_error(function() json.decode(nil) end, "decode: a string expected, got nil")
    end)

    it("does not depend on the settings of the shared cjson", function()
      cjson.decode_max_depth(2)
      cjson.encode_number_precision(3)
      local text = "[[[[1]]]]"
      local v = json.decode(text)
      local float = json.encode(0.12345678)
      cjson.decode_max_depth(1000)
      cjson.encode_number_precision(14)
      assert.are.equal(text, json.encode(v))
      assert.are.equal("0.12345678", float)
    end)
  end)

  describe("encode", function()
    local rows = {
      { 1, "1" },
      { 1.0, "1.0" },
      { -0.0, "-0.0" },
      { 0.1, "0.1" },
      { 1 / 3, "0.3333333333333333" },
      { 0.1 + 0.2, "0.30000000000000004" },
      { 2.0^53, "9007199254740992.0" },
      { 1e15, "1e+15" },
      { 1e300, "1e+300" },
      { math.maxinteger, "9223372036854775807" },
      { math.mininteger, "-9223372036854775808" },
      { "é/\u{1F600}", '"é/\u{1F600}"' },
      { '\\/"\n\0\31', '"\\\\/\\"\\n\\u0000\\u001f"' },
      { { b = 1, a = { 1, json.null, "x" } }, '{"a":[1,null,"x"],"b":1}' },
      { {}, "{}" },
      { json.array(), "[]" },
      { { [""] = true }, '{"":true}' },
      { json.null, "null" },
    }
    for _, row in ipairs(rows) do
      it("writes " .. row[2], function()
        assert.are.equal(row[2], json.encode(row[1]))
      end)
    end

    it("writes nil as null", function()
      assert.are.equal("null", json.encode(nil))
    end)

    it("writes raw text byte for byte", function()
      local raw = assert(json.raw '{"b":1e400, "a":[]}')
      assert.are.equal('[1,{"b":1e400, "a":[]}]', json.encode { 1, raw })
      local none, err = json.raw '{"b":'
      assert.is_nil(none)
      assert.is_string(err)
    end)

    local endless = {}
    endless.self = endless
    local refused = {
      { "a function", print, "a function" },
      { "inf", math.huge, "the number inf" },
      { "nan", 0 / 0, "nan, which" },
      { "bytes", "\xff\xfe", "not valid UTF-8" },
      { "a surrogate", "\xed\xa0\x80", "not valid UTF-8" },
      { "bytes in a key", { ["\xff"] = 1 }, "not valid UTF-8" },
      { "holes", { 1, nil, 3 }, "holes" },
      { "a mixed table", { 1, 2, name = "x" }, "named fields" },
      { "number keys", { [5] = "x" }, "the key 5, a number" },
      { "a table that contains itself", endless, "nested too deeply" },
      { "something deep inside", { a = { { b = print } } }, "a function" },
    }
    for _, row in ipairs(refused) do
      it("refuses " .. row[1], function()
        local ok, err = pcall(json.encode, row[2])
        assert.is_false(ok)
        assert.is_truthy(tostring(err):find(row[3], 1, true), tostring(err))
        assert.is_truthy(tostring(err):find("JSON cannot hold ", 1, true), tostring(err))
      end)
    end

    it("blames the caller's line", function()
      local ok, err = pcall(function() json.encode(print) end)
      assert.is_false(ok)
      assert.is_truthy(err:find("json_spec.lua:", 1, true), err)
    end)
  end)

  it("marks arrays", function()
    local t = {}
    assert.are.equal(t, json.array(t))
    assert.is_true(json.is_array(t))
    assert.is_true(json.is_array { 1 })
    assert.is_false(json.is_array {})
    assert.is_false(json.is_array "x")
    assert.is_true(json.is_array(json.raw " [1]"))
    assert.is_false(json.is_array(json.raw '{"a":[1]}'))
    assert.has_error(function() json.array(5) end)
    assert.has_error(function() json.array(setmetatable({}, {})) end)
    assert.are.equal(cjson.null, json.null)
  end)
end)
