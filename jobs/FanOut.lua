--- A job that makes others: one WordCount for each file it is given, and a note in Redis of which
-- jobs those are.
--
--    APP_INCLUDE=jobs/FanOut.lua QUEUE=text,fan_out resque-lua
--    resque-enqueue fan_out FanOut files:='["README.md","CHANGELOG.md"]'
local resque = require "resque"

-- Files beside this one are found by their class's name.
resque.autoload((debug.getinfo(1, "S").source:match "^@(.*)/" or "."))

local FanOut = {}

function FanOut:perform()
  local ids = {}
  for i, path in ipairs(self.args.files) do
    local file = assert(io.open(path)) -- raises what io.open says: the job fails with that text
    ids[i] = assert(resque.enqueue("text", "WordCount", { text = file:read "a" }, { track = true }))
    file:close()
  end
  -- resque.redis is this job's own connection. Keys are taken as they are: key() puts PREFIX there.
  resque.redis.pipeline(function(redis)
    local key = resque.key("fan_out:" .. self.job.id)
    for _, id in ipairs(ids) do
      redis("RPUSH", key, id)
    end
    redis("EXPIRE", key, 86400)
  end)
  return { jobs = ids }
end

return FanOut
