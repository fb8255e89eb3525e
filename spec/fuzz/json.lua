--- What fuzz_json.c asks of any text: returns a function that raises when a property does not hold.
local json = require "resque.json"

-- Equal as JSON values; 1 and 1.0, [] and {} are not.
local function same(a, b, depth)
  if math.type(a) ~= math.type(b) or type(a) ~= type(b) then
    return false
  elseif type(a) ~= "table" then
    return a == b
  elseif getmetatable(a) ~= getmetatable(b) then
    return false
  end
  for key, value in next, a do
    if not same(value, rawget(b, key), depth + 1) then
      return false
    end
  end
  for key in next, b do
    if rawget(a, key) == nil then
      return false
    end
  end
  return true
end

-- JSON has no number for it, so it cannot be written: 1e400 was read.
local function holds_infinity(value)
  if type(value) ~= "table" then
    return value == math.huge or value == -math.huge
  end
  for _, inner in next, value do
    if holds_infinity(inner) then
      return true
    end
  end
  return false
end

local function check_again(value)
  local text, refused = json.try_encode(value)
  if not text then
    assert(holds_infinity(value), refused)
    return
  end
  assert(json.check(text), "what it writes is not JSON")
  local again = json.decode(text)
  assert(same(value, again, 0), "what it writes reads as something else")
  assert(json.encode(again) == text, "written again it is another text")
end

return function(text)
  pcall(json.decode_checked, text) -- raises at worst, whatever the text is
  local valid = json.check(text)
  local value, why = json.decode(text)
  assert((value ~= nil) == (valid and true or false), why or "it reads what the checker refuses")
  if value ~= nil then
    check_again(value)
    local raw = assert(json.raw(text))
    assert(json.encode(raw) == text, "raw JSON is not written as it is")
  end
  local written, refused = json.try_encode { text = text }
  assert((written ~= nil) == (utf8.len(text) ~= nil), refused or "it writes what is no UTF-8")
  assert(not written or json.decode(written).text == text, "a text reads as another one")
end
