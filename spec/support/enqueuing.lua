--- How a spec of enqueuing from Lua opens: resque.connection goes to a private Redis, which is
-- emptied before each test, with the prefix "t". After each test hooks and connection are what they
-- were.
--
--   local q <const> = enqueuing.open()      -- in a describe block
--   q:call("LLEN", "t:queue:a")             -- any command, as spec.support.server has it
local busted = require "busted"
local connection = require "resque.connection"
local hooks = require "resque.hooks"
local world = require "spec.support.world"

local Enqueuing = {}
Enqueuing.__index = Enqueuing

--- Listens to a hook until the test ends.
function Enqueuing:on(event, fn)
  self.undo[#self.undo + 1] = hooks.on(event, fn)
end

--- One command on a connection of the spec's own.
function Enqueuing:call(...)
  return self.server:call(...)
end

--- The payloads of a queue, the next one first.
function Enqueuing:queued(name)
  return self:call("LRANGE", "t:queue:" .. name, 0, -1)
end

--- The names of all keys, sorted.
function Enqueuing:keys()
  local list = self:call("KEYS", "*")
  table.sort(list)
  return list
end

local enqueuing = {}

function enqueuing.open()
  local q = setmetatable({}, Enqueuing)
  busted.setup(function()
    q.server = world.server { tcp = true }
  end)
  busted.before_each(function()
    q:call "FLUSHALL"
    connection.set_backend(q.server:backend())
    connection.set_prefix "t"
    q.undo = {}
  end)
  busted.after_each(function()
    for _, off in ipairs(q.undo) do
      off()
    end
    connection.set_backend(nil)
    connection.set_prefix "resque"
  end)
  return q
end

return enqueuing
