--- Checks that includes of C and requires of Lua point only down: `lua5.4 spec/floors.lua` (make
-- lint-floors). Prints each arrow that does not, and exits with 1 then.

-- From the ground up: a file may use those of its own floor and of the floors below. An entry is a
-- folder or a file; a file that has an entry of its own is not on its folder's floor.
local C = {
  root = "src", files = "-name '*.[ch]'", arrow = '#include "(.*)"',
  floors = {
    { "base" }, { "os" }, { "redis" }, { "options" }, { "job" }, { "lua" }, { "child" },
    { "worker" }, { "manager" }, { "main.c" },
  },
  -- What runs in a job's process commits nothing.
  walls = { child = { "redis/scripts.h" } },
}

local LUA = {
  root = "lua", files = "-name '*.lua' -not -path '*/server/*'",
  arrow = 'require%f[%W]%(?%s*"(resque[%w_.]*)"',
  floors = {
    { "resque/sys.lua", "resque/sys/json.lua", "resque/net.lua" }, -- in C
    { "resque/json.lua", "resque/connection.lua", "resque/job/forked.lua", "resque/errors.lua",
      "resque/hooks.lua", "resque/job.lua", "resque/status.lua" },
    { "resque/job" },
    { "resque/client" },
    { "resque/queue.lua", "resque/dequeue.lua" },
    { "resque.lua" },
    { "resque/cli" },
  },
  walls = {},
}

function C.path(included)
  return included
end

function LUA.path(module)
  return module:gsub("%.", "/") .. ".lua"
end

local broken = 0

local function complain(path, used, why)
  broken = broken + 1
  print(("%s uses %s: %s"):format(path, used, why))
end

local function levels_of(floors)
  local level = {}
  for i, floor in ipairs(floors) do
    for _, entry in ipairs(floor) do
      level[entry] = i
    end
  end
  return level
end

-- The entry that a file stands under: its own, or that of a folder around it.
local function entry_of(level, path)
  while path and not level[path] do
    path = path:match "^(.*)/"
  end
  return path
end

local function check(tree, level, path, used)
  local own, other = entry_of(level, path), entry_of(level, used)
  if not own or not other then
    complain(path, used, ("%s is on no floor"):format(own and used or path))
  elseif level[other] > level[own] then
    complain(path, used, ("%s is above %s"):format(other, own))
  end
  for _, wall in ipairs(tree.walls[own] or {}) do
    if used == wall then
      complain(path, used, "there is a wall between them")
    end
  end
end

-- The files of a tree, and what each of them uses.
local function arrows_of(tree)
  local paths, arrows = {}, {}
  local files = assert(io.popen(("cd %s && find . -type f %s | sort"):format(tree.root,
    tree.files)))
  for file in files:lines() do
    local path = file:gsub("^%./", "")
    paths[#paths + 1], arrows[path] = path, {}
    for line in io.lines(tree.root .. "/" .. path) do
      for name in line:gsub("^%s*%-%-.*", ""):gmatch(tree.arrow) do
        table.insert(arrows[path], tree.path(name))
      end
    end
  end
  files:close()
  return paths, arrows
end

-- Complains of every circle that is met on the way from `path`.
local function walk(arrows, path, state)
  state[path] = "open"
  for _, used in ipairs(arrows[path] or {}) do
    if state[used] == "open" then
      complain(path, used, "that is a circle")
    elseif not state[used] then
      walk(arrows, used, state)
    end
  end
  state[path] = "done"
end

-- How many arrows there are.
local function check_all(tree)
  local level, state, count = levels_of(tree.floors), {}, 0
  local paths, arrows = arrows_of(tree)
  for _, path in ipairs(paths) do
    for _, used in ipairs(arrows[path]) do
      check(tree, level, path, used)
      count = count + 1
    end
    if not state[path] then
      walk(arrows, path, state)
    end
  end
  return count
end

local seen = check_all(C) > 0 and check_all(LUA) > 0
os.exit(broken == 0 and seen)
