-- fail.lua - a job has failed.
-- ARGV: 3 token, 4 "failed" or "malformed" (its payload cannot stand in a record), 5 exception,
-- 6 error, 7 token of the next job ("": none wanted), 8 largest payload, 9 number of trace lines,
-- then these, then the queues.
-- Answers: as done; or ERR why: no list took it, the record is as it was.
local token, lines = ARGV[3], tonumber(ARGV[9])
local record = try("GET", record_key)
local word = "OK"
if job_has(record, token) then
  local job = job_read(record)
  local failure = { exception = ARGV[5], error = ARGV[6], trace = {} }
  for i = 1, lines do
    failure.trace[i] = ARGV[9 + i]
  end
  if ARGV[4] == "malformed" then job.payload, failure.more = malformed(job.payload) end
  local ok, err = bury(job, record, failure)
  if not ok then return { "ERR", err } end
else
  word = job_missed(record, token)
end
return go_on(word, ARGV[7], tonumber(ARGV[8]), 10 + lines)
