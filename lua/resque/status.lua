--- The status of a tracked job, as php-resque keeps it: job:<id>:status, numbers 1 to 4.
--
-- This module only reads: resque.queue (1, with the push) and the server scripts write. Called as
-- `resque.status(id)`.
-- @module resque.status
local connection = require "resque.connection"
local json = require "resque.json"
local sys = require "resque.sys"

local status = { WAITING = 1, RUNNING = 2, FAILED = 3, COMPLETE = 4 }
local NAMES = { "waiting", "running", "failed", "complete" }

-- Pauses between the looks of `wait`: short at first, as most jobs are.
local FIRST_LOOK, LAST_LOOK = 0.01, 0.25 -- seconds

local Status = {}
Status.__index = Status

--- The name of a status number: "waiting", "running", "failed", "complete".
-- @tparam integer number
-- @treturn ?string
function status.name(number)
  return NAMES[number]
end

--- The key of a job's status.
-- @tparam string id
-- @tparam[opt] string prefix the payload's own `prefix`, as newer php-resque writes it
-- @treturn string
function status.key(id, prefix)
  if prefix and prefix ~= "" then
    id = prefix .. "_" .. id
  end
  return connection.key("job:" .. id .. ":status")
end

--- The text of a waiting job's status.
-- @tparam integer now Unix time
-- @treturn string
function status.waiting(now)
  return ('{"status":1,"updated":%d,"started":%d,"result":null}'):format(now, now)
end

--- The status of one job.
-- @tparam string id
-- @tparam[opt] string prefix
-- @treturn table with the methods below
function status.new(id, prefix)
  if type(id) ~= "string" or id == "" then
    error("status: the id of a job expected, got " .. (id == "" and "none" or type(id)), 2)
  end
  return setmetatable({ id = id, prefix = prefix }, Status)
end

--- All fields of the status.
-- @treturn[1] table `status`, `updated`, `started`, `result` (as far as they were written)
-- @treturn[2] boolean false: the job is not tracked (or was done more than a day ago)
-- @treturn[3] nil
-- @treturn[3] string error message
function Status:read()
  local conn, err, trouble = connection.own()
  if not conn then
    return nil, err, trouble
  end
  local text
  text, err, trouble = conn:call("GET", status.key(self.id, self.prefix))
  if not text then
    if err then
      return nil, err, trouble
    end
    return false
  end
  local value = json.decode(text)
  if type(value) ~= "table" or math.type(value.status) ~= "integer" then
    return nil, "the status of job " .. self.id .. " cannot be read"
  end
  return value
end

local function field(self, name)
  local value, err, trouble = self:read()
  if not value then
    return value, err, trouble
  end
  value = value[name]
  if value == json.null then
    value = nil
  end
  return value
end

--- The number: 1 waiting, 2 running, 3 failed, 4 complete.
-- @treturn[1] integer
-- @treturn[2] boolean false: the job is not tracked
-- @treturn[3] nil
-- @treturn[3] string error message
function Status:get()
  return field(self, "status")
end

--- Whether the job is tracked.
-- @treturn[1] boolean
-- @treturn[2] nil
-- @treturn[2] string error message
function Status:is_tracking()
  local value, err, trouble = self:read()
  if value == nil then
    return nil, err, trouble
  end
  return value ~= false
end

--- When the job was enqueued (php-resque calls it started).
-- @treturn ?integer Unix time; nil: not written; false: not tracked
function Status:started()
  return field(self, "started")
end

--- When the status was last written.
-- @treturn ?integer Unix time; false: not tracked
function Status:updated()
  return field(self, "updated")
end

--- What perform returned; nil before the job is complete.
-- @return any; false: not tracked
function Status:result()
  return field(self, "result")
end

--- Waits until the job has failed or is complete.
-- @tparam[opt] number seconds how long at most; nil: for ever
-- @treturn[1] integer 3 or 4
-- @treturn[2] boolean false: the job is not tracked
-- @treturn[3] nil
-- @treturn[3] string "timeout", or an error message
function Status:wait(seconds)
  local deadline = sys.monotonic() + (seconds or math.huge)
  local pause = FIRST_LOOK
  while true do
    local number, err, trouble = self:get()
    if trouble == "unreachable" then -- cut in the middle of asking: to ask again does no harm
      number, err, trouble = self:get()
    end
    if not number or number >= status.FAILED then
      return number, err, trouble
    end
    local left = deadline - sys.monotonic()
    if left <= 0 then
      return nil, "timeout"
    end
    sys.sleep(math.min(pause, left))
    pause = math.min(pause * 1.5, LAST_LOOK)
  end
end

--- Stops tracking the job: its status is deleted. The job itself goes on.
-- @treturn[1] boolean whether there was a status
-- @treturn[2] nil
-- @treturn[2] string error message
function Status:stop()
  local conn, err, trouble = connection.own()
  if not conn then
    return nil, err, trouble
  end
  local count
  count, err, trouble = conn:call("DEL", status.key(self.id, self.prefix))
  if not count then
    return nil, err, trouble
  end
  return count == 1
end

return setmetatable(status, {
  __call = function(_, id, prefix)
    return status.new(id, prefix)
  end,
})
