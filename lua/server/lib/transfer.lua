-- transfer.lua - the ways of a job out of its worker's record, other than done. The record goes
-- first, which also opens a full Redis for the write after it; every text is ready before.

-- To the failed list. True; or nil and why not, with the record where it was.
local function bury(job, record, failure)
  local text = failure_record(job.queue, job.payload, failure)
  call("DEL", record_key)
  local ok, err = push_failure(text)
  if not ok then
    call("SET", record_key, record)
    return nil, err
  end
  set_status(job.status_id, FAILED)
  count(true)
  return true
end

-- To the head of its queue, for a job that never started. "PUTBACK", or "FAILED" if the queue is no
-- list any more; or nil and why not, with the record where it was.
local function put_back(job, record)
  call("DEL", record_key)
  local reply = try("LPUSH", prefix .. "queue:" .. job.queue, job.payload)
  if type(reply) == "number" then
    try("SADD", prefix .. "queues", job.queue)
    set_status(job.status_id, WAITING)
    return "PUTBACK"
  end
  local failure = { exception = "Resque::DirtyExit",
    error = "Job was not started and could not be put back into its queue: " .. reply.err }
  job.payload, failure.more = presentable(job.payload)
  local ok, err = bury(job, record, failure)
  return ok and "FAILED", err
end
