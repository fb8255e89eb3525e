--- Holds Redis against the law of conservation while a spec goes on: the invariants of
-- spec/support/checker.lua that hold at any instant. What jobs did is read from the ledger.
local checker = require "spec.support.checker"
local ledger_lines = require "spec.support.ledger_lines"
local look = require "spec.support.look"

local conservation = {}

--- What is where, at one instant. All jobs must have an "id".
function conservation.snapshot(world)
  return look(function(...)
    return world.server:call(...)
  end, world:key "", { failed = 0, overflow = 0 }, true)
end

--- What is wrong with a snapshot: a list of sentences; and id -> place.
-- @param seen a snapshot
-- @param jobs table: id -> payload, of all jobs enqueued so far; anything but the text of an object
-- where its bytes are not to be compared
-- @param tracked whether they have a status
function conservation.problems(seen, jobs, tracked)
  local known, enqueued, texts = {}, 0, {}
  for id, payload in pairs(jobs) do
    local bytes = type(payload) == "string" and payload:find "^{" and payload or nil
    known[id] = { id = id, payload = bytes, tracked = tracked }
    enqueued = enqueued + 1
  end
  local one = checker.new(known)
  local at = one:look(seen, enqueued)
  for i, problem in ipairs(one.problems) do
    texts[i] = problem.invariant .. ": " .. problem.text
  end
  return texts, at
end

--- Raises if the law is broken right now. Returns the snapshot, and id -> place.
function conservation.check(world, jobs, tracked)
  local seen = conservation.snapshot(world)
  local problems, at = conservation.problems(seen, jobs, tracked)
  if #problems > 0 then
    error("an invariant is broken:\n  " .. table.concat(problems, "\n  "), 2)
  end
  return seen, at
end

--- How often each job started and ended, as its own lines `start ID` and `end ID` say.
function conservation.ledger(world)
  local counts = ledger_lines.count(world:ledger())
  return counts.start, counts["end"]
end

return conservation
