--- Counts the words of a text. What perform returns is kept as the result of a tracked job.
--
--    APP_INCLUDE=jobs/WordCount.lua QUEUE=text resque-lua
--    resque-enqueue text WordCount text=@README.md --wait
local resque = require "resque"

local WordCount = {}

function WordCount:perform()
  local counts, most, total = {}, nil, 0
  for word in self.args.text:lower():gmatch "%a+" do
    counts[word] = (counts[word] or 0) + 1
    total = total + 1
    if not most or counts[word] > counts[most] then
      most = word
    end
  end
  return { words = total, most_often = most or resque.null } -- null keeps the key in the JSON
end

return WordCount
