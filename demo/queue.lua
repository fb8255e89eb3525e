--- Puts one of the demo's jobs in, tracked: lua5.4 demo/queue.lua [QUEUE] CLASS
--
-- Any Lua program may do this; a worker has nothing to do with it. REDIS_BACKEND says where.
dofile((arg[0]:match "^(.*)/" or ".") .. "/init.lua")
local resque = require "resque"

local queue, class = arg[1], arg[2]
if not class then
  queue, class = "default", arg[1]
end
if not class then
  io.stderr:write "Specify the name of a job to add. e.g, lua5.4 demo/queue.lua Lua_Job\n"
  os.exit(2)
end

local args = { time = os.time(), array = { test = "test" } }
local id, err = resque.enqueue(queue, class, args, true) -- true: keep a status
if not id then
  io.stderr:write("not queued: ", err, "\n")
  os.exit(1)
end
print("Queued job " .. id .. "\n")
