--- Stops one job, wherever it is: a waiting one is taken out of its queue, a running one is ended
-- by the worker that has it, on whatever host.
--
-- The order for a worker goes out on the channel lua:control, where its manager listens, and names
-- the token of this one run: no other job can be hit. The worker's record shows whether the order
-- was obeyed, so that nobody has to answer.
-- @module resque.client.cancel
local connection = require "resque.connection"
local json = require "resque.json"
local net = require "resque.net"
local pages = require "resque.client.pages"
local sys = require "resque.sys"
local workers = require "resque.client.workers"

local cancel = {}

local PATIENCE = 5 -- seconds for a worker to end a job
local LOOK = 0.02 -- seconds between looks whether it has
local AGAIN = 0.5 -- seconds; an order that nobody heard is lost
local ROUNDS = 20 -- a job may go on from queue to worker and back while it is looked for

local HEAD = 80 -- bytes of a record that hold its token
local FAILED_LISTS = { "failed", "failed:overflow" }
local RECENT = 100 -- failure records looked through when the list was cut meanwhile

-- ---------------------------------------------------------------------------------- where it is

-- The id in the names of a job's keys: newer php-resque puts the payload's `prefix` in front.
local function full_id(value)
  local prefix = value.prefix
  return type(prefix) == "string" and prefix ~= "" and prefix .. "_" .. value.id or value.id
end

local function is_job(id, value)
  return type(value.id) == "string" and (value.id == id or full_id(value) == id)
end

local function job_of(value)
  local function text(name)
    return type(value[name]) == "string" and value[name] or nil
  end
  return { id = value.id, class = text "class", prefix = text "prefix" }
end

-- Whether bytes may be the job's: a cheap test, as nearly all are not.
local function may_hold(id, text)
  return text:find(id, 1, true) or text:find("\\", 1, true)
    or id:find("_", 1, true) and text:find('"prefix"', 1, true)
end

local function find_running(id)
  local ids, err, trouble = workers.ids()
  if not ids then
    return nil, err, trouble
  end
  local place = false
  local ended
  ended, err, trouble = workers.each(ids, function(worker, record)
    local job = record and may_hold(id, record) and workers.read(record)
    if job and is_job(id, job) then
      place = { worker = worker, token = job.token, queue = job.queue, job = job }
      return true
    end
  end)
  if ended == nil then
    return nil, err, trouble
  end
  return place
end

