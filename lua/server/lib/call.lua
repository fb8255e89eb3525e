-- call.lua - the arguments of every script: KEYS[1] the worker's record, ARGV[1] the prefix,
-- ARGV[2] the worker's id. (remove.lua is about a queue: its own head names its arguments.)
--
-- All files of this folder stand in front of each script, in this order. A file may use what is
-- above it:
--   base64    any bytes as text
--   call      this file: arguments, and whether the worker is registered
--   clock     Redis's time, as numbers and as the texts of records
--   crashes   how often a job has crashed
--   encode    texts in and out of JSON strings
--   job       a job as a table, and as the record of the worker that has it
--   record    failure records, their lists, the counters
--   splice    members of a JSON object as raw text; stand-ins for malformed payloads
--   status    php-resque's status of a tracked job
--   take      the next job from the queues
--   transfer  a job's ways out of its worker's record, other than done
--   worker    the keys of a worker besides its record
--
-- A full Redis (maxmemory) refuses a script's first write if that could need memory (SET, RPUSH,
-- HSET, INCR) but allows all of them after a write that could not (DEL, LPOP, HDEL), even one that
-- changed nothing. So every script begins with such a write. None may have a `#!lua` line: then a
-- full Redis refuses the whole script, unless it has the flag allow-oom, which Redis 5 and 6 lack.

local prefix, worker, record_key = ARGV[1], ARGV[2], KEYS[1]
local call, try = redis.call, redis.pcall

local function registered()
  return call("SISMEMBER", prefix .. "workers", worker) == 1
end

-- Whether the worker is registered by the process whose tokens begin with this nonce. Another can
-- have its id, if it was taken for dead; and a command can come after its sender's end.
local function registered_by(nonce)
  return registered() and try("HGET", prefix .. "lua:proc:" .. worker, "nonce") == nonce
end
