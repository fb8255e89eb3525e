--- What a campaign did and what came of it, as a table for people.
local faults = require "spec.chaos.faults"

local report = {}

local MOST = 50 -- problems shown

local function row(out, name, ...)
  out[#out + 1] = ("  %-50s %s"):format(name, table.concat({ ... }, " "))
end

local function sorted_names(counts)
  local names = {}
  for name in pairs(counts) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b)
    return counts[a] > counts[b] or counts[a] == counts[b] and a < b
  end)
  return names
end

local function add_faults(out, campaign)
  out[#out + 1] = ("injected: %d faults (and %d found nobody to hit)"):format(campaign.count,
    campaign.missed)
  for _, name in ipairs(sorted_names(campaign.tally)) do
    row(out, faults.words[name], ("%d"):format(campaign.tally[name]))
  end
end

-- Exceptions of the failure records, and how often a job of each kind ended so.
local function add_ends(out, campaign)
  local last, exceptions = campaign.checker.last, {}
  local repeated, again, lost = 0, 0, 0
  for _, failure in ipairs(campaign.checker.failures) do
    local name = "failed: " .. failure.exception
    exceptions[name] = (exceptions[name] or 0) + 1
  end
  for _, count in pairs(campaign.counts["repeat"]) do
    repeated = repeated + count
  end
  for _, count in pairs(campaign.counts.again) do
    again = again + count
  end
  for _, problem in ipairs(campaign.checker.problems) do
    lost = lost + (problem.text:find "^enqueued" and 1 or 0)
  end
  out[#out + 1] = ("came of it: %d jobs put in"):format(campaign.checker.enqueued)
  row(out, "done", ("%d"):format(last.processed - last.stat_failed))
  for _, name in ipairs(sorted_names(exceptions)) do
    row(out, name, ("%d"):format(exceptions[name]))
  end
  row(out, "cancelled while queued", ("%d"):format(campaign.checker:removed_count()))
  row(out, "run again after a crash, as ON_CRASH says", ("%d"):format(again))
  row(out, "started again without having been asked for", ("%d"):format(repeated))
  row(out, "sums that do not add up", ("%d"):format(lost))
end

local function add_recovery(out, campaign)
  out[#out + 1] = "how long it took, where nothing else came in between:"
  local counts = {}
  for name, list in pairs(campaign.recovery) do
    counts[name] = #list
    table.sort(list)
  end
  for _, name in ipairs(sorted_names(counts)) do
    local list = campaign.recovery[name]
    row(out, name, ("%d times, median %.0f ms, 95 %% within %.0f ms, most %.0f ms"):format(#list,
      list[(#list + 1) // 2] * 1000, list[math.ceil(#list * 0.95)] * 1000, list[#list] * 1000))
  end
end

--- What is wrong, as far as it fits: a line each, "" for none.
function report.problems(problems)
  local lines = {}
  for i = 1, math.min(#problems, MOST) do
    lines[i] = ("BROKEN %s: %s"):format(problems[i].invariant, problems[i].text)
  end
  return table.concat(lines, "\n")
end

--- The table, and what is wrong.
-- @param campaign one that has run
-- @param problems what it found
-- @param replay a command that does the same again
function report.text(campaign, problems, replay)
  local out = {}
  add_faults(out, campaign)
  add_ends(out, campaign)
  add_recovery(out, campaign)
  out[#out + 1] = ("%d looks at everything; %.0f s, %.0f jobs/s"):format(campaign.looks,
    campaign.took, campaign.processed / campaign.took)
  out[#out + 1] = problems[1] and report.problems(problems)
  out[#out + 1] = ("%s: %d problems"):format(#problems == 0 and "every invariant holds"
    or "NOT KEPT", #problems)
  out[#out + 1] = "the same again: " .. replay
  return table.concat(out, "\n") .. "\n"
end

return report
