--- Waits for the end of a tracked job and shows how it went, for `job` and `enqueue --wait`.
-- @module resque.cli.outcome
local connection = require "resque.connection"
local json = require "resque.json"
local status = require "resque.status"
local sys = require "resque.sys"
local terminal = require "resque.cli.terminal"

local outcome = {}
local EXIT = terminal.EXIT

-- Failure records that are looked through, newest first. A job that just failed is among them.
local RECORDS = 100

local COLOURS = { "yellow", "yellow", "red", "green" }

--- The name of a status in its colour.
-- @tparam integer code
-- @treturn string
function outcome.word(code)
  return terminal.paint(COLOURS[code] or "dim", status.name(code) or "status " .. tostring(code))
end

--- Why a job failed: the newest failure record with its id.
-- @tparam string id
-- @treturn ?table exception, error, backtrace, failed_at as they are in the record
function outcome.failure(id)
  local conn = connection.own()
  local records = conn and conn:call("LRANGE", connection.key "failed", -RECORDS, -1) or {}
  for i = #records, 1, -1 do
    local record = records[i]:find(id, 1, true) and json.decode(records[i])
    if type(record) == "table" and type(record.payload) == "table" and record.payload.id == id then
      return record
    end
  end
end

--- Waits for the end of a job.
-- @tparam string id
-- @tparam number seconds math.huge: as long as it takes
-- @treturn[1] integer 3 or 4
-- @treturn[2] nil
-- @treturn[2] integer exit code; why is on stderr
function outcome.wait(id, seconds)
  local code, err, trouble = status.new(id):wait(seconds)
  if code then
    return code
  elseif code == false then
    return nil, outcome.untracked(id)
  elseif err == "timeout" then
    local now = status.new(id):get()
    return nil, terminal.fail(EXIT.timeout, ("job %s is %s after %s s"):format(id,
      now and status.name(now) or "not done", sys.number_text(seconds)))
  end
  return nil, terminal.redis_failed(err, trouble)
end

--- Says that nothing is known of a job.
-- @tparam string id
-- @treturn integer exit code
function outcome.untracked(id)
  return terminal.fail(EXIT.failed, ("Resque is not tracking the status of job %s."):format(id),
    "enqueue it with --track; a status is kept for a day after the job's end")
end

--- The exit code of a wait that saw the end.
-- @tparam integer code
-- @treturn integer
function outcome.exit_code(code)
  return code == status.COMPLETE and EXIT.done or EXIT.failed
end

--- Result or error of a finished job, as one line.
-- @tparam table read what status:read gave
-- @tparam ?table failure from `failure`
-- @treturn string
function outcome.summary(read, failure)
  if failure then
    return ("%s: %s"):format(failure.exception, failure.error)
  end
  return read.result ~= nil and json.encode(read.result) or "null"
end

return outcome
