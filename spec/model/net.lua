--- What is between workers, pruners and Redis: commands that come late, what the two pruners have
-- seen and are about to do, and how much may still go wrong. A string:
-- late,crash,odd,prune,beat,leave;pruner 1;pruner 2;late command;late command;
local net = {}

local COSTS = { "late", "crash", "odd", "prune", "beat", "leave" }
local LATE_MOST = 2 -- commands under way at a time; one more is lost instead

local function encode(n)
  local costs = {}
  for i, name in ipairs(COSTS) do
    costs[i] = n[name]
  end
  table.sort(n.commands) -- they come in any order
  local commands = #n.commands > 0 and table.concat(n.commands, ";") .. ";" or ""
  return ("%s;%s;%s;%s"):format(table.concat(costs, ","), n.pruners[1], n.pruners[2], commands)
end

local function decode(text)
  local parts = {}
  for part in text:gmatch "([^;]*);" do
    parts[#parts + 1] = part
  end
  local n, i = { pruners = { parts[2], parts[3] }, commands = table.move(parts, 4, #parts, 1, {}) },
    0
  for number in parts[1]:gmatch "%d+" do
    i = i + 1
    n[COSTS[i]] = tonumber(number)
  end
  return n
end

--- Nothing under way. `limits`: name -> how often at most.
function net.initial(limits)
  local n = { pruners = { "", "" }, commands = {} }
  for _, name in ipairs(COSTS) do
    n[name] = limits[name] or 0
  end
  return encode(n)
end

local once = require "spec.model.once"(decode)

--- To be read only: pruners = { command, command } ("" for none), commands = list.
net.view = once(function(n)
  return n
end)

--- The same with one less of that; false if there is no more.
net.spend = once(function(n, name)
  if n[name] == 0 then
    return false
  end
  n[name] = n[name] - 1
  return encode(n)
end)

--- With a command that will come late; false where it is lost.
net.delay = once(function(n, command)
  if #n.commands == LATE_MOST then
    return false
  end
  table.insert(n.commands, command)
  return encode(n)
end)

--- Without the i-th late command.
net.arrive = once(function(n, i)
  table.remove(n.commands, i)
  return encode(n)
end)

--- With another command for pruner 1 or 2: net.prune(text, "1 prune A heartbeat seen").
net.prune = once(function(n, what)
  local i, command = what:match "^(%d) ?(.*)$"
  n.pruners[tonumber(i)] = command
  return encode(n)
end)

--- The heartbeats of these names have changed: who has seen one has seen an old one.
net.beat = once(function(n, names)
  for i, command in ipairs(n.pruners) do
    for name in names:gmatch "." do
      if command == "prune " .. name .. " heartbeat seen" then
        n.pruners[i] = "prune " .. name .. " heartbeat old"
      end
    end
  end
  return encode(n)
end)

return net
