--- A counterexample as people read it: one line per step, and what that changed.
local show = {}

local HEADS = { "redis", "worker 1", "worker 2", "under way", "ledger" }

local function changes(before, after)
  local list = {}
  for i = 1, 5 do
    if before[i + 2] ~= after[i + 2] then
      list[#list + 1] = ("%s %s"):format(HEADS[i], after[i + 2])
    end
  end
  return table.concat(list, "   ")
end

--- The way to the problem that a search has found.
function show.way(found)
  local lines = { "  broken: " .. found.problem }
  for i, step in ipairs(found.way) do
    local what = i == 1 and ("redis " .. step[3]) or changes(found.way[i - 1], step)
    lines[#lines + 1] = ("  %2d %-11s %-36s %s"):format(i - 1, step[1], step[2], what)
  end
  return table.concat(lines, "\n")
end

return show
