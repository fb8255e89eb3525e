-- unreserve.lua - a job that never started goes back to the head of its queue.
-- ARGV: 3 token.
-- Answers: OK | OK FAILED (its queue is no list any more: the job is in failed) | ALREADY | LOST |
-- ERR why (the record is as it was).
local record = try("GET", record_key)
if not job_has(record, ARGV[3]) then return { job_missed(record, ARGV[3]) } end
local went, err = put_back(job_read(record), record)
if not went then return { "ERR", err } end
return went == "PUTBACK" and { "OK" } or { "OK", went }
