--- Tells people how `job ID --kill` and `workers kill ID` went; resque.client.cancel stops the job.
--
-- Neither asks back, not even on a terminal: the person has just named one job and said "kill".
-- @module resque.cli.kill
local cancel = require "resque.client.cancel"
local json = require "resque.json"
local status = require "resque.status"
local sys = require "resque.sys"
local terminal = require "resque.cli.terminal"
local workers = require "resque.client.workers"

local kill = {}
local EXIT = terminal.EXIT

-- Prints what became of the job, and where, as one line or one JSON object.
local function show(word, place, more)
  local where = place.worker or place.queue
  if terminal.settings().json then
    print(json.encode {
      outcome = word, id = place.job.id, class = place.job.class, queue = place.queue,
      worker = place.worker, error = more,
    })
    return
  end
  local format = "%s\t%s" .. (more and "\t%s" or "")
  if terminal.is_tty(1) then
    format = (place.worker and "%s on %s" or "%s from queue %s") .. (more and ": %s" or "")
  end
  print(format:format(word, sys.printable(where), more and sys.printable(more)))
end

-- Tells how a job went that came to its own end before it could be stopped.
local function own_end(place)
  local failure = place.failure
  if failure then
    return ("failed: %s: %s"):format(tostring(failure.exception), tostring(failure.error))
  end
  local code = place.job.id and status.new(place.job.id, place.job.prefix):get()
  return code and status.name(code) or nil
end

local function on_host(worker)
  local host, pid = workers.split(worker)
  return sys.printable(host), sys.printable(pid or "?")
end

-- Tells why a running job was not stopped.
local function not_stopped(subject, kind, place, seconds)
  local worker = sys.printable(place.worker)
  local host, pid = on_host(place.worker)
  local by_hand = ("kill -USR1 %s there ends it"):format(pid)
  if kind == "foreign" then
    return terminal.fail(EXIT.failed, ("%s runs on %s, which is no resque-lua"):format(subject,
      worker), ("its host is %s; %s"):format(host, by_hand))
  end
  local why = ("%s still runs on %s after %s s"):format(subject, worker, sys.number_text(seconds))
  local hint = "with TERM_CHILD it may take longer: --wait=S"
  if place.listeners == 0 then
    why = why .. ": no manager listens"
    hint = "the log of a manager says if Redis refuses to let it listen"
  end
  return terminal.fail(terminal.settings().wait and EXIT.timeout or EXIT.failed, why,
    ("does its manager run on %s? Else %s; %s"):format(host, by_hand, hint))
end

-- Says what resque.client.cancel answered: `result`, `place`; or nil, `err`, `kind`, `place`.
local function tell(subject, absent, seconds, result, err, kind, place)
  if result == "finished" then
    show(result, err, own_end(err))
    return terminal.fail(EXIT.failed, subject .. " came to its own end before it was stopped")
  elseif result then
    show(result, err)
    return EXIT.done
  elseif place then
    return not_stopped(subject, kind, place, seconds)
  end
  return absent(err, kind)
end

-- Tells, for --dry-run, what would be done.
local function tell_only(absent, place, err, kind)
  if place == nil then
    return terminal.redis_failed(err, kind)
  elseif not place then
    return absent(nil, "absent")
  end
  show(place.payload and "would be removed" or "would be cancelled", place)
  return EXIT.done
end

local function patience()
  return terminal.settings().wait or 5
end

--- Stops a job.
-- @tparam string id
-- @treturn integer exit code
function kill.job(id)
  local name = "job " .. sys.printable(id)
  local function absent(err, kind)
    if kind ~= "absent" then
      return terminal.redis_failed(err, kind)
    end
    local code = status.new(id):get()
    return terminal.fail(EXIT.failed, "no queued or running job has the id " .. sys.printable(id),
      code and ("its status is: %s"):format(status.name(code) or code)
      or "the whole id is needed; `resque-lua workers` shows the jobs that run")
  end
  if terminal.settings().dry_run then
    return tell_only(absent, cancel.find(id))
  end
  return tell(name, absent, patience(), cancel.cancel(id, patience()))
end

--- Stops the job that a worker has.
-- @tparam string worker its id
-- @treturn integer exit code
function kill.at(worker)
  local name = sys.printable(worker)
  local function absent(err, kind)
    if kind ~= "absent" then
      return terminal.redis_failed(err, kind)
    end
    return terminal.fail(EXIT.failed, ("worker %s has no job, or is not there"):format(name),
      "`resque-lua workers` lists them with their jobs")
  end
  if terminal.settings().dry_run then
    return tell_only(absent, cancel.find_at(worker))
  end
  return tell("the job of " .. name, absent, patience(), cancel.cancel_at(worker, patience()))
end

return kill
