--- What /proc says about processes: titles, children, states, descriptors.
local uv = require "luv"

local proc = {}

local function read(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local text = file:read "a"
  file:close()
  return text
end

--- The title as ps shows it: nil when there is no such process (or it is a zombie: empty).
function proc.title(pid)
  local text = read(("/proc/%d/cmdline"):format(pid))
  return text and (text:gsub("%z+$", ""):gsub("%z", " "):gsub("%s+$", ""))
end

-- State letter, parent, process group and session of a process.
local function stat(pid)
  local text = read(("/proc/%d/stat"):format(pid))
  if not text then
    return nil
  end
  local state, parent, group, session = text:match "^%d+ %(.*%) (%S) (%-?%d+) (%-?%d+) (%-?%d+)"
  return {
    state = state,
    parent = math.tointeger(parent),
    group = math.tointeger(group),
    session = math.tointeger(session),
  }
end
proc.stat = stat

--- Processor time used so far, in ticks of 10 ms.
function proc.cpu_ticks(pid)
  local user, system = (read(("/proc/%d/stat"):format(pid)) or "")
    :match "^%d+ %(.*%) %S %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ (%d+) (%d+)"
  return math.tointeger(tonumber(user)) + math.tointeger(tonumber(system))
end

--- True while the process exists and is not a zombie.
function proc.alive(pid)
  local s = stat(pid)
  return s ~= nil and s.state ~= "Z" and s.state ~= "X"
end

--- True when that holds for none of these pids.
function proc.none_alive(pids)
  for _, pid in ipairs(pids) do
    if proc.alive(pid) then
      return false
    end
  end
  return true
end

--- Pids of the direct children, in the order of their start.
function proc.children(pid)
  local list = {}
  for word in (read(("/proc/%d/task/%d/children"):format(pid, pid)) or ""):gmatch "%d+" do
    list[#list + 1] = math.tointeger(tonumber(word))
  end
  return list
end

--- Pids of all descendants, parents first.
function proc.descendants(pid)
  local list = {}
  for _, child in ipairs(proc.children(pid)) do
    list[#list + 1] = child
    table.move(proc.descendants(child), 1, 1000, #list + 1, list)
  end
  return list
end

--- Open descriptors: number -> what it points to.
function proc.descriptors(pid)
  local list = {}
  local dir = ("/proc/%d/fd"):format(pid)
  local scan = uv.fs_scandir(dir)
  while scan do
    local name = uv.fs_scandir_next(scan)
    if not name then
      break
    end
    list[tonumber(name)] = uv.fs_readlink(dir .. "/" .. name)
  end
  return list
end

--- The value of a line of /proc/PID/status, such as "Uid"; nil when there is none.
function proc.status(pid, name)
  return (read(("/proc/%d/status"):format(pid)) or ""):match("\n" .. name .. ":%s*([^\n]*)")
end

--- Resident memory in KB.
function proc.rss_kb(pid)
  return tonumber((proc.status(pid, "VmRSS") or ""):match "%d+")
end

--- The same without the pages of files: how many of these are mapped around one that is touched is
-- the kernel's affair.
function proc.anonymous_kb(pid)
  return tonumber((proc.status(pid, "RssAnon") or ""):match "%d+")
end

proc.read = read

return proc
