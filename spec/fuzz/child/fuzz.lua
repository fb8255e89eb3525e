--- Runs hostile scripts with hostile payloads through real workers, many each, and looks at what is
-- left: the workers, every job's end, the records of failures, the log, the processes. Called by
-- spec/fuzz/child/run.
local cjson = require "cjson"
local json = require "resque.json"
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local process = require "spec.support.process"
local scripts = require "spec.fuzz.child.scripts"
local world = require "spec.support.world"

local SEED = tonumber(os.getenv "SEED") or os.time()
local JOBS = tonumber(os.getenv "JOBS") or 1000
local ONLY = tonumber(os.getenv "ONLY")
local BATCH, WORKERS, SECONDS = 50, 2, 120
local LOG_LINE = 4096 -- src/base/log.h

local w = world.new()
local problems = {}
local function problem(...)
  problems[#problems + 1] = string.format(...)
end

-- ---- what is made

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- The n-th job: its file and its payload. Follows from SEED and n alone.
local function make(n)
  math.randomseed(SEED, n)
  local name, id = ("Fuzz_%d"):format(n), ("%032x"):format(n)
  write(("%s/jobs/%s.lua"):format(w.dir, name), scripts.job_file(name))
  local text, sound = scripts.payload(name, id)
  return { id = id, name = name, text = text, sound = sound }
end

local function push(job)
  if job.sound then
    w:on("SET", ("job:%s:status"):format(job.id),
      '{"status":1,"updated":1,"started":1,"result":null}')
  end
  w:push("default", job.text)
end

-- ---- what is looked at

local kinds = {} -- exception and beginning of the error -> how many

local function descriptors(pid)
  local count = 0
  for _ in pairs(proc.descriptors(pid)) do
    count = count + 1
  end
  return count
end

local function text_of(record, name)
  if type(record[name]) ~= "string" then
    problem("%s is no text in %s", name, cjson.encode(record))
  end
  return record[name]
end

local function check_failure(raw)
  local ok, why = json.check(raw)
  local read, record = pcall(cjson.decode, raw)
  if not ok or not read then
    return problem("a failure record is no JSON: %s\n%s", why or record, raw)
  end
  for _, name in ipairs { "worker", "queue", "error" } do
    text_of(record, name)
  end
  local kind = ("%s: %s"):format(record.exception, tostring(record.error):gsub("^/[^:]*:%d+: ", "")
    :gsub("%d+", "N"):sub(1, tonumber(os.getenv "WIDTH") or 40))
  kinds[kind] = (kinds[kind] or 0) + 1
  if text_of(record, "exception"):find "[^%w_:.]" then
    problem("the exception %q", record.exception)
  end
  if not text_of(record, "failed_at"):find "^%d+/%d%d/%d%d %d%d:%d%d:%d%d UTC$" then
    problem("failed_at is %q", record.failed_at)
  end
  if type(record.backtrace) ~= "table" or raw:find '"backtrace":{' then
    problem("the backtrace is no list: %s", raw:sub(1, 500))
  end
  if type(record.payload) ~= "table" or type(record.payload.class) ~= "string" then
    problem("the payload is no job: %s", raw:sub(1, 500))
  end
  return record
end

-- Every job exactly once: done or failed, the sound ones by their id and status.
local function check_ends(jobs, pushed)
  local processed, failed = w:stat "processed", w:on("LRANGE", "failed", 0, -1)
  if processed ~= pushed or #failed ~= w:stat "failed" then
    problem("%d jobs, %d processed, %d counted as failed, %d records", pushed, processed,
      w:stat "failed", #failed)
  end
  local failures = {}
  for _, raw in ipairs(failed) do
    local record = check_failure(raw)
    local id = record and type(record.payload) == "table" and record.payload.id
    if id then
      failures[id] = (failures[id] or 0) + 1
    end
  end
  for _, job in ipairs(jobs) do
    if job.sound then
      local status = w:status(job.id).status
      if status ~= (failures[job.id] and 3 or 4) or (failures[job.id] or 1) ~= 1 then
        problem("%s has status %s and %d failure records", job.name, status, failures[job.id] or 0)
      end
    end
  end
  w:on("DEL", "failed")
  w:on("SET", "stat:failed", 0)
end

local function check_log()
  for line in (proc.read(w.dir .. "/log") or ""):gmatch "[^\n]*\n" do
    local ok, why = json.check(line:sub(1, -2))
    if not ok or #line > LOG_LINE then
      problem("a log line of %d bytes, %s: %s", #line, why or "JSON", line:sub(1, 300))
    end
  end
end

local function check_processes(run, before)
  local same = table.concat(run:workers(), " ") == table.concat(before.workers, " ")
  if not run.process:running() or not same then
    problem("the workers were %s, now %s", table.concat(before.workers, " "),
      table.concat(run:workers(), " "))
    return
  end
  for _, worker in ipairs(before.workers) do
    if #proc.children(worker) > 0 then
      problem("processes are left below worker %d: %s", worker,
        table.concat(proc.children(worker), " "))
    elseif descriptors(worker) ~= before.descriptors then
      problem("worker %d had %d descriptors, now %d", worker, before.descriptors,
        descriptors(worker))
    end
  end
end

-- ---- a batch

local function run_batch(run, before, first, last)
  local jobs, pushed = {}, 0
  for n = first, last do
    jobs[#jobs + 1] = make(n)
    push(jobs[#jobs])
    pushed = pushed + 1
  end
  local done = pcall(clock.wait_until, function()
    return w:stat "processed" >= pushed or not run.process:running()
  end, SECONDS)
  if not done then
    problem("%d of %d jobs are processed after %d s", w:stat "processed", pushed, SECONDS)
  end
  pcall(clock.wait_until, function()
    return #run:workers "Waiting" == WORKERS
  end, 5)
  check_processes(run, before)
  check_ends(jobs, pushed)
  w:on("SET", "stat:processed", 0)
end

local function start()
  uv.fs_mkdir(w.dir .. "/jobs", 448)
  write(w.dir .. "/app.lua", 'require "resque"\n')
  local run = w:start_idle { APP_INCLUDE = w.dir .. "/app.lua", COUNT = tostring(WORKERS),
    INTERVAL = "0.02", JOB_TIMEOUT = "0.4", JOB_MEMORY = "32M", RESQUE_TERM_TIMEOUT = "0.2",
    LOG_FORMAT = "json", LOGFILE = w.dir .. "/log" }
  local workers = run:workers()
  return run, { workers = workers, descriptors = descriptors(workers[1]) }
end

local run, before = start()
local began, ran = clock.now(), 0
for first = ONLY or 1, ONLY or JOBS, BATCH do
  local last = math.min(first + BATCH - 1, ONLY or JOBS)
  run_batch(run, before, first, last)
  ran = ran + last - first + 1
  if #problems > 0 then
    print(("jobs %d to %d:\n  %s"):format(first, last, table.concat(problems, "\n  ")))
    print(("the log:\n%s"):format((proc.read(w.dir .. "/log") or ""):sub(-3000)))
    print(("again: SEED=%d JOBS=%d spec/fuzz/child/run, one job: ONLY=n"):format(SEED, last))
    break
  end
end
if #problems == 0 and run:stop() ~= 0 then
  problem "the manager did not leave with exit code 0"
end
check_log()
if os.getenv "KINDS" then
  for kind, count in pairs(kinds) do
    print(("%5d %s"):format(count, (kind:gsub("[%c\128-\255]", "?"))))
  end
end
print(table.concat(problems, "\n"))
print(("SEED=%d: %d hostile jobs in %.0f s, %d problems"):format(SEED, ran, clock.now() - began,
  #problems))
if os.getenv "KEEP" and #problems > 0 then
  print("kept: " .. w.dir)
  process.finish_all()
  os.exit(false)
end
w:close()
world.finish()
process.finish_all()
os.exit(#problems == 0)
