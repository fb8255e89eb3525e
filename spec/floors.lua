--- Checks that includes point only down: `lua5.4 spec/floors.lua` (make lint-floors). Prints each
-- arrow that does not, and exits with 1 then.

-- From the ground up: a file may include those of its own floor and of the floors below.
local FLOORS = { "base", "os", "redis", "options", "job", "lua", "child", "worker", "manager", "." }

-- Walls: what runs in a job's process commits nothing.
local WALLS = { child = { "redis/scripts.h" } }

local level, broken, seen = {}, 0, 0
for i, floor in ipairs(FLOORS) do
  level[floor] = i
end

local function complain(path, included, why)
  broken = broken + 1
  print(("%s includes %s: %s"):format(path, included, why))
end

local function floor_of(path)
  return path:match "^([^/]*)/" or "."
end

local function check(path, included)
  local own, other = floor_of(path), floor_of(included)
  if not level[own] or not level[other] then
    complain(path, included, "no such floor")
  elseif level[other] > level[own] then
    complain(path, included, ("%s is above %s"):format(other, own))
  end
  for _, wall in ipairs(WALLS[own] or {}) do
    if included == wall then
      complain(path, included, "there is a wall between them")
    end
  end
end

local files = assert(io.popen "find src -name '*.[ch]' | sort")
for file in files:lines() do
  for line in io.lines(file) do
    local included = line:match '^#include "(.*)"'
    if included then
      seen = seen + 1
      check(file:gsub("^src/", ""), included)
    end
  end
end
files:close()
os.exit(broken == 0 and seen > 0)
