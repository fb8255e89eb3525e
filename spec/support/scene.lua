--- How a system spec opens: one line gives its tests a world (spec.support.world: a private Redis,
-- the real program, a folder) and closes it, with every process in it, behind them.
--
--   local w <const> = scene.fresh()         -- a new world for each test of this block
--   local w <const> = scene.shared()        -- one world for all tests of this block
--   local w <const> = scene.fresh { tcp = true }    -- opts of world.new
--
-- `w` stays the same table (hence <const>), empty before the first test. A test that needs another
-- world on the way calls w:close() and w:open().
-- The world is closed before any after_each that the spec adds to the block. Its server goes on
-- until the file ends, so there a spec takes back what it has set in it: w.server:call(...).
--
-- A spec of server scripts has spec.support.scripts in the same way, one server for the block,
-- emptied before each test:
--
--   local s <const> = scene.scripts()       -- scene.scripts(true): without a registered worker
local busted = require "busted"
local scripts = require "spec.support.scripts"
local world = require "spec.support.world"

local scene = {}

local function between(begin, finish, opts)
  local w = world.unopened()
  busted[begin](function()
    w:open(opts)
  end)
  busted[finish](function()
    w:close()
  end)
  return w
end

function scene.fresh(opts)
  return between("before_each", "after_each", opts)
end

function scene.shared(opts)
  return between("setup", "teardown", opts)
end

function scene.scripts(lone)
  local s = scripts.unopened()
  busted.setup(function()
    s:open()
  end)
  busted.teardown(function()
    s:close()
  end)
  busted.before_each(function()
    s:reset(lone)
  end)
  return s
end

return scene
