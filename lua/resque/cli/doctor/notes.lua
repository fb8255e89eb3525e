--- Checks the notes of workers that are kept from jobs: a broken deploy.
-- @module resque.cli.doctor.notes
local finding = require "resque.cli.doctor.finding"
local sys = require "resque.sys"
local workers = require "resque.client.workers"

-- The notes of all workers that are kept from jobs: list of {id, note}. Nil, why.
local function read_notes(facts)
  local ids, why = facts:members "workers"
  if not ids then
    return nil, why
  end
  local names, notes = {}, {}
  for i, id in ipairs(ids) do
    names[i] = "lua:proc:" .. id
  end
  local replies, hidden = facts:each("HGETALL", names)
  if not replies then
    return nil, hidden
  end
  for i, id in ipairs(ids) do
    for _, note in ipairs(workers.notes(replies[i])) do
      notes[#notes + 1] = { id = id, note = note }
    end
  end
  return notes
end

-- As read_notes, asked once: both checks look at one answer of Redis.
local function notes_of(facts)
  if not facts.notes then
    facts.notes, facts.unnoted = read_notes(facts)
  end
  return facts.notes, facts.unnoted
end

local blocked = finding.check("blocked", notes_of, function(_, notes)
  local list, reason = {}, nil
  for _, entry in ipairs(notes) do
    list[#list + 1] = entry.note.blocked and entry.id or nil
    reason = reason or entry.note.blocked
  end
  if not reason then
    return finding.ok("blocked", "no worker says that it cannot start jobs")
  end
  return finding.fail("blocked", ("%s no job: %s (%s)"):format(
    finding.count(#list, "worker starts", "workers start"), sys.printable(reason),
    finding.examples(list)),
    "`resque-lua check FILE` on that machine; they go on a second after it is mended")
end)

local resting = finding.check("resting", notes_of, function(_, notes)
  local queues, seen, reason = {}, {}, nil
  for _, entry in ipairs(notes) do
    local queue = entry.note.queue
    queues[#queues + 1] = queue and not seen[queue] and queue or nil
    seen[queue or ""] = true
    reason = reason or entry.note.why
  end
  if not reason then
    return finding.ok("resting", "no worker leaves a queue alone")
  end
  return finding.fail("resting", ("%s left alone: %s; %s"):format(
    finding.count(#queues, "queue is", "queues are"), finding.examples(queues),
    sys.printable(reason)),
    "give the workers a file with that class, or take those jobs out")
end)

return { title = "Workers", blocked, resting }
