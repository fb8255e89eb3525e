-- note.lua - notes what keeps a worker from jobs, for people to see.
-- ARGV: 3 nonce of its tokens, then name and text of each note there is: "blocked" (no job can
-- start), "resting:<queue>" (it leaves that queue alone). Notes not given again are removed.
-- Answers: OK | LOST (not registered any more, or another process has the id) | ERR why (the Redis
-- user lacks a right that is new here: the command, Redis's words).
if not registered_by(ARGV[3]) then return { "LOST" } end
local process = prefix .. "lua:proc:" .. worker
call("HDEL", process, "blocked")
local known = try("HGETALL", process)
if known.err then return { "ERR", "HGETALL: " .. known.err } end
for i = 1, #known, 2 do
  if known[i]:find("^resting:") then call("HDEL", process, known[i]) end
end
for i = 4, #ARGV, 2 do
  call("HSET", process, ARGV[i], ARGV[i + 1])
end
return { "OK" }
