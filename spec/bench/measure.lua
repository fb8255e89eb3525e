--- What the benches measure alike: how fast one worker works off a queue of no-op jobs, its CPU
-- time and page faults; and the numbers that sum up several rounds.
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local world = require "spec.support.world"

local measure = {}

local TICK = 1e6 / 100 -- microseconds of a clock tick in /proc/<pid>/stat (sysconf(_SC_CLK_TCK))

--- The APP_INCLUDE of all benches.
measure.INCLUDE = world.root .. "/spec/bench/noop.lua"

-- ---- numbers

--- The value below which a share `q` of the numbers is.
function measure.quantile(list, q)
  local sorted = { table.unpack(list) }
  table.sort(sorted)
  return sorted[math.max(1, math.ceil(q * #sorted))]
end

function measure.median(list)
  return measure.quantile(list, 0.5)
end

--- One field of each row.
function measure.column(rows, name)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = row[name]
  end
  return list
end

-- ---- what is measured

-- Page faults and CPU time of a process, and of its children that have ended.
local function usage(pid)
  local fields = {}
  for word in proc.read(("/proc/%d/stat"):format(pid)):match "%) (.*)":gmatch "%S+" do
    fields[#fields + 1] = tonumber(word) or word
  end
  return {
    faults = fields[8], child_faults = fields[9],
    cpu = (fields[12] + fields[13]) * TICK, child_cpu = (fields[14] + fields[15]) * TICK,
  }
end

--- Has one worker work off `jobs` jobs. The queue is filled while the worker pauses, so that only
-- the worker is timed.
-- @param w world @param run its program @tparam number worker pid
-- @treturn table rate (jobs/s); per job: faults, child_faults, cpu, child_cpu, redis (microseconds)
function measure.jobs(w, run, worker, jobs)
  run:signal "sigusr2"
  run:wait_title "^Paused"
  local payloads = {}
  for i = 1, jobs do
    payloads[i] = world.payload("Noop", {}, ("bench%d"):format(i))
  end
  w:push("default", table.unpack(payloads))
  local done, before, redis = w:stat "processed", usage(worker), usage(w.server.process.pid)
  local start = clock.now()
  run:signal "sigcont"
  repeat
    uv.sleep(20) -- not more often: there may be no processor left for the one who asks
  until w:stat "processed" >= done + jobs
  local seconds = clock.now() - start
  run:wait_title "^Waiting"
  local after, redis_after = usage(worker), usage(w.server.process.pid)
  local row = { rate = jobs / seconds, redis = (redis_after.cpu - redis.cpu) / jobs }
  for name, value in pairs(after) do
    row[name] = (value - before[name]) / jobs
  end
  return row
end

return measure
