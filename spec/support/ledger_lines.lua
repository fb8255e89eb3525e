--- What the lines that jobs wrote say: how often each has run, and in which order.
local ledger_lines = {}

--- How often each job started, ended and so on: word -> id -> count. `start ID PID CRASHES` says
-- how often it had crashed before; "repeat" counts the starts that say nothing new, "again" those
-- after a crash.
function ledger_lines.count(ledger)
  local seen = {}
  local counts = setmetatable({}, { __index = function(counts, word)
    counts[word] = {}
    return counts[word]
  end })
  for _, line in ipairs(ledger) do
    local word, id = line:match "^(%a+) (%S+)"
    local crashes = word == "start" and line:match "^%a+ %S+ %d+ (%d+)$" or "0"
    local run = word == "start" and id .. " " .. crashes
    if word then
      counts[word][id] = (counts[word][id] or 0) + 1
    end
    if run and seen[run] then
      counts["repeat"][id] = (counts["repeat"][id] or 0) + 1
    elseif run and crashes ~= "0" then
      counts.again[id] = (counts.again[id] or 0) + 1
    end
    seen[run or ""] = true
  end
  return counts
end

-- Whether a job of a higher queue was there before the job before this one ended, and waits still.
local function check_priority(self, job, waiting, ranks, ended_at)
  for other, pushed_at in pairs(waiting) do
    if ranks[self.jobs[other].queue] < ranks[job.queue] and pushed_at < ended_at then
      self:problem("I7", "%s of %s started while %s of %s was waiting", job.id, job.queue, other,
        self.jobs[other].queue)
      return
    end
  end
end

--- The order in which one worker started what one producer pushed. Jobs that have crashed are put
-- back at the end.
-- @param self a checker (spec.support.checker), which is told what is wrong
-- @param ledger lines: pushed ID, start ID, end ID
-- @param queues in the order of their priority
function ledger_lines.order(self, ledger, queues)
  local ranks, waiting, newest, number, ended_at = {}, {}, {}, {}, 0
  local starts = ledger_lines.count(ledger).start
  for rank, queue in ipairs(queues) do
    ranks[queue] = rank
  end
  for at, line in ipairs(ledger) do
    local word, id = line:match "^(%a+) (%S+)"
    local job = self.jobs[id]
    if word == "pushed" then
      number[id] = at
      waiting[id] = (starts[id] or 0) > 0 and at or nil -- else it was killed before
      starts[id] = 0
    elseif word == "start" and line:find " [1-9]%d*$" and line:find " %d+ %d+$" then
      waiting[id], starts[id] = nil, 0 -- it had crashed, and came from the end of its queue
    elseif word == "start" then
      waiting[id], starts[id] = nil, 0
      local pushed = number[id] or at
      if pushed < (newest[job.queue] or 0) then
        self:problem("I7", "%s started after a later job of queue %s", id, job.queue)
      end
      newest[job.queue] = math.max(newest[job.queue] or 0, pushed)
      check_priority(self, job, waiting, ranks, ended_at)
    elseif word == "end" or word == "exit" then
      ended_at = at
    end
  end
end

return ledger_lines
