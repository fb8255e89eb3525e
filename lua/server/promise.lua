-- promise.lua - notes beside the worker, before its job begins, how often that job is put back if
-- it crashes, as the job's table says. prune.lua keeps to the note if the worker dies.
-- ARGV: 3 token, 4 how often.
-- Answers: OK | LOST (the worker's record is not the one of this token any more).
if not job_has(call("GET", record_key), ARGV[3]) then return { "LOST" } end
local process = prefix .. "lua:proc:" .. worker
call("HDEL", process, "job_on_crash")
call("HSET", process, "job_on_crash", ARGV[3] .. " " .. ARGV[4])
return { "OK" }
