--- The bar of a long enqueue, on one line of a terminal:
-- `██████░░ 61% 6,100/10,000 8,900/s ETA 0s`.
-- @module resque.cli.progress
local sys = require "resque.sys"
local terminal = require "resque.cli.terminal"

local progress = {}
local Bar = {}
Bar.__index = Bar

local REDRAW = 0.1 -- seconds; faster than anybody reads
local NARROWEST, WIDEST = 8, 40 -- columns of the bar itself

--- A bar; nothing is drawn before `update`.
-- @tparam[opt] integer total how many there will be; nil when nobody knows
-- @tparam[opt] function write where to draw (default: stderr)
-- @treturn table with update(count), finish()
function progress.new(total, write)
  return setmetatable({
    total = total and total > 0 and total or nil,
    started = sys.monotonic(),
    drawn = -math.huge,
    write = write or function(text) io.stderr:write(text) end,
  }, Bar)
end

--- The line for `count` done after `seconds`.
-- @tparam integer count
-- @tparam ?integer total
-- @tparam number seconds since the start
-- @tparam integer columns of the terminal
-- @treturn string
function progress.line(count, total, seconds, columns)
  local rate = seconds > 0 and count / seconds or 0
  local speed = terminal.number(rate) .. "/s"
  if not total then
    return ("%s queued %s"):format(terminal.number(count), speed)
  end
  local share = math.min(count / total, 1)
  local eta = rate > 0 and terminal.duration((total - count) / rate) or "?"
  local words = (" %d%% %s/%s %s ETA %s"):format(share * 100 // 1, terminal.number(count),
    terminal.number(total), speed, eta)
  local width = math.max(NARROWEST, math.min(WIDEST, columns - #words - 1))
  local full = math.floor(share * width)
  return ("█"):rep(full) .. ("░"):rep(width - full) .. words
end

--- Draws, if the last time was a while ago.
-- @tparam integer count how many are done
function Bar:update(count)
  local now = sys.monotonic()
  if now - self.drawn < REDRAW then
    return
  end
  self.drawn = now
  self.write("\r" .. progress.line(count, self.total, now - self.started, sys.columns()) .. "\27[K")
end

--- Makes room for other text on the line; the next update draws again.
function Bar:clear()
  if self.drawn > -math.huge then
    self.write "\r\27[K"
    self.drawn = -math.huge
  end
end

return progress
