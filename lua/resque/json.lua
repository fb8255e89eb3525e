--- JSON that keeps what was sent: 64-bit integers, `1` and `1.0`, `[]` and `{}`, 17 digits, null.
--
-- Built on lua-cjson, which alone loses all of these: it writes 14 digits, reads floats only and
-- turns an empty array into an object. Every JSON value of this program goes through here. Decoding
-- is cjson and a walk where that is exact (`sys.json_plain` knows, `sys.json_settle` walks), else a
-- reader in Lua. Encoding walks the values itself. Not a validator: json_check.c is asked first.
-- @module resque.json
local cjson = require "cjson"
local sys = require "resque.sys"

local byte, find, format, sub = string.byte, string.find, string.format, string.sub
local math_type, next, type, getmetatable = math.type, next, type, getmetatable

local json = {}

-- An instance of our own, so that nobody's settings of cjson change what is read and written here.
cjson = cjson.new()
local decode_plain, encode_text = cjson.decode, cjson.encode

-- Containers inside each other; cjson's limit too.
local MAX_DEPTH = 1000

--- What stands for JSON's null inside tables; equal to cjson.null.
json.null = cjson.null
local null = json.null

-- Metatable of arrays: what keeps an empty one an array.
local ARRAY = { __name = "resque.array" }

--- Marks a table as an array, so that it is written `[…]` also while it is empty.
-- @tparam[opt] table t a sequence; none: a new empty one
-- @treturn table t itself
-- @usage resque.enqueue("mail", "Send", { to = resque.array() })
function json.array(t)
  t = t or {}
  local mark = getmetatable(t)
  if type(t) ~= "table" or (mark ~= nil and mark ~= ARRAY) then
    error("array: a table without a metatable expected", 2)
  end
  return setmetatable(t, ARRAY)
end

-- Metatable of text that is JSON already.
local RAW = { __name = "resque.json.raw" }

--- Whether a value would be written as an array: a marked table, one with an element [1], or the
-- raw text of an array.
-- @param value anything
-- @treturn boolean
function json.is_array(value)
  if type(value) ~= "table" then
    return false
  elseif getmetatable(value) == RAW then
    return find(value.text, "^%s*%[") ~= nil
  end
  return getmetatable(value) == ARRAY or rawget(value, 1) ~= nil
end

--- JSON text that is written as it is, byte for byte, wherever the result stands in a value.
-- @tparam string text strict JSON
-- @treturn[1] table
-- @treturn[2] nil
-- @treturn[2] string what is wrong with the text
function json.raw(text)
  local ok, err = sys.json_check(text)
  if not ok then
    return nil, err
  end
  return setmetatable({ text = text }, RAW)
end

-- --------------------------------------------------------------------------------------- decoding

local read_value

local function read_string(text, start)
  local _, stop = find(text, '^[^"\\]*"', start + 1)
  if stop then
    return sub(text, start + 1, stop - 1), stop + 1
  end
  stop = start
  repeat
    stop = find(text, '["\\]', stop + 1)
    local quote = byte(text, stop) == 34
    stop = quote and stop or stop + 1
  until quote
  return decode_plain(sub(text, start, stop)), stop + 1
end

local function read_array(text, pos)
  local list, n = setmetatable({}, ARRAY), 0
  pos = find(text, "%S", pos + 1)
  if byte(text, pos) == 93 then -- ]
    return list, pos + 1
  end
  local comma
  repeat
    n = n + 1
    list[n], pos = read_value(text, pos)
    pos = find(text, "%S", pos)
    comma = byte(text, pos) == 44
    pos = pos + 1
  until not comma
  return list, pos
end

local function read_object(text, pos)
  local object = {}
  pos = find(text, "%S", pos + 1)
  if byte(text, pos) == 125 then -- }
    return object, pos + 1
  end
  local comma, key
  repeat
    key, pos = read_string(text, find(text, '"', pos, true))
    object[key], pos = read_value(text, find(text, ":", pos, true) + 1)
    pos = find(text, "%S", pos)
    comma = byte(text, pos) == 44
    pos = pos + 1
  until not comma
  return object, pos
end

