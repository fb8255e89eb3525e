--- Tells Redis, before a job begins, how often the job is put back if it crashes.
--
-- Only a job whose table differs from its worker's setting needs this: a manager that finds the
-- worker dead, on any machine, then keeps to the table. Without the promise the job does not begin;
-- while Redis is away or in trouble it waits, as a worker does with a job's end.
-- @module resque.job.promise
local connection = require "resque.connection"
local errors = require "resque.errors"
local net = require "resque.net"
local sys = require "resque.sys"

-- Error replies of a server whose trouble passes by itself.
local PASSING = {
  READONLY = true, LOADING = true, MASTERDOWN = true, BUSY = true, OOM = true, MISCONF = true,
  NOREPLICAS = true, CLUSTERDOWN = true, TRYAGAIN = true, UNBLOCKED = true,
}
local FIRST_WAIT, LONGEST_WAIT = 0.02, 1 -- seconds

local function will_pass(err, trouble)
  return trouble == "unreachable" or trouble == "refused"
    or PASSING[(err or ""):match "^%u+" or ""] or false
end

-- Returns the answer of promise.lua; or nil, why, and the kind of trouble.
local function write(worker, token, requeue)
  local conn, err, trouble = connection.home()
  if not conn then
    return nil, err, trouble
  end
  local prefix = sys.settings.prefix
  return conn:call("EVAL", net.script "promise", 1, prefix .. "worker:" .. worker, prefix, worker,
    token, requeue)
end

-- Calls `write` as long as that can help: to write twice does no harm. Returns a word; or nil, why.
local function write_at_last(worker, token, requeue)
  local wait = FIRST_WAIT
  local written, err, trouble = write(worker, token, requeue)
  while not written and will_pass(err, trouble) do
    if wait == FIRST_WAIT then
      sys.log("warn", "on_crash cannot be told to Redis yet: " .. err)
    end
    sys.sleep(wait)
    wait = math.min(wait * 2, LONGEST_WAIT)
    written, err, trouble = write(worker, token, requeue)
  end
  return written and written[1], err
end

-- How often the worker puts back its jobs.
local function of_worker()
  return tonumber((sys.settings.on_crash or ""):match "^requeue:(%d+)$") or 0
end

--- Makes sure that the job will be put back `requeue` times at most. The module is this function.
-- @tparam string name of the class, for errors
-- @tparam integer requeue 0: it fails when it crashes
-- @tparam table held `worker` and `token` of the record that the job is in
-- @raise a report (resque.errors) with name "Resque::CrashPolicyError"
return function(name, requeue, held)
  if requeue == of_worker() then
    return
  end
  local written, err = write_at_last(held.worker, held.token, requeue)
  if written ~= "OK" then
    error(errors.report {
      name = "Resque::CrashPolicyError",
      message = ("on_crash of job class %s cannot be kept: %s"):format(name,
        err or "the job is not this worker's any more"),
    }, 0)
  end
end
