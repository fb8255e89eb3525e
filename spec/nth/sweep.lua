--- The n-th failure: for every n, one run of a small world in which the n-th call of one function
-- fails in one kind of process. Called by spec/nth/run; README.md beside it says with what.
local cjson = require "cjson"
local checker = require "spec.support.checker"
local look = require "spec.support.look"
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local process = require "spec.support.process"
local world = require "spec.support.world"

local BUILD = uv.fs_realpath(assert(os.getenv "NTH_BUILD"))
local PROGRAM, LIBRARY = BUILD .. "/resque-lua", BUILD .. "/failing.so"
local LIMIT = 40 -- seconds for one run: what takes longer hangs
local LEAVE = 12 -- seconds for workers whose manager died
local ROLES = { "manager", "check", "worker", "child" }
local ERRNO = {
  EPERM = 1, EINTR = 4, EIO = 5, ECHILD = 10, EAGAIN = 11, ENOMEM = 12, EACCES = 13, EINVAL = 22,
  ENFILE = 23, EMFILE = 24, ENOSPC = 28, EPIPE = 32, ENOSYS = 38, ENOTSOCK = 88, ECONNRESET = 104,
  ETIMEDOUT = 110, ECONNREFUSED = 111,
}

-- What fails, and how: function -> errno names; SHORT moves a single byte.
local WAYS = {
  { "fork", "EAGAIN", "ENOMEM" },
  { "pipe2", "EMFILE" },
  { "read", "EIO", "EINTR", "EAGAIN", "ECONNRESET", "SHORT" },
  { "write", "EIO", "EINTR", "EAGAIN", "EPIPE", "ENOSPC", "SHORT" },
  { "poll", "ENOMEM", "EINTR" },
  { "open64", "EMFILE", "EACCES" },
  { "fopen64", "EMFILE" },
  { "malloc", "ENOMEM" },
  { "connect", "ECONNREFUSED", "ETIMEDOUT", "EINTR" },
  { "socket", "EMFILE" },
  { "prctl", "EINVAL", "EPERM" },
  { "signalfd", "EMFILE", "ENOMEM" },
  { "mmap64", "ENOMEM" },
  { "dup2", "EINTR", "EMFILE" },
  { "waitpid", "EINTR" },
  { "wait4", "EINTR", "ECHILD" },
  { "waitid", "EINTR", "ECHILD" },
  { "syscall", "EMFILE", "ENOSYS" }, -- pidfd_open
  { "fcntl64", "EINVAL" },
  { "setpgid", "EACCES" },
  { "fstat64", "EIO" },
  { "getrandom", "ENOSYS" },
  { "kill", "EPERM" },
  { "sigprocmask", "EINVAL" },
  { "pwrite64", "ENOSPC" },
  { "flock", "EINTR" },
  { "dup", "EMFILE" },
  { "setrlimit64", "EPERM" },
  { "setgroups", "EPERM" },
  { "setresgid", "EPERM" },
  { "setresuid", "EPERM", "EAGAIN" },
}

-- ---------------------------------------------------------------------------- the shared memory

-- The rows of failing.c's table of calls, from 0 on.
local function call_numbers()
  local text = proc.read "spec/nth/failing.c":match "calls%[%] = {(.-)};"
  local numbers, n = {}, 0
  for name in text:gmatch '"([%w_]+)"' do
    numbers[name] = n
    n = n + 1
  end
  return numbers
end

local CALLS = call_numbers()
local PIDS, CALLS_MOST = 256, 32 -- failing.h

