-- features.lua - finds the workers that know too few features. The caller refuses what needs the
-- features while there is such a worker, and names it.
-- ARGV: 3 how many features are needed, 4.. ids of workers, 1000 at most.
-- Answers: OK | OLDER id number id number… (each that knows fewer) | ERR why.
local older, err = older_workers(tonumber(ARGV[3]), 4)
if not older then return { "ERR", err } end
return { older[1] and "OLDER" or "OK", unpack(older) }
