--- Makes a job from one line of standard input.
--
-- With a class on the command line a line is the arguments: one JSON value, as a word of ARGS would
-- be. Without a class it is an object with queue, class, args and id, of which only class must be
-- there, and queue if the command line names none. Its `args` is the whole list, as in Resque's
-- payloads; an object or a single value counts as a list of one.
-- @module resque.cli.lines
local args = require "resque.cli.args"
local json = require "resque.json"
local sys = require "resque.sys"

local lines = {}

local KEYS = { "queue", "class", "args", "id" }
local KNOWN = { queue = true, class = true, args = true, id = true }

local function unknown_key(record)
  for key in pairs(record) do
    if not KNOWN[key] then
      local nearest = sys.nearest(key, KEYS)
      local hint = nearest and (', did you mean "%s"?'):format(nearest)
      return ('unknown key "%s"%s'):format(sys.printable(key),
        hint or "; a line has queue, class, args, id")
    end
  end
end

local function wrong_text(record)
  for _, key in ipairs { "queue", "class", "id" } do
    local value = record[key]
    if value ~= nil and (type(value) ~= "string" or value == "") then
      return ('"%s" is not a text'):format(key)
    end
  end
end

local function list_of(value)
  if value == nil then
    return json.array { {} }
  end
  return json.is_array(value) and value or json.array { value }
end

-- A line that is a whole job.
local function read_record(line, queue)
  local record, err = json.decode(line)
  if err then
    return nil, "not JSON: " .. err
  elseif type(record) ~= "table" or json.is_array(record) then
    return nil, "not a JSON object"
  end
  err = unknown_key(record) or wrong_text(record)
  if err then
    return nil, err
  elseif not record.class then
    return nil, 'there is no "class"'
  elseif not (record.queue or queue) then
    return nil, 'there is no "queue"'
  end
  return {
    queue = record.queue or queue, class = record.class, id = record.id,
    args = list_of(record.args),
  }
end

--- Makes the reader of lines.
-- @tparam ?string queue from the command line
-- @tparam ?string class from the command line
-- @treturn function takes a line; returns a table with queue, class, args (the list), id - or nil
--   and what is wrong
function lines.reader(queue, class)
  if not class then
    return function(line)
      return read_record(line, queue)
    end
  end
  return function(line)
    local value, err = args.value(line)
    if not value then
      return nil, "not JSON: " .. err
    end
    return { queue = queue, class = class, args = json.array { value } }
  end
end

return lines
