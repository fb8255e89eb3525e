--- `resque-lua job ID`: shows status, times and result of a tracked job, with --wait[=S] after its
-- end. `--kill` stops the job instead, tracked or not.
-- @module resque.cli.job
local connection = require "resque.connection"
local json = require "resque.json"
local kill = require "resque.cli.kill"
local outcome = require "resque.cli.outcome"
local status = require "resque.status"
local sys = require "resque.sys"
local terminal = require "resque.cli.terminal"
local workers = require "resque.client.workers"

local job = {}
local EXIT = terminal.EXIT

local function time_text(seconds)
  if math.type(seconds) ~= "integer" then
    return "-"
  elseif terminal.is_tty(1) then
    return os.date("%Y-%m-%d %H:%M:%S", seconds)
  end
  return os.date("!%Y-%m-%dT%H:%M:%SZ", seconds)
end

-- Why a job may be waiting for longer: "2 of 5 workers: blocked: …". Every worker counts, as the
-- job's queue is not known.
local function held_up()
  local all = workers.list() or {}
  local counts, texts = {}, json.array()
  for _, worker in ipairs(all) do
    for _, note in ipairs(worker.notes) do
      texts[#texts + 1] = not counts[note.text] and note.text or nil
      counts[note.text] = (counts[note.text] or 0) + 1
    end
  end
  for i, text in ipairs(texts) do
    texts[i] = ("%d of %d worker%s: %s"):format(counts[text], #all, #all == 1 and "" or "s", text)
  end
  return texts
end

local function print_json(id, read, failure, reasons)
  print(json.encode {
    id = id, status = status.name(read.status), code = read.status, started = read.started,
    updated = read.updated, result = read.result, exception = failure and failure.exception,
    error = failure and failure.error, backtrace = failure and failure.backtrace,
    held_up = reasons,
  })
end

local function print_rows(id, read, failure, reasons)
  local format = terminal.is_tty(1) and "%-9s %s" or "%s\t%s"
  local function row(name, value)
    print(format:format(name, value))
  end
  row("job", sys.printable(id))
  row("status", outcome.word(read.status))
  row("enqueued", time_text(read.started))
  row("updated", time_text(read.updated))
  for _, reason in ipairs(reasons or {}) do
    row("held up", sys.printable(reason))
  end
  if read.status == status.COMPLETE then
    row("result", outcome.summary(read))
  elseif failure then
    row("error", sys.printable(outcome.summary(read, failure)))
    for _, line in ipairs(type(failure.backtrace) == "table" and failure.backtrace or {}) do
      row("", sys.printable(tostring(line)))
    end
  elseif type(read.result) == "string" then -- why it failed without a record
    row("error", sys.printable(read.result))
  end
end

local function show(id)
  local read, err, trouble = status.new(id):read()
  if read == nil then
    return terminal.redis_failed(err, trouble)
  elseif not read then
    return outcome.untracked(id)
  end
  local failure = read.status == status.FAILED and outcome.failure(id) or nil
  local reasons = read.status == status.WAITING and held_up() or nil
  if terminal.settings().json then
    print_json(id, read, failure, reasons)
  else
    print_rows(id, read, failure, reasons)
  end
  return terminal.settings().wait and outcome.exit_code(read.status) or EXIT.done
end

--- Runs the command.
-- @tparam {string,...} arguments the job's id
-- @treturn integer exit code
function job.run(arguments)
  local id = arguments[1]
  if not id or id == "" or arguments[2] then
    return terminal.fail(EXIT.usage, "`job` needs the id of one job",
      "resque-lua job ID, with the id that resque-enqueue printed")
  end
  local conn, err, trouble = connection.own()
  local settings = terminal.settings()
  if settings.dry_run and not settings.kill then
    return terminal.fail(EXIT.usage, "--dry-run goes with --kill",
      "resque-lua job ID shows the job")
  elseif not conn then
    return terminal.redis_failed(err, trouble)
  elseif settings.kill then
    return kill.job(id)
  end
  local wait = settings.wait
  if wait then
    local code, exit = outcome.wait(id, wait)
    if not code then
      return exit
    end
  end
  return show(id)
end

return job
