--- JSON that keeps what was sent: 64-bit integers, `1` and `1.0`, `[]` and `{}`, 17 digits, null.
--
-- Every JSON value of this program goes through here. The reader is in C (resque.sys.json), the
-- writer walks the values itself; neither asks for the locale that a script has set, as cjson does.
-- @module resque.json
local reader = require "resque.sys.json"
local sys = require "resque.sys"

local check, read = reader.check, reader.read
local byte, find, format, gsub = string.byte, string.find, string.format, string.gsub
local math_type, next, type, getmetatable = math.type, next, type, getmetatable

local json = {}

-- Containers inside each other, at most.
local MAX_DEPTH = 1000

-- Metatable of arrays; it makes an empty table an array.
local ARRAY = { __name = "resque.array" }

--- The value that stands for JSON's null inside tables; equal to cjson.null.
json.null = read("null", ARRAY)
local null = json.null

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
  local ok, err = check(text)
  if not ok then
    return nil, err
  end
  return setmetatable({ text = text }, RAW)
end

-- --------------------------------------------------------------------------------------- decoding

--- Checks that a text is one strict JSON value (RFC 8259, valid UTF-8).
-- @function json.check
-- @tparam string text
-- @tparam[opt=1000] integer max_depth at most this many containers inside each other
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string such as "byte 17: invalid UTF-8"
json.check = check

--- Reads text that `decode`, or the worker, has found to be strict JSON.
-- @tparam string text
-- @return the value
function json.decode_checked(text)
  return read(text, ARRAY)
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
  local ok, err = check(text)
  if not ok then
    return nil, err
  end
  return json.decode_checked(text)
end

-- --------------------------------------------------------------------------------------- encoding

-- Ends the writing of a value; try_encode returns the reason.
local function refuse(why)
  error({ refused = why }, 0)
end

-- Escapes of bytes that cannot stand in a string; bytes without one of their own are \u001f.
local ESCAPES = setmetatable({
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r",
  ["\t"] = "\\t",
}, {
  __index = function(_, c)
    return format("\\u%04x", byte(c))
  end,
})

local function encode_string(s)
  if find(s, "^[]-~ !#-[]*$") then -- ASCII that needs no escape
    return '"' .. s .. '"'
  elseif not utf8.len(s) then
    refuse "a string that is not valid UTF-8 (hint: encode bytes as base64 or hexadecimal)"
  end
  return '"' .. gsub(s, '[\0-\31"\\\127]', ESCAPES) .. '"'
end

-- The shortest text that reads back as the same float, and as a float.
local function encode_float(v)
  if v ~= v or v == math.huge or v == -math.huge then
    refuse(format("the number %s, which JSON does not have", v))
  end
  local text = sys.number_text(v)
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
        sys.tostring(key), type(key)))
    end
    count = count + 1
    keys[count] = key
  end
  sys.sort(keys) -- the same value is always the same text
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

--- Writes JSON, or returns what JSON cannot hold.
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
