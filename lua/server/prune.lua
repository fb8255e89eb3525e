-- prune.lua - accounts for a worker that is dead: its job is recorded as failed, its keys go.
-- ARGV: 3 proof: "heartbeat" (4 is the stale value seen) or "proc" or "reaped" (4 is boot id, pid
-- namespace, pid and start time of the process that ended, joined by blanks), 5 who prunes,
-- 6 with "reaped": token of the last job whose code had begun to run ("": none). A record with
-- another token is of a job that never started. Only the manager that shared memory with the worker
-- knows this, so with the other proofs nothing is put back.
-- Answers: OK | OK FAILED class | OK PUTBACK class | GONE (the proof does not hold any more)
-- | ERR why (nothing was removed).
local function proven()
  if ARGV[3] == "heartbeat" then
    return try("HGET", prefix .. "workers:heartbeat", worker) == ARGV[4]
  end
  local known = try("HMGET", prefix .. "lua:proc:" .. worker, "boot", "ns", "pid", "start")
  for i = 1, 4 do
    if not known[i] then return false end
  end
  return table.concat(known, " ") == ARGV[4]
end

-- The job in any worker's record. Where no payload can be found, the record itself is the evidence.
local function job_of(record)
  local members = json_members(record, 99) or {}
  local queue = members.queue and json_text(members.queue)
  return { queue = queue or "", payload = members.payload or record }
end

local function fail(job, record, class)
  local more
  job.payload, more = presentable(job.payload)
  return bury(job, record, {
    exception = "Resque::PruneDeadWorkerDirtyExit",
    error = "Worker " .. worker .. " did not gracefully exit while processing " .. class,
    more = (more or "") .. ',"pruned_by":' .. json_string(ARGV[5]),
  })
end

if not proven() then return { "GONE" } end
local record = try("GET", record_key)
local answer = { "OK" }
if type(record) == "string" then
  local job = job_read(record) or job_of(record)
  local seen = examine(job.payload) or { class = "(malformed)", status_id = "" }
  job.status_id = seen.status_id
  local unstarted = ARGV[3] == "reaped" and job.token and job.token ~= ARGV[6]
  local went, err = (unstarted and put_back or fail)(job, record, seen.class)
  if not went then return { "ERR", err } end
  answer = { "OK", went == "PUTBACK" and went or "FAILED", seen.class }
end
forget_worker()
return answer
