--- Holds what is in Redis, and what jobs did, against the invariants I1–I10 of a fleet that loses
-- nothing. Does no input or output: it is told what was seen.
--
--   at any instant  I1 every job is in exactly one place   I2 failure records are counted
--   (`look`)        I5 records belong to registered workers and hold the bytes that were put in
--                   I9 no key outside of the prefix        I10 failure records are readable
--   at the end      I1, I2, I5, I9, I10 of the last look, and
--   (`finish`)      I3 what is counted as done has run once; what failed, failed for a reason
--                   I4 what never started did not fail for what it would have done
--                   I6 nobody who left is still there      I7 order (`order`: one worker only)
--                   I8 no shared sockets, no leaks, no processes left (`processes`)
--                   I9 no command that the documented user may not use (`refused`)
--
-- A job is { id, payload, tracked, fate, says, also, ends, unstarted, requeues } as
-- spec/chaos/plan.lua gives them; without a fate nothing is asked of how it ended, without a
-- payload not of its bytes.
local cjson = require "cjson"
local ledger_lines = require "spec.support.ledger_lines"

local checker = {}
local Checker = { order = ledger_lines.order }
Checker.__index = Checker

checker.invariants = {
  I1 = "every job is in exactly one place",
  I2 = "failure records are counted",
  I3 = "done means run once; failed means for a reason",
  I4 = "what never started is queued, or failed because it could not start",
  I5 = "a record belongs to a registered worker and holds the bytes that were put in",
  I6 = "a clean stop leaves nothing behind",
  I7 = "jobs start in their order",
  I8 = "no shared sockets, no leaks, no processes left",
  I9 = "no key outside of the prefix, no undocumented command",
  I10 = "failure records are readable by all",
}

local STATES = { queue = 1, record = 2, failed = 3, overflow = 3 }
local PLACES = { "queue", "record", "failed", "overflow" }
local CRASHES = { -- exception -> pattern of its text; what a kill from outside looks like
  ["Resque::DirtyExit"] = "killed by signal", ["Resque::PruneDeadWorkerDirtyExit"] = "",
  ["Resque::PoisonJob"] = "", ["Resque::Cancelled"] = "",
}

--- A checker of jobs that nobody has looked at yet.
-- @param jobs table: id -> job
-- @param requeues how often a job may run again whose own table does not say it (default: 0)
function checker.new(jobs, requeues)
  return setmetatable({ jobs = jobs, problems = {}, failures = {}, seen_failed = {},
    from = { failed = 0, overflow = 0 }, said = {}, requeues = requeues or 0,
    cancels = {}, removed = {}, unsure = {}, doubted = {} }, Checker)
end

--- Somebody asks for the end of this job. Until it is known what came of that, it may have been
-- taken out of its queue.
function Checker:asked(id)
  self.cancels[id] = (self.cancels[id] or 0) + 1
  self.unsure[id] = not self.removed[id] or nil
end

--- What came of it. One that did not learn what it did leaves the job in doubt for good: another,
-- asked at the same time, finds no job then.
-- @param removed whether it was taken out of its queue; nil: nobody knows
function Checker:cancelled(id, removed)
  self.cancels[id] = self.cancels[id] - 1
  self.doubted[id] = self.doubted[id] or removed == nil or nil
  self.removed[id] = self.removed[id] or removed or nil
  if self.removed[id] or self.cancels[id] == 0 and not self.doubted[id] then
    self.unsure[id] = nil
  end
end

