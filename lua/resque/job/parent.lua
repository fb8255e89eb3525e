--- Runs beforeFirstFork and beforeFork in the worker's own Lua state, which exists for them alone.
-- @module resque.job.parent
local errors = require "resque.errors"
local hooks = require "resque.hooks"
local job = require "resque.job"
local loader = require "resque.job.loader"
local sys = require "resque.sys"

local parent = {}

local worker -- its process id

-- os.exit as hooks see it: the process is the worker, not a job, unless a hook has forked it.
local function refuse_exit(...)
  if sys.pid() == worker then
    error("os.exit would end the worker, not a job", 2)
  end
  sys.leave(...)
end

--- Loads APP_INCLUDE.
-- @treturn ?string why it cannot be loaded; nil: it is
function parent.load()
  worker = sys.pid()
  _G.os.exit = refuse_exit -- luacheck: ignore 122
  local loaded, broken = loader.load(sys.settings.include, sys.settings.no_include)
  return not loaded and broken.message or nil
end

--- Calls the hooks of an event.
-- @tparam string event "beforeFirstFork" (gets the worker's id) or "beforeFork" (gets the job)
-- @tparam string worker_id
-- @tparam[opt] table fields payload and queue of the job
-- @treturn[1] nil all is well
-- @treturn[2] string exception name
-- @treturn[2] string message
function parent.emit(event, worker_id, fields)
  local subject = worker_id
  if fields then
    subject = job.read(fields.payload, fields.queue, fields.attempts)
    subject.worker = worker_id
  end
  local ok, report = errors.attempt(hooks.emit, event, subject)
  if not ok then
    return report.name, report.message
  end
end

return parent
