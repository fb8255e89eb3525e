-- crashes.lua - counts how often a job has crashed, and how often its worker died before it began,
-- in a hash beside the job, whose bytes never change. The hash goes when the job is done or has
-- failed for good, or a month after the last count.

local CRASHES_KEPT = 30 * 86400

-- A job without an id is known by its bytes, so others of the same bytes share its counts.
local function crashes_key(job)
  local name = job.status_id ~= "" and job.status_id or redis.sha1hex(job.payload)
  return prefix .. "lua:attempts:" .. name
end

-- Returns two counts: crashed, unstarted. Nothing if none is kept, or the key is no hash.
local function crashes_of(job)
  local counts = try("HMGET", crashes_key(job), "crashed", "unstarted")
  if counts.err or not counts[1] and not counts[2] then return nil end
  local function number(text)
    return tonumber((text or ""):match("^%d%d?%d?%d?$") or 0)
  end
  return number(counts[1]), number(counts[2])
end

-- Sets one of the counts, after a first write (call.lua). Returns whether it is set.
local function count_crash(job, field, times)
  local key = crashes_key(job)
  if type(try("HSET", key, field, times)) ~= "number" then return false end
  try("EXPIRE", key, CRASHES_KEPT)
  return true
end

local function forget_crashes(job)
  if job.attempts then try("DEL", crashes_key(job)) end
end
