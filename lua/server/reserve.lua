-- reserve.lua - takes the next job for a worker and writes it into its record, in one step.
-- ARGV: 3 token, 4 largest payload in bytes, 5.. queues in order.
-- Answers: JOB token queue class id payload attempts (how often it has crashed; with another token
-- it is the job that the worker had already) | EMPTY | PAUSED | REJECTED queue why (it is recorded
-- as failed; ask again) | LOST (not registered) | CONFLICT token (the record is somebody else's) |
-- ERR why (nothing was taken).
return take(ARGV[3], tonumber(ARGV[4]), 5)
