--- Pid namespaces, as containers have them: a program started in one counts its own pids.
local process = require "spec.support.process"

local namespace = {}

local found

-- `unshare` as root, else in a user namespace; the first way that works.
local function find(dir)
  for _, user in ipairs { {}, { "--user", "--map-root-user" } } do
    local wrap = { "unshare", "--pid", "--fork", "--mount-proc", "--kill-child" }
    table.move(user, 1, #user, #wrap + 1, wrap)
    local try = table.move(wrap, 1, #wrap, 1, {})
    try[#try + 1] = "true"
    if process.run(try, { dir = dir }) == 0 then
      return wrap
    end
  end
  return {}
end

--- Words to put before a program; an empty list where no namespace may be made.
-- @param dir where output files go
function namespace.wrap(dir)
  found = found or find(dir)
  return table.move(found, 1, #found, 1, {})
end

return namespace
