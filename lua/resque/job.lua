--- Job classes by name, and the object a job runs as. Called as `resque.job(name)`.
--
-- This module knows nothing of files (resque.job.loader finds classes) and nothing of Redis.
-- @module resque.job
local json = require "resque.json"

local job = {}

-- How many elements of args become parameters of perform; self.job.args has them all. Lua cannot
-- pass a million.
local MAX_PARAMETERS = 10000

local classes = {} -- name -> table
local by_path = {} -- name with every separator a dot -> table
local names = {} -- table -> the first name it was registered under

--- A class name as a path: "Mail::Send" and "Mail\Send" are "Mail.Send".
-- @tparam string name
-- @treturn string
function job.path(name)
  return (name:gsub("::", "."):gsub("\\", "."):gsub("^%.+", ""))
end

--- Registers a job class. The same name again without a table gives the same table.
-- @tparam string name any text, such as "SendMail", "Mail::Send" or "App\\Jobs\\Mail"
-- @tparam[opt] table class
-- @treturn table the class: give it `perform`; `setUp`, `tearDown` and `queue` as you like
-- @usage local SendMail = resque.job("SendMail")
-- function SendMail:perform() send(self.args.to) end
function job.register(name, class)
  if type(name) ~= "string" or name == "" then
    error("job: a class name expected, got " .. (name == "" and "an empty one" or type(name)), 2)
  elseif class ~= nil and type(class) ~= "table" then
    error("job: a table expected as class " .. name .. ", got " .. type(class), 2)
  end
  class = class or classes[name] or {}
  classes[name] = class
  by_path[job.path(name)] = class
  names[class] = names[class] or name
  return class
end

--- The class registered under a name, else under one that differs in its separators alone.
-- @tparam string name
-- @treturn ?table
function job.lookup(name)
  return classes[name] or by_path[job.path(name)]
end

--- The name a class was registered under.
-- @tparam table class
-- @treturn ?string
function job.name_of(class)
  return names[class]
end

--- All registered classes.
-- @treturn {[string]=table,...}
function job.classes()
  local copy = {}
  for name, class in pairs(classes) do
    copy[name] = class
  end
  return copy
end

-- -------------------------------------------------------------------------------- one job to run

-- The arguments as a list: an object (php-resque 1.1) or a single value counts as one element.
local function list_of(args)
  if args == nil or args == json.null then
    return json.array()
  end
  return json.is_array(args) and args or json.array { args }
end

--- Reads a payload: strict JSON, an object with a string `class` (the worker has checked that).
-- @tparam string payload bytes
-- @tparam string queue where it came from
-- @tparam[opt=0] integer attempts how often it was run before
-- @treturn table what `self.job` is: id, class, args (the whole list), queue, queue_time, payload,
--   attempts, prefix
function job.read(payload, queue, attempts)
  local value = json.decode_checked(payload)
  local function only(kind, name)
    return type(value[name]) == kind and value[name] or nil
  end
  return {
    id = only("string", "id"),
    class = value.class,
    args = list_of(value.args),
    queue = queue,
    queue_time = only("number", "queue_time"),
    prefix = only("string", "prefix"),
    payload = payload,
    attempts = attempts or 0,
  }
end

--- The object that setUp, perform and tearDown get as self.
-- @tparam table class
-- @tparam table info from `read`
-- @treturn table with `args` (the first argument; none: an empty table), `queue`, `job`
function job.instance(class, info)
  local first = info.args[1]
  if first == nil or first == json.null then
    first = {}
  end
  return setmetatable({ args = first, queue = info.queue, job = info }, { __index = class })
end

--- The parameters of perform behind self: the whole args list, null as nil.
-- @tparam table info from `read`
-- @return ...
function job.parameters(info)
  local count = math.min(#info.args, MAX_PARAMETERS)
  local list = table.move(info.args, 1, count, 1, {})
  for i = 1, count do
    if list[i] == json.null then
      list[i] = nil
    end
  end
  return table.unpack(list, 1, count)
end

local function snake(letter)
  return "_" .. letter:lower()
end

--- A method of a class or an object: setUp is set_up, tearDown is tear_down as well.
-- @tparam table object
-- @tparam string name "setUp", "perform" or "tearDown"
-- @treturn ?function
function job.method(object, name)
  local method = object[name]
  if method == nil then
    method = object[name:gsub("%u", snake)]
  end
  return type(method) == "function" and method or nil
end

return setmetatable(job, {
  __call = function(_, name, class)
    return job.register(name, class)
  end,
})
