--- What demo/run shows once two workers run: puts the four jobs in, tells what becomes of them, and
-- ends with 0 only if that is what was expected. Arguments: the manager's pid, the workers' log.
dofile((arg[0]:match "^(.*)/" or ".") .. "/init.lua")
local resque = require "resque"
local sys = require "resque.sys"

local manager, log_path = math.tointeger(tonumber(arg[1])), arg[2]

local GIVE_UP = 120 -- seconds for everything, on the slowest machine
local LOOK = 0.002 -- seconds between looks: the fastest job takes not much longer

local function lua_error(pattern)
  return function(record)
    return record.exception == "LuaError" and record.error:find(pattern)
  end
end

local function killed(record)
  return record.exception == "Resque::DirtyExit" and record.error:find("SIGKILL", 1, true)
end

-- The four jobs, and what is to become of each.
local jobs = {
  { class = "Lua_Job", args = "name=Chris", status = 4, expected = "completes" },
  { class = "Bad_Lua_Job", status = 3, failure = lua_error "^demo/jobs.lua:%d+: Unable to run",
    expected = "raises an error" },
  { class = "Long_Lua_Job", status = 3, failure = killed,
    expected = "is ended by USR1: a DirtyExit that names SIGKILL" },
  { class = "Lua_Error_Job", status = 3, failure = lua_error "call a nil value",
    expected = "calls what is not there" },
}
local lua_job, long_job = jobs[1], jobs[3]

-- ---------------------------------------------------------------------------------------- showing

local CODES = { bold = 1, dim = 2, red = 31, green = 32, yellow = 33, cyan = 36 }
local STATUS_COLOURS = { "cyan", "yellow", "red", "green" }

local function paint(colour, text)
  return os.getenv "COLOUR" and ("\27[%dm%s\27[0m"):format(CODES[colour], text) or text
end

-- Before a chapter there is time to read the one before, if somebody watches.
local function section(text, at_once)
  sys.sleep(at_once and 0 or tonumber(os.getenv "PACE") or 0)
  print("\n" .. paint("bold", text) .. "\n")
end

local function show(format, ...)
  print("    " .. format:format(...))
end

local function show_command(format, ...)
  show("%s", paint("dim", "$ " .. format:format(...)))
end

