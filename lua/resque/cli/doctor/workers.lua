--- Checks registered workers: signs of life, jobs that nobody accounts for, lock and pause.
-- @module resque.cli.doctor.workers
local connection = require "resque.connection"
local finding = require "resque.cli.doctor.finding"
local sys = require "resque.sys"
local terminal = require "resque.cli.terminal"

local LOCK = "pruning_dead_workers_in_progress"

-- Seconds since 1970 of "2026-11-22T09:52:02+00:00"; nil: not a time.
local function seconds(beat)
  local y, mo, d, h, mi, s, zone = beat:match
    "^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d):(%d%d)[%d.]*(.*)$"
  if not y then
    return nil
  end
  local sign, hours, minutes = zone:match "^([+-])(%d%d):?(%d%d)$"
  local offset = sign and (hours * 60 + minutes) * (sign == "-" and -60 or 60) or 0
  local utc = os.time { year = y, month = mo, day = d, hour = h, min = mi, sec = s, isdst = false }
  local zero = os.time { year = 1970, month = 1, day = 2, hour = 0, isdst = false } - 86400
  return math.tointeger(utc - zero - offset)
end

-- HGETALL workers:heartbeat as worker -> text.
local function beats_of(facts)
  local reply, why = facts:on("HGETALL", "workers:heartbeat")
  if not reply then
    return nil, why
  end
  local beats = {}
  for i = 1, #reply, 2 do
    beats[reply[i]] = reply[i + 1]
  end
  return beats
end

-- Splits ids into those of workers with a job and those without.
local function busy_first(facts, ids)
  local busy, idle, names = {}, {}, {}
  for i, id in ipairs(ids) do
    names[i] = "worker:" .. id
  end
  local there = facts:each("EXISTS", names) or {}
  for i, id in ipairs(ids) do
    table.insert(there[i] == 1 and busy or idle, id)
  end
  return busy, idle
end

