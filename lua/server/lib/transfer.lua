-- transfer.lua - moves a job out of its worker's record, other than by done. The record is deleted
-- first, which opens a full Redis for the next write (call.lua); every text is made before.

-- Moves a job to the failed list. Returns true; or nil and why not, with the record where it was.
-- `failure` is as for failure_record; its `payload`, if any, stands for the job's.
local function bury(job, record, failure)
  local text = failure_record(job.queue, failure.payload or job.payload, failure)
  call("DEL", record_key)
  local ok, err = push_failure(text)
  if not ok then
    call("SET", record_key, record)
    return nil, err
  end
  forget_crashes(job)
  set_status(job.status_id, FAILED)
  count(true)
  return true
end

-- Pushes a job's bytes into its queue again. Returns true; or nil and why not.
local function push_again(command, job)
  local reply = try(command, prefix .. "queue:" .. job.queue, job.payload)
  if type(reply) ~= "number" then return nil, reply.err end
  try("SADD", prefix .. "queues", job.queue)
  set_status(job.status_id, WAITING)
  return true
end

-- Moves a job that never started to the head of its queue. Returns "PUTBACK", or "FAILED" if the
-- queue is no list; or nil and why not, with the record where it was.
local function put_back(job, record)
  call("DEL", record_key)
  local went, why = push_again("LPUSH", job)
  if went then return "PUTBACK" end
  local failure = { exception = "Resque::DirtyExit",
    error = "Job was not started and could not be put back into its queue: " .. why }
  failure.payload, failure.more = presentable(job.payload)
  local ok, err = bury(job, record, failure)
  return ok and "FAILED", err
end

-- Moves a job that crashed to the tail of its queue: it may crash again, and must not hold up other
-- jobs. The count is written first, as it is a promise. Returns true; or nil and why not, with the
-- job nowhere (bury it).
local function put_last(job, crashed)
  call("DEL", record_key)
  if not count_crash(job, "crashed", crashed) then return nil, "its crashes cannot be counted" end
  local went, why = push_again("RPUSH", job)
  if not went then count_crash(job, "crashed", crashed - 1) end
  return went, why
end

-- Puts back a job that has crashed `most` times at most, else buries it. Returns "REQUEUED" and how
-- often by now; "POISON" and the text of its failure; "FAILED"; or nil and why not, with the record
-- where it was. `failure` is that of the crash.
local function after_crash(job, record, failure, most)
  local crashed = (crashes_of(job) or 0) + 1
  job.attempts, failure.attempt = crashed, crashed
  local word = "FAILED"
  if crashed <= most then
    local went, err = put_last(job, crashed)
    if went then return "REQUEUED", crashed end
    failure.error = failure.error .. " (and could not be put back into its queue: " .. err .. ")"
  elseif most > 0 then
    word, failure.exception = "POISON", "Resque::PoisonJob"
    failure.error = ("Job crashed %d times, of which ON_CRASH forgives %d. The last time: %s")
      :format(crashed, most, failure.error)
  end
  local ok, err = bury(job, record, failure)
  if not ok then return nil, err end
  return word, failure.error
end
