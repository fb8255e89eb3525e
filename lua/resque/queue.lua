--- Puts jobs into queues. (resque.dequeue takes waiting ones out.)
--
-- Each group of jobs is one MULTI: first the statuses of tracked jobs, so that they are there when
-- a worker takes the job, then SADD and RPUSH. Every reply is checked.
-- @module resque.queue
local connection = require "resque.connection"
local errors = require "resque.errors"
local hooks = require "resque.hooks"
local job = require "resque.job"
local json = require "resque.json"
local loader = require "resque.job.loader"
local status = require "resque.status"
local sys = require "resque.sys"

local queue = {}

-- Levels that a worker accepts: Ruby reads 100 levels and a record adds one.
local MAX_DEPTH = 98
-- Jobs per RPUSH, so that no command holds Redis up for long.
local GROUP = 500

local warned = {} -- queue names that were complained about in this process

-- -------------------------------------------------------------------------------------- payloads

--- Whether jobs may be put into a queue of this name.
-- @tparam string name
-- @treturn[1] boolean true
-- @treturn[1] ?string a warning
-- @treturn[2] nil
-- @treturn[2] string what is wrong with it
function queue.check(name)
  if type(name) ~= "string" then
    return nil, "the name of a queue expected, got " .. type(name)
  elseif name == "" then
    return nil, "the name of the queue is empty"
  elseif name:find(",", 1, true) then
    return nil, "the name of a queue cannot contain ',', which separates queues in QUEUE"
  elseif name:find "^%s" or name:find "%s$" then
    return nil, "the name of a queue cannot begin or end with a blank"
  elseif not utf8.len(name) then
    return nil, "the name of the queue is not valid UTF-8"
  end
  return true, name:find(":", 1, true)
    and "a queue name with ':' is shown cut off by resque-web" or nil
end

-- Seconds with up to 6 decimals, and at least one: a float for every reader.
local function time_text(now)
  return (sys.fixed(now, 6):gsub("(%.%d-)0+$", "%1"):gsub("%.$", ".0"))
end

--- The payload of a job, as it lies in a queue.
-- @tparam string class
-- @tparam table list the whole list of arguments (`json.raw` of one is fine)
-- @tparam string id
-- @tparam[opt] number now Unix time
-- @treturn[1] string JSON: {"class":...,"args":[...],"id":...,"queue_time":...}
-- @treturn[2] nil
-- @treturn[2] string what JSON cannot hold, or that it is nested too deeply for a worker
function queue.payload(class, list, id, now)
  local texts = {}
  for i, value in ipairs { class, list, id } do
    local text, err = json.try_encode(value)
    if not text then
      return nil, err
    end
    texts[i] = text
  end
  local text = ('{"class":%s,"args":%s,"id":%s,"queue_time":%s}'):format(texts[1], texts[2],
    texts[3], time_text(now or sys.time()))
  local ok, err = json.check(text, MAX_DEPTH)
  if not ok then
    return nil, "the arguments are not for a worker: " .. err
  end
  return text
end

-- ------------------------------------------------------------------------------------- preparing

-- The name of a class that was given by name or as its table.
local function class_name(class)
  local name = class
  if type(class) == "table" then
    name = job.name_of(class)
    if not name then
      return nil, "the class is a table that resque.job did not make"
    end
  end
  if type(name) ~= "string" or name == "" then
    return nil, "the name of a job class expected, got " .. (name == "" and "none" or type(name))
  end
  return name
end

-- The queue that the job class itself names.
local function own_queue(class, name)
  local found = type(class) == "table" and class or loader.find(name) or job.lookup(name)
  local own = found and found.queue
  if own == nil then
    return nil, ("no queue is given, and the job class %s names none"):format(name)
  end
  return own
end

-- The whole list of arguments as it will be written: without any it is one empty object.
local function list_of(args)
  if args == nil then
    return json.array { {} }
  elseif type(args) == "table" and next(args) == nil then
    return json.array()
  end
  return json.is_array(args) and args or nil
end

-- Fills in what an item leaves out and makes its payload. Returns the item that will be pushed, or
-- nil and what is wrong with it.
local function prepare(item)
  local name, err = class_name(item.class)
  if not name then
    return nil, err
  end
  local target = item.queue
  if target == nil then
    target, err = own_queue(item.class, name)
  end
  local ok, warning
  if not err then
    ok, warning = queue.check(target)
    err = not ok and warning
  end
  local id, list = item.id or sys.unique_id(), list_of(item.args)
  if err or type(id) ~= "string" or id == "" then
    return nil, err or "an id is a text that is not empty"
  elseif not list then
    return nil, "the whole list of arguments expected, got what is no list"
  end
  if warning and not warned[target] then
    warned[target] = true
    sys.log("warn", ("queue %s: %s"):format(target, warning))
  end
  local payload
  payload, err = queue.payload(name, list, id)
  if not payload then
    return nil, err
  end
  return { class = name, queue = target, id = id, track = item.track, payload = payload }
