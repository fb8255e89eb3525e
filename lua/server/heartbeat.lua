-- heartbeat.lua - a registered worker is alive.
-- ARGV: 3 nonce of its tokens.
-- Answers: OK | LOST (not registered any more, or another process has the id).
if not registered_by(ARGV[3]) then return { "LOST" } end
beat()
return { "OK" }
