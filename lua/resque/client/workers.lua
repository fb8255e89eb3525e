--- Reads the workers of the fleet and their jobs from their keys in Redis.
-- @module resque.client.workers
local connection = require "resque.connection"
local json = require "resque.json"
local sys = require "resque.sys"

local workers = {}

-- Records in one round trip: each may hold a payload of 16 MB.
local AT_ONCE = 50

--- The parts of a worker's id. Only its first two colons separate: names of queues may have some.
-- @tparam string id "host:pid:queues"
-- @treturn string host; the whole id, if it is not made so
-- @treturn ?string pid, as text
-- @treturn ?string queues, separated by commas
function workers.split(id)
  local host, pid, queues = id:match "^([^:]*):([^:]*):(.*)$"
  return host or id, pid, queues
end

--- The key of the job that a worker has.
-- @tparam string id
-- @treturn string
function workers.record_key(id)
  return connection.key("worker:" .. id)
end

--- The key of a worker's start time.
-- @tparam string id
-- @treturn string
function workers.started_key(id)
  return workers.record_key(id) .. ":started"
end

local function process_key(id)
  return connection.key("lua:proc:" .. id)
end

--- The token of the job in a record, which names this one run of it.
-- @tparam ?string record its text, or just its beginning
-- @treturn ?string nil: there is no job, or the worker is not a resque-lua
function workers.token(record)
  return type(record) == "string" and record:match '^{"token":"(%x+:%d+)",' or nil
end

--- The ids of all workers, sorted.
-- @treturn[1] {string,...}
-- @treturn[2] nil
-- @treturn[2] string error message
-- @treturn[2] ?string its kind, see resque.connection
function workers.ids()
  local conn, err, trouble = connection.own()
  if not conn then
    return nil, err, trouble
  end
  local ids
  ids, err, trouble = conn:call("SMEMBERS", connection.key "workers")
  if ids then
    sys.sort(ids)
  end
  return ids, err, trouble
end

-- Calls `visit` with the index of each id and the reply of a command on its key. Returns as `each`.
local function ask_each(conn, ids, command, key_of, visit)
  for first = 1, #ids, AT_ONCE do
    local commands = {}
    for i = first, math.min(first + AT_ONCE - 1, #ids) do
      commands[#commands + 1] = { command, key_of(ids[i]) }
    end
    local replies, err, trouble = conn:pipeline(commands)
    if not replies then
      return nil, err, trouble
    end
    for i, reply in ipairs(replies) do
      if visit(first + i - 1, reply) then
        return true
      end
    end
  end
  return false
end

-- As ask_each with GET: `visit` gets a string, or nil.
local function get_each(conn, ids, key_of, visit)
  return ask_each(conn, ids, "GET", key_of, function(i, text)
    return visit(i, type(text) == "string" and text or nil)
  end)
end

--- Shows every worker with the job it has.
-- @tparam {string,...} ids
-- @tparam function visit gets an id and the text of its record (nil: it has no job); true ends it
-- @treturn[1] boolean whether `visit` has ended it
-- @treturn[2] nil
-- @treturn[2] string error message
-- @treturn[2] ?string its kind
function workers.each(ids, visit)
  local conn, err, trouble = connection.own()
  if not conn then
    return nil, err, trouble
  end
  return get_each(conn, ids, workers.record_key, function(i, record)
    return visit(ids[i], record)
  end)
end

local function text_of(value)
  return type(value) == "string" and value or nil
end

--- Reads a worker's record; those of Ruby, PHP and Node workers, too.
-- @tparam string record
-- @treturn table `token`, `queue`, `since`, `class`, `id`, `prefix`, as far as they are there
function workers.read(record)
  local value = json.decode(record)
  value = type(value) == "table" and value or {}
  local payload = type(value.payload) == "table" and value.payload or {}
  return {
    token = workers.token(record),
    queue = text_of(value.queue), since = text_of(value.run_at),
    class = text_of(payload.class), id = text_of(payload.id), prefix = text_of(payload.prefix),
  }
end

--- What keeps a resque-lua worker from jobs, by its own notes (src/worker/notes.h).
-- @param process HGETALL of its key lua:proc:<id>
-- @treturn {{text=string, blocked=?string, queue=?string, why=?string},...} `text` is for people;
--   `blocked`: why no job can start; `queue`: one that it leaves alone, and `why`
function workers.notes(process)
  local notes = {}
  for i = 1, type(process) == "table" and #process or 0, 2 do
    local name, text = process[i], process[i + 1]
    local queue = name:match "^resting:(.*)$"
    if name == "blocked" then
      table.insert(notes, 1, { text = "blocked: " .. text, blocked = text })
    elseif queue then
      notes[#notes + 1] = { text = ("leaves %s alone: %s"):format(queue, text), queue = queue,
        why = text }
    end
  end
  return notes
end

-- Adds each worker's start, last heartbeat, job and notes.
local function fill_in(conn, list, ids)
  local beats = conn:call("HGETALL", connection.key "workers:heartbeat")
  local beat = {}
  for i = 1, beats and #beats or 0, 2 do
    beat[beats[i]] = beats[i + 1]
  end
  local done, err, trouble = get_each(conn, ids, workers.started_key, function(i, text)
    list[i].started, list[i].heartbeat = text, beat[ids[i]]
  end)
  if done ~= nil then
    done, err, trouble = get_each(conn, ids, workers.record_key, function(i, record)
      list[i].job = record and workers.read(record)
    end)
  end
  if done ~= nil then
    done, err, trouble = ask_each(conn, ids, "HGETALL", process_key, function(i, process)
      list[i].notes = workers.notes(process)
    end)
  end
  return done, err, trouble
end

--- Everything about every worker.
-- @treturn[1] {table,...} in the order of ids: `id`, `host`, `pid`, `queues`, `started`,
--   `heartbeat`, `notes` (see `notes`), and `job` (see `read`) of one that has one
-- @treturn[2] nil
-- @treturn[2] string error message
-- @treturn[2] ?string its kind
function workers.list()
  local ids, err, trouble = workers.ids()
  if not ids then
    return nil, err, trouble
  end
  local list = {}
  for i, id in ipairs(ids) do
    local host, pid, queues = workers.split(id)
    list[i] = { id = id, host = host, pid = pid, queues = queues }
  end
  local done
  done, err, trouble = fill_in(connection.own(), list, ids)
  if done == nil then
    return nil, err, trouble
  end
  return list
end

return workers