end

-- The args of a hook: those that `enqueue` was given, read from the payload.
local function hook_args(ready)
  local list = job.read(ready.payload, ready.queue).args
  if #list ~= 1 then
    return #list == 0 and {} or list
  end
  return list[1] ~= json.null and list[1] or {}
end

-- Calls beforeEnqueue, which may refuse. Returns true, or nil and why; other errors propagate.
local function before(ready)
  if not hooks.has "beforeEnqueue" then
    return true
  end
  local ok, err = errors.attempt(hooks.emit, "beforeEnqueue", ready.class, hook_args(ready),
    ready.queue, ready.id)
  if ok then
    return true
  elseif errors.is(err.value, errors.DontCreate) then
    return nil, err.message
  end
  error(err, 0)
end

local function after(ready)
  if hooks.has "afterEnqueue" then
    hooks.emit("afterEnqueue", ready.class, hook_args(ready), ready.queue, ready.id)
  end
end

-- --------------------------------------------------------------------------------------- pushing

-- Groups jobs by queue, in their order, at most GROUP in each.
local function group_by_queue(list)
  local groups, open = {}, {}
  for _, ready in ipairs(list) do
    local group = open[ready.queue]
    if not group or #group == GROUP then
      group = { queue = ready.queue }
      groups[#groups + 1] = group
      open[ready.queue] = group
    end
    group[#group + 1] = ready
  end
  return groups
end

local function status_keys(group)
  local keys = {}
  for _, ready in ipairs(group) do
    if ready.track then
      keys[#keys + 1] = status.key(ready.id)
    end
  end
  return keys
end

-- Appends the transaction of one group; notes where its replies will be.
local function append_group(commands, group)
  local now = os.time()
  group.first = #commands + 1
  commands[#commands + 1] = { "MULTI" }
  for _, key in ipairs(status_keys(group)) do
    commands[#commands + 1] = { "SET", key, status.waiting(now) }
  end
  commands[#commands + 1] = { "SADD", connection.key "queues", group.queue }
  local push = { "RPUSH", connection.key("queue:" .. group.queue) }
  for i, ready in ipairs(group) do
    push[i + 2] = ready.payload
  end
  commands[#commands + 1] = push
  commands[#commands + 1] = { "EXEC" }
  group.last = #commands
end

local function error_text(reply)
  return type(reply) == "table" and reply.err or nil
end

-- Why a group was not pushed, by the replies to its commands; nil: it was.
local function failure_of(group, replies)
  local exec = replies[group.last]
  if type(exec) ~= "table" or exec.err then
    for i = group.first, group.last do -- the first error says more than "EXECABORT"
      if error_text(replies[i]) then
        return replies[i].err
      end
    end
    return "EXEC was not answered by a list"
  end
  local added, pushed = exec[#exec - 1], exec[#exec]
  if error_text(pushed) then
    group.new_queue = added == 1
    return pushed.err
  elseif error_text(added) then -- the job is in: QUEUE=its name finds it, QUEUE=* does not
    sys.log("warn", ("queue %s could not be noted in 'queues': %s"):format(group.queue, added.err))
  end
end

-- Takes back the writes before an RPUSH that failed, as EXEC does not roll back.
local function undo(conn, group)
  local commands = {}
  local keys = status_keys(group)
  if #keys > 0 then
    commands[1] = { "DEL", table.unpack(keys) }
  end
  if group.new_queue then
    commands[#commands + 1] = { "SREM", connection.key "queues", group.queue }
  end
  if #commands > 0 then
    conn:pipeline(commands)
  end
end

local function reject(group, why)
  for _, ready in ipairs(group) do
    ready.err = why
  end
end

-- Splits a group in which Redis refused a command and closed the connection, as one job was too
-- much for it. Returns the jobs that are to be tried again, one by one.
local function take_apart(group, why)
  local singles = {}
  for i, ready in ipairs(group) do
    singles[i] = { queue = group.queue, ready }
  end
  if #singles > 1 then
    return singles
  end
  reject(group, why)
  return {}
end

-- Sends groups in one trip. Returns those still to be sent; or nil, message, trouble when the
-- connection is lost.
local function push_groups(conn, groups)
  local commands, left = {}, {}
  for _, group in ipairs(groups) do
    append_group(commands, group)
  end
  local replies, err, trouble, answered = conn:pipeline(commands)
  replies = replies or answered
  if not replies then
    return nil, err, trouble
  end
  for _, group in ipairs(groups) do
    local whole = #replies >= group.last
    local again = whole and {} or #replies < group.first - 1 and { group } or take_apart(group, err)
    table.move(again, 1, #again, #left + 1, left)
    local why = whole and failure_of(group, replies)
    if why then
      undo(conn, group)
      reject(group, why)
    end
  end
  return left
end

-- Pushes prepared jobs; a job that was refused gets `err`. Returns true; or nil, message, trouble
-- when the connection is lost, and the fate of the jobs is not known.
local function push(list)
  local conn, err, trouble = connection.own()
  local groups = conn and group_by_queue(list)
  while groups and groups[1] do
    groups, err, trouble = push_groups(conn, groups)
  end
  if not groups then
    return nil, err, trouble
  end
  return true
end

local KNOWN_OPTIONS = { id = "string", track = "boolean", positional = "boolean" }

local function check_options(opts)
  if opts == nil or type(opts) == "boolean" then
    return { track = opts }
  elseif type(opts) ~= "table" then
    return nil, "options: a table, or true for track, expected, got " .. type(opts)
  end
  for name, value in pairs(opts) do
    if type(value) ~= KNOWN_OPTIONS[name] then
      return nil, ("option %s: %s"):format(sys.tostring(name), KNOWN_OPTIONS[name]
        and KNOWN_OPTIONS[name] .. " expected" or "not known (hint: track, id, positional)")
    end
  end
  return opts
end

--- Puts one job into a queue.
-- Raises for wrong use (names, options, arguments that JSON cannot hold), and what a beforeEnqueue
-- or afterEnqueue hook raises, but for DontCreate.
-- @tparam ?string name the queue; nil: the one the job class names
-- @tparam string|table class the name of a class, or what resque.job gave
-- @param[opt] args what the job gets as self.args; nil: an empty table
-- @tparam[opt] table|boolean opts `track` (true alone means that): keep a status; `id`: instead of
--   a new one; `positional`: `args` is the whole list of arguments, as Ruby's jobs take them
-- @treturn[1] string the id
-- @treturn[2] nil
-- @treturn[2] string why it is not in the queue; "... not known" when the connection was lost
-- @treturn[2] ?string "unreachable", "refused", "denied", "not_redis"
-- @usage local id, err = resque.enqueue("mail", "SendMail", { to = "chris@example.org" }, true)
function queue.enqueue(name, class, args, opts)
  local options, err = check_options(opts)
  if not options then
    error("enqueue: " .. err, 2)
  end
  local list = args
  if not options.positional then
    list = json.array { args == nil and {} or args }
  end
  local ready
  ready, err = prepare {
    queue = name, class = class, args = list, id = options.id, track = options.track,
  }
  if not ready then
    error("enqueue: " .. err, 2)
  end
  local ok, why = before(ready)
  if not ok then
    return nil, why
  end
  local trouble
  ok, why, trouble = push { ready }
  if not ok or ready.err then
    return nil, ready.err or why, trouble
  end
  after(ready)
  return ready.id
end

-- The result of one item: an id, or what was wrong. A queued job stays queued, whatever hooks do.
local function result_of(ready)
  if ready.err then
    return { err = ready.err }
  end
  local ok, report = errors.attempt(after, ready)
  if not ok then
    sys.log("error", ("afterEnqueue of job %s: %s"):format(ready.id, report.message))
  end
  return { id = ready.id }
end

--- Puts many jobs into queues, in one round trip. Never raises for what is wrong with one item.
-- @tparam {table,...} items each `class`, `args` (the whole list), and if need be `queue`, `id`,
--   `track`
-- @treturn[1] {table,...} for each item {id = id} or {err = why it is not in its queue}
-- @treturn[2] nil the connection was lost: what became of the items is not known
-- @treturn[2] string message
-- @treturn[2] ?string "unreachable", "refused", "denied", "not_redis"
function queue.push_many(items)
  local results, list, at = {}, {}, {}
  for i, item in ipairs(items) do
    local ready, err = prepare(item)
    if ready then
      local ok, allowed, why = errors.attempt(before, ready)
      err = not ok and "beforeEnqueue: " .. allowed.message or ok and not allowed and why or nil
    end
    if err then
      results[i] = { err = err }
    else
      list[#list + 1] = ready
      at[#list] = i
    end
  end
  if #list > 0 then
    local ok, err, trouble = push(list)
    if not ok then
      return nil, err, trouble
    end
  end
  for n, ready in ipairs(list) do
    results[at[n]] = result_of(ready)
  end
  return results
end

return queue
