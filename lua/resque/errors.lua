--- Makes error values readable: a name, a message and a short traceback, whatever was raised.
--
-- It also holds the two values that skip a job when raised, DontPerform and DontCreate. The caller
-- decides about failure record and log. No method of a string is called here: a job may have
-- removed those.
-- @module resque.errors
local forked = require "resque.job.forked"
local json = require "resque.json"
local sys = require "resque.sys"

local errors = {}

-- Limits raise errors in a job, and only inside of its own xpcall.
local IN_JOB = sys.where == "job"
local xpcall = IN_JOB and sys.xpcall or xpcall
-- Level of the function that raised the error, seen from the handler; a job's xpcall calls the
-- handler from C.
local HANDLER_LEVEL = IN_JOB and 3 or 2

-- Frames that are shown from each end of a deep stack: where it broke, and where the job began.
local HALF = 20

-- -------------------------------------------------------------------------- raised to skip a job

local function signal(name)
  local class = { name = name, message = name }
  class.__index = class
  class.__tostring = function(e)
    return e.message
  end
  return setmetatable(class, {
    __tostring = class.__tostring,
    __call = function(_, why)
      return setmetatable({ message = why and sys.tostring(why) or name }, class)
    end,
  })
end

--- Raise it to end a job without a failure: `error(resque.DontPerform)`, or with a reason
-- `error(resque.DontPerform "nothing to do")`.
errors.DontPerform = signal "DontPerform"

--- Raise it in a beforeEnqueue hook: the job is not put in.
errors.DontCreate = signal "DontCreate"

--- Whether an error value is DontPerform or DontCreate, alone or with a reason.
-- @param err any value
-- @tparam table class `errors.DontPerform` or `errors.DontCreate`
-- @treturn boolean
function errors.is(err, class)
  return err == class or (type(err) == "table" and getmetatable(err) == class)
end

--- Ends the job here, without a failure.
-- @tparam[opt] string why goes to the log
function errors.dont_perform(why)
  error(errors.DontPerform(why), 0)
end

--- In a beforeEnqueue hook: the job is not put in; `resque.enqueue` returns nil and the reason.
-- @tparam[opt] string why
function errors.dont_create(why)
  error(errors.DontCreate(why), 0)
end

-- ------------------------------------------------------------------------------------- traceback

-- How the chunk names of our own modules begin: their frames say nothing to a job's author.
local OWN = debug.getinfo(1, "S").source:match "^(.*)errors%.lua$" or "="
local OWN_FACE = OWN:gsub("/$", ".lua")