-- Ids whose last sign of life is older than RESQUE_PRUNE, and ids whose sign is no time.
local function silent(beats, now, age)
  local stale, odd = {}, {}
  for id, beat in pairs(beats) do
    local at = seconds(beat)
    if not at then
      odd[#odd + 1] = id
    elseif now - at > age then
      stale[#stale + 1] = id
    end
  end
  table.sort(stale)
  table.sort(odd)
  return stale, odd
end

-- 300 as "5m".
local function span(age)
  return (terminal.duration(age):gsub(" 0%a$", ""))
end

local function stale_found(facts, stale, age)
  local busy = busy_first(facts, stale)
  local since = span(age)
  local hint = "any resque-lua that runs, or Ruby worker that starts, accounts for them"
  if busy[1] then
    return finding.fail("heartbeats", ("%s silent for more than %s with a job that nobody accounts "
      .. "for: %s"):format(finding.count(#busy, "worker"), since, finding.examples(busy)), hint)
  end
  return finding.warn("heartbeats", ("%s silent for more than %s: %s"):format(
    finding.count(#stale, "worker"), since, finding.examples(stale)), hint)
end

local function alive(facts)
  local workers, why = facts:members "workers"
  local beats, no_beats = beats_of(facts)
  local now, no_clock = facts:now()
  if not workers or not beats or not now then
    return finding.unseen("heartbeats", why or no_beats or no_clock)
  end
  local age = terminal.settings().prune
  local stale, odd = silent(beats, now, age)
  if stale[1] then
    return stale_found(facts, stale, age)
  elseif odd[1] then
    return finding.warn("heartbeats", ("%s whose heartbeat is no time: %s; nobody will ever prune "
      .. "them"):format(finding.count(#odd, "worker"), finding.examples(odd)),
      ("if they are gone: HDEL %s ID, SREM %s ID"):format(connection.key "workers:heartbeat",
      connection.key "workers"))
  elseif not workers[1] then
    return finding.ok("heartbeats", "no worker is registered")
  end
  return finding.ok("heartbeats", ("%s, none silent for more than %s"):format(
    finding.count(#workers, "worker"), span(age)))
end

-- Workers of php-resque and node-resque never beat: nobody can tell whether they live.
local function never_beat(facts)
  local workers, why = facts:members "workers"
  local beats, hidden = beats_of(facts)
  if not workers or not beats then
    return finding.unseen("no-heartbeat", why or hidden)
  end
  local list = finding.without(workers, function(id)
    return beats[id]
  end)
  if not workers[1] then
    return finding.ok("no-heartbeat", "no worker is registered")
  elseif not list[1] then
    return finding.ok("no-heartbeat", "every worker gives signs of life")
  end
  return finding.ok("no-heartbeat", ("%s without any, as php's and node's are; not judged: %s")
    :format(finding.count(#list, "worker"), finding.examples(list)))
end

local function ids_of(facts)
  return facts:members "workers"
end

local ids = finding.check("ids", ids_of, function(_, workers)
  local odd = finding.without(workers, function(id)
    return id:find "^[^:]*:[^:]*:[^:]"
  end)
  if not odd[1] then
    return finding.ok("ids", "each names host, process and queues")
  end
  return finding.fail("ids", ("%s not host:process:queues: %s; resque-web's pages of workers end "
    .. "with an error"):format(finding.count(#odd, "id is", "ids are"), finding.examples(odd)),
    ("SREM %s ID, if that worker is gone"):format(connection.key "workers"))
end)

-- Names of worker:<id> records whose worker is not registered. worker:<id>:started is no record.
local function orphans_of(facts)
  local names, workers = facts:names_beside("worker:", "workers")
  if not names then
    return nil, workers
  end
  local is_known = finding.among(workers)
  return finding.without(names, function(name)
    return is_known(name) or name:find ":started$"
  end)
end

local orphans = finding.check("orphans", orphans_of, function(facts, list)
  if not list[1] then
    return finding.ok("orphans", "no job is left by a worker that is not registered"
      .. facts:partly())
  end
  return finding.fail("orphans", ("%s left by workers that are not registered: %s; nobody "
    .. "accounts for them"):format(finding.count(#list, "job is", "jobs are"),
    finding.examples(list)),
    ("GET '%s' shows one; put it in again if it may run twice, then DEL that key"):format(
    sys.printable(connection.key("worker:" .. list[1]))))
end)

local function lock(facts)
  local ttl, why = facts:on("TTL", LOCK)
  if not ttl then
    return finding.unseen("lock", why)
  elseif ttl == -1 then
    return finding.fail("lock", "the lock for pruning has no end: nobody removes dead workers "
      .. "any more", "DEL " .. connection.key(LOCK))
  elseif ttl >= 0 then
    return finding.ok("lock", ("somebody is removing dead workers (the lock ends in %d s)")
      :format(ttl))
  end
  return finding.ok("lock", "nobody holds the lock for pruning")
end

local function pause(facts)
  local value, why = facts:on("GET", "pause-all-workers")
  if why then
    return finding.unseen("pause", why)
  elseif value and value:match "^%s*(.-)%s*$":lower() == "true" then
    return finding.warn("pause", "pause-all-workers is set: no worker takes a job",
      "DEL " .. connection.key "pause-all-workers")
  end
  return finding.ok("pause", "the fleet is not paused")
end

-- Judges the sandbox of a worker that is started here, with this program and these settings.
local function sandbox()
  if sys.settings.sandbox ~= "strict" then
    return finding.ok("sandbox", "SANDBOX is off: a job may do what its user may")
  elseif not sys.settings.seccomp then
    return finding.warn("sandbox", "SANDBOX=strict without seccomp: scripts are confined in Lua "
      .. "alone", "build resque-lua with libseccomp (Debian: libseccomp-dev)")
  end
  return finding.ok("sandbox", "SANDBOX=strict, with seccomp")
end

return { title = "Workers", alive, never_beat, ids, orphans, lock, pause, sandbox }
