--- Puts in many jobs from standard input, in batches of one round trip, and shows the progress.
--
-- A bad line is reported by its number and the rest goes on. How a batch gets to Redis is the
-- caller's business (resque.cli.enqueue).
-- @module resque.cli.bulk
local input = require "resque.cli.input"
local progress = require "resque.cli.progress"
local sys = require "resque.sys"
local terminal = require "resque.cli.terminal"

local bulk = {}
local Bulk = {}
Bulk.__index = Bulk

-- A batch that is not full leaves after this, when no further line comes.
local PATIENCE = 0.05 -- seconds
-- With --rate a batch is at most what this time allows, so that jobs come evenly.
local RATE_SLICE = 0.1 -- seconds

local function batch_size(settings)
  local size = settings.batch or 500
  if settings.rate then
    size = math.max(1, math.min(size, settings.rate * RATE_SLICE // 1))
  end
  return size
end

function Bulk:reject(number, why)
  self.rejected = self.rejected + 1
  if self.bar then
    self.bar:clear()
  end
  io.stderr:write(("stdin:%d: %s\n"):format(number, why))
end

-- Keeps to --rate: waits until the jobs queued so far have taken their time.
function Bulk:pace()
  local rate = self.settings.rate
  local early = rate and self.queued / rate - (sys.monotonic() - self.started) or 0
  if early > 0 then
    sys.sleep(early)
  end
end

-- Puts the batch in. Returns false if Redis is gone and nothing more can be done.
function Bulk:flush()
  local batch = self.batch
  if #batch == 0 then
    return true
  end
  self:pace()
  local results, err = self.push(batch)
  if not results then
    self.stopped = {
      first = batch[1].number, last = batch[#batch].number, err = err,
    }
    return false
  end
  for i, job in ipairs(batch) do
    local id, why = results[i].id, results[i].err
    if id then
      self.queued = self.queued + 1
      self.show(job, id)
    else
      self:reject(job.number, why)
    end
  end
  self.batch = {}
  if self.bar then
    self.bar:update(self.queued + self.rejected)
  end
  return true
end

function Bulk:add(line, number)
  if not line:find "%S" then
    return
  end
  local job, err = self.read(line)
  if not job then
    return self:reject(number, err)
  end
  job.number = number
  self.batch[#self.batch + 1] = job
end

-- Reads and puts in everything. Returns false if Redis is gone or the input cannot be read.
function Bulk:loop()
  local lines, size = input.new(), batch_size(self.settings)
  while true do
    local line, why = lines:next(#self.batch > 0 and PATIENCE or nil)
    if line then
      self:add(line, lines.number)
    end
    if (why or #self.batch >= size) and not self:flush() then
      return false
    elseif why and why ~= "later" then
      self.broken = why ~= "end" and why or nil
      return why == "end"
    end
  end
end

function Bulk:report()
  if self.bar then
    self.bar:clear()
  end
  local number = terminal.number
  terminal.say("%s %squeued, %s rejected", number(self.queued),
    self.settings.dry_run and "would be " or "", number(self.rejected))
end

-- Tells how far it came when Redis went away: jobs of the last batch may be queued or not.
function Bulk:explain_stop()
  local stop = self.stopped
  return terminal.fail(terminal.EXIT.redis, ("stopped at line %d: %s"):format(stop.first, stop.err),
    ("everything before line %d is done; %s be in the queue or not"):format(stop.first,
      stop.first == stop.last and "its job may"
      or ("the jobs of lines %d to %d may"):format(stop.first, stop.last)))
end

--- Runs the whole input.
-- @tparam table how `read(line)` -> job or nil, why; `push(jobs)` -> a list of {id=} or {err=}, or
--   nil, why when Redis is gone; `show(job, id)` puts a job on stdout
-- @treturn integer exit code
function bulk.run(how)
  local settings = terminal.settings()
  local self = setmetatable({
    settings = settings, read = how.read, push = how.push, show = how.show,
    batch = {}, queued = 0, rejected = 0, started = sys.monotonic(),
  }, Bulk)
  if terminal.can_draw() and not (settings.no_progress or settings.quiet) then
    self.bar = progress.new(input.count())
  end
  local complete = self:loop()
  io.stdout:flush()
  self:report()
  if self.stopped then
    return self:explain_stop()
  elseif not complete then
    return terminal.fail(terminal.EXIT.failed, "cannot read standard input: " .. self.broken)
  end
  return self.rejected > 0 and terminal.EXIT.failed or terminal.EXIT.done
end

return bulk
