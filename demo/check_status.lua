--- Shows the status of a job until it has ended: lua5.4 demo/check_status.lua ID
-- 1 is waiting, 2 running, 3 failed, 4 complete.
dofile((arg[0]:match "^(.*)/" or ".") .. "/init.lua")
local resque = require "resque"

if not arg[1] then
  io.stderr:write "Specify the ID of a job to monitor the status of.\n"
  os.exit(2)
end

local function fail(text)
  io.stderr:write(text, "\n")
  os.exit(1)
end

local status = resque.status(arg[1])
local tracking, err = status:is_tracking()
if not tracking then
  fail(err or "Resque is not tracking the status of this job.")
end
print(("Tracking status of %s. Press [break] to stop.\n"):format(arg[1]))
while true do
  local number, why = status:get()
  if not number then
    fail(why or "Resque is not tracking the status of this job any more.")
  end
  print(("Status of %s is: %d"):format(arg[1], number))
  if number == resque.status.COMPLETE or number == resque.status.FAILED then
    break
  end
  if not resque.sleep(1) then -- a signal
    break
  end
end
