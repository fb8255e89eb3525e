-- fail.lua - a job has failed.
-- ARGV: 3 token, 4 "failed" or "malformed" (its payload cannot stand in a record), 5 exception,
-- 6 error, 7 wall ms, 8 CPU ms and 9 peak kB of its process ("": there was none), 10 the limit that
-- ended it ("": none), 11 the last of its output, 12 token of the next job ("": none wanted),
-- 13 largest payload, 14 number of trace lines, then these, then the queues.
-- Answers: as done; or ERR why: no list took it, the record is as it was.
local token, lines = ARGV[3], tonumber(ARGV[14])
local record = try("GET", record_key)
local word = "OK"
if job_has(record, token) then
  local job = job_read(record)
  local failure = { exception = ARGV[5], error = ARGV[6], trace = {}, wall_ms = ARGV[7],
    cpu_ms = ARGV[8], peak_kb = ARGV[9], limit = ARGV[10], output = ARGV[11] }
  for i = 1, lines do
    failure.trace[i] = ARGV[14 + i]
  end
  if ARGV[4] == "malformed" then job.payload, failure.more = malformed(job.payload) end
  local ok, err = bury(job, record, failure)
  if not ok then return { "ERR", err } end
else
  word = job_missed(record, token)
end
return go_on(word, ARGV[12], tonumber(ARGV[13]), 15 + lines)
