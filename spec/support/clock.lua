--- Waiting for conditions. No spec sleeps for a fixed time: it waits until something is true, or
-- fails.
-- SPEC_SLOW (set by `spec/run` for sanitizers and valgrind) stretches every deadline.
local uv = require "luv"

local clock = {}

clock.slow = tonumber(os.getenv "SPEC_SLOW") or 1

local POLL_MS = 2

--- Monotonic seconds.
function clock.now()
  return uv.hrtime() / 1e9
end

--- Turns `condition` until it returns something true and hands that back (all its values).
-- @param condition function
-- @param seconds how long to try (default 5), stretched by SPEC_SLOW
-- @param what a phrase for the error, or a function that makes one: "the worker is idle"
function clock.wait_until(condition, seconds, what)
  local deadline = clock.now() + (seconds or 5) * clock.slow
  while true do
    local late = clock.now() >= deadline
    uv.run "nowait"
    local got = table.pack(condition())
    if got[1] then
      return table.unpack(got, 1, got.n)
    end
    if late then
      local text = type(what) == "function" and what() or what or "the condition"
      error(("waited %g s in vain until %s"):format((seconds or 5) * clock.slow, text), 2)
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
