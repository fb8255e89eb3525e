--- Two programs take turns at the same work, in one run: `lua5.4 spec/bench/compare.lua OLD NEW`.
-- Started by spec/bench/compare.
local measure = require "spec.bench.measure"
local process = require "spec.support.process"
local world = require "spec.support.world"

local ROUNDS = tonumber(os.getenv "ROUNDS") or 15
local JOBS = tonumber(os.getenv "JOBS") or 2000

-- A program with one worker and a Redis of its own.
local function open_side(program)
  local w = world.new()
  local run = w:start_idle({
    INTERVAL = "0.05", VERBOSE = "0", APP_INCLUDE = measure.INCLUDE,
  }, { program = program })
  local side = { w = w, run = run, worker = run:worker(), rows = {} }
  measure.jobs(w, run, side.worker, JOBS) -- nobody's first run counts
  return side
end

local function close_side(side)
  side.run:stop()
  side.w:close()
end

-- New by old, round by round: what slows the machine for a while slows both.
local function ratios(old, new, name)
  local list = {}
  for i = 1, ROUNDS do
    list[i] = new.rows[i][name] / old.rows[i][name]
  end
  return list
end

local function show(old, new, name, unit)
  local function m(side)
    return measure.median(measure.column(side.rows, name))
  end
  local list = ratios(old, new, name)
  print(("%-14s %8.1f %8.1f   %5.3f   %.3f to %.3f   %s"):format(name, m(old), m(new),
    measure.median(list), measure.quantile(list, 0.25), measure.quantile(list, 0.75), unit))
end

local ok, err = xpcall(function()
  local old, new = open_side(arg[1]), open_side(arg[2])
  for i = 1, ROUNDS do
    local sides = i % 2 == 0 and { old, new } or { new, old }
    for _, side in ipairs(sides) do
      side.rows[i] = measure.jobs(side.w, side.run, side.worker, JOBS)
    end
  end
  print(("%d rounds of %d jobs each, by turns; ratios are new by old, round by round")
    :format(ROUNDS, JOBS))
  print(("%-14s %8s %8s   %5s   %s"):format("", "old", "new", "ratio", "half of the rounds"))
  show(old, new, "rate", "jobs/s")
  show(old, new, "faults", "page faults of the worker, a job")
  show(old, new, "child_faults", "page faults of the job's process")
  show(old, new, "cpu", "us of the worker, a job")
  show(old, new, "child_cpu", "us of the job's process")
  show(old, new, "redis", "us of Redis, a job")
  close_side(old)
  close_side(new)
end, debug.traceback)
world.finish()
process.finish_all()
if not ok then
  io.stderr:write(err, "\n")
  os.exit(1)
end
