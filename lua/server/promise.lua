-- promise.lua - a job says itself how often it is put back if it crashes. Noted beside its worker,
-- before the job begins: whoever finds that worker dead keeps to it (prune.lua).
-- ARGV: 3 token, 4 how often.
-- Answers: OK | LOST (the worker's record is not the one of this token any more).
if not job_has(call("GET", record_key), ARGV[3]) then return { "LOST" } end
local process = prefix .. "lua:proc:" .. worker
call("HDEL", process, "job_on_crash")
call("HSET", process, "job_on_crash", ARGV[3] .. " " .. ARGV[4])
return { "OK" }
