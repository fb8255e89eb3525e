-- encode.lua - texts in and out of JSON strings. Not for payloads: those are spliced as they are.

-- Puts '?' for each byte that is no part of valid UTF-8 (RFC 3629): cjson lets these through.
local function clean_utf8(text)
  if not text:find("[\128-\255]") then return text end
  -- A run is one character, or rubbish, or both. Texts repeat their characters: hence the cache.
  local cleaned = setmetatable({}, { __index = function(cache, run)
    local first, second = run:byte(1, 2)
    local length = first < 194 and 0 or first < 224 and 2 or first < 240 and 3
      or first < 245 and 4 or 0
    if #run < length or first == 224 and second < 160 or first == 237 and second > 159
      or first == 240 and second < 144 or first == 244 and second > 143 then
      length = 0
    end
    cache[run] = run:sub(1, length) .. ("?"):rep(#run - length)
    return cache[run]
  end })
  return (text:gsub("[\128-\255][\128-\191]*", cleaned))
end

-- The JSON string of a text. Slashes stay slashes: every `/` that cjson writes has a backslash.
local function json_string(text)
  return (cjson.encode(clean_utf8(text)):gsub("\\/", "/"))
end

-- The text of a JSON string; nil for another value.
local function json_text(raw)
  if raw:sub(1, 1) ~= '"' then return nil end
  if not raw:find("\\", 1, true) then return raw:sub(2, -2) end
  return cjson.decode("[" .. raw .. "]")[1]
end
