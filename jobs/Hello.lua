--- The smallest job. One file per class, named as the class: a file that returns a table is enough.
--
--    APP_INCLUDE=jobs/Hello.lua QUEUE=default resque-lua
--    resque-enqueue default Hello name=Chris
local Hello = {}

function Hello:perform()
  print("Hello, " .. (self.args.name or "world") .. "!")
end

return Hello
