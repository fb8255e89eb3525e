--- `resque-lua workers`: lists the workers and their jobs. `workers kill ID` ends one's job.
-- @module resque.cli.workers
local json = require "resque.json"
local kill = require "resque.cli.kill"
local sys = require "resque.sys"
local terminal = require "resque.cli.terminal"
local workers = require "resque.client.workers"

local command = {}
local EXIT = terminal.EXIT

local HEADS = { "WORKER", "STATE", "CLASS", "JOB", "SINCE", "NOTE" }
local USAGE = "resque-lua workers [list], or resque-lua workers kill ID"

local function print_json(worker)
  local job, blocked, resting = worker.job, nil, nil
  for _, note in ipairs(worker.notes) do
    if note.queue then
      resting = resting or {}
      resting[note.queue] = note.why
    end
    blocked = blocked or note.blocked
  end
  print(json.encode {
    id = worker.id, host = worker.host, pid = tonumber(worker.pid) or worker.pid,
    queues = worker.queues, started = worker.started, heartbeat = worker.heartbeat,
    state = job and "working" or "waiting", since = job and job.since, class = job and job.class,
    job = job and job.id, queue = job and job.queue, blocked = blocked, resting = resting,
  })
end

-- The cells of a worker's row; there is a sixth only if something keeps it from jobs.
local function cells(worker)
  local job, notes = worker.job or {}, {}
  for i, note in ipairs(worker.notes) do
    notes[i] = note.text
  end
  local row = { worker.id, worker.job and "working" or "waiting", job.class or "-", job.id or "-",
    job.since or worker.started or "-", notes[1] and table.concat(notes, "; ") }
  for i, text in ipairs(row) do
    row[i] = sys.printable(text)
  end
  return row
end

local function print_table(rows)
  local lines, widths, columns = {}, {}, 0
  for i, row in ipairs(rows) do
    columns = math.max(columns, #row)
    lines[i + 1] = row
  end
  lines[1] = { table.unpack(HEADS, 1, columns) }
  for _, row in ipairs(lines) do
    for i, text in ipairs(row) do
      widths[i] = math.max(widths[i] or 0, utf8.len(text))
    end
  end
  for i, row in ipairs(lines) do
    local line = {}
    for j, text in ipairs(row) do
      line[j] = text .. (" "):rep(j < #row and widths[j] - utf8.len(text) or 0)
    end
    local text = table.concat(line, "  ")
    print(i == 1 and terminal.paint("bold", text) or text)
  end
end

local function list()
  local all, err, trouble = workers.list()
  if not all then
    return terminal.redis_failed(err, trouble)
  end
  local rows = {}
  for i, worker in ipairs(all) do
    if terminal.settings().json then
      print_json(worker)
    else
      rows[i] = cells(worker)
    end
  end
  if terminal.is_tty(1) and rows[1] then
    print_table(rows)
  else
    for _, row in ipairs(rows) do
      print(table.concat(row, "\t"))
    end
  end
  terminal.say("%d worker%s", #all, #all == 1 and "" or "s")
  return EXIT.done
end

--- Runs the command.
-- @tparam {string,...} arguments nothing or `list`; `kill` and the id of a worker
-- @treturn integer exit code
function command.run(arguments)
  local verb, settings = arguments[1] or "list", terminal.settings()
  if verb == "kill" and arguments[2] and arguments[2] ~= "" and not arguments[3] then
    return kill.at(arguments[2])
  elseif verb ~= "list" or arguments[2] then
    return terminal.fail(EXIT.usage, verb == "kill" and "`workers kill` needs the id of one worker"
      or "`workers` does not know '" .. sys.printable(arguments[2] or verb) .. "'", USAGE)
  elseif settings.wait or settings.dry_run then
    return terminal.fail(EXIT.usage, "--wait and --dry-run go with `workers kill`", USAGE)
  end
  return list()
end

return command
