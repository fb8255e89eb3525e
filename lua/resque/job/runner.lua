--- Runs a job in its own process: loads scripts, reports the start, runs the job, reports the end.
--
-- The worker (src/worker/worker.c) decides what becomes of the job; nothing here talks to Redis.
-- Order and failure rules are php-resque's, with the differences that docs/php-resque.md lists; how
-- a job can end: docs/failures.md.
-- @module resque.job.runner
local errors = require "resque.errors"
local forked = require "resque.job.forked"
local hooks = require "resque.hooks"
local job = require "resque.job"
local json = require "resque.json"
local loader = require "resque.job.loader"
local policy = require "resque.job.policy"
local sandbox = require "resque.job.sandbox"
local sys = require "resque.sys"

local runner = {}

-- The record of the job that runs: `worker`, `token`, and `spared` if its worker puts it back for
-- want of its class; nil outside of a worker.
local held

-- ----------------------------------------------------------------------------------- the job

local function call_method(object, name, ...)
  local method = job.method(object, name)
  if method then
    method(object, ...)
  end
end

local function one_text(lines)
  local clean = {}
  for i, line in ipairs(lines) do
    clean[i] = string.gsub(line, "\n", " ") .. "\n"
  end
  return table.concat(clean)
end

-- Tells the worker of a failure before tearDown and onFailure, which may end the process:
-- os.exit(0) there makes no success of it. Outside of a worker nobody is told.
local function settle(report, telling)
  if sys.where == "job" then
    sys.report_failed(report.name, report.message, one_text(report.trace), report.limit, telling)
  end
end

-- tearDown runs whenever setUp succeeded. Its own error fails the job unless the job failed before.
local function tear_down(object, report)
  if not report then
    return forked.call(call_method, object, "tearDown", nil)
  end
  settle(report, false)
  local ok, second = errors.attempt(call_method, object, "tearDown", report)
  if not ok then
    sys.log("error", "tearDown: " .. second.message)
  end
end

local function skips(report)
  return errors.is(report.value, errors.DontPerform)
end

local function find_class(name)
  local class, missing = loader.find(name)
  if not class then
    if held then
      held.spared = sys.report_unknown()
    end
    error(missing, 0)
  end
  return class
end

-- Takes a job from afterFork to its end. Returns perform's result, or raises any value.
local function life(info)
  hooks.emit("afterFork", info)
  hooks.emit("beforePerform", info)
  local class = find_class(info.class)
  local object = job.instance(class, info)
  policy.apply(info.class, class, held)
  forked.call(call_method, object, "setUp")
  local perform = job.method(object, "perform")
  local ok, result = errors.attempt(perform, object, job.parameters(info))
  tear_down(object, not ok and not skips(result) and result or nil)
  if not ok then
    error(result, 0)
  end
  hooks.emit("afterPerform", info)
  return result
end

local function tell_failure(report, info)
  local ok, second = errors.attempt(hooks.emit, "onFailure", report, info)
  if not ok then
    sys.log("error", "onFailure: " .. second.message)
  end
end

--- Runs one job in this process.
-- @tparam table info what `resque.job.read` gives
-- @treturn[1] boolean true
-- @return[1] what perform returned; false if DontPerform was raised
-- @treturn[2] boolean false
-- @treturn[2] table a report (resque.errors)
function runner.perform(info)
  local ok, result = errors.attempt(life, info)
  if ok then
    return true, result
  end
  if skips(result) then
    sys.log("info", "not performed: " .. result.message)
    return true, false
  end
  if not (held and held.spared) then
    settle(result, hooks.has "onFailure")
    tell_failure(result, info)
  end
  return false, result
end

-- ------------------------------------------------------------------------------- for the worker

local function encode_result(result)
  if result == nil then
    return "null"
  end
  local ok, text = pcall(json.encode, result)
  if not ok then
    sys.log("warn", "the result of perform is not kept: " .. tostring(text))
    return "null"
  end
  return text
end

local function wants_parent()
  return hooks.has "beforeFirstFork" or hooks.has "beforeFork"
end

-- Loads APP_INCLUDE. Returns nil, or why jobs cannot start. Hooks of the worker are refused where
-- jobs are confined: no script is to run as root, or with rights that jobs lack.
local function load_scripts()
  local loaded, broken = loader.load(sys.settings.include, sys.settings.no_include)
  local user = sys.settings.job_user
  local confined = user and "JOB_USER" or sys.settings.sandbox == "strict" and "SANDBOX=strict"
  if not loaded then
    local denied = user and broken.message:find("Permission denied", 1, true)
    return broken.message .. (denied and (" (hint: JOB_USER: jobs run as %s)"):format(user) or "")
  elseif confined and wants_parent() then
    return "beforeFirstFork and beforeFork run in the worker, which runs no scripts with "
      .. confined .. " (hint: afterFork runs in the job's process)"
  end
end

--- Makes ready, before there is a job, all that needs none.
function runner.prepare()
  sandbox.start()
end

--- The entry of a job's process.
-- @tparam table fields payload, queue, worker, attempts, token (class and id as the server read
--   them)
-- @treturn[1] string "done"
-- @treturn[1] string perform's result as JSON
-- @treturn[2] string "load": APP_INCLUDE is broken, the job was not started
-- @treturn[2] string why
-- @treturn[3] string "failed"
-- @treturn[3] string exception name
-- @treturn[3] string message
-- @treturn[3] string trace lines, each ended by a newline
-- @treturn[3] ?string "timeout", "memory" or "cpu": the limit that ended it
function runner.run(fields)
  local broken = load_scripts()
  if broken then
    return "load", broken
  end
  sys.report_started(hooks.has "onFailure", wants_parent())
  held = { worker = fields.worker, token = fields.token }
  local ok, result = errors.attempt(job.read, fields.payload, fields.queue, fields.attempts)
  if ok then
    result.worker = fields.worker
    ok, result = runner.perform(result)
  end
  if ok then
    return "done", encode_result(result)
  end
  return "failed", result.name, result.message, one_text(result.trace), result.limit
end

--- Calls onFailure for a job whose process died, in a process of its own.
-- @tparam table fields as for `run`
-- @tparam string exception
-- @tparam string message
function runner.on_failure(fields, exception, message)
  local broken = load_scripts()
  if broken then
    return sys.log("error", "onFailure was not run: " .. broken)
  end
  local info = job.read(fields.payload, fields.queue, fields.attempts)
  info.worker = fields.worker
  tell_failure(errors.report { name = exception, message = message }, info)
end

--- Loads APP_INCLUDE to see whether it can be.
-- @treturn[1] boolean whether somebody listens to beforeFirstFork or beforeFork
-- @treturn[2] nil
-- @treturn[2] string why it cannot be loaded
function runner.check()
  sandbox.start()
  local broken = load_scripts()
  if broken then
    return nil, broken
  end
  return wants_parent(), nil
end

return runner
