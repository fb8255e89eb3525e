--- Hooks: functions that are called at the events of a job's life, as php-resque names them.
--
-- This is a registry and no more: each event is emitted where it happens, and an error in a hook
-- reaches the emitter.
-- @module resque.hooks
local forked = require "resque.job.forked"
local sys = require "resque.sys"

local hooks = {}

-- Event -> list of functions. A list is never changed, only replaced: emit may be going through it.
local listeners = {
  beforeFirstFork = {},
  beforeFork = {},
  afterFork = {},
  beforePerform = {},
  afterPerform = {},
  onFailure = {},
  beforeEnqueue = {},
  afterEnqueue = {},
}

--- The names of the events, sorted.
-- @treturn {string,...}
function hooks.names()
  local names = {}
  for name in pairs(listeners) do
    names[#names + 1] = name
  end
  sys.sort(names)
  return names
end

-- The event's name in `listeners`: before_fork is beforeFork. Raises if there is none.
local function event_name(event, level)
  local name = tostring(event):gsub("_(%l)", string.upper)
  if not listeners[name] then
    local known = table.concat(hooks.names(), ", ")
    error(("there is no event '%s' (hint: %s)"):format(event, known), level + 1)
  end
  return name
end

local function check_function(fn, level)
  local meta = getmetatable(fn)
  if type(fn) ~= "function" and not (type(meta) == "table" and meta.__call) then
    error("a hook is a function, got " .. type(fn), level + 1)
  end
end

--- Calls `fn` at every `event` from now on, after those that are registered already.
-- @tparam string event such as "beforePerform" or "before_perform"
-- @tparam function fn what it gets depends on the event
-- @treturn function takes this registration back
-- @usage resque.on("onFailure", function(err, job) notify(err.message, job.id) end)
function hooks.on(event, fn)
  local name = event_name(event, 2)
  check_function(fn, 2)
  local list = { table.unpack(listeners[name]) }
  list[#list + 1] = fn
  listeners[name] = list
  return function()
    hooks.off(name, fn)
  end
end

--- Takes the last registration of `fn` back.
-- @tparam string event
-- @tparam function fn
-- @treturn boolean false: it was not registered
function hooks.off(event, fn)
  local name = event_name(event, 2)
  local list = { table.unpack(listeners[name]) }
  for i = #list, 1, -1 do
    if list[i] == fn then
      table.remove(list, i)
      listeners[name] = list
      return true
    end
  end
  return false
end

--- Whether something is registered.
-- @tparam string event
-- @treturn boolean
function hooks.has(event)
  return #listeners[event_name(event, 2)] > 0
end

--- Calls the functions of an event in the order of their registration. Errors propagate.
-- @tparam string event
-- @param ... what they get
function hooks.emit(event, ...)
  for _, fn in ipairs(listeners[event_name(event, 2)]) do
    forked.call(fn, ...)
  end
end

return hooks
