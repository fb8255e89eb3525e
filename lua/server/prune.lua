-- prune.lua - accounts for a dead worker: records its job as failed, or puts it back where that was
-- asked for, and removes its keys.
-- ARGV: 3 proof: "heartbeat" (4 is the stale value seen) or "proc" or "reaped" (4 is the nonce of
-- the process that ended), 5 who prunes, 6 with "reaped": token of the last job whose code had
-- begun to run ("": none). A record with another token is of a job that never started. Only the
-- manager that shared memory with the worker knows this, so with the other proofs nothing counts as
-- not started.
-- Answers: OK | OK FAILED class | OK POISON class (put back too often) | OK PUTBACK class (to the
-- head of its queue) | OK REQUEUED class (to the tail: ON_CRASH) | GONE (the proof does not hold
-- any more) | ERR why (nothing was removed).
local UNSTARTED_MOST = 5 -- the death that is one too many

local function proven()
  if ARGV[3] == "heartbeat" then
    return try("HGET", prefix .. "workers:heartbeat", worker) == ARGV[4]
  end
  return try("HGET", prefix .. "lua:proc:" .. worker, "nonce") == ARGV[4]
end

-- The job in any worker's record. Where no payload can be found, the record itself stands for it.
local function job_of(record)
  local members = json_members(record, 99) or {}
  local queue = members.queue and json_text(members.queue)
  return { queue = queue or "", payload = members.payload or record }
end

-- How often this job may be put back: as its table says (promise.lua wrote that before the job
-- began), else as its worker's setting says.
local function allowed(job)
  local process = prefix .. "lua:proc:" .. worker
  local known = job.token and try("HMGET", process, "on_crash", "job_on_crash") or {}
  local token, own = (known[2] or ""):match("^(%x+:%d+) (%d+)$")
  return tonumber(token == job.token and own or known[1] or 0) or 0
end

local function failure_of(job, exception, text)
  local payload, more = presentable(job.payload)
  return { exception = exception, error = text, payload = payload,
    more = (more or "") .. ',"pruned_by":' .. json_string(ARGV[5]) }
end

local function crashed(job, record, class)
  local most = allowed(job)
  local failure = failure_of(job, "Resque::PruneDeadWorkerDirtyExit",
    "Worker " .. worker .. " did not gracefully exit while processing " .. class)
  if job.token then return after_crash(job, record, failure, most) end
  return bury(job, record, failure)
end

local function unstarted(job, record)
  local _, before = crashes_of(job)
  local times = (before or 0) + 1
  if times < UNSTARTED_MOST then
    local went, err = put_back(job, record)
    if went == "PUTBACK" then count_crash(job, "unstarted", times) end
    return went, err
  end
  job.attempts = 0 -- there are counts
  local text = ("Its worker died %d times before the job started, the last time as %s"):format(
    times, worker)
  local ok, err = bury(job, record, failure_of(job, "Resque::PoisonJob", text))
  return ok and "POISON", err
end

if not proven() then return { "GONE" } end
local record = try("GET", record_key)
local answer = { "OK" }
if type(record) == "string" then
  local job = job_read(record) or job_of(record)
  local seen = examine(job.payload) or { class = "(malformed)", status_id = "" }
  job.status_id = seen.status_id
  local never_ran = ARGV[3] == "reaped" and job.token and job.token ~= ARGV[6]
  local went, err = (never_ran and unstarted or crashed)(job, record, seen.class)
  if not went then return { "ERR", err } end
  answer = { "OK", went == true and "FAILED" or went, seen.class }
end
forget_worker()
return answer
