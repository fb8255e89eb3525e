--- Ends a process that a script has forked.
--
-- That process is a copy of ours, and returns from the script's function as ours does. The next
-- steps (tearDown, the report, the next hook, a worker's next job) are to be taken once, by the
-- original: the copy ends. In a plain lua5.4 both are the program's own, and go on.
-- @module resque.job.forked
local sys = require "resque.sys"

local forked = {}

--- Ends this process if it is a copy. To be called when a script's function has returned.
-- @tparam integer pid sys.pid() before the call
-- @tparam[opt] string failure the message of its error, which nobody else will show
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