--- Notes that an invariant is broken; the same text once.
function Checker:problem(invariant, ...)
  local text = string.format(...)
  if not self.said[text] then
    self.said[text] = true
    self.problems[#self.problems + 1] = { invariant = invariant, text = text }
  end
end

-- ---- what a text says

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function decode_base64(text)
  local out, bits, count = {}, 0, 0
  for digit in text:gmatch "[%w+/]" do
    bits, count = bits << 6 | DIGITS:find(digit, 1, true) - 1, count + 6
    if count >= 8 then
      count = count - 8
      out[#out + 1] = string.char(bits >> count & 255)
    end
  end
  return table.concat(out)
end

-- The bytes of a payload that no record can hold.
local function raw_bytes(text)
  local base64 = text:match '"raw_base64":"([%w+/=]*)"'
  return base64 and decode_base64(base64)
end

local function id_of(text)
  return (raw_bytes(text) or text):match '"id":"([^"]*)"' or text
end

-- host:pid:queues
local function pid_of(worker)
  return math.tointeger(tonumber(tostring(worker):match "^[^:]*:(%d+):"))
end
checker.pid_of = pid_of

-- ---- at any instant

local function brief(text)
  return #text > 300 and text:sub(1, 300) .. "…" or text
end

function Checker:check_place(at, place, entry)
  local id = id_of(entry.text)
  local job = self.jobs[id]
  entry.id = id
  if not job then
    self:problem("I1", "%s holds a job that nobody enqueued: %s", place, brief(id))
  elseif self.removed[id] then
    self:problem("I1", "job %s was taken out of its queue, and is in %s", id, place)
  elseif at[id] or self.seen_failed[id] then
    self:problem("I1", "job %s is in two places: %s and %s", id, at[id] or "failed", place)
  elseif job.tracked and entry.state ~= STATES[place] then
    self:problem("I1", "job %s is in %s, but its status is %d", id, place, entry.state)
  end
  at[id] = place
  return job
end

local function size(set)
  local count = 0
  for _ in pairs(set) do
    count = count + 1
  end
  return count
end

--- How many jobs are, or may be, taken out of their queues.
function Checker:removed_count()
  return size(self.removed) + size(self.unsure)
end

function Checker:check_sums(seen, enqueued)
  local failed = seen.failed_count + seen.overflow_count
  local done = seen.processed - seen.stat_failed
  local removed, unsure = size(self.removed), size(self.unsure)
  local sum = done + failed + #seen.queue + #seen.record + removed
  if sum > enqueued or sum + unsure < enqueued then
    self:problem("I1", "enqueued %d, but done %d + queued %d + working %d + failed %d"
      .. " + cancelled while queued %d (and maybe %d) = %d", enqueued, done, #seen.queue,
      #seen.record, failed, removed, unsure, sum)
  end
  if failed ~= seen.stat_failed or seen.stat_failed > seen.processed then
    self:problem("I2", "%d failure records, but stat:failed is %d, stat:processed %d", failed,
      seen.stat_failed, seen.processed)
  end
end

local RECORD = '^{"token":"%x+:%d+",.-"queue":".-","run_at":"[^"]*","payload":()'

function Checker:check_record(seen, entry, job)
  local first = entry.text:match(RECORD)
  entry.token = entry.text:match '^{"token":"([^"]*)"'
  if not seen.workers[entry.worker] then
    self:problem("I5", "job %s is in the record of %s, which is not registered", entry.id,
      entry.worker)
  end
  if not first or entry.text:sub(-1) ~= "}" then
    self:problem("I5", "the record of %s is none: %s", entry.worker, brief(entry.text))
  elseif job and job.payload and entry.text:sub(first, -2) ~= job.payload then
    self:problem("I5", "the record of %s holds other bytes than were put in: %s", entry.worker,
      brief(entry.text))
  end
end

function Checker:check_workers(seen)
  for worker, keys in pairs(seen.workers) do
    if keys.started ~= 1 or keys.beat ~= 1 then
      self:problem("I5", "worker %s lacks its start time or its heartbeat", worker)
    end
  end
  for _, key in ipairs(seen.foreign) do
    self:problem("I9", "a key outside of the prefix, or of an unknown name: %s", key)
  end
end

local FAILURE = '^{"failed_at":"%d%d%d%d/%d%d/%d%d %d%d:%d%d:%d%d UTC","payload":()'

-- What resque-web and the other readers need of a record.
local function unreadable(text)
  local ok, record = pcall(cjson.decode, text)
  if not ok then
    return "no JSON: " .. record
  end
  for _, name in ipairs { "worker", "queue", "exception", "error" } do
    if type(record[name]) ~= "string" then
      return name .. " is no string"
    end
  end
  if not text:find '"backtrace":%[' then
    return "backtrace is no list"
  elseif type(record.payload) ~= "table" or type(record.payload.class) ~= "string" then
    return "payload is no object with a class"
  end
  return nil, record
end

function Checker:check_failure(entry, job)
  local first = entry.text:match(FAILURE)
  local wrong, record = unreadable(entry.text)
  if wrong or not first then
    self:problem("I10", "a failure record: %s: %s", wrong or "failed_at", brief(entry.text))
    return
  end
  record.id = entry.id
  self.failures[#self.failures + 1] = record
  local payload = job and job.payload
  local bytes = raw_bytes(entry.text)
    or payload and entry.text:sub(first, first + #payload - 1)
  if payload and bytes ~= payload then
    self:problem("I10", "the failure of %s holds other bytes than were put in: %s", entry.id,
      brief(entry.text))
  end
end

--- One look at everything.
-- @param seen what spec/support/look.lua gave, with the failure records from `self.from` on
-- @param enqueued how many jobs had been put in at that instant
-- @return id -> place, of what is not done; failure records of earlier looks are left out
function Checker:look(seen, enqueued)
  local at = {}
  for _, place in ipairs(PLACES) do
    for _, entry in ipairs(seen[place]) do
      local job = self:check_place(at, place, entry)
      if place == "record" then
        self:check_record(seen, entry, job)
      elseif place == "failed" or place == "overflow" then
        self:check_failure(entry, job)
      end
    end
  end
  for _, place in ipairs { "failed", "overflow" } do
    for _, entry in ipairs(seen[place]) do
      self.seen_failed[entry.id] = true
    end
    self.from[place] = seen[place .. "_count"]
  end
  self:check_sums(seen, enqueued)
  self:check_workers(seen)
  self.last, self.enqueued = seen, enqueued
  return at
end

-- ---- at the end

-- What ran again had crashed, and that was counted; not more often than it may.
function Checker:check_starts(id, job, counts)
  local starts = counts.start[id] or 0
  if counts["repeat"][id] then
    self:problem("I3", "job %s ran %d times, and not because of crashes that were counted", id,
      starts)
  elseif starts > 1 + (job.requeues or self.requeues) then
    self:problem("I3", "job %s ran %d times, %d more than it may", id, starts,
      starts - 1 - (job.requeues or self.requeues))
  end
end

function Checker:check_done(id, job, counts)
  local starts, ends = counts.start[id] or 0, counts[job.ends or "end"][id] or 0
  if job.fate and job.fate ~= "done" then
    self:problem("I3", "job %s is counted as done, but it always fails", id)
  elseif starts == 0 then
    self:problem("I3", "job %s is counted as done, but never ran", id)
  elseif job.ends and (ends == 0 or ends > starts) then
    self:problem("I3", "job %s is counted as done, but ended %d times", id, ends)
  end
end

-- What a failure may be explained by, and the text that tells it. A worker that was told to leave
-- and could not write a job's end leaves the job in its record, to be found there.
local function causes_of(failure)
  if failure.error:find "did not gracefully exit" or failure.error:find "^Its worker died" then
    return { "worker", "told" }, "its worker was killed"
  elseif failure.error:find "by its worker for" then
    return { "told" }, "its worker was told to leave"
  end
  return { "child" }, "its process was killed"
end

-- Each kill explains one failure of that worker's.
function Checker:explain(id, failure, injected)
  if failure.exception == "Resque::Cancelled" and self.cancels[id] then
    return
  end
  local causes, text = causes_of(failure)
  local pid = pid_of(failure.worker)
  for _, cause in ipairs(causes) do
    local left = injected[cause] and injected[cause][pid] or 0
    if left > 0 then
      injected[cause][pid] = left - 1
      return
    end
  end
  self:problem("I3", "job %s failed as if %s, and nobody did that: %s: %s (%s)", id, text,
    failure.exception, failure.error, failure.worker)
end

function Checker:check_failed(id, job, counts, failure, injected)
  local starts = counts.start[id] or 0
  local own = failure.exception == job.fate and failure.error:find(job.says or "")
    or job.also and failure.error:find(job.also)
  local crash = failure.error:find(CRASHES[failure.exception] or "^\0")
  if own and starts == 0 and not job.unstarted then
    own = false -- killed before it came to do so itself
  end
  if not own and crash then
    if injected then
      self:explain(id, failure, injected)
    end
  elseif not own then
    self:problem(starts == 0 and "I4" or "I3", "job %s failed without a reason: %s: %s", id,
      failure.exception, failure.error)
  end
end

-- Whether a job that is nowhere was taken out of its queue by somebody who does not know: before it
-- began, or when it was back there after a crash.
function Checker:was_removed(job, counts)
  local again = (job.requeues or self.requeues) > 0
  local ended = job.ends and counts[job.ends][job.id] or not again and counts.start[job.id]
  if self.unsure[job.id] and not ended then
    self.removed[job.id] = true
  end
  return self.removed[job.id]
end

--- Everything has been done: nothing is queued or worked on any more.
-- @param each function that calls its argument with each job (and with its id)
-- @param ledger list of lines: a word, the job's id, more
-- @param injected { child, worker, told }: worker pid -> how often; nil: not asked
function Checker:finish(each, ledger, injected)
  local counts, failed = ledger_lines.count(ledger), {}
  for _, failure in ipairs(self.failures) do
    failed[failure.id] = failure
  end
  if #self.last.queue + #self.last.record > 0 then
    self:problem("I1", "%d jobs are still queued, %d worked on", #self.last.queue,
      #self.last.record)
  end
  local waits = {}
  for _, place in ipairs { "queue", "record" } do
    for _, entry in ipairs(self.last[place]) do
      waits[entry.id] = true
    end
  end
  each(function(job)
    self:check_starts(job.id, job, counts)
    local failure = failed[job.id]
    if failure and job.fate then
      self:check_failed(job.id, job, counts, failure, injected)
    elseif not failure and not waits[job.id] and not self:was_removed(job, counts) then
      self:check_done(job.id, job, counts)
    end
  end)
  self.unsure = {}
  self:check_sums(self.last, self.enqueued)
  return counts
end

--- Everybody has left cleanly.
function Checker:gone(seen)
  for worker in pairs(seen.workers) do
    self:problem("I6", "worker %s is still registered", worker)
  end
  for _, key in ipairs(seen.left) do
    if not self.removed[key:match "^lua:attempts:(.*)" or ""] then -- kept for a month
      self:problem("I6", "nobody needs it any more: %s", key)
    end
  end
end

--- What ACL LOG holds: pairs of name and value each.
function Checker:refused(log)
  for _, entry in ipairs(log) do
    local row = {}
    for i = 1, #entry, 2 do
      row[entry[i]] = entry[i + 1]
    end
    self:problem("I9", "refused by the ACL: %s %s", row.reason, row.object)
  end
end

-- ---- processes

--- What was seen of processes.
-- @param samples pid -> { fewest, most }: descriptors of a worker or a manager over its life
-- @param shared list of sentences about sockets that two processes had
-- @param left list of sentences about processes that outlived their jobs
-- @param leeway how many descriptors may come and go
function Checker:processes(samples, shared, left, leeway)
  for pid, sample in pairs(samples) do
    if sample.most - sample.fewest > leeway then
      self:problem("I8", "process %d had %d descriptors, and later %d", pid, sample.fewest,
        sample.most)
    end
  end
  for _, list in ipairs { shared, left } do
    for _, text in ipairs(list) do
      self:problem("I8", "%s", text)
    end
  end
end

return checker
