-- take.lua - takes the next job from the queues, for reserve and for the commits that go on with
-- the next job in the same trip.

-- The id in a status key: newer php-resque puts the payload's prefix in front. "": it has none.
local function status_id(id, tag)
  if type(id) ~= "string" or id == "" then return "" end
  return type(tag) == "string" and tag ~= "" and tag .. "_" .. id or id
end

-- Reads a payload: a table with class, id and status_id; or nil, what is wrong, status_id. The
-- server's cjson is lenient, so the worker checks again, strictly.
local function examine(payload)
  local ok, value = pcall(cjson.decode, payload)
  if not ok then return nil, "not JSON: " .. tostring(value), "" end
  if not payload:find("^%s*{") then return nil, "not a JSON object", "" end
  local status = status_id(value.id, value.prefix)
  if type(value.class) ~= "string" then
    return nil, "no class, or a class that is no string", status
  end
  local id = type(value.id) == "string" and value.id or ""
  return { class = value.class, id = id, status_id = status }
end

-- Undoes a pop. Returns the answer ERR.
local function give_back(queue, payload, why)
  call("LPUSH", prefix .. "queue:" .. queue, payload)
  return { "ERR", why }
end

-- Records a popped payload that no worker can run. `shown` stands for it in the record, `more` are
-- further members of the record.
local function reject(queue, payload, failure, status, shown, more)
  failure.more = more
  local ok, err = push_failure(failure_record(queue, shown, failure))
  if not ok then return give_back(queue, payload, err) end
  count(true)
  set_status(status, FAILED)
  return { "REJECTED", queue, failure.error }
end

-- Records a payload that is too large. Strict JSON of at most MAX_VALUES is spliced in whole, so
-- that people can look at it and try it again; anything else is kept as malformed.
local function reject_large(queue, payload, max_payload)
  local failure = {
    exception = "Resque::PayloadTooLarge",
    error = #payload .. " bytes are more than MAX_PAYLOAD (" .. max_payload .. ")",
  }
  local members = payload_members(payload)
  if not members then return reject(queue, payload, failure, "", malformed(payload)) end
  local status = status_id(members.id and json_text(members.id),
    members.prefix and json_text(members.prefix))
  return reject(queue, payload, failure, status, payload)
end

local function answer_job(job, seen)
  return { "JOB", job.token, job.queue, seen.class, seen.id, job.payload,
    tostring(job.attempts or 0) }
end

local function accept(token, queue, payload, max_payload)
  if #payload > max_payload then return reject_large(queue, payload, max_payload) end
  local seen, why, status = examine(payload)
  if not seen then
    local failure = { exception = "Resque::MalformedPayload", error = why }
    return reject(queue, payload, failure, status, malformed(payload))
  end
  local job = { token = token, queue = queue, payload = payload, status_id = seen.status_id }
  job.attempts = crashes_of(job)
  local reply = try("SET", record_key, job_record(job))
  if reply.err then return give_back(queue, payload, reply.err) end
  set_status(job.status_id, RUNNING)
  return answer_job(job, seen)
end

-- Answers with the record's job: the reply of an earlier reserve of this worker was lost or late.
local function resume(record, token)
  local job = job_read(record)
  local nonce = token:match("^%x+:")
  if not job or job.token:sub(1, #nonce) ~= nonce then
    return { "CONFLICT", job and job.token or "" }
  end
  return answer_job(job, examine(job.payload) or { class = "", id = "" })
end

-- Whether the operator's switch is on, by Ruby's rule.
local function paused()
  local value = try("GET", prefix .. "pause-all-workers")
  return type(value) == "string" and value:match("^%s*(.-)%s*$"):lower() == "true"
end

-- Why Redis refused a pop; nil for a key that is no list. The queues of a server that takes no
-- writes (READONLY) must not look empty.
local function refused(reply)
  local why = type(reply) == "table" and reply.err
  return why and not why:find("WRONGTYPE", 1, true) and why or nil
end

-- The answer of reserve. The queues are ARGV from `first` on; `idle` says that the record is known
-- to be absent. A queue key that is no list, or refused, does not keep the others from being asked.
local function take(token, max_payload, first, idle)
  if not registered_by(token:match("^%x+")) then return { "LOST" } end
  local record = not idle and try("GET", record_key)
  if record then return resume(record, token) end
  if paused() then return { "PAUSED" } end
  local trouble
  for i = first, #ARGV do
    local payload = try("LPOP", prefix .. "queue:" .. ARGV[i])
    if type(payload) == "string" then
      return accept(token, ARGV[i], payload, max_payload)
    end
    trouble = trouble or refused(payload)
  end
  if trouble then return { "ERR", trouble } end
  return { "EMPTY" }
end

-- The answer of a commit: its word, and behind it the next job if one is asked for. The record can
-- be there only after ALREADY.
local function go_on(word, token, max_payload, first)
  if token == "" or word == "LOST" then return { word } end
  local answer = take(token, max_payload, first, word ~= "ALREADY")
  table.insert(answer, 1, word)
  return answer
end
