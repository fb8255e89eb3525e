--- One look at everything in Redis, by one script, so that nothing moves meanwhile. What it hands
-- back is the `seen` of spec/support/checker.lua:
--
--   queue     list of { text, state, queue }     state: the status of a tracked job, 0 without
--   record    list of { text, state, worker }
--   failed, overflow   lists of { text, state }: those behind the ones seen before
--   failed_count, overflow_count, processed, stat_failed   numbers
--   workers   worker id -> { started, beat }: 1 or 0
--   pushed    what the producers say they have put in: a list of numbers
--   full      whether every key was looked at; only then:
--   left      keys that belong to some worker, or to a job that is not over
--   foreign   keys outside of the prefix, and names in it that nobody knows
local cjson = require "cjson"

local LOOK = [[
local p, from, full = ARGV[1], { failed = tonumber(ARGV[2]), overflow = tonumber(ARGV[3]) }, ARGV[4]
local answer = { queue = {}, record = {}, failed = {}, overflow = {}, workers = {}, pushed = {},
  left = {}, foreign = {}, full = full == "full" }

local function state_of(text)
  local id = text:match('"id\\?":\\?"([^"\\]*)') -- escaped in the record of a malformed one
  local status = id and redis.call("GET", p .. "job:" .. id .. ":status")
  return tonumber(status and status:match('"status":(%d)') or 0)
end

local function note(place, entry)
  entry.state = state_of(entry.text)
  table.insert(answer[place], entry)
end

local function look_at_queue(name)
  for _, text in ipairs(redis.call("LRANGE", p .. "queue:" .. name, 0, -1)) do
    note("queue", { text = text, queue = name })
  end
end

local function look_at_record(worker)
  local text = redis.call("GET", p .. "worker:" .. worker)
  if text then note("record", { text = text, worker = worker }) end
end

local KNOWN = { "^queue:", "^queues$", "^workers$", "^workers:heartbeat$", "^stat:processed",
  "^stat:failed", "^failed$", "^failed:overflow$", "^worker:", "^lua:%l+:",
  "^pruning_dead_workers_in_progress$" }
local OWN = { "^worker:", "^stat:processed:", "^stat:failed:", "^lua:proc:", "^lua:attempts:" }

local function any(patterns, name)
  for _, pattern in ipairs(patterns) do
    if name:find(pattern) then return true end
  end
  return false
end

local function look_at_key(key)
  local name = key:sub(1, #p) == p and key:sub(#p + 1)
  if not name then
    if not key:find("^chaos:") then table.insert(answer.foreign, key) end
    return
  end
  if name:find("^job:.*:status$") then return end -- most are
  if not any(KNOWN, name) then table.insert(answer.foreign, key) end
  if any(OWN, name) then table.insert(answer.left, name) end
  if name:find("^queue:") then
    look_at_queue(name:sub(#"queue:" + 1))
  elseif name:find("^worker:") and not name:find(":started$") then
    look_at_record(name:sub(#"worker:" + 1))
  end
end

local workers = redis.call("SMEMBERS", p .. "workers")
if answer.full then
  for _, key in ipairs(redis.call("KEYS", "*")) do look_at_key(key) end
  for _, worker in ipairs(redis.call("HKEYS", p .. "workers:heartbeat")) do
    table.insert(answer.left, "workers:heartbeat " .. worker)
  end
else
  for _, queue in ipairs(redis.call("SMEMBERS", p .. "queues")) do look_at_queue(queue) end
  for _, worker in ipairs(workers) do look_at_record(worker) end
end
for place, key in pairs({ failed = p .. "failed", overflow = p .. "failed:overflow" }) do
  for _, text in ipairs(redis.call("LRANGE", key, from[place], -1)) do
    note(place, { text = text })
  end
  answer[place .. "_count"] = redis.call("LLEN", key)
end
for _, worker in ipairs(workers) do
  answer.workers[worker] = {
    started = redis.call("EXISTS", p .. "worker:" .. worker .. ":started"),
    beat = redis.call("HEXISTS", p .. "workers:heartbeat", worker),
  }
end
answer.processed = tonumber(redis.call("GET", p .. "stat:processed") or 0)
answer.stat_failed = tonumber(redis.call("GET", p .. "stat:failed") or 0)
for producer = 1, 9 do
  answer.pushed[producer] = tonumber(redis.call("GET", "chaos:pushed:" .. producer) or 0)
end
return cjson.encode(answer)
]]

--- Looks.
-- @param call function: a Redis command, raising what is wrong
-- @param prefix with its colon
-- @param from failure records seen before: { failed = 0, overflow = 0 }
-- @param full every key (slow where there are very many)
return function(call, prefix, from, full)
  return cjson.decode(call("EVAL", LOOK, 0, prefix, from.failed, from.overflow,
    full and "full" or ""))
end
