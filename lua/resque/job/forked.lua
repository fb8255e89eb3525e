--- Where a process ends that a script has forked.
--
-- It is a copy of ours, and comes back from the script's function as ours does. What follows there
-- (tearDown, the report, the next hook, a worker's next job) is to be done once, by the first: the
-- copy ends. In a plain lua5.4 both are the program's own, and go on.
-- @module resque.job.forked
local sys = require "resque.sys"

local forked = {}

--- Ends this process if it is not the one that it was. To be called with what the script's function
-- came back with.
-- @tparam integer pid sys.pid() before that
-- @tparam[opt] string failure the message of an error, which nobody else will show
function forked.check(pid, failure)
  if sys.where == "plain" or sys.pid() == pid then
    return
  elseif failure then
    sys.log("error", "in a process that the script has forked: " .. failure)
  end
  sys.leave(not failure)
end

local function come_back(pid, ...)
  forked.check(pid)
  return ...
end

--- Calls a script's function. Errors propagate: errors.attempt looks after them.
-- @tparam function f
-- @param ... its arguments
-- @return ... what it returned
function forked.call(f, ...)
  return come_back(sys.pid(), f(...))
end

return forked
