--- Holds Redis against the law of conservation: what was enqueued is in exactly one place, at any
-- instant. Looks at one atomic snapshot; what jobs did is read from the ledger.
--
--   enqueued = (stat:processed - stat:failed) + LLEN failed + LLEN failed:overflow
--            + sum of LLEN queue:* + worker records
local cjson = require "cjson"

local conservation = {}

-- One script, so that nothing moves while it looks. Places are lists of { id, state }, records have
-- worker and token besides.
local LOOK = [[
local p = ARGV[1]
local answer = { queue = {}, record = {}, failed = {}, overflow = {}, workers = {}, odd = {} }
local function note(place, text, worker)
  local id = text:match('"id":"([^"]*)"') or text
  local status = redis.call("GET", p .. "job:" .. id .. ":status")
  local state = tonumber(status and status:match('"status":(%d)') or 0)
  table.insert(answer[place], { id = id, state = state, worker = worker,
    token = worker and text:match('"token":"([^"]*)"') })
end
for _, key in ipairs(redis.call("KEYS", p .. "*")) do
  local name = key:sub(#p + 1)
  if name:find("^queue:") then
    for _, text in ipairs(redis.call("LRANGE", key, 0, -1)) do note("queue", text) end
  elseif name:find("^worker:") and not name:find(":started$") then
    note("record", redis.call("GET", key), name:sub(#"worker:" + 1))
  end
end
for place, key in pairs({ failed = "failed", overflow = "failed:overflow" }) do
  for _, text in ipairs(redis.call("LRANGE", p .. key, 0, -1)) do note(place, text) end
end
for _, worker in ipairs(redis.call("SMEMBERS", p .. "workers")) do
  answer.workers[worker] = redis.call("EXISTS", p .. "worker:" .. worker .. ":started")
    + redis.call("HEXISTS", p .. "workers:heartbeat", worker)
end
answer.processed = tonumber(redis.call("GET", p .. "stat:processed") or 0)
answer.stat_failed = tonumber(redis.call("GET", p .. "stat:failed") or 0)
return cjson.encode(answer)
]]

local STATES = { queue = 1, record = 2, failed = 3, overflow = 3 }
local PLACES = { "queue", "record", "failed", "overflow" }

--- What is where, at one instant. All jobs must have an "id".
function conservation.snapshot(world)
  return cjson.decode(world.server:call("EVAL", LOOK, 0, world:key ""))
end

local function check_sums(seen, enqueued, problem)
  local placed = 0
  for _, place in ipairs(PLACES) do
    placed = placed + #seen[place]
  end
  local done = seen.processed - seen.stat_failed
  if done + placed ~= enqueued then
    problem("enqueued %d, but done %d + queued %d + working %d + failed %d + overflow %d = %d",
      enqueued, done, #seen.queue, #seen.record, #seen.failed, #seen.overflow, done + placed)
  end
  if #seen.failed + #seen.overflow ~= seen.stat_failed then
    problem("%d failure records, but stat:failed is %d", #seen.failed + #seen.overflow,
      seen.stat_failed)
  end
end

local function check_workers(seen, problem)
  for _, record in ipairs(seen.record) do
    if not seen.workers[record.worker] then
      problem("job %s is in the record of %s, which is not registered", record.id, record.worker)
    end
  end
  for worker, keys in pairs(seen.workers) do
    if keys ~= 2 then
      problem("worker %s lacks its start time or its heartbeat", worker)
    end
  end
end

--- What is wrong with a snapshot: a list of sentences.
-- @param seen a snapshot
-- @param jobs table: id -> anything, of all jobs enqueued so far
-- @param tracked whether they have a status
function conservation.problems(seen, jobs, tracked)
  local problems, at, enqueued = {}, {}, 0
  local function problem(...)
    problems[#problems + 1] = string.format(...)
  end
  for _ in pairs(jobs) do
    enqueued = enqueued + 1
  end
  for _, place in ipairs(PLACES) do
    for _, job in ipairs(seen[place]) do
      if not jobs[job.id] then
        problem("%s holds a job that nobody enqueued: %s", place, job.id)
      elseif at[job.id] then
        problem("job %s is in two places: %s and %s", job.id, at[job.id], place)
      elseif tracked and job.state ~= STATES[place] then
        problem("job %s is in %s, but its status is %d", job.id, place, job.state)
      end
      at[job.id] = place
    end
  end
  check_sums(seen, enqueued, problem)
  check_workers(seen, problem)
  return problems, at
end

--- Raises if the law is broken right now. Returns the snapshot, and id -> place.
function conservation.check(world, jobs, tracked)
  local seen = conservation.snapshot(world)
  local problems, at = conservation.problems(seen, jobs, tracked)
  if #problems > 0 then
    error("the law of conservation is broken:\n  " .. table.concat(problems, "\n  "), 2)
  end
  return seen, at
end

--- How often each job started and ended, as its own lines `start ID` and `end ID` say.
function conservation.ledger(world)
  local count = { start = {}, ["end"] = {} }
  for _, line in ipairs(world:ledger()) do
    local word, id = line:match "^(%a+) (%S+)$"
    count[word][id] = (count[word][id] or 0) + 1
  end
  return count.start, count["end"]
end

return conservation
