--- One worker process, as src/worker/worker.c goes about a job: what it may do next. Nothing is
-- known here of Redis but the answers. A worker is a string of its fields, so that what was worked
-- out once for one is found again.
--
-- phase: new (registers), idle (asks for a job, or unregisters), held (has a job that has not
-- started), run, end (knows how the job ended, and writes that), gone (the process has ended). In
-- new, idle and end it waits for the answer to `call`; it does nothing else meanwhile, so sending
-- is no step of its own.
local worker = {}

--- Switched on by bugs.lua, as redis.bug.
worker.bug = {}

local REMEMBERED = 2 -- src/worker/ledger.h has 64; what counts is that old ones are forgotten

local FIELDS = { "phase", "process", "name", "try", "given", "committed", "token", "job", "how",
  "remembered", "started", "leaving", "call" }
local NUMBERS = { process = true, try = true, given = true, committed = true, job = true }

local function encode(w)
  local parts = {}
  for i, field in ipairs(FIELDS) do
    parts[i] = w[field] or ""
  end
  return table.concat(parts, "|")
end

local function decode(text)
  local w, i = {}, 0
  for part in (text .. "|"):gmatch "([^|]*)|" do
    i = i + 1
    local field = FIELDS[i]
    w[field] = part ~= "" and (NUMBERS[field] and math.tointeger(tonumber(part)) or part) or nil
  end
  return w
end

local once, forget = require "spec.model.once"(decode)

--- Forgets what was worked out: for other bugs.
worker.reset = forget

local function copy(w, changes)
  local new = {}
  for _, field in ipairs(FIELDS) do
    new[field] = w[field]
  end
  for field, value in pairs(changes or {}) do
    new[field] = value or nil -- false removes
  end
  return new
end

-- The process has ended; `owing` if its manager would account for it.
-- src/worker/worker.c: close_worker
local function die(w, owing)
  local name = owing and w.name or nil
  return { phase = "gone", process = w.process, name = name, started = name and w.started,
    given = 0, committed = 0, try = 1 }
end

-- ---- tokens and remembered outcomes: "3d4f", the newest last

local function number_of(token)
  return math.tointeger(tonumber((token:match ":(%d+)$")))
end

-- src/worker/ledger.c: ledger_token
local function new_token(w)
  w.given = w.given + 1
  return ("%d:%d"):format(w.process, w.given)
end

-- A token that was answered for and is in no record is nowhere: it counts as not given, else there
-- would be a new state for each look at an empty queue.
local function unless_used(w, answer)
  local asked = not w.call:find "^unreserve" and w.call:match "(%d+:%d+)$"
  if asked and not answer:find("JOB " .. asked, 1, true) and number_of(asked) == w.given then
    w.given = w.given - 1
  end
end

