--- The scripted life of a worker: what it is given to do, and what must have become of that at the
-- end, whatever happened to its connection on the way. Nobody is killed, so nothing may be left.
local cjson = require "cjson"
local uv = require "luv"
local conservation = require "spec.support.conservation"
local process = require "spec.support.process"
local world = require "spec.support.world"

local life = {}

local PREFIX = "cut"
-- The keys that may be there when the worker has gone.
local LEFT = { ["cut:queues"] = true, ["cut:failed"] = true, ["cut:stat:processed"] = true,
  ["cut:stat:failed"] = true }

-- In the order they are taken. The first process of the one in cut_back ends before it has started.
local JOBS = {
  { queue = "cut_a", class = "Cut_Fine", id = "fine1", args = '[{"text":"é\\u0000"}]' },
  { queue = "cut_a", class = "Cut_Bad", id = "bad1", args = "[{}]", fails = true },
  { queue = "cut_back", class = "Cut_Fine", id = "back1", args = "[{}]" },
  { queue = "cut_c", class = "Cut_Fine", id = "fine2", args = "[{}]" },
  { queue = "cut_c", class = "Cut_Bad", id = "bad2", args = "[{}]", fails = true },
  { queue = "cut_c", class = "Cut_Fine", id = "fine3", args = "[{}]" },
}
-- Long enough for one heartbeat at the shortest period there is.
local SLOW_JOBS = {
  { queue = "cut_a", class = "Cut_Fine", id = "slow1", args = '[{"seconds":0.13}]' },
}

-- One crash is forgiven.
local CRASHES = {
  { queue = "cut_a", class = "Cut_Die", id = "die1", args = "[{}]", fails = true, starts = 2 },
  { queue = "cut_a", class = "Cut_Once", id = "once1", args = "[{}]", starts = 2 },
  { queue = "cut_c", class = "Cut_Die", id = "die2", args = "[{}]", fails = true, starts = 2 },
}

-- The scripts are forgotten just before these commands.
local FLUSH = { ["reserve#2"] = true, ["fail#2"] = true, ["done#3"] = true }

--- The three lives: "life" is everything but a heartbeat, "beat" is a heartbeat, "crash" is jobs
-- that crash and are put back.
life.kinds = {
  life = { jobs = JOBS, heartbeat = "60", flush = FLUSH },
  beat = { jobs = SLOW_JOBS, heartbeat = "0.1", flush = {} },
  crash = { jobs = CRASHES, heartbeat = "60", flush = {}, on_crash = "requeue:1" },
}

local function payload(job)
  return ('{"class":"%s","args":%s,"id":"%s"}'):format(job.class, job.args, job.id)
end

--- Empties Redis and pushes the jobs of this life.
-- @param place folder (of this lane), server
function life.prepare(kind, place)
  local call = function(...)
    return place.server:call(...)
  end
  call "FLUSHALL"
  call("SCRIPT", "FLUSH")
  for _, job in ipairs(kind.jobs) do
    call("SADD", PREFIX .. ":queues", job.queue)
    call("RPUSH", PREFIX .. ":queue:" .. job.queue, payload(job))
  end
  os.remove(place.folder .. "/ledger")
  assert(io.open(place.folder .. "/ledger.back", "w")):close()
end

--- What the proxy is to call before each command passes.
function life.before(kind, place)
  return function(label)
    if kind.flush[label] then
      place.server:call("SCRIPT", "FLUSH")
    end
  end
end

--- Starts the worker; it leaves when the queues are empty.
function life.start(kind, place)
  return process.start({ world.program }, { clean = true, dir = place.folder, env = {
    PATH = os.getenv "PATH", LC_ALL = "C.UTF-8", LEDGER = place.folder .. "/ledger",
    ASAN_OPTIONS = os.getenv "ASAN_OPTIONS", UBSAN_OPTIONS = os.getenv "UBSAN_OPTIONS",
    REDIS_BACKEND = "unix://" .. place.socket, PREFIX = PREFIX, QUEUE = "cut_*", INTERVAL = "0",
    WORKER_HOST = "cuthost", RESQUE_HEARTBEAT = kind.heartbeat, VVERBOSE = "1",
    RESQUE_LUA_PATH = place.lua_path, ON_CRASH = kind.on_crash,
    APP_INCLUDE = world.root .. "/spec/cuts/jobs.lua",
  } })
end

local function read_ledger(path)
  local count = {}
  local file = io.open(path)
  for line in file and file:lines() or function() end do
    count[line] = (count[line] or 0) + 1
  end
  if file then
    file:close()
  end
  return count
end

local function check_job(job, at, count, problem)
  local starts, ends = count["start " .. job.id] or 0, count["end " .. job.id] or 0
  local where = at[job.id] or "done"
  if where ~= (job.fails and "failed" or "done") then
    problem("job %s is %s", job.id, where)
  end
  if starts ~= (job.starts or 1) or ends ~= (job.fails and 0 or 1) then
    problem("job %s started %d times and came to its end %d times", job.id, starts, ends)
  end
end

--- What is wrong now that the worker has ended: a list of sentences.
-- @param ghost a registration that came late may still stand
function life.problems(kind, place, ended, ghost)
  local enqueued = {}
  for _, job in ipairs(kind.jobs) do
    enqueued[job.id] = true
  end
  local fake = { server = place.server, key = function(_, name) return PREFIX .. ":" .. name end }
  local seen = conservation.snapshot(fake)
  local problems, at = conservation.problems(seen, enqueued)
  local function problem(...)
    problems[#problems + 1] = string.format(...)
  end
  local count = read_ledger(place.folder .. "/ledger")
  for _, job in ipairs(kind.jobs) do
    check_job(job, at, count, problem)
  end
  for _, key in ipairs(ghost and {} or place.server:call("KEYS", "*")) do
    if not LEFT[key] then
      problem("%s is left", key)
    end
  end
  if ended.code ~= 0 or ended.signal ~= 0 then
    problem("the program ended with %d, signal %d", ended.code, ended.signal)
  end
  return problems, cjson.encode(seen)
end

--- Removes what a run that went well has left.
function life.tidy(ended)
  for _, path in ipairs { ended.out_path, ended.err_path } do
    uv.fs_unlink(path)
  end
end

return life