-- The queues that hold something, short ones first: { name, length }.
local function filled_queues(conn)
  local names, err, trouble = conn:call("SMEMBERS", connection.key "queues")
  local commands, lengths, filled = {}, {}, {}
  for i, name in ipairs(names or {}) do
    commands[i] = { "LLEN", connection.key("queue:" .. name) }
  end
  if names and names[1] then
    lengths, err, trouble = conn:pipeline(commands)
  end
  if not names or not lengths then
    return nil, err, trouble
  end
  for i, length in ipairs(lengths) do
    if math.type(length) == "integer" and length > 0 then -- else it is no list
      filled[#filled + 1] = { name = names[i], length = length }
    end
  end
  table.sort(filled, function(a, b)
    return a.length < b.length or a.length == b.length and sys.before(a.name, b.name)
  end)
  return filled
end

local function find_queued(id)
  local conn, err, trouble = connection.own()
  local filled
  if conn then
    filled, err, trouble = filled_queues(conn)
  end
  local place = false
  for _, queue in ipairs(filled or {}) do
    local ended
    ended, err, trouble = pages.each(conn, connection.key("queue:" .. queue.name),
      function(payload, behind)
        local value = may_hold(id, payload) and json.decode(payload)
        if type(value) == "table" and is_job(id, value) then
          place = { queue = queue.name, payload = payload, job = job_of(value),
            from_head = behind > queue.length // 2 }
          return true
        end
      end)
    if ended or ended == nil then
      break
    end
    err = nil
  end
  if err then
    return nil, err, trouble
  end
  return place
end

--- Finds a job, even while a worker is taking it from its queue.
-- @tparam string id
-- @treturn[1] table `job` (`id`, `class`, …), `queue`; of a running job also `worker`, and `token`
--   if that worker is a resque-lua; of a waiting job `payload`
-- @treturn[2] boolean false: it neither waits nor runs
-- @treturn[3] nil
-- @treturn[3] string error message
-- @treturn[3] ?string its kind, see resque.connection
function cancel.find(id)
  local place, err, trouble
  for _, find in ipairs { find_running, find_queued, find_running } do
    place, err, trouble = find(id)
    if place or place == nil then
      break
    end
  end
  return place, err, trouble
end

--- The job that a worker has right now.
-- @tparam string worker its id
-- @return as `find`
function cancel.find_at(worker)
  local conn, err, trouble = connection.own()
  local record
  if conn then
    record, err, trouble = conn:call("GET", workers.record_key(worker))
  end
  if not record and not err then
    return false
  elseif not record then
    return nil, err, trouble
  end
  local job = workers.read(record)
  return { worker = worker, token = job.token, queue = job.queue, job = job }
end

-- -------------------------------------------------------------------------------- taking it out

-- Takes a job out of its queue. Returns whether it was still there.
local function remove(place)
  local conn, err, trouble = connection.own()
  local answer
  if conn then
    answer, err, trouble = conn:call("EVAL", net.script "remove", 1,
      connection.key("queue:" .. place.queue), connection.key "", "", place.from_head and 1 or -1,
      place.payload, full_id(place.job))
  end
  if not answer then
    return nil, err, trouble
  end
  return answer[1] == "OK"
end

-- ------------------------------------------------------------------------- having it ended

-- How many failure records there are now.
local function count_failures(conn)
  local counts = {}
  for _, name in ipairs(FAILED_LISTS) do
    counts[name] = conn:call("LLEN", connection.key(name)) or 0
  end
  return counts
end

-- The newest failure record of this run that was not there before.
local function new_failure(conn, place, before)
  for _, name in ipairs(FAILED_LISTS) do
    local key = connection.key(name)
    local count = conn:call("LLEN", key) or 0
    local first = count < before[name] and -RECENT or before[name]
    local texts = conn:call("LRANGE", key, first, -1) or {}
    for i = #texts, 1, -1 do
      local failure = json.decode(texts[i])
      local payload = type(failure) == "table" and failure.worker == place.worker
        and failure.payload
      if type(payload) == "table" and payload.id == place.job.id then
        return failure
      end
    end
  end
end

-- Gives the order until the record shows another token, or none. Returns whether it was obeyed.
local function end_run(conn, place, seconds)
  local channel, key = connection.key "lua:control", workers.record_key(place.worker)
  local order = ("kill %s %s"):format(place.token, place.worker)
  local now = sys.monotonic()
  local deadline, order_at = now + seconds, now
  while true do
    if now >= order_at then
      local heard, err, trouble = conn:call("PUBLISH", channel, order)
      if not heard then
        return nil, err, trouble
      end
      place.listeners, order_at = heard, now + AGAIN
    end
    local head, err, trouble = conn:call("GETRANGE", key, 0, HEAD)
    if not head then
      return nil, err, trouble
    elseif workers.token(head) ~= place.token then
      return true
    elseif now >= deadline then
      return false
    end
    sys.sleep(LOOK)
    now = sys.monotonic()
  end
end

-- Ends the run at a place. Returns "cancelled" or "finished" and the place; else as `cancel`.
local function stop_run(place, seconds)
  if not place.token then
    return nil, "its worker is not a resque-lua", "foreign", place
  end
  local conn, err, trouble = connection.own()
  if not conn then
    return nil, err, trouble
  end
  local before = count_failures(conn)
  local ended, why, kind = end_run(conn, place, seconds or PATIENCE)
  if ended == nil then
    return nil, why, kind
  elseif not ended then
    return nil, "its worker has not ended it", "silent", place
  end
  place.failure = new_failure(conn, place, before)
  local cancelled = place.failure and place.failure.exception == "Resque::Cancelled"
  return cancelled and "cancelled" or "finished", place
end

-- Takes a job out, or ends it. Returns as `cancel`; false: the job has moved on meanwhile.
local function stop(place, seconds)
  if not place.payload then
    return stop_run(place, seconds)
  end
  local removed, err, trouble = remove(place)
  if removed == nil then
    return nil, err, trouble
  end
  return removed and "removed", place
end

--- Stops one job: takes it out of its queue, or has the worker that runs it end it. An ended job is
-- recorded as failed, with the exception Resque::Cancelled; of a job that was taken out only a
-- status stays, failed with the reason as its result.
-- @tparam string id
-- @tparam[opt=5] number seconds how long its worker may take
-- @treturn[1] string "removed", "cancelled", or "finished": it came to its own end meanwhile
-- @treturn[1] table where it was, see `find`; `failure`: its new failure record, if it has one
-- @treturn[2] nil
-- @treturn[2] string error message
-- @treturn[2] ?string its kind: "absent" (no such job waits or runs), "foreign" (a worker that is
--   no resque-lua has it), "silent" (its worker has not ended it), or see resque.connection
-- @treturn[2] ?table where it is
-- @usage local what, err = resque.cancel(id)
function cancel.cancel(id, seconds)
  if type(id) ~= "string" or id == "" then
    error("cancel: the id of a job expected, got " .. (id == "" and "none" or type(id)), 2)
  end
  local last
  for _ = 1, ROUNDS do
    local place, err, trouble = cancel.find(id)
    if place == nil then
      return nil, err, trouble
    elseif not place and last then
      return "finished", last
    elseif not place then
      return nil, "no queued or running job has this id", "absent"
    end
    local what, where, kind, at = stop(place, seconds)
    local put_back = what == "finished" and not place.failure
    if what == nil or what and not put_back then
      return what, where, kind, at
    end
    last = put_back and place or last
  end
  return nil, "it is put back again and again", "silent", last
end

--- Ends the job that a worker has right now.
-- @tparam string worker its id
-- @tparam[opt=5] number seconds
-- @return as `cancel`; "absent": this worker has no job
function cancel.cancel_at(worker, seconds)
  local place, err, trouble = cancel.find_at(worker)
  if place == nil then
    return nil, err, trouble
  elseif not place then
    return nil, "this worker has no job", "absent"
  end
  return stop_run(place, seconds)
end

return cancel
