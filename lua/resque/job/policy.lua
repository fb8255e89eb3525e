--- Reads a job's own settings from its table: its limits, its sandbox, and its fate after a crash.
--
--     SendMail.timeout = 30       -- seconds, or "500ms", "30s", "5m", "2h", "1d"
--     SendMail.memory = "64M"     -- bytes, or "64K", "64M", "1G"
--     SendMail.cpu = 10           -- seconds of CPU time, as timeout
--     SendMail.sandbox = "strict" -- also where SANDBOX is off; "off" takes nothing back
--     SendMail.on_crash = "requeue:3" -- or "fail"
--
-- Limits beat the worker's settings; false is no limit. They are applied in the job's process
-- (src/child/joblimits.c); the worker, which has the clock, is told.
-- @module resque.job.policy
local errors = require "resque.errors"
local promise = require "resque.job.promise"
local sandbox = require "resque.job.sandbox"
local sys = require "resque.sys"

local policy = {}

local SECONDS = { [""] = 1, ms = 0.001, s = 1, m = 60, h = 3600, d = 86400 }
local BYTES = { [""] = 1, K = 1 << 10, M = 1 << 20, G = 1 << 30 }
local MEMORY_LEAST = 1 << 20 -- with less a job could not even be told that it has failed
local MEMORY_MOST = 1 << 40
local REQUEUE_MOST = 1000

local function shown(value)
  if type(value) == "string" then
    return ("'%s'"):format(sys.printable(value))
  end
  return type(value) == "number" and sys.tostring(value) or "a " .. type(value)
end

local function refuse(name, field, value, wanted)
  error(errors.report {
    name = "Resque::BadJobTable",
    message = ("%s of job class %s is %s, which is not %s"):format(field, name, shown(value),
      wanted),
  }, 0)
end

-- A number, or one with a unit; nil if it is neither.
local function number_of(value, units)
  if type(value) == "string" then
    local digits, unit = value:match "^(%d+%.?%d*)(%a*)$"
    return units[unit] and sys.number(digits) * units[unit] or nil
  end
  return type(value) == "number" and value or nil
end

-- Seconds; 0: not given, huge: no limit.
local function seconds_of(name, field, value)
  if value == nil or value == false then
    return value == nil and 0 or math.huge
  end
  local seconds = number_of(value, SECONDS)
  local above = seconds and seconds > 0 -- not so nan
  if not above then
    refuse(name, field, value, "a number of seconds above 0 (or 500ms, 30s, 5m, 2h, 1d; "
      .. "false: no limit)")
  end
  return seconds
end

-- Bytes; 0: not given, -1: no limit.
local function bytes_of(name, field, value)
  if value == nil or value == false then
    return value == nil and 0 or -1
  end
  local bytes = number_of(value, BYTES)
  if not bytes or not (bytes >= MEMORY_LEAST and bytes <= MEMORY_MOST) then
    refuse(name, field, value, "a number of bytes from 1M to 1024G (or 64M, 1G; false: no limit)")
  end
  return math.floor(bytes)
end

local function check_sandbox(name, wanted)
  if wanted ~= nil and wanted ~= "strict" and wanted ~= "off" then
    refuse(name, "sandbox", wanted, '"strict" or "off"')
  end
end

-- How often a job that crashed is put back; -1: not given.
local function requeue_of(name, field, value)
  if value == nil then
    return -1
  elseif value == "fail" or value == false then
    return 0
  end
  local times = tonumber(type(value) == "string" and value:match "^requeue:(%d+)$" or nil)
  if not times or times < 1 or times > REQUEUE_MOST then
    refuse(name, field, value, ("'fail' or 'requeue:N' with N from 1 to %d"):format(REQUEUE_MOST))
  end
  return times
end

--- Reads a job's table.
-- @tparam string name of the class, for errors
-- @tparam table class
-- @treturn ?table nil: it says nothing; else `timeout`, `cpu` (seconds; 0: not given, huge: no
--   limit), `memory` (bytes; 0: not given, -1: no limit), `requeue` (how often it is put back when
--   it crashes; -1: not given)
-- @raise a report (resque.errors) with name "Resque::BadJobTable"
function policy.read(name, class)
  local timeout, memory, cpu, on_crash = class.timeout, class.memory, class.cpu, class.on_crash
  check_sandbox(name, class.sandbox)
  if timeout == nil and memory == nil and cpu == nil and on_crash == nil then
    return nil
  end
  return {
    timeout = seconds_of(name, "timeout", timeout),
    memory = bytes_of(name, "memory", memory),
    cpu = seconds_of(name, "cpu", cpu),
    requeue = requeue_of(name, "on_crash", on_crash),
  }
end

--- Reads a job's table, and in a job's process applies it from now on.
-- @tparam string name of the class
-- @tparam table class
-- @tparam ?table held the record that the job is in: `worker`, `token`; nil: outside of a worker
-- @raise as `read` and resque.job.promise
function policy.apply(name, class, held)
  local own = policy.read(name, class)
  if own and held then
    if own.requeue >= 0 then
      promise(name, own.requeue, held)
    end
    sys.policy(own.timeout, own.memory, own.cpu, own.requeue)
  end
  if class.sandbox == "strict" then
    sandbox.enter()
  end
end

return policy