-- src/worker/ledger.c: ledger_remember
local function remember(w)
  local number = number_of(w.token)
  w.committed = math.max(w.committed, number)
  if w.how ~= "b" then
    local kept = {}
    for pair in ((w.remembered or "") .. number .. w.how):gmatch "%d+%a" do
      kept[#kept + 1] = pair
    end
    w.remembered = table.concat(kept, "", math.max(1, #kept - REMEMBERED + 1))
  end
end

-- src/worker/ledger.c: ledger_recall
local function recall(w)
  for number, how in (w.remembered or ""):gmatch "(%d+)(%a)" do
    if tonumber(number) == number_of(w.token) then
      return how
    end
  end
end

-- ---- what is sent: nothing while it has a job

local SCRIPT = { d = "done", f = "fail" }
local sends = {}

-- src/worker/session.c: registered
-- src/worker/registry.c: registry_register
function sends.new(w)
  return ("register %s %d"):format(w.try == 2 and "B" or "A", w.process)
end

-- src/worker/worker.c: ask
-- src/worker/registry.c: registry_unregister
function sends.idle(w)
  if w.leaving then
    return ("unregister %s %d %d"):format(w.name, w.process, w.committed)
  end
  return ("reserve %s %s"):format(w.name, new_token(w))
end

-- src/worker/persist.c: try_commit
-- src/worker/commit.c: build
sends["end"] = function(w)
  if w.how == "b" then
    return ("unreserve %s %s"):format(w.name, w.token)
  end
  return ("%s %s %s %s"):format(SCRIPT[w.how], w.name, w.token, w.leaving and "-" or new_token(w))
end

-- The worker with the command on its way that comes next.
local function go_on(w)
  if w.phase == "new" and w.leaving then
    return die(w)
  end
  w.call = sends[w.phase] and sends[w.phase](w)
  return w
end

--- A process that has just begun.
function worker.initial(process)
  return encode(go_on { phase = "new", process = process, try = 1, given = 0, committed = 0 })
end

-- ---- answers

-- src/worker/session.c: session_lose
local function lose(w)
  w.phase, w.token, w.job, w.how, w.try = "new", nil, nil, nil, 1
end

-- src/worker/worker.c: next_job
-- src/worker/worker.c: finished_before
local function take_job(w, answer)
  local token, job = answer:match "JOB (%S+) (%d+)"
  if token then
    w.token, w.job = token, math.tointeger(tonumber(job))
    w.how = recall(w)
    w.phase = w.how and "end" or "held"
  elseif answer:find "LOST" or answer:find "CONFLICT" then
    lose(w)
  else
    w.phase, w.token, w.job, w.how = "idle", nil, nil, nil
  end
end

local hears = {}

function hears.new(w, answer)
  if answer == "OK" then
    w.phase, w.name, w.try = "idle", w.call:match "^register (%S+)", 1
  else
    w.try = w.try % 2 + 1
  end
end

function hears.idle(w, answer)
  if w.call:find "^unregister" then
    return die(w, not answer:find "^OK")
  end
  unless_used(w, answer)
  take_job(w, answer)
end

-- src/worker/worker.c: commit
hears["end"] = function(w, answer)
  unless_used(w, answer)
  if answer:find "^LOST" then
    return lose(w)
  end
  remember(w)
  take_job(w, answer:match "^%S+ (.*)" or "")
end

--- The worker that hears the answer to its command.
worker.hear = once(function(w, answer)
  return encode(hears[w.phase](w, answer) or go_on(w))
end)

--- The worker that hears nothing: it is connected again, and sends the next command.
-- src/worker/session.c: session_back_off
worker.miss = once(function(w)
  if w.phase == "idle" and w.call:find "^unregister" then
    return encode(die(w, true))
  end
  if worker.bug.retries_with_the_same_token and w.call:find "^reserve" then
    w.given = w.given - 1
  end
  w.try = 1
  return encode(go_on(w))
end)

--- One that is told to leave gives up writing a job's end; false for others.
-- src/worker/persist.c: persist_outcome
-- src/worker/ledger.c: ledger_give_up
worker.give_up = once(function(w)
  if w.phase ~= "end" or not w.leaving then
    return false
  end
  if w.how ~= "b" then
    w.committed = math.max(w.committed, number_of(w.token))
  end
  w.phase, w.token, w.job, w.how = "idle", nil, nil, nil
  return encode(go_on(w))
end)

--- The command on its way to Redis; false if there is none.
worker.call = once(function(w)
  return w.call
end)

--- Its process; false if that has ended.
worker.process = once(function(w)
  return w.phase ~= "gone" and w.process
end)

-- ---- steps of its own

local steps = {}

-- src/worker/worker.c: start
function steps.held(w, add)
  if not w.leaving then
    add("starts the job", copy(w, { phase = "run", started = w.token }), { start = w.job })
  end
  add("does not start the job", go_on(copy(w, { phase = "end", how = "b" })),
    { cost = not w.leaving and "odd" or nil })
end

-- src/worker/worker.c: decide
function steps.run(w, add)
  add("sees the job succeed", go_on(copy(w, { phase = "end", how = "d" })), { ends = w.job })
  add("sees the job fail", go_on(copy(w, { phase = "end", how = "f" })), { cost = "odd" })
end

function steps.gone(w, add)
  add("is started again", decode(worker.initial(w.process + 2)), { cost = "crash" })
end

-- What can happen to a process at any time.
local function at_any_time(w, add)
  add("is killed", die(w, true), { cost = "crash", late = w.call })
  if not w.leaving then
    add("is told to leave", copy(w, { leaving = "L" }), { cost = "leave" })
  end
  if w.name and w.phase ~= "new" then
    add("beats", w, { cost = "beat", beats = ("heartbeat %s %d"):format(w.name, w.process) })
  end
end

--- What a worker can do without an answer.
-- @return list of { label, to = the worker then, cost = name of what this uses up, start = a job
--   whose code begins, ends = one whose code came to its end, late = a command that is still on its
--   way, beats = a command that is sent besides }
worker.moves = once(function(w)
  local list = {}
  local function add(label, to, effects)
    local move = { label = label, to = encode(to) }
    for name, value in pairs(effects or {}) do
      move[name] = value
    end
    list[#list + 1] = move
  end
  if steps[w.phase] then
    steps[w.phase](w, add)
  end
  if w.phase ~= "gone" then
    at_any_time(w, add)
  end
  return list
end)

--- What the manager that shares memory with a dead worker knows: { the command that accounts for
-- it, the worker without that debt }, or false.
-- src/manager/manager.c: bury
worker.debt = once(function(w)
  if w.phase ~= "gone" or not w.name then
    return false
  end
  return { ("prune %s reaped %d %s"):format(w.name, w.process, w.started or "-"), encode(die(w)) }
end)

return worker
