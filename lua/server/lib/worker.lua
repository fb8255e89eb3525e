-- worker.lua - the keys of a worker besides its record.

-- Removes these keys. A server that refuses to write (READONLY) refuses the first command, which
-- raises; a key of another type must not keep the others.
local function forget_worker()
  call("DEL", prefix .. "worker:" .. worker .. ":started", prefix .. "lua:proc:" .. worker,
    prefix .. "stat:processed:" .. worker, prefix .. "stat:failed:" .. worker)
  try("SREM", prefix .. "workers", worker)
  try("HDEL", prefix .. "workers:heartbeat", worker)
end

-- HDEL first, for a full Redis: a worker that could not beat would be pruned alive by its peers.
local function beat()
  call("HDEL", prefix .. "workers:heartbeat", worker)
  call("HSET", prefix .. "workers:heartbeat", worker, utc(HEARTBEAT, now()))
end