-- Whether it is a frame of the user's Lua: not the number of frames left out, not C, not ours.
local function is_users(info)
  return type(info) == "table" and info.what ~= "C" and info.source ~= OWN_FACE
    and string.sub(info.source, 1, #OWN) ~= OWN
end

local function place(info)
  if info.what == "C" then
    return "[C]"
  end
  local file = string.match(info.source, "^[@=](.*)") or info.short_src
  return info.currentline > 0 and file .. ":" .. info.currentline or file
end

local function what(info)
  if info.what == "main" then
    return "main chunk"
  elseif info.name then
    return string.format("%s '%s'", info.namewhat == "method" and "method" or "function", info.name)
  elseif info.what == "C" then
    return "?"
  end
  return string.format("function <line %d>", info.linedefined)
end

-- The number of the outermost frame, found by halving: a stack may have 200,000 of them.
local function outermost(level)
  local low, high = level, level + 1
  while debug.getinfo(high, "l") do
    low, high = high, high * 2
  end
  while high - low > 1 do
    local middle = (low + high) // 2
    if debug.getinfo(middle, "l") then
      low = middle
    else
      high = middle
    end
  end
  return low
end

-- The frames from `level` outwards, the middle of a deep stack left out.
local function frames(level)
  local last = outermost(level + 1) - 1 -- inside that function there is one level more
  local list, left_out = {}, last - level + 1 - 2 * HALF
  while level <= last do
    if #list == HALF and left_out > 0 then
      level = level + left_out
      list[#list + 1] = left_out
    end
    list[#list + 1] = debug.getinfo(level, "Snl")
    level = level + 1
  end
  return list
end

-- The user's part of a stack: from behind `error` to the outermost function that is not ours.
local function users_part(list)
  local first, last = 1, #list
  while last > 0 and not is_users(list[last]) do
    last = last - 1
  end
  if last == 0 then
    return 1, #list
  end
  while list[first].what == "C" and (list[first].name == "error" or list[first].name == "assert") do
    first = first + 1
  end
  return first, last
end

-- Makes the lines of errors.trace from a list of frames.
local function lines_of(list)
  local first, last = users_part(list)
  local lines = {}
  for i = first, last do
    local info = list[i]
    lines[#lines + 1] = type(info) == "number" and string.format("... (%d levels left out)", info)
      or place(info) .. ": in " .. what(info)
  end
  return lines
end

--- The stack as short lines, innermost first: "jobs.lua:14: in method 'perform'".
-- @tparam[opt=1] integer level 1 is the function that calls `trace`
-- @treturn {string,...}
function errors.trace(level)
  return lines_of(frames((level or 1) + 2))
end

-- --------------------------------------------------------------------------------------- reports

local function string_field(t, name)
  local ok, value = pcall(function()
    return t[name]
  end)
  local kind = ok and type(value)
  return (kind == "string" or kind == "number") and sys.tostring(value) or nil
end

local function table_message(t)
  local meta = getmetatable(t)
  if type(meta) == "table" and meta.__tostring then
    local ok, text = pcall(tostring, t)
    if ok then
      return text
    end
  end
  local message, code = string_field(t, "message"), string_field(t, "code")
  if message then
    return code and string.format("%s (code %s)", message, code) or message
  end
  local ok, text = pcall(json.encode, t)
  return ok and text or "an error table without a message"
end

local function message_of(err)
  if type(err) == "string" then
    return err
  elseif type(err) == "table" or type(err) == "userdata" then
    return type(err) == "table" and table_message(err) or tostring(err)
  elseif err == nil then
    return "nil was raised: error() was called without a message"
  end
  return string.format("a %s was raised: %s", type(err), sys.tostring(err))
end

local Report = {
  __tostring = function(report)
    return report.message
  end,
}

--- Makes the report of an error: what hooks get and failure records are made of.
-- @param err any value; a report is returned as it is
-- @tparam[opt] {string,...} trace
-- @treturn table `name` (its table's own `name`, else "LuaError"), `message`, `trace` (list of
--   lines), `value` (what was raised)
function errors.report(err, trace)
  if type(err) == "table" and getmetatable(err) == Report then
    return err
  end
  local name = type(err) == "table" and string_field(err, "name") or "LuaError"
  return setmetatable({
    name = string.gsub(string.sub(name, 1, 100), "[^A-Za-z0-9_:.]", "_"),
    message = message_of(err),
    trace = trace or {},
    value = err,
  }, Report)
end

-- The report of an error that a limit or TERM raised, with the stack of that moment; else nil. The
-- handler sees another stack (that of the resumer of a coroutine), or is not called (no memory).
-- `limit` of the report names the limit.
local function stopped(err)
  if not IN_JOB then
    return nil
  end
  local value, where, limit = sys.stopped(err)
  if not value then
    return nil
  end
  local report = errors.report(value, lines_of(where))
  report.limit = limit
  return report
end

--- Message handler for xpcall: the report with the traceback of where the error was raised.
-- @param err any value
-- @treturn table see `report`
-- @usage local ok, report = xpcall(f, errors.handler)
function errors.handler(err)
  return stopped(err) or errors.report(err, errors.trace(HANDLER_LEVEL))
end

local function settle(pid, ok, result, ...)
  if ok then
    forked.check(pid)
    return true, result, ...
  end
  local report = stopped(result) or errors.report(result)
  forked.check(pid, not errors.is(report.value, errors.DontPerform) and report.message or nil)
  return false, report
end

--- xpcall with `handler` that always hands back a report: Lua gives a bare text where a message
-- handler could not run (no memory, no stack, a script that broke what it needs). A process that
-- `f` has forked does not come back.
-- @tparam function f
-- @param ... its arguments
-- @treturn[1] boolean true
-- @return[1] ... what it returned
-- @treturn[2] boolean false
-- @treturn[2] table see `report`
-- @usage local ok, report = errors.attempt(f, 1, 2)
function errors.attempt(f, ...)
  return settle(sys.pid(), xpcall(f, errors.handler, ...))
end

return errors
