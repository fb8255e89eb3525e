--- Looks at every state that two workers, two pruners and Redis can come to, breadth first: the
-- first state that breaks a law has been reached on a shortest way, which is the counterexample.
--
-- A state is five numbers in 15 bytes: Redis, worker 1, worker 2, what is under way, the ledger.
-- Each number stands for a string, of which there are few (parts).
local laws = require "spec.model.laws"
local net = require "spec.model.net"
local redis = require "spec.model.redis"
local worker = require "spec.model.worker"

local search = {}

local FORM = "<I3I3I3I3I3"
local pack, unpack = string.pack, string.unpack

-- ---- parts: strings <-> numbers

local texts, numbers

local function number(text)
  local n = numbers[text]
  if not n then
    n = #texts + 1
    texts[n], numbers[text] = text, n
  end
  return n
end

local function key(r, w1, w2, n, ledger)
  return pack(FORM, number(r), number(w1), number(w2), number(n), number(ledger))
end

-- The five strings of a state.
local function unkey(k)
  local r, w1, w2, n, ledger = unpack(FORM, k)
  return texts[r], texts[w1], texts[w2], texts[n], texts[ledger]
end

-- ---- what can happen next: each calls emit(who, what, the five strings of the state then)

-- A script runs: Redis then, what is under way then, the answer.
local function execute(r, n, command)
  local result = redis.exec(r, command)
  return result[1], result[3] ~= "" and net.beat(n, result[3]) or n, result[2]
end

local WORKERS = { "worker 1", "worker 2" }

-- The same with worker `i` as `to`.
local function emit_worker(emit, what, i, to, other, r, n, ledger)
  if i == 1 then
    emit(WORKERS[1], what, r, to, other, n, ledger)
  else
    emit(WORKERS[2], what, r, other, to, n, ledger)
  end
end

local function step_of_worker(i, move, other, r, n, ledger, emit)
  if move.cost then
    n = net.spend(n, move.cost)
    if not n then
      return -- used up
    end
  end
  if move.late then
    n = net.delay(n, move.late) or n
  end
  if move.start or move.ends then
    ledger = laws.note(ledger, move.start and "start" or "ends", move.start or move.ends)
  end
  if move.beats then
    r, n = execute(r, n, move.beats)
  end
  emit_worker(emit, move.label, i, move.to, other, r, n, ledger)
end

-- Its command gets to Redis, and the answer to it or not; or the command comes late, or never.
local function exchange(i, w, other, r, n, ledger, emit)
  local command = worker.call(w)
  local spent = net.spend(n, "late")
  local retry, give_up = worker.miss(w), worker.give_up(w)
  local after, between, answer = execute(r, n, command)
  emit_worker(emit, command, i, worker.hear(w, answer), other, after, between, ledger)
  if not spent then
    return
  end
  after, between = execute(r, spent, command)
  emit_worker(emit, command .. " (unheard)", i, retry, other, after, between, ledger)
  local delayed = net.delay(spent, command) or spent
  emit_worker(emit, command .. " (under way)", i, retry, other, r, delayed, ledger)
  if give_up then
    emit_worker(emit, command .. " (unheard, given up)", i, give_up, other, after, between, ledger)
    emit_worker(emit, command .. " (under way, given up)", i, give_up, other, r, delayed, ledger)
  end
end

local function steps_of_worker(i, w, other, r, n, ledger, emit)
  if worker.call(w) then
    exchange(i, w, other, r, n, ledger, emit)
  end
  local moves = worker.moves(w)
  for j = 1, #moves do
    step_of_worker(i, moves[j], other, r, n, ledger, emit)
  end
end

-- A command that is under way arrives; nobody waits for the answer.
local function late(r, w1, w2, n, ledger, emit)
  for i, command in ipairs(net.view(n).commands) do
    local after, between = execute(r, net.arrive(n, i), command)
    emit("Redis, late", command, after, w1, w2, between, ledger)
  end
end

-- src/manager/prune.c: prune_look
-- src/manager/prune.c: prune_proven
local function look(i, r, w1, w2, n, ledger, emit)
  local spent = net.spend(n, "prune")
  for _, name in ipairs(spent and redis.NAMES or {}) do
    local member, owner = redis.registration(r, name)
    if member then
      emit("pruner " .. i, "has seen a heartbeat of " .. name, r, w1, w2,
        net.prune(spent, ("%d prune %s heartbeat seen"):format(i, name)), ledger)
    end
    if owner > 0 and worker.process(w1) ~= owner and worker.process(w2) ~= owner then
      emit("pruner " .. i, "sees that process " .. owner .. " has ended", r, w1, w2,
        net.prune(spent, ("%d prune %s proc %d"):format(i, name, owner)), ledger)
    end
  end
