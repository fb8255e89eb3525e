-- job.lua - a job as the scripts hand it around, and as the record of the worker that has it:
--
--   {"token":"<nonce>:<n>","status_id":"","attempts":0,"queue_hex":"","queue":"","run_at":"",
--    "payload":<bytes>}
--
-- The payload is spliced in and out by position, never decoded. `status_id` (only of a payload with
-- an id) spares `done` a look into the payload; `attempts` (only of a job that crashes.lua has
-- counts of) is how often it has crashed; `queue_hex` (only of a queue name that is not UTF-8)
-- keeps the bytes that JSON cannot. A job is a table with the fields of the record.

local function job_record(job)
  local hex = clean_utf8(job.queue) ~= job.queue and job.queue:gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end)
  return table.concat({
    '{"token":"', job.token, '"',
    job.status_id ~= "" and ',"status_id":' .. json_string(job.status_id) or "",
    job.attempts and ',"attempts":' .. job.attempts or "",
    hex and ',"queue_hex":"' .. hex .. '"' or "",
    ',"queue":', json_string(job.queue), ',"run_at":"', utc(RUN_AT, now()), '","payload":',
    job.payload, "}",
  })
end

-- The status id in a record whose token ends before `at`, and where the next member begins. (The
-- strings in a record hold no bare quote, so no pattern of this file can stop inside of one.)
local function job_status_id(record, at)
  local id, past = record:match('^"status_id":(".-"),()"[aq]', at)
  return id and json_text(id) or "", past or at
end

-- As job_status_id, for the attempts; nil: none are counted.
local function job_attempts(record, at)
  local attempts, past = record:match('^"attempts":(%d+),()', at)
  return tonumber(attempts), past or at
end

-- Where the member after the token begins in a record (a reply of GET) of this token; else false.
local function job_has(record, token)
  local head = '{"token":"' .. token .. '",'
  return type(record) == "string" and record:sub(1, #head) == head and #head + 1
end

-- The job in a record of ours; nil for any other value.
local function job_read(record)
  if type(record) ~= "string" then return nil end
  local token, at = record:match('^{"token":"(%x+:%d+)",()')
  if not token then return nil end
  local id, attempts, hex, past, queue, first
  id, at = job_status_id(record, at)
  attempts, at = job_attempts(record, at)
  hex, past = record:match('^"queue_hex":"(%x+)",()', at)
  queue, first = record:match('^"queue":(".-"),"run_at":"[^"]*","payload":()', past or at)
  if not queue then return nil end
  queue = hex and hex:gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end)
    or json_text(queue)
  return { token = token, status_id = id, attempts = attempts, queue = queue,
    payload = record:sub(first, -2) }
end

-- The answer where the record is not the one of this token any more: ALREADY if an earlier try has
-- committed it, LOST if the worker was pruned (another may have its id by now).
local function job_missed(record, token)
  local held = job_read(record)
  local nonce = token:match("^%x+")
  local ours = not record or held and held.token:match("^%x+") == nonce
  return ours and registered_by(nonce) and "ALREADY" or "LOST"
end