-- The value at or after `pos` of a text known to be strict JSON, and the position behind it.
function read_value(text, pos)
  pos = find(text, "%S", pos)
  local c = byte(text, pos)
  if c == 34 then -- "
    return read_string(text, pos)
  elseif c == 123 then -- {
    return read_object(text, pos)
  elseif c == 91 then -- [
    return read_array(text, pos)
  elseif c == 116 then -- true
    return true, pos + 4
  elseif c == 102 then -- false
    return false, pos + 5
  elseif c == 110 then -- null
    return null, pos + 4
  end
  local _, stop = find(text, "^[%d+.eE-]+", pos)
  return tonumber(sub(text, pos, stop)), stop + 1
end

--- Reads text that is known to be strict JSON: what `decode`, or the worker, has checked.
-- @tparam string text
-- @return the value
function json.decode_checked(text)
  if not sys.json_plain(text) then
    return (read_value(text, 1))
  end
  return sys.json_settle(decode_plain(text), ARRAY)
end

--- Reads JSON. Objects become tables, arrays marked tables, null `json.null`; integers that fit 64
-- bits are integers, every other number is a float (1e400 is math.huge); of equal keys the last
-- counts.
-- @tparam string text
-- @treturn[1] any value
-- @treturn[2] nil
-- @treturn[2] string such as "byte 17: invalid UTF-8"
function json.decode(text)
  if type(text) ~= "string" then
    error("decode: a string expected, got " .. type(text), 2)
  end
  local ok, err = sys.json_check(text)
  if not ok then
    return nil, err
  end
  return json.decode_checked(text)
end

-- --------------------------------------------------------------------------------------- encoding

-- Raised inside and caught by `encode`, which adds where in the value it happened.
local function refuse(why)
  error({ refused = why }, 0)
end

local function encode_string(s)
  if find(s, "^[]-~ !#-[]*$") then -- ASCII that needs no escape
    return '"' .. s .. '"'
  elseif not utf8.len(s) then
    refuse "a string that is not valid UTF-8 (hint: encode bytes as base64 or hexadecimal)"
  end
  return (string.gsub(encode_text(s), "\\/", "/")) -- cjson escapes every slash
end

-- The shortest text that reads back as the same float, and as a float.
local function encode_float(v)
  if v ~= v or v == math.huge or v == -math.huge then
    refuse(format("the number %s, which JSON does not have", v))
  end
  local text = format("%.15g", v)
  if tonumber(text) ~= v then
    text = format("%.16g", v)
    if tonumber(text) ~= v then
      text = format("%.17g", v)
    end
  end
  return find(text, "[.e]") and text or text .. ".0"
end

local append

local function append_array(out, n, t, depth)
  local count = 0
  for _ in next, t do
    count = count + 1
  end
  if count ~= #t then
    refuse "a list with holes, or with named fields too (hint: resque.null fills a hole)"
  end
  out[n + 1] = "["
  n = n + 1
  for i = 1, count do
    if i > 1 then
      n = n + 1
      out[n] = ","
    end
    n = append(out, n, t[i], depth)
  end
  out[n + 1] = "]"
  return n + 1
end

local function append_object(out, n, t, depth)
  local keys, count = {}, 0
  for key in next, t do
    if type(key) ~= "string" then
      refuse(format("a table with the key %s, a %s (hint: keys are strings, or all of 1 to n)",
        tostring(key), type(key)))
    end
    count = count + 1
    keys[count] = key
  end
  table.sort(keys) -- the same value is always the same text
  out[n + 1] = "{"
  n = n + 1
  for i = 1, count do
    local key = keys[i]
    out[n + 1] = i > 1 and "," or ""
    out[n + 2] = encode_string(key)
    out[n + 3] = ":"
    n = append(out, n + 3, t[key], depth)
  end
  out[n + 1] = "}"
  return n + 1
end

local function append_table(out, n, t, depth)
  local mark = getmetatable(t)
  if mark == RAW then
    out[n + 1] = t.text
    return n + 1
  elseif depth == 0 then
    refuse "tables nested too deeply (hint: does one contain itself?)"
  elseif mark == ARRAY or rawget(t, 1) ~= nil then
    return append_array(out, n, t, depth - 1)
  end
  return append_object(out, n, t, depth - 1)
end

-- Appends the text of `v` to `out`, which has n pieces; returns how many it has then.
function append(out, n, v, depth)
  local kind = type(v)
  if kind == "table" then
    return append_table(out, n, v, depth)
  elseif kind == "string" then
    v = encode_string(v)
  elseif kind == "number" then
    v = math_type(v) == "integer" and format("%d", v) or encode_float(v)
  elseif kind == "boolean" then
    v = v and "true" or "false"
  elseif v == nil or v == null then
    v = "null"
  else
    refuse("a " .. kind)
  end
  out[n + 1] = v
  return n + 1
end

--- Writes JSON if it can be done.
-- @param value see `encode`
-- @treturn[1] string
-- @treturn[2] nil
-- @treturn[2] string what JSON cannot hold
function json.try_encode(value)
  local out = {}
  local ok, err = pcall(append, out, 0, value, MAX_DEPTH)
  if ok then
    return table.concat(out)
  elseif type(err) == "table" and err.refused then
    return nil, "JSON cannot hold " .. err.refused
  end
  error(err, 0) -- such as: not enough memory
end

--- Writes JSON. The keys of objects are sorted: equal values are equal texts. Text is raw UTF-8.
-- Raises an error that says what JSON cannot hold: functions, inf and nan, bytes that are no UTF-8,
-- lists with holes, keys that are not strings, more than 1000 tables inside each other.
-- @param value anything else; nil and `json.null` are null, an empty table is `{}` unless it is a
--   marked array
-- @treturn string
function json.encode(value)
  local text, err = json.try_encode(value)
  if not text then
    error(err, 2)
  end
  return text
end

return json
