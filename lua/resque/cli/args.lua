--- Turns the words behind QUEUE and CLASS on a command line into a job's list of arguments.
--
--    (nothing)                      [{}]
--    '{"to":"x"}'                   [{"to":"x"}]
--    '"x"'  5  '[1,2]'              ["x"]  [5]  [[1,2]]
--    to=x n:=5 body=@f cfg:=@f      [{"to":"x","n":5,"body":"…","cfg":…}]
--    --positional '["x",1]'         ["x",1]
--
-- JSON texts are kept byte for byte (json.raw).
-- @module resque.cli.args
local json = require "resque.json"
local sys = require "resque.sys"

local args = {}

-- Levels that a worker accepts: 98, of which the payload is one and the list another.
local LIST_DEPTH = 97

--- A value from JSON text.
-- @tparam string text
-- @tparam[opt=false] boolean whole it is the list itself, not an element
-- @treturn[1] table a value for json.encode
-- @treturn[2] nil
-- @treturn[2] string what is wrong with it
function args.value(text, whole)
  local ok, err = json.check(text, whole and LIST_DEPTH or LIST_DEPTH - 1)
  if not ok then
    return nil, err
  end
  return json.raw(text)
end

local function read_file(path)
  local file, err = io.open(path, "rb")
  if not file then
    return nil, err
  end
  local text
  text, err = file:read "a"
  file:close()
  return text, err
end

-- A text as messages show it: short, and without the password of an address.
local function shown(text)
  text = text:gsub("://.*@", "://***@")
  return sys.printable(#text > 60 and text:sub(1, 60) .. "…" or text)
end

-- One `name=text`, `name:=json`, `name=@file` or `name:=@file`: the value.
local function field_value(name, colon, rest)
  local text = rest
  if rest:sub(1, 1) == "@" then
    local err
    text, err = read_file(rest:sub(2))
    if not text then
      return nil, ("%s: %s"):format(name, shown(err)),
        ("to send the text itself: %s:='\"%s\"'"):format(name, shown(rest))
    end
  end
  if colon == "" then
    if not utf8.len(text) then
      return nil, ("%s: the text is not valid UTF-8"):format(name),
        "JSON holds text only; send bytes as base64"
    end
    return text
  end
  local value, err = args.value(text)
  if not value then
    return nil, ("%s: not JSON: %s"):format(name, err), ("to send text: %s=…"):format(name)
  end
  return value
end

local function fields(words)
  local object = {}
  for _, word in ipairs(words) do
    local name, colon, rest = word:match "^([^=]-)(:?)=(.*)$"
    if not name or name == "" then
      return nil, ("'%s' is not name=value"):format(shown(word)),
        "name=text, name:=JSON, name=@file, name:=@file.json, or one JSON value alone"
    elseif not utf8.len(name) then
      return nil, ("the name '%s' is not valid UTF-8"):format(shown(name))
    elseif object[name] ~= nil then
      return nil, ("'%s' is given twice"):format(shown(name)),
        ("a list is one value: %s:='[1,2]'"):format(shown(name))
    end
    local value, err, hint = field_value(name, colon, rest)
    if not value then
      return nil, err, hint
    end
    object[name] = value
  end
  return object
end

-- The whole list from --positional.
local function positional(text, words)
  if words[1] then
    return nil, ("'%s' has no place beside --positional"):format(shown(words[1])),
      "--positional is the whole list"
  end
  local list, err = args.value(text, true)
  if not list or not text:find "^%s*%[" then
    return nil, "--positional: " .. (err and "not JSON: " .. err or "a JSON list is wanted"),
      [[--positional '["x",1]']]
  end
  return list
end

-- Whether a word can only be meant as JSON, so that its error is worth telling.
local function looks_like_json(word)
  return word:find '^%s*[{%["]' ~= nil
end

--- Reads the words of a command line.
-- @tparam {string,...} words what follows QUEUE and CLASS
-- @tparam[opt] string whole the text of --positional
-- @treturn[1] table the list of arguments, for json.encode
-- @treturn[2] nil
-- @treturn[2] string what is wrong
-- @treturn[2] ?string hint
function args.read(words, whole)
  if whole then
    return positional(whole, words)
  elseif #words == 0 then
    return json.array { {} }
  elseif #words == 1 then
    local value, err = args.value(words[1])
    if value then
      return json.array { value }
    elseif looks_like_json(words[1]) then
      return nil, "the arguments are not JSON: " .. err,
        [['{"name":"value"}' in single quotes, or name=value]]
    end
  end
  local object, err, hint = fields(words)
  if not object then
    return nil, err, hint
  end
  return json.array { object }
end

return args
