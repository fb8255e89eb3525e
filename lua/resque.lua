--- The public face: what `require "resque"` gives to job scripts and to programs that put jobs in.
--
-- Modules that a job needs to start are loaded with it; modules that talk to Redis are loaded when
-- first used, as every job begins with a fresh Lua state.
-- @module resque
local errors = require "resque.errors"
local hooks = require "resque.hooks"
local job = require "resque.job"
local json = require "resque.json"
local sys = require "resque.sys"

--- The version of this program, such as "1.0.0".
local resque = { version = sys.version }

--- JSON: `resque.json.encode(value)`, `resque.json.decode(text)`; see resque.json.
resque.json = json

--- JSON's null inside tables; equal to cjson.null.
resque.null = json.null

--- Marks a table as an array, so that it is written `[...]` also while it is empty.
-- @function array
-- @see resque.json.array
resque.array = json.array

--- Registers a job class: `resque.job("SendMail")`.
-- @function job
-- @see resque.job.register
resque.job = job

--- Calls a function at an event: `resque.on("onFailure", function(err, job) ... end)`.
-- @function on
-- @see resque.hooks.on
resque.on = hooks.on

--- Takes back a function that was registered by `on`.
-- @function off
-- @see resque.hooks.off
resque.off = hooks.off

--- Raise them to skip a job: `error(resque.DontPerform)` in a job or a hook that runs before it,
-- `error(resque.DontCreate)` in beforeEnqueue.
resque.DontPerform = errors.DontPerform
resque.DontCreate = errors.DontCreate

--- Ends the job here, without a failure; the reason is optional.
-- @function dont_perform
-- @see resque.errors.dont_perform
resque.dont_perform = errors.dont_perform

--- In beforeEnqueue: keeps the job out of its queue; the reason is optional.
-- @function dont_create
-- @see resque.errors.dont_create
resque.dont_create = errors.dont_create

--- Sleeps; a signal ends it early.
-- @function sleep
-- @tparam number seconds
-- @treturn boolean false: a signal that does something came
resque.sleep = sys.sleep

local function logger(level)
  return function(format, ...)
    local text = sys.tostring(format)
    sys.log(level, select("#", ...) > 0 and text:format(...) or text)
  end
end

--- Log lines: `resque.log.info("mail to %s", to)`. With arguments the text is a format.
-- @field debug with VVERBOSE
-- @field info with VERBOSE
-- @field warn always
-- @field error always
resque.log = {
  debug = logger "debug", info = logger "info", warn = logger "warn", error = logger "error",
}

-- Name -> the module that has it. Loaded at first use, then kept.
local LATER = {
  enqueue = "resque.queue", dequeue = "resque.dequeue",
  redis = "resque.connection", key = "resque.connection", set_backend = "resque.connection",
  set_prefix = "resque.connection",
  autoload = "resque.job.loader", cancel = "resque.client.cancel",
}

local function read_only(what, lookup)
  return setmetatable({}, {
    __index = function(_, name)
      return lookup(name)
    end,
    __newindex = function()
      error("resque." .. what .. " is read-only", 2)
    end,
  })
end

local MADE = {
  --- Status of a tracked job: `resque.status(id):get()`.
  -- @function status
  -- @see resque.status
  status = function()
    return require "resque.status"
  end,
  --- The program's settings by their long flags, such as `resque.config.queues`; none in plain Lua.
  config = function()
    return read_only("config", function(name)
      return sys.where ~= "plain" and sys.settings[name] or nil
    end)
  end,
  --- The environment: `resque.env.HOME`. It may hold secrets, so SANDBOX=strict closes it.
  env = function()
    return read_only("env", function(name)
      if sys.confined then
        error("resque.env is closed by SANDBOX=strict", 3)
      end
      return os.getenv(name)
    end)
  end,
}

return setmetatable(resque, {
  __index = function(t, name)
    local value
    if LATER[name] then
      value = require(LATER[name])[name]
    elseif MADE[name] then
      value = MADE[name]()
    end
    t[name] = value
    return value
  end,
})
