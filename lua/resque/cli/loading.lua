--- Loads scripts for a command. A script that calls os.exit meanwhile is broken, as for a worker;
-- without this module it would end the command as if all were well.
-- @module resque.cli.loading
local sys = require "resque.sys"

local loading = {}

local function refusing(exit, state)
  local command = sys.pid()
  return function(...)
    if state.loading and sys.pid() == command then
      error("it called os.exit", 2)
    end
    exit(...)
  end
end

--- Calls a function that loads scripts. An os.exit that they keep is the real one afterwards.
-- @tparam function load such as loader.load
-- @param ... its arguments
-- @return what it returns
function loading.run(load, ...)
  local exit, state = os.exit, { loading = true }
  local refuse = refusing(exit, state)
  _G.os.exit = refuse -- luacheck: ignore 122
  local results = table.pack(load(...))
  state.loading = false
  if os.exit == refuse then
    _G.os.exit = exit -- luacheck: ignore 122
  end
  return table.unpack(results, 1, results.n)
end

return loading