-- The lines a command prints.
local function lines_of(command)
  local lines = {}
  local pipe = assert(io.popen(command))
  for line in pipe:lines() do
    lines[#lines + 1] = line
  end
  pipe:close()
  return lines
end

-- --------------------------------------------------------------------------------------- chapters

local began

local function put_in()
  section "Put four jobs in, tracked"
  began = sys.monotonic()
  for _, job in ipairs(jobs) do
    local command = ("%s/resque-enqueue default %s %s--track"):format(os.getenv "BUILD", job.class,
      job.args and job.args .. " " or "")
    show_command("%s", command)
    job.id = assert(lines_of(command)[1], "resque-enqueue gave no id")
    job.tracked = resque.status(job.id)
    show("%s", job.id)
  end
end

-- Shows every status that has changed. Returns how many jobs have ended.
local function look()
  local ended = 0
  for _, job in ipairs(jobs) do
    local status = assert(job.tracked:get())
    if status ~= job.seen then
      job.seen = status
      local result = job.tracked:result()
      show("%s  %-15s %s%s", paint("dim", ("%5.2f s"):format(sys.monotonic() - began)), job.class,
        paint(STATUS_COLOURS[status], resque.status.name(status)),
        result and ": " .. resque.json.encode(result) or "")
    end
    ended = ended + (status >= resque.status.FAILED and 1 or 0)
  end
  return ended
end

local function watch_until(condition)
  repeat
    local ended = look()
    assert(sys.monotonic() - began < GIVE_UP, "it takes too long; giving up")
    sys.sleep(LOOK)
  until condition(ended)
end

-- The manager and everything below it, as ps shows them: {pid =, title =}.
local function processes()
  local ours, list = {}, {}
  for _, line in ipairs(lines_of "ps -e -o pid=,ppid=,command= --sort=start_time,pid") do
    local pid, parent, title = line:match "^%s*(%d+)%s+(%d+)%s+(.*)$"
    if ours[parent] or tonumber(pid) == manager then
      ours[pid] = true
      list[#list + 1] = { pid = tonumber(pid), title = title }
    end
  end
  return list
end

local function show_processes()
  print ""
  show_command "ps -e -o pid,command"
  for _, process in ipairs(processes()) do
    local name, what = process.title:match "^(resque%-[%d.]+: )(.*)$"
    show("%6d %s%s", process.pid, paint("dim", name or ""), what or process.title)
  end
  print ""
end

local function two_run()
  local count = 0
  for _, process in ipairs(processes()) do
    count = count + (process.title:find(": Processing ", 1, true) and 1 or 0)
  end
  return count == 2
end

-- Lua_Job beside Long_Lua_Job, unless it is over by then: the machine may be slow.
local function best_view()
  local both = lua_job.seen == resque.status.COMPLETE or two_run()
  return long_job.seen == resque.status.RUNNING and both
end

local function follow()
  section("See what becomes of them", true)
  watch_until(best_view)
  show_processes()
  watch_until(function(ended)
    return ended == #jobs - 1 and long_job.seen == resque.status.RUNNING
  end)
  section "Long_Lua_Job would take ten minutes: USR1 ends the running job, and the worker goes on"
  show_command("kill -USR1 %d", manager)
  lines_of("kill -USR1 " .. manager)
  print ""
  watch_until(function(ended)
    return ended == #jobs
  end)
end

-- The failure records by class.
local function read_failures()
  local records = {}
  for _, text in ipairs(assert(resque.redis("LRANGE", resque.key "failed", 0, -1))) do
    local record = assert(resque.json.decode(text))
    records[record.payload.class] = record
    records[#records + 1] = record
  end
  return records
end

local function show_failures(records)
  section "What is in the failed list, for any resque-web to show"
  for _, record in ipairs(records) do
    show("%s %s", paint("red", ("%-15s"):format(record.payload.class)), record.exception)
    show("  %s", record.error)
    for _, line in ipairs(record.backtrace) do
      show("  %s", paint("dim", line))
    end
  end
end

local function heard(line)
  return line:find("afterPerform:", 1, true) or line:find("onFailure:", 1, true)
    or line:find("beforeFirstFork:", 1, true)
end

local function log_has(text)
  for line in io.lines(log_path) do
    if line:find(text, 1, true) then
      return true
    end
  end
  return false
end

-- The hook that the log must show for a job that has ended.
local function hook_of(job)
  return (job.seen == resque.status.FAILED and "onFailure: " or "afterPerform: ") .. job.class
end

-- For a job whose process died, onFailure is called once its end is written: here that has been
-- seen already.
local function await_hooks()
  watch_until(function()
    for _, job in ipairs(jobs) do
      if not log_has(hook_of(job)) then
        return false
      end
    end
    return true
  end)
end

local function show_hooks()
  section "What hooks were called with: some of the log of demo/sample_plugin.lua"
  await_hooks()
  for line in io.lines(log_path) do
    if heard(line) then
      show("%s", line)
    end
  end
end

local function counters()
  local function number(...)
    return math.tointeger(tonumber((assert(resque.redis(...)))))
  end
  return {
    { "stat:processed", number("GET", resque.key "stat:processed"), 4 },
    { "stat:failed", number("GET", resque.key "stat:failed"), 3 },
    { "jobs in failed", number("LLEN", resque.key "failed"), 3 },
    { "jobs in the queue", number("LLEN", resque.key "queue:default"), 0 },
  }
end

-- ---------------------------------------------------------------------------------------- verdict

local function show_verdict(good, name, text)
  show("%s %-18s %s", good and paint("green", "ok ") or paint("red", "BAD"), name, text)
  return good
end

local function judge(job, record)
  local good = job.seen == job.status
  if job.failure then
    good = good and record and job.failure(record)
  else
    good = good and not record and assert(job.tracked:result()).greeting == "Hello, Chris!"
  end
  return show_verdict(good, job.class, job.expected)
end

local function verdict(records)
  section "As expected?"
  local good = true
  for _, job in ipairs(jobs) do
    good = judge(job, records[job.class]) and good
  end
  for _, counter in ipairs(counters()) do
    local name, seen, expected = table.unpack(counter)
    local text = seen == expected and seen or ("%d instead of %d"):format(seen, expected)
    good = show_verdict(seen == expected, name, text) and good
  end
  print ""
  return good
end

io.stdout:setvbuf "line"
put_in()
follow()
local failures = read_failures()
show_failures(failures)
show_hooks()
os.exit(verdict(failures) and 0 or 1)
