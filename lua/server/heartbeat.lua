-- heartbeat.lua - a registered worker is alive.
-- Answers: OK | LOST (not registered any more).
if not registered() then return { "LOST" } end
beat()
return { "OK" }
