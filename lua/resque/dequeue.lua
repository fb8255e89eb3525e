--- Takes waiting jobs out of a queue, as php-resque does.
-- @module resque.dequeue
local connection = require "resque.connection"
local job = require "resque.job"
local json = require "resque.json"
local pages = require "resque.client.pages"
local queue = require "resque.queue"

local removal = {}

local function error_text(reply)
  return type(reply) == "table" and reply.err or nil
end

-- The test of a decoded payload that an item asks for: "Class", {Class = id} or {Class = args}.
local function matcher(item)
  if type(item) == "string" then
    return function(info)
      return info.class == item
    end
  end
  local class, what = next(type(item) == "table" and item or {})
  if type(class) ~= "string" or (type(what) ~= "string" and type(what) ~= "table") then
    error('dequeue: an item is "Class", {Class = id} or {Class = args}', 3)
  elseif type(what) == "string" then
    return function(info)
      return info.class == class and info.id == what
    end
  end
  local wanted = json.encode(what)
  return function(info)
    return info.class == class and info.args[1] ~= nil and json.encode(info.args[1]) == wanted
  end
end

local function readable(payload, name)
  if not json.check(payload) then
    return nil
  end
  local ok, info = pcall(job.read, payload, name)
  return ok and info or nil
end

local function any_matches(matchers, info)
  for _, matches in ipairs(matchers) do
    if matches(info) then
      return true
    end
  end
  return false
end

-- The bytes of every job that matches.
local function search(conn, key, name, matchers)
  local found = {}
  local ended, err, trouble = pages.each(conn, key, function(payload)
    local info = readable(payload, name)
    if info and any_matches(matchers, info) then
      found[#found + 1] = payload
    end
  end)
  if ended == nil then
    return nil, err, trouble
  end
  return found
end

local function remove_all(conn, key, found)
  local commands = {}
  for i, payload in ipairs(found) do
    commands[i] = { "LREM", key, -1, payload }
  end
  local replies, err, trouble = conn:pipeline(commands)
  if not replies then
    return nil, err, trouble
  end
  local count = 0
  for _, reply in ipairs(replies) do
    if error_text(reply) then
      return nil, reply.err
    end
    count = count + reply
  end
  return count
end

local function remove_queue(conn, key)
  local commands = { { "MULTI" }, { "LLEN", key }, { "DEL", key }, { "EXEC" } }
  local replies, err, trouble = conn:pipeline(commands)
  if not replies then
    return nil, err, trouble
  end
  local exec = replies[4]
  if exec.err or error_text(exec[1]) then
    return nil, exec.err or exec[1].err
  end
  return exec[1]
end

-- Takes out every job of the queue that one of the matchers wants; without matchers every job.
local function take_out(name, matchers)
  local key = connection.key("queue:" .. name)
  local conn, err, trouble = connection.own()
  if not conn then
    return nil, err, trouble
  elseif not matchers then
    return remove_queue(conn, key)
  end
  local found
  found, err, trouble = search(conn, key, name, matchers)
  if not found then
    return nil, err, trouble
  end
  return remove_all(conn, key, found)
end

--- Takes waiting jobs out of a queue, as php-resque does. Their statuses stay as they are.
-- @tparam string name the queue
-- @param[opt] items a list of "Class" (all its jobs), {Class = id}, {Class = args} (compared with
--   the first argument), or one of these; nil: every job of the queue
-- @treturn[1] integer how many were taken out
-- @treturn[2] nil
-- @treturn[2] string error message
-- @usage resque.dequeue("mail", { "SendMail", { Newsletter = id } })
function removal.dequeue(name, items)
  local ok, err = queue.check(name)
  if not ok then
    error("dequeue: " .. err, 2)
  end
  local matchers = {}
  if type(items) == "string" or (type(items) == "table" and type(next(items)) == "string") then
    items = { items }
  end
  for i, item in ipairs(items or {}) do
    matchers[i] = matcher(item)
  end
  return take_out(name, items and matchers)
end

return removal
