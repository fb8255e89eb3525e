--- Waiting for conditions. No spec sleeps for a fixed time: it waits until something is true, or
-- fails.
--
-- Machines differ tenfold, and other programs run beside. So a limit here is one of two:
--   of patience  for what hangs: wait_until. So long that nothing but a hang meets it, as waiting
--                costs nothing where the event comes.
--   of a promise "within a second": `clock.limit(1)`, by how quick the machine is in that moment.
-- SPEC_SLOW (set by `spec/run`: how much slower the machine was when it began, times 4 for
-- sanitizers) stretches both.
local uv = require "luv"

local clock = {}

clock.slow = tonumber(os.getenv "SPEC_SLOW") or 1

--- Whether sanitizers are at work: fewer rounds, more memory.
clock.sanitized = (os.getenv "SAN" or "") ~= ""

local POLL_MS = 2
local PATIENCE = 30 -- seconds

-- The longest of some starts of a program, on a quiet machine: milliseconds.
local STARTS, QUIET_START = 9, 2

--- Monotonic seconds.
function clock.now()
  return uv.hrtime() / 1e9
end

-- Milliseconds that a program takes from its start until its end is known.
local function start_once()
  local began, ended = uv.hrtime(), nil
  local handle
  handle = assert(uv.spawn("/bin/true", {}, function()
    ended = uv.hrtime()
    handle:close()
  end))
  while not ended do
    uv.run "once"
  end
  return (ended - began) / 1e6
end

--- How long something may take right now that takes `seconds` at most on a quiet machine.
function clock.limit(seconds)
  local longest = 0
  for _ = 1, STARTS do
    longest = math.max(longest, start_once())
  end
  return seconds * math.max(clock.slow, (clock.sanitized and 4 or 1) * longest / QUIET_START)
end

--- Turns `condition` until it returns something true and hands that back (all its values).
-- @param condition function
-- @param seconds how long to try where that is more than 30; stretched by SPEC_SLOW
-- @param what a phrase for the error, or a function that makes one: "the worker is idle"
function clock.wait_until(condition, seconds, what)
  local patience = math.max(seconds or 0, PATIENCE) * clock.slow
  local deadline = clock.now() + patience
  while true do
    local late = clock.now() >= deadline
    uv.run "nowait"
    local got = table.pack(condition())
    if got[1] then
      return table.unpack(got, 1, got.n)
    end
    if late then
      local text = type(what) == "function" and what() or what or "the condition"
      error(("waited %g s in vain until %s"):format(patience, text), 2)
    end
    uv.sleep(POLL_MS)
  end
end

--- True when `condition` stayed false for `seconds`: for what must not happen. Costs that time, so
-- keep it short.
function clock.stays_false(condition, seconds)
  local deadline = clock.now() + seconds
  while clock.now() < deadline do
    uv.run "nowait"
    if condition() then
      return false
    end
    uv.sleep(POLL_MS)
  end
  return true
end

return clock