local function write_state(path, row, n)
  local file = assert(io.open(path, "wb"))
  file:write(string.pack("<i8i8i8i8i8i8", CALLS[row.call], row.role - 1, ERRNO[row.how] or 0,
    row.how == "SHORT" and 1 or 0, n, n > 0 and row.times or 0))
  file:write(("\0"):rep(8 * (2 + PIDS + #ROLES * CALLS_MOST)))
  file:close()
end

-- How often it failed, the pids of all processes, and a function that tells how often was called.
local function read_state(path)
  local text = proc.read(path)
  local function at(i)
    return (string.unpack("<i8", text, 8 * i + 1))
  end
  local pids = {}
  for i = 1, math.min(at(7), PIDS) do
    pids[i] = at(7 + i)
  end
  return at(6), pids, function(role, call)
    return at(8 + PIDS + (role - 1) * CALLS_MOST + CALLS[call])
  end
end

-- ---------------------------------------------------------------------------------- one run

local KINDS = { "Good", "Large", "Raise", "Crash", "Good" }
local ENDS_WELL = { Good = true, Large = true }

-- Settings of the worlds: how the run comes to its end.
local WORLDS = {
  burst = { INTERVAL = "0" },
  hooks = { INTERVAL = "0", NTH_HOOKS = "1" },
  blocking = { INTERVAL = "0.2", BLOCKING = "1" },
  requeue = { INTERVAL = "0", ON_CRASH = "requeue:1" },
  limits = { INTERVAL = "0", JOB_TIMEOUT = "30", JOB_MEMORY = "64M", JOB_CPU = "30" },
}
if uv.getuid() == 0 then
  WORLDS.user = { INTERVAL = "0", JOB_USER = "nobody", NTH_USER = "1" }
end

local ASAN_LIBRARY = io.popen("gcc -print-file-name=libasan.so"):read "l"

-- The jobs are in the world's folder, which JOB_USER may enter wherever the sources are.
local function environment(w, row)
  for _, name in ipairs { "nth.lua", "ledger.lua" } do
    w:write(name, proc.read(world.fixtures .. "/" .. name))
  end
  local env = {
    QUEUE = "default", VERBOSE = "1", APP_INCLUDE = w.dir .. "/nth.lua",
    LOGFILE = w.dir .. "/log", PIDFILE = w.dir .. "/pid",
  }
  for name, value in pairs(WORLDS[row.world]) do
    env[name] = value
  end
  return env
end

-- Starts the program with the library in it, which only watches what `row` and `n` say.
local function start(w, row, n)
  write_state(w.dir .. "/state", row, n)
  local asan = "log_path=" .. w.dir .. "/san:exitcode=99:detect_leaks=1:allocator_may_return_null=1"
  return w:start(environment(w, row), { program = PROGRAM, wrap = {
    "/usr/bin/env", "LD_PRELOAD=" .. ASAN_LIBRARY .. ":" .. LIBRARY,
    "NTH_STATE=" .. w.dir .. "/state", "NTH_WHERE=" .. w.dir .. "/where",
    "ASAN_OPTIONS=" .. asan, "UBSAN_OPTIONS=print_stacktrace=1:log_path=" .. w.dir .. "/san",
  } })
end

local function enqueue(w)
  local jobs = {}
  for _, class in ipairs(KINDS) do
    local id = w:job(class, {}, { track = true })
    jobs[id] = { id = id, class = class, payload = world.payload(class, {}, id), tracked = true }
  end
  return jobs
end

-- Whether everything that was enqueued has ended, or nobody is left to do it.
local function wait_end(w, run, row)
  local asked
  return pcall(clock.wait_until, function()
    if WORLDS[row.world].BLOCKING and not asked and w:stat "processed" >= #KINDS
      and run.process:running() then
      asked = true
      run:signal "sigquit"
    end
    return not run.process:running()
  end, LIMIT, "the run ends")
end

local function living(pids)
  local list = {}
  for _, pid in ipairs(pids) do
    if proc.alive(pid) and (proc.title(pid) or ""):find "resque" then
      list[#list + 1] = ("%d (%s)"):format(pid, proc.title(pid))
    end
  end
  return list
end

local function sanitizer_reports(w)
  local texts = {}
  local scan = uv.fs_scandir(w.dir)
  for name in function() return uv.fs_scandir_next(scan) end do
    if name:find "^san%." then
      texts[#texts + 1] = proc.read(w.dir .. "/" .. name)
    end
  end
  return table.concat(texts, "\n")
end

-- What is wrong right after a run: a list of sentences.
local function look_at_run(w, run, row, ended, pids)
  local problems = {}
  local function problem(...)
    problems[#problems + 1] = string.format(...)
  end
  if not ended then
    problem("it hangs: no end within %d s", LIMIT)
    return problems
  end
  local code, signal = run.process.code, run.process.signal
  local hook_failed = code == 3 and ROLES[row.role] == "worker" and row.world == "hooks"
  if signal ~= 0 or code > 4 then
    problem("the manager ended with exit code %d, signal %d", code, signal)
  elseif code ~= 0 and row.role > 2 and not hook_failed then
    problem("the manager ended with exit code %d because something failed in a %s", code,
      ROLES[row.role])
  end
  if not pcall(clock.wait_until, function() return #living(pids) == 0 end, LEAVE) then
    problem("processes are left over: %s", table.concat(living(pids), ", "))
  end
  local report = sanitizer_reports(w)
  if report ~= "" then
    problem("%s", report)
  end
  return problems
end

local function ledger_counts(w)
  local count = { start = {}, ["end"] = {}, told = {}, root = {} }
  for _, line in ipairs(w:ledger()) do
    local word, id = line:match "^(%a+) (%S+)$"
    if word then
      count[word][id] = (count[word][id] or 0) + 1
    end
  end
  return count
end

-- What the invariants of spec/support/checker.lua say when everybody has left for good.
local function look_at_redis(w, jobs, problem)
  local one = checker.new(jobs)
  local seen = look(function(...) return w.server:call(...) end, w:key "", one.from, "full")
  one:look(seen, #KINDS)
  one:gone(seen)
  if #seen.queue + #seen.record > 0 then
    problem("%d jobs are still queued, %d in records", #seen.queue, #seen.record)
  end
  for _, key in ipairs(seen.foreign) do
    problem("a key that is nobody's: %s", key)
  end
  for _, found in ipairs(one.problems) do
    problem("%s: %s", found.invariant, found.text)
  end
end

-- What is wrong with what the jobs did. Counts in `ends` how they ended.
local function look_at_jobs(w, row, jobs, ends, problem)
  local count, most = ledger_counts(w), WORLDS[row.world].ON_CRASH and 2 or 1
  for id, job in pairs(jobs) do
    local status = w:status(id)
    local done, starts, ended = status.status == 4, count.start[id] or 0, count["end"][id] or 0
    if count.root[id] then
      problem("job %s (%s) ran as root", id, job.class)
    elseif starts > most then
      problem("job %s (%s) started %d times", id, job.class, starts)
    elseif done and (ended < 1 or ended > starts or not ENDS_WELL[job.class]) then
      problem("job %s (%s) counts as done, but it started %d times and ended %d times", id,
        job.class, starts, ended)
    end
    ends.done = ends.done + (done and 1 or 0)
  end
  for _, failure in ipairs((w:failed())) do
    if ENDS_WELL[failure.payload.class] then
      local text = failure.exception .. ": " .. failure.error:gsub("%d%d+", "N"):sub(1, 90)
      ends.why[text] = (ends.why[text] or 0) + 1
    end
  end
end

local function is_clean(w)
  local sum = w:account()
  return sum.queued == 0 and sum.working == 0 and #w:on("SMEMBERS", "workers") == 0
end

local function show(w, run, problems)
  local where = {}
  for place in (proc.read(w.dir .. "/where") or ""):gmatch "resque%-lua%(%+(0x%x+)%)" do
    where[#where + 1] = place
  end
  print("  " .. table.concat(problems, "\n  "))
  if #where > 0 then
    local pipe = io.popen(("addr2line -fsp -e %s %s"):format(PROGRAM, table.concat(where, " ")))
    print("  it failed in:\n    " .. pipe:read "a":gsub("\n", "\n    "))
    pipe:close()
  end
  print("  log:\n    " .. ((proc.read(w.dir .. "/log") or "") .. run.process:err()):sub(-2500)
    :gsub("\n", "\n    "))
end

-- One run with the n-th call failing, and a second, sound one if the first left something.
-- Returns whether the n-th call was reached, the problems, and the counter of calls.
local function run_once(row, n, ends)
  local w = world.new()
  uv.fs_chmod(w.dir, 511) -- jobs that run as another user write here, too
  local jobs = enqueue(w)
  local run = start(w, row, n)
  local ended = wait_end(w, run, row)
  local hits, pids, count = read_state(w.dir .. "/state")
  local problems = look_at_run(w, run, row, ended, pids)
  local function problem(...)
    problems[#problems + 1] = string.format(...)
  end
  local clean = #problems > 0 or is_clean(w)
  if not clean and row.role > 2 and run.process.code == 0 then
    problem("after a failure in a %s not everything is done: %s", ROLES[row.role],
      cjson.encode(w:account()))
  elseif not clean then
    ends.second = ends.second + 1
    run = start(w, row, 0)
    ended = wait_end(w, run, row)
    problems = look_at_run(w, run, row, ended, select(2, read_state(w.dir .. "/state")))
  end
  if #problems == 0 then
    look_at_redis(w, jobs, problem)
    look_at_jobs(w, row, jobs, ends, problem)
  end
  if #problems > 0 then
    show(w, run, problems)
  end
  w:close()
  return hits > 0, problems, count
end

-- ------------------------------------------------------------------------------------ the sweep

local function option(name, default)
  local value = os.getenv(name)
  return value and value ~= "" and value or default
end

-- The rows to run: all that CALL, ROLE, ERRNO and WORLD allow.
local function rows()
  local list = {}
  local call, role, how = option "CALL", option "ROLE", option "ERRNO"
  local function add(way, number, in_world)
    for i = 2, #way do
      if (not call or call == way[1]) and (not role or role == ROLES[number])
        and (not how or how == way[i]) then
        for times in option("TIMES", "1 4"):gmatch "%d+" do
          list[#list + 1] = { call = way[1], role = number, how = way[i], world = in_world,
            times = math.tointeger(times) }
        end
      end
    end
  end
  for in_world in option("WORLD", "burst hooks blocking requeue limits user"):gmatch "%S+" do
    for _, way in ipairs(WORLDS[in_world] and WAYS or {}) do
      for number = 1, #ROLES do
        add(way, number, in_world)
      end
    end
  end
  return list
end

local function name_of(row, n)
  return ("CALL=%s ROLE=%s ERRNO=%s WORLD=%s TIMES=%d FROM=%d TO=%d"):format(row.call,
    ROLES[row.role], row.how, row.world, row.times, n, n)
end

local function new_ends()
  return { done = 0, second = 0, why = {} }
end

local runs, bad, began = 0, 0, clock.now()

local function try(row, n, ends)
  runs = runs + 1
  local reached, problems, count = run_once(row, n, ends)
  if #problems > 0 then
    bad = bad + 1
    print("  again: spec/nth/run " .. name_of(row, n))
  end
  return reached, count
end

-- All n of one row, until one is not reached.
local function sweep(row)
  local ends, n = new_ends(), tonumber(option("FROM", "1"))
  local last, step = tonumber(option("TO", "1000000")), tonumber(option("STEP", "1"))
  local from, before = n, runs
  while n <= last and try(row, n, ends) do
    n = n + step
  end
  if runs - before > 1 or from == last then
    local text = "%-8s %-11s %-8s %-12s x %d: %4d runs, %d done, %d needed a second start"
    print(text:format(row.world, row.call, ROLES[row.role], row.how, row.times, runs - before,
      ends.done, ends.second))
    for why, times in pairs(ends.why) do
      print(("    %3d x %s"):format(times, why))
    end
  end
end

-- SAMPLE runs drawn by SEED, from all rows: first a row, then one of its calls.
local function sample(list, how_many)
  local ends, counts = new_ends(), {}
  while runs < how_many do
    local row = list[math.random(#list)]
    counts[row.world] = counts[row.world] or select(2, try({ call = "fork", role = 1, how = "EIO",
      times = 0, world = row.world }, 0, ends))
    local calls = counts[row.world](row.role, row.call)
    if calls > 0 then
      try(row, math.random(calls), ends)
    end
  end
end

-- How often each function is called in a run without failures.
local function show_counts(row)
  local _, count = try({ call = "fork", role = 1, how = "EIO", times = 0, world = row.world }, 0,
    new_ends())
  for _, way in ipairs(WAYS) do
    local counts = {}
    for role, name in ipairs(ROLES) do
      counts[role] = ("%s %d"):format(name, count(role, way[1]))
    end
    print(("%-12s %s"):format(way[1], table.concat(counts, ", ")))
  end
end

local seed = tonumber(option("SEED", tostring(os.time())))
math.randomseed(seed)
local list = rows()
assert(#list > 0, "no such CALL, ROLE or ERRNO")
if option "COUNTS" then
  show_counts(list[1])
elseif option "SAMPLE" then
  sample(list, tonumber(option "SAMPLE"))
else
  for _, row in ipairs(list) do
    sweep(row)
  end
end
world.finish()
process.finish_all()
print(("SEED=%d: %d runs in %.0f s, %d with problems"):format(seed, runs, clock.now() - began, bad))
os.exit(bad == 0 and runs > 0)
