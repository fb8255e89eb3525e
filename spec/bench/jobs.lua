--- How fast one worker is: jobs per second, and how soon an idle one starts a job. Both as a ratio
-- to something measured between the runs (bare_fork.c; PING), because a number of one machine, or
-- of one minute, says nothing about another. Started by spec/bench/run; README.md reads the table.
local uv = require "luv"
local clock = require "spec.support.clock"
local process = require "spec.support.process"
local measure = require "spec.bench.measure"
local world = require "spec.support.world"

local ROUNDS = tonumber(os.getenv "ROUNDS") or 7
local JOBS = tonumber(os.getenv "JOBS") or 3000
local FORKS = 2000
local PICKUPS = 60 -- jobs of one round
local BARE_FORK = arg[1]
local quantile, median, column = measure.quantile, measure.median, measure.column

-- ---- what is measured

local function forks_per_second(w)
  local code, out = process.run({ BARE_FORK, tostring(FORKS) }, { dir = w.dir })
  assert(code == 0, "bare_fork failed")
  return FORKS / tonumber(out)
end

local function ping_seconds(w)
  local times = {}
  for i = 1, 50 do
    local start = clock.now()
    w.server:call "PING"
    times[i] = clock.now() - start
  end
  return median(times)
end

-- From before the push to the job's first line.
local function pick_up_seconds(w, run)
  local times = {}
  for i = 1, PICKUPS do
    run:wait_title "^Waiting"
    uv.sleep(2) -- the worker is asleep, not just about to be
    os.remove(w.ledger_path)
    local payload = world.payload("Stamp", {}, ("pick%d"):format(i))
    local seconds, micros = uv.gettimeofday()
    w:on("RPUSH", "queue:default", payload)
    local stamp = tonumber(w:wait_ledger "^Stamp ([%d.]+)$")
    times[i] = stamp - (seconds + micros / 1e6)
  end
  return times
end

-- ---- the table

local function bench_jobs(w)
  local run = w:start_idle { INTERVAL = "0.05", VERBOSE = "0", APP_INCLUDE = measure.INCLUDE }
  local worker = run:worker()
  measure.jobs(w, run, worker, JOBS) -- nobody's first run counts
  local rows = {}
  for i = 1, ROUNDS do
    local forks = forks_per_second(w)
    rows[i] = measure.jobs(w, run, worker, JOBS)
    rows[i].forks = (forks + forks_per_second(w)) / 2
    rows[i].ratio = rows[i].rate / rows[i].forks
  end
  run:stop()
  local function m(name)
    return median(column(rows, name))
  end
  local jobs = column(rows, "rate")
  print(("jobs       %6.0f /s   median of %d runs of %d jobs (%.0f to %.0f)"):format(m "rate",
    ROUNDS, JOBS, quantile(jobs, 0), quantile(jobs, 1)))
  print(("bare forks %6.0f /s   between the runs"):format(m "forks"))
  print(("ratio      %6.2f      one job to one bare fork, exit and wait"):format(m "ratio"))
  print(("CPU        %6.0f us   a job: worker %.0f, job's process %.0f, Redis %.0f"):format(
    m "cpu" + m "child_cpu" + m "redis", m "cpu", m "child_cpu", m "redis"))
  print(("page faults %5.0f      a job: worker %.0f, job's process %.0f"):format(
    m "faults" + m "child_faults", m "faults", m "child_faults"))
end

local function bench_pick_up(w)
  local run = w:start_idle {
    INTERVAL = "5", BLOCKING = "1", VERBOSE = "0", APP_INCLUDE = measure.INCLUDE,
  }
  pick_up_seconds(w, run)
  local all, ratios = {}, {}
  for i = 1, ROUNDS do
    local step = ping_seconds(w) + 1 / forks_per_second(w)
    local times = pick_up_seconds(w, run)
    table.move(times, 1, #times, #all + 1, all)
    ratios[i] = median(times) / step
  end
  run:stop()
  print(("pick-up    %6.2f ms   median of %d pushes to an idle BLOCKING worker, 99 %%: %.2f ms")
    :format(median(all) * 1e3, #all, quantile(all, 0.99) * 1e3))
  print(("ratio      %6.2f      one pick-up to one PING and one bare fork"):format(median(ratios)))
end

local ok, err = xpcall(function()
  for _, bench in ipairs { bench_jobs, bench_pick_up } do
    local w = world.new()
    bench(w)
    w:close()
  end
end, debug.traceback)
world.finish()
process.finish_all()
if not ok then
  io.stderr:write(err, "\n")
  os.exit(1)
end
