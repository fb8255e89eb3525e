-- splice.lua - finds the members of a JSON object as raw text, without building values, so that
-- they can be spliced into another record byte for byte. As strict as the worker's own check
-- (src/base/json_check.h): what passes is read by every JSON parser of the fleet. The server's
-- cjson is not: it takes NaN, 0x10, 01, control characters and bad UTF-8.

-- Values that are looked at, at most; a million take 0.35 s.
local MAX_VALUES = 2e6

-- A table from name to raw value of a JSON object, or nil if `text` is anything but strict JSON of
-- at most `max_depth` levels, or has more values than can be looked at.
local function json_members(text, max_depth)
  local match, byte, sub = string.match, string.byte, string.sub
  local left, members = MAX_VALUES, {}
  local skip_value

  -- Each skip_ function takes the position of a value and returns the one after it, or nil.
  local function skip_string(at)
    at = at + 1
    repeat
      at = match(text, '^[^"\\%z\1-\31]*()', at)
      if byte(text, at) == 34 then return at + 1 end
      at = match(text, '^\\["\\/bfnrt]()', at)
        or match(text, "^\\u[%da-cA-CefEF]%x%x%x()", at)
        or match(text, "^\\u[dD][0-7]%x%x()", at)
        or match(text, "^\\u[dD][89abAB]%x%x\\u[dD][c-fC-F]%x%x()", at)
    until not at
  end

  local function skip_number(at)
    at = match(text, "^-?[1-9]%d*()", at) or match(text, "^-?0()", at)
    if not at or not match(text, "^[.eE]", at) then return at end
    at = match(text, "^%.%d+()", at) or at
    return match(text, "^[eE][+-]?%d+()", at) or at -- what is left over is no separator
  end

  local function skip_name(at, depth)
    local past = byte(text, at) == 34 and skip_string(at)
    local value = past and match(text, "^[ \t\r\n]*:[ \t\r\n]*()", past)
    return value, value and depth == 1 and json_text(sub(text, at, past - 1))
  end

  local function skip_container(at, depth, close)
    at = match(text, "^[ \t\r\n]*()", at + 1)
    if sub(text, at, at) == close then return at + 1 end
    local name, separator, past
    repeat
      if close == "}" then at, name = skip_name(at, depth) end
      past = at and skip_value(at, depth)
      if not past then return nil end
      if name then members[name] = sub(text, at, past - 1) end
      separator, past, at = match(text, "^[ \t\r\n]*([,%]}])()[ \t\r\n]*()", past)
    until separator ~= ","
    return separator == close and past
  end

  function skip_value(at, depth)
    local first = sub(text, at, at)
    left = left - 1
    if left < 0 then return nil end
    if first == '"' then return skip_string(at) end
    if first == "{" or first == "[" then
      return depth < max_depth and skip_container(at, depth + 1, first == "{" and "}" or "]")
    end
    return match(text, "^true()", at) or match(text, "^false()", at)
      or match(text, "^null()", at) or skip_number(at)
  end

  local start = match(text, "^[ \t\r\n]*(){")
  local past = start and skip_value(start, 0)
  local whole = past and match(text, "^[ \t\r\n]*()", past) > #text
  return whole and clean_utf8(text) == text and members or nil
end

-- Returns the stand-in for payload bytes that cannot stand in a record, and a member that keeps all
-- of them. The text shown is cut so that a page of failures stays readable.
local function malformed(bytes)
  local shown = bytes:sub(1, 1000)
  if #bytes > #shown then shown = shown .. " … (" .. #bytes .. " bytes)" end
  return '{"class":"(malformed)","args":[' .. json_string(shown) .. "]}",
    ',"raw_base64":"' .. base64(bytes) .. '"'
end

-- The members of a payload, if it is strict JSON with a class; else nil. 98 levels:
-- src/base/json_check.h.
local function payload_members(payload)
  local members = json_members(payload, 98)
  return members and members.class and json_text(members.class) and members or nil
end

-- The payload if it can stand in a record, else the results of malformed().
local function presentable(payload)
  if payload_members(payload) then return payload end
  return malformed(payload)
end
