-- fail.lua - a job has failed.
-- ARGV: 3 token, 4 "failed", "crashed" (it may be put back) or "malformed" (its payload is no JSON
-- that can stand in a record), 5 exception, 6 error, 7 wall ms, 8 CPU ms and 9 peak kB of its
-- process ("": there was none), 10 the limit that ended it ("": none), 11 the last of its output,
-- 12 how often a crashed job is put back, 13 token of the next job ("": none wanted), 14 largest
-- payload, 15 number of trace lines, then these, then the queues.
-- Answers: as done, with another first word if it was "crashed" and could be put back: REQUEUED n
-- (it was, n times by now) | POISON error (too often: it has failed with this text); or ERR why (no
-- list took the failure; the record is as it was).
local token, lines = ARGV[3], tonumber(ARGV[15])
local record = try("GET", record_key)
local word = "OK"
if job_has(record, token) then
  local job = job_read(record)
  local failure = { exception = ARGV[5], error = ARGV[6], trace = {}, wall_ms = ARGV[7],
    cpu_ms = ARGV[8], peak_kb = ARGV[9], limit = ARGV[10], output = ARGV[11] }
  for i = 1, lines do
    failure.trace[i] = ARGV[15 + i]
  end
  if ARGV[7] ~= "" then failure.attempt = (job.attempts or 0) + 1 end
  local went, text
  if ARGV[4] == "crashed" then
    went, text = after_crash(job, record, failure, tonumber(ARGV[12]))
  else
    if ARGV[4] == "malformed" then failure.payload, failure.more = malformed(job.payload) end
    went, text = bury(job, record, failure)
  end
  if not went then return { "ERR", text } end
  if went == "REQUEUED" or went == "POISON" then word = went .. " " .. text end
else
  word = job_missed(record, token)
end
return go_on(word, ARGV[13], tonumber(ARGV[14]), 16 + lines)
