--- What the scripts of lua/server do to Redis, as far as it can lose a job: one queue, the worker
-- records, who is registered, what is done, failed and put back. Payloads are numbers, in the order
-- they were enqueued. Each function names what it mirrors; spec/system/redis/model_spec.lua sees
-- that this exists, and conform.lua compares the answers of both on a real Redis.
--
-- A state is a string: queue/failed/done/taken/crashed/ then for each name owner,member,token=job;
-- `taken` and `crashed` have a digit per job. A token is process:number, the owner a process, which
-- its nonce names. Heartbeats have no value of their own: exec says whose changed.
local redis = {}

redis.NAMES = { "A", "B" }

--- Switched on by bugs.lua: name -> true.
redis.bug = {}
--- How often a crashed job is put back (ON_CRASH).
redis.requeue = 0

-- ---- states as strings

local function digits(text)
  local list = {}
  for digit in text:gmatch "%d" do
    list[#list + 1] = tonumber(digit)
  end
  return list
end

local function decode(text)
  local queue, failed, done, taken, crashed, rest =
    text:match "^(%d*)/(%d*)/(%d*)/(%d*)/(%d*)/(.*)$"
  local r = { queue = digits(queue), failed = digits(failed), done = digits(done),
    taken = digits(taken), crashed = digits(crashed), names = {}, beats = "" }
  local i = 0
  for owner, member, token, job in rest:gmatch "(%d+),(%d),([^=]*)=(%d*);" do
    i = i + 1
    r.names[redis.NAMES[i]] = { owner = tonumber(owner), member = member == "1",
      token = token ~= "" and token or nil, job = tonumber(job) }
  end
  return r
end
redis.decode = decode

local function encode(r)
  local parts = { table.concat(r.queue), "/", table.concat(r.failed), "/", table.concat(r.done),
    "/", table.concat(r.taken), "/", table.concat(r.crashed), "/" }
  for _, name in ipairs(redis.NAMES) do
    local x = r.names[name]
    parts[#parts + 1] = ("%d,%d,%s=%s;"):format(x.owner, x.member and 1 or 0, x.token or "",
      x.job or "")
  end
  return table.concat(parts)
end
redis.encode = encode

--- Nobody is there, `jobs` are in the queue.
function redis.initial(jobs)
  local r = { queue = {}, failed = {}, done = {}, taken = {}, crashed = {}, names = {} }
  for job = 1, jobs do
    r.queue[job], r.taken[job], r.crashed[job] = job, 0, 0
  end
  for _, name in ipairs(redis.NAMES) do
    r.names[name] = { owner = 0, member = false }
  end
  return encode(r)
end

-- ---- lua/server/lib

local function process_of(token)
  return tonumber((token:match "^%d+"))
end

-- lua/server/lib/call.lua: registered
-- lua/server/lib/call.lua: registered_by
local function registered_by(r, name, process)
  local x = r.names[name]
  return x.member and (x.owner == process or redis.bug.names_are_not_owned)
end

-- lua/server/lib/job.lua: job_has
local function job_has(r, name, token)
  return r.names[name].token == token
end

-- lua/server/lib/job.lua: job_missed
local function job_missed(r, name, token)
  local x, process = r.names[name], process_of(token)
  local ours = not x.token or process_of(x.token) == process
  return ours and registered_by(r, name, process) and "ALREADY" or "LOST"
end

-- lua/server/lib/worker.lua: beat
local function beat(r, name)
  r.beats = r.beats .. name
end

-- lua/server/lib/worker.lua: forget_worker
local function forget_worker(r, name)
  local x = r.names[name]
  x.owner, x.member = 0, false
  beat(r, name) -- the value is gone, which no pruner has seen
end

-- The record goes: its job.
local function clear(r, name)
  local x = r.names[name]
  local job = x.job
  x.token, x.job = nil, nil
  return job
end

-- lua/server/lib/transfer.lua: bury
local function bury(r, name)
  table.insert(r.failed, clear(r, name))
  table.sort(r.failed)
  return "FAILED"
end

-- lua/server/lib/transfer.lua: put_back
local function put_back(r, name)
  local job = clear(r, name)
  table.insert(r.queue, redis.bug.put_back_to_the_tail and #r.queue + 1 or 1, job)
  return "PUTBACK"
end

-- lua/server/lib/transfer.lua: after_crash
local function after_crash(r, name)
  local job = r.names[name].job
  if r.crashed[job] >= redis.requeue then
    return bury(r, name)
  end
  if not redis.bug.requeue_is_not_counted then
    r.crashed[job] = r.crashed[job] + 1
  end
  table.insert(r.queue, clear(r, name))
  return "REQUEUED"
end

-- lua/server/lib/take.lua: resume
local function resume(r, name, token)
  local x = r.names[name]
  if process_of(x.token) ~= process_of(token) then
    return "CONFLICT"
  end
  return ("JOB %s %d"):format(x.token, x.job)
end

-- lua/server/lib/take.lua: take
-- lua/server/lib/take.lua: accept
local function take(r, name, token)
  local x = r.names[name]
  if not registered_by(r, name, process_of(token)) and not redis.bug.anybody_may_reserve then
    return "LOST"
  elseif x.token and not redis.bug.reserve_does_not_resume then
    return resume(r, name, token)
  elseif #r.queue == 0 then
    return "EMPTY"
  end
  x.token, x.job = token, table.remove(r.queue, 1)
  r.taken[x.job] = 1
  return ("JOB %s %d"):format(token, x.job)
end

-- lua/server/lib/take.lua: go_on
local function go_on(r, name, word, next_token)
  if next_token == "-" or word == "LOST" then
    return word
  end
  return word .. " " .. take(r, name, next_token)
end

-- ---- lua/server

local scripts = {}

-- lua/server/reserve.lua
function scripts.reserve(r, name, token)
  return take(r, name, token)
end

-- lua/server/done.lua
function scripts.done(r, name, token, next_token)
  local any = redis.bug.done_compares_nothing and r.names[name].token
  if not job_has(r, name, token) and not any then
    return go_on(r, name, job_missed(r, name, token), next_token)
  end
  table.insert(r.done, clear(r, name))
  table.sort(r.done)
  return go_on(r, name, "OK", next_token)
end

-- lua/server/fail.lua
function scripts.fail(r, name, token, next_token)
  if not job_has(r, name, token) then
    return go_on(r, name, job_missed(r, name, token), next_token)
  end
  local word = after_crash(r, name)
  return go_on(r, name, word == "REQUEUED" and word or "OK", next_token)
end

-- lua/server/unreserve.lua
function scripts.unreserve(r, name, token)
  local any = redis.bug.unreserve_compares_nothing and r.names[name].token
  if not job_has(r, name, token) and not any then
    return job_missed(r, name, token)
  end
  put_back(r, name)
  return "OK"
end

-- lua/server/register.lua
function scripts.register(r, name, process)
  local x = r.names[name]
  process = tonumber(process)
  if x.owner ~= process and (x.member or x.token) and not redis.bug.register_adopts then
    return "TAKEN"
  end
  beat(r, name)
  x.member, x.owner = true, process
  return "OK"
end

-- lua/server/heartbeat.lua
function scripts.heartbeat(r, name, process)
  if not registered_by(r, name, tonumber(process)) then
    return "LOST"
  end
  beat(r, name)
  return "OK"
end

-- lua/server/unregister.lua
function scripts.unregister(r, name, process, committed)
  local x = r.names[name]
  process = tonumber(process)
  local word = "OK"
  if x.token then
    local number = tonumber((x.token:match ":(%d+)$"))
    if process_of(x.token) ~= process then
      return "CONFLICT"
    elseif number <= tonumber(committed) and not redis.bug.unregister_knows_nothing_of_commits then
      return "HELD"
    end
    word = "OK " .. put_back(r, name)
  end
  if x.owner == 0 or x.owner == process or redis.bug.names_are_not_owned then
    forget_worker(r, name)
  end
  return word
end

-- lua/server/prune.lua: proven
local function proven(r, name, proof, value)
  if redis.bug.prune_compares_nothing then
    return true
  elseif proof == "heartbeat" then
    return value == "seen"
  end
  return r.names[name].owner == tonumber(value)
end

-- lua/server/prune.lua
function scripts.prune(r, name, proof, value, started)
  local x = r.names[name]
  if not proven(r, name, proof, value) then
    return "GONE"
  end
  local word = "OK"
  if x.token then
    local never_ran = proof == "reaped"
      and (x.token ~= started or redis.bug.prune_puts_back_what_started)
    word = "OK " .. (never_ran and put_back or after_crash)(r, name)
  end
  forget_worker(r, name)
  return word
end

-- ---- one call

local known = {}
local registrations = {}

--- Whether a name is registered, and the process it belongs to (0: none).
function redis.registration(state, name)
  local list = registrations[state]
  if not list then
    list = decode(state).names
    registrations[state] = list
  end
  return list[name].member, list[name].owner
end

--- Forgets what calls have done: for other bugs, or another `requeue`.
function redis.reset()
  known = {}
end

--- All calls made since `reset`: state -> command -> what exec gave.
function redis.calls()
  return known
end

--- One script on one state: what Redis does is one step, whoever asks and whoever hears of it.
-- @param command "done A 1:3 1:4": script, name, arguments
-- @return { state, answer, names whose heartbeat changed }
function redis.exec(state, command)
  local of_state = known[state]
  if not of_state then
    of_state = {}
    known[state] = of_state
  end
  local result = of_state[command]
  if not result then
    local words = {}
    for word in command:gmatch "%S+" do
      words[#words + 1] = word
    end
    local r = decode(state)
    local answer = scripts[words[1]](r, table.unpack(words, 2))
    result = { encode(r), answer, r.beats }
    of_state[command] = result
  end
  return result
end

return redis
