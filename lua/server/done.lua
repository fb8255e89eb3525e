-- done.lua - a job has succeeded.
-- ARGV: 3 token, 4 its result as JSON ("": null), 5 token of the next job ("": none wanted), 6 and
-- 7.. as 4 and 5.. of reserve.
-- Answers: OK | ALREADY (an earlier try did it), each followed by the answer of reserve if asked
-- for | LOST.
local token, result = ARGV[3], ARGV[4]
local record = try("GET", record_key)
local word = "OK"
local at = job_has(record, token)
if at then
  call("DEL", record_key)
  local status_id, past = job_status_id(record, at)
  if job_attempts(record, past) then forget_crashes(job_read(record)) end
  set_status(status_id, COMPLETE, result ~= "" and result)
  count(false)
else
  word = job_missed(record, token)
end
return go_on(word, ARGV[5], tonumber(ARGV[6]), 7)
