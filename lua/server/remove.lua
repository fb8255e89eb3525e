-- remove.lua - takes one copy of a waiting job out of its queue. The same step ends its status, so
-- that waiting clients learn of it, and forgets its crashes. No worker takes part: KEYS[1] is the
-- queue, ARGV[2] is "".
-- ARGV: 3 which copy (1: the first from the head, -1: from the tail), 4 its payload, 5 the id in
-- the names of its keys.
-- Answers: OK | GONE (the queue does not hold it any more).
local payload, id = ARGV[4], ARGV[5]
if call("LREM", KEYS[1], ARGV[3], payload) == 0 then return { "GONE" } end
forget_crashes({ status_id = id, payload = payload, attempts = 0 }) -- there may be counts
set_status(id, FAILED, '"cancelled before it ran"')
return { "OK" }
