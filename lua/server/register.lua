-- register.lua - a worker makes itself known.
-- ARGV: 3 boot id, 4 namespace, 5 pid, 6 start time of its process (3, 4, 6 "": its kernel does not
-- tell), 7 nonce of its tokens, 8 how often a job that crashed with this worker is to be put back,
-- 9 how many features its program knows (lib/features.lua).
-- Answers: OK | TAKEN (another process has the id: it is never adopted). The process that has the
-- id already may register again: the reply to its first try can have been lost.
local process = prefix .. "lua:proc:" .. worker
local record = try("GET", record_key)
local held = job_read(record)
local same = try("HGET", process, "nonce") == ARGV[7]
  and (not record or held and held.token:match("^%x+") == ARGV[7])
if not same and (registered() or record) then return { "TAKEN" } end
beat()
call("SADD", prefix .. "workers", worker)
call("SET", prefix .. "worker:" .. worker .. ":started", utc(RUN_AT, now()))
call("DEL", process)
call("HSET", process, "boot", ARGV[3], "ns", ARGV[4], "pid", ARGV[5], "start", ARGV[6],
  "nonce", ARGV[7], "features", ARGV[9])
if (ARGV[8] or "0") ~= "0" then call("HSET", process, "on_crash", ARGV[8]) end
return { "OK" }
