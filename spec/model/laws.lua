--- What must hold in every state, as the invariants of spec/chaos/README.md say it: of Redis, and
-- of a ledger that nobody but the model sees: how often each job's code began, and came to its end.
local redis = require "spec.model.redis"

local laws = {}

--- The empty ledger.
function laws.ledger(jobs)
  return ("0"):rep(jobs) .. "/" .. ("0"):rep(jobs)
end

--- One more line: word is "start" or "ends".
function laws.note(ledger, word, job)
  local at = word == "start" and job or #ledger // 2 + 1 + job
  return ledger:sub(1, at - 1) .. math.tointeger(ledger:sub(at, at) + 1) .. ledger:sub(at + 1)
end

local function each_place(r, see)
  for _, place in ipairs { "queue", "failed", "done" } do
    for _, job in ipairs(r[place]) do
      see(job, place)
    end
  end
  for name, x in pairs(r.names) do
    if x.job then
      see(x.job, "record of " .. name)
    end
  end
end

-- I1: each job is in exactly one place.
local function conserved(r, jobs, problem)
  local at = {}
  each_place(r, function(job, place)
    if at[job] then
      problem("job %d is in two places: %s and %s", job, at[job], place)
    end
    at[job] = place
  end)
  for job = 1, jobs do
    if not at[job] then
      problem("job %d is nowhere", job)
    end
  end
end

-- I3, I4: at most once, or as often as was counted; done only what came to its end; nothing that
-- has started is put back uncounted.
local function ran(r, starts, ends, jobs, problem)
  for job = 1, jobs do
    if starts[job] > 1 + r.crashed[job] then
      problem("job %d has started %d times, %d of them counted", job, starts[job], r.crashed[job])
    end
  end
  for _, job in ipairs(r.done) do
    if ends[job] == 0 then
      problem("job %d is done and has never run to its end", job)
    end
  end
  for _, job in ipairs(r.queue) do
    if starts[job] > r.crashed[job] then
      problem("job %d is in the queue and has started", job)
    end
  end
end

-- I5: a record belongs to a registered worker, and to the process that has the name: else nobody
-- could account for it while that lives.
local function owned(r, problem)
  for name, x in pairs(r.names) do
    if x.token and not x.member then
      problem("%s has a record and is not registered", name)
    elseif x.token and tonumber(x.token:match "^%d+") ~= x.owner then
      problem("the record of %s is of process %s, the name is of %d", name, x.token:match "^%d+",
        x.owner)
    end
  end
end

-- I7: what was put back comes before what was never taken, and that is in its order. What crashed
-- and was put back waits where it likes.
local function first_in_first_out(r, problem)
  local last = 0
  for _, job in ipairs(r.queue) do
    if r.taken[job] == 0 and job < last then
      problem("job %d waits behind job %d", job, last)
    elseif r.taken[job] == 1 and r.crashed[job] == 0 and last > 0 then
      problem("job %d was put back behind job %d, which was never taken", job, last)
    end
    last = r.taken[job] == 0 and job or last
  end
end

--- What is wrong with a state: a sentence, or nil.
function laws.broken(state, ledger)
  local r, first = redis.decode(state), nil
  local function problem(...)
    first = first or string.format(...)
  end
  local jobs = #ledger // 2
  local starts, ends = {}, {}
  for job = 1, jobs do
    starts[job] = tonumber(ledger:sub(job, job))
    ends[job] = tonumber(ledger:sub(jobs + 1 + job, jobs + 1 + job))
  end
  conserved(r, jobs, problem)
  ran(r, starts, ends, jobs, problem)
  owned(r, problem)
  first_in_first_out(r, problem)
  return first
end

return laws