end

-- src/manager/prune.c: prune_owe
local function owe(i, w, other, r, n, ledger, emit)
  local debt = worker.debt(w)
  if debt then
    emit_worker(emit, "has ended, as its manager sees", i, debt[2], other, r,
      net.prune(n, i .. " " .. debt[1]), ledger)
  end
end

-- src/manager/prune.c: remove_worker
local function step_of_pruner(i, r, w1, w2, n, ledger, emit)
  local command = net.view(n).pruners[i]
  if command == "" then
    look(i, r, w1, w2, n, ledger, emit)
    owe(i, i == 1 and w1 or w2, i == 1 and w2 or w1, r, n, ledger, emit)
    return
  end
  local who = "pruner " .. i
  local after, between = execute(r, net.prune(n, i .. ""), command)
  emit(who, command, after, w1, w2, between, ledger)
  local spent = net.spend(n, "late")
  if spent then -- it has not heard the answer, and asks again
    after, between = execute(r, spent, command)
    emit(who, command .. ", unheard", after, w1, w2, between, ledger)
  end
end

local function each_next(emit, r, w1, w2, n, ledger)
  steps_of_worker(1, w1, w2, r, n, ledger, emit)
  steps_of_worker(2, w2, w1, r, n, ledger, emit)
  late(r, w1, w2, n, ledger, emit)
  step_of_pruner(1, r, w1, w2, n, ledger, emit)
  step_of_pruner(2, r, w1, w2, n, ledger, emit)
end

-- ---- the search

-- The way to a state, from the first: list of { who, what, Redis, worker 1, worker 2, under way,
-- ledger }.
local function trace(visited, last)
  local keys = { last }
  while visited[keys[#keys]] ~= true do
    keys[#keys + 1] = visited[keys[#keys]]
  end
  local way = { { "at first", "", unkey(keys[#keys]) } }
  for i = #keys - 1, 1, -1 do
    local step
    each_next(function(who, what, ...)
      step = step or key(...) == keys[i] and { who, what, ... }
    end, unkey(keys[i + 1]))
    way[#way + 1] = step
  end
  return way
end

-- Both kinds of bugs are names; neither module knows the other's.
local function switch(bug)
  redis.bug, worker.bug = {}, {}
  if bug then
    redis.bug[bug], worker.bug[bug] = true, true
  end
  redis.reset()
  worker.reset()
  texts, numbers = {}, {}
end

--- Looks at states until a law is broken, all have been seen, or there are `most`.
-- @param o jobs, requeue, limits (net.initial), bug = name or nil, most, progress = function(count,
--   depth) called now and then
-- @return { states, steps, depth, complete, problem = sentence, way = counterexample }
function search.run(o)
  switch(o.bug)
  redis.requeue = o.requeue or 0
  local first = key(redis.initial(o.jobs), worker.initial(1), worker.initial(2),
    net.initial(o.limits), laws.ledger(o.jobs))
  local visited, frontier, after, judged = { [first] = true }, { first }, nil, {}
  local found = { states = 1, steps = 0, depth = 0 }
  local from

  local function judge(k, r, ledger)
    local pair = r .. ledger
    if judged[pair] == nil then
      judged[pair] = laws.broken(r, ledger) or false
    end
    if judged[pair] then
      found.problem, found.way = judged[pair], trace(visited, k)
    end
  end

  local function emit(_, _, r, w1, w2, n, ledger)
    found.steps = found.steps + 1
    local k = key(r, w1, w2, n, ledger)
    if not visited[k] and not found.problem then
      visited[k] = from
      after[#after + 1] = k
      found.states = found.states + 1
      judge(k, r, ledger)
    end
  end

  while #frontier > 0 and not found.problem and found.states < o.most do
    after = {}
    for i = 1, #frontier do
      from = frontier[i]
      each_next(emit, unkey(from))
      if found.problem or found.states >= o.most then
        break
      end
    end
    frontier = after
    found.depth = found.depth + 1
    if o.progress then
      o.progress(found.states, found.depth)
    end
  end
  found.complete = #frontier == 0
  return found
end

return search
