--- Checks how long Redis takes to answer, and its clock.
-- @module resque.cli.doctor.time
local finding = require "resque.cli.doctor.finding"
local sys = require "resque.sys"
local terminal = require "resque.cli.terminal"

local SAMPLES = 9
local SLOW = 0.005   -- seconds; each job needs one trip
local SKEW = 1       -- seconds

-- Asks for TIME several times: median and shortest trip, and the clock's lead by the shortest.
local function measure(facts)
  local trips, best = {}, nil
  for _ = 1, SAMPLES do
    local wall, began = sys.time(), sys.monotonic()
    local server, why = facts:now()
    if not server then
      return nil, why
    end
    local trip = sys.monotonic() - began
    trips[#trips + 1] = trip
    if not best or trip < best.trip then
      best = { trip = trip, ahead = server - (wall + trip / 2) }
    end
  end
  table.sort(trips)
  return { median = trips[SAMPLES // 2 + 1], trip = best.trip, ahead = best.ahead }
end

local function measured(facts)
  if not facts.times then
    facts.times, facts.timeless = measure(facts)
  end
  return facts.times, facts.timeless
end

local latency = finding.check("latency", measured, function(_, times)
  local text = ("%.2f ms there and back"):format(times.median * 1000)
  if times.median > SLOW then
    return finding.warn("latency", text .. ": every job waits for one or two of these",
      "run the workers nearer to Redis; `redis-cli --latency` and SLOWLOG GET show more")
  end
  return finding.ok("latency", text)
end)

-- Redis read its clock somewhere within the trip, so the error is half a trip at most.
local clock = finding.check("clock", measured, function(_, times)
  local skew = math.abs(times.ahead)
  if skew - times.trip / 2 <= SKEW then
    return finding.ok("clock", ("agrees with Redis' within %.0f ms")
      :format(math.ceil((skew + times.trip / 2) * 1000)))
  end
  local shown = skew < 60 and ("%.1f s"):format(skew) or terminal.duration(skew)
  return finding.warn("clock", ("this machine is %s %s Redis: times of jobs and logs do not fit "
    .. "together (heartbeats go by Redis' clock alone)"):format(shown,
    times.ahead > 0 and "behind" or "ahead of"), "NTP on both machines: timedatectl")
end)

return { title = "Time", latency, clock }
