--- php-resque's four demo jobs, in Lua: one that works and three that end badly.
local resque = require "resque"

local Lua_Job = resque.job "Lua_Job" -- takes a moment, succeeds

function Lua_Job:perform()
  print "Start job! -> "
  resque.sleep(1)
  print "Job ended!"
  return { greeting = "Hello, " .. (self.args.name or "world") .. "!" } -- kept while it is tracked
end

local Bad_Lua_Job = resque.job "Bad_Lua_Job" -- raises an error

function Bad_Lua_Job:perform()
  error "Unable to run this job!"
end

local Long_Lua_Job = resque.job "Long_Lua_Job" -- would take ten minutes

function Long_Lua_Job:perform()
  resque.sleep(600)
end

local Lua_Error_Job = resque.job "Lua_Error_Job" -- calls a function that is not there

function Lua_Error_Job:perform()
  no_such_function() -- luacheck: ignore 113
end
