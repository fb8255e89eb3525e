--- `resque-enqueue QUEUE CLASS [ARGS...]`, `--class CLASS [ARGS...]`, and many jobs from standard
-- input. resque.queue talks to Redis; this file reads the command line and talks to people.
-- @module resque.cli.enqueue
local args = require "resque.cli.args"
local bulk = require "resque.cli.bulk"
local connection = require "resque.connection"
local hooks = require "resque.hooks"
local json = require "resque.json"
local lines = require "resque.cli.lines"
local loader = require "resque.job.loader"
local loading = require "resque.cli.loading"
local net = require "resque.net"
local outcome = require "resque.cli.outcome"
local queue = require "resque.queue"
local status = require "resque.status"
local sys = require "resque.sys"
local terminal = require "resque.cli.terminal"

local enqueue = {}
local EXIT = terminal.EXIT

local USAGE = "resque-enqueue QUEUE CLASS [ARGS...], or --class CLASS if its table names a queue"

-- ---------------------------------------------------------------------------------- command line

-- The words without a lone "-", and whether there was one.
local function take_dash(words)
  local rest, dash = {}, false
  for _, word in ipairs(words) do
    if word == "-" then
      dash = true
    else
      rest[#rest + 1] = word
    end
  end
  return rest, dash
end

-- The queue that a class's own table names. Nil, what is wrong, hint.
local function own_queue(class_name)
  local class, report = loader.find(class_name)
  if not class then
    return nil, report.message, "-I FILE or APP_INCLUDE names the Lua file with the job's table"
  elseif class.queue == nil then
    return nil, ("the job table of %s names no queue"):format(class_name), USAGE
  end
  return class.queue
end

-- Reads what to put in where: queue, class, words (the arguments), stdin. Nil, what is wrong, hint.
local function read_target(arguments, settings)
  local words, dash = take_dash(arguments)
  local target = { class = settings.class, stdin = dash or settings.stdin }
  if not target.class then
    target.queue, target.class = words[1], words[2]
    words = { table.unpack(words, 3) }
  else
    local err, hint
    target.queue, err, hint = own_queue(target.class)
    if not target.queue then
      return nil, err, hint
    end
  end
  if not target.stdin and not target.class then
    return nil, ("no %sjob class is named"):format(target.queue and "" or "queue and no "), USAGE
  end
  target.words = words
  return target
end

-- The error of words and flags that exclude each other, or nil.
local function conflict(target, settings)
  if not target.stdin then
    return nil
  elseif target.words[1] or settings.positional then
    return "arguments on the command line and jobs on standard input exclude each other"
  elseif settings.id then
    return "--id names one job, standard input brings many"
  elseif settings.wait then
    return "--wait waits for one job, standard input brings many"
  end
end

-- The error of an impossible queue, class or id, or nil.
local function wrong_name(target)
  if target.queue then
    local ok, err = queue.check(target.queue)
    if not ok then
      return ("queue '%s': %s"):format(sys.printable(tostring(target.queue)), err)
    end
  end
  for _, name in ipairs { "class", "id" } do
    local text = target[name]
    if text and (text == "" or not utf8.len(text)) then
      return ("the %s is %s"):format(name, text == "" and "empty" or "not valid UTF-8")
    end
  end
end

-- --------------------------------------------------------------------------------------- output

local function show_id(job, id)
  if terminal.settings().json then
    print(json.encode { id = id, queue = job.queue, class = job.class })
  elseif terminal.is_tty(1) then
    print("Queued job " .. sys.printable(id))
  else
    print(id)
  end
end

-- Many ids are for programs; people see the bar.
local function show_many(job, id)
  if terminal.settings().json or not terminal.is_tty(1) then
    show_id(job, id)
  end
end

-- Takes the place of a push with --dry-run: shows the jobs.
local function show_only(jobs)
  local results = {}
  for i, job in ipairs(jobs) do
    local id = job.id or sys.unique_id()
    local payload, err = queue.payload(job.class, job.args, id)
    if not payload then
      results[i] = { err = err }
    else
      results[i] = { id = id }
      if terminal.settings().json then
        print(('{"queue":%s,"payload":%s}'):format(json.encode(job.queue), payload))
      else
        print(sys.printable(job.queue) .. "\t" .. sys.printable(payload))
      end
    end
  end
  return results
end

-- ---------------------------------------------------------------------------------- putting in

-- The function that pushes jobs, or only shows them. Nil, exit code: Redis is not there.
local function pusher(settings)
  if settings.dry_run then
    return show_only
  end
  local conn, err, trouble = connection.own()
  if not conn then
    return nil, terminal.redis_failed(err, trouble)
  end
  local track = settings.track or settings.wait ~= nil
  return function(jobs)
    for _, job in ipairs(jobs) do
      job.track = track
    end
    return queue.push_many(jobs)
  end
end

-- --wait: tells how the job went.
local function wait(job, id, seconds)
  if not terminal.settings().json then
    show_id(job, id)
    io.stdout:flush()
  end
  local code, exit = outcome.wait(id, seconds)
  if not code then
    return exit
  end
  local read = status.new(id):read() or { status = code }
  local failure = code == status.FAILED and outcome.failure(id) or nil
  if terminal.settings().json then
    print(json.encode {
      id = id, queue = job.queue, class = job.class, status = status.name(code), code = code,
      result = read.result, exception = failure and failure.exception,
      error = failure and failure.error,
    })
  else
    local summary = code == status.FAILED and not failure and "" or outcome.summary(read, failure)
    print(outcome.word(code) .. (terminal.is_tty(1) and "  " or "\t") .. sys.printable(summary))
  end
  return outcome.exit_code(code)
end

local function put_one(target, settings, push)
  local list, err, hint = args.read(target.words, settings.positional)
  if not list then
    return terminal.fail(EXIT.usage, err, hint)
  end
  local job = { queue = target.queue, class = target.class, args = list, id = settings.id }
  local results, trouble
  results, err, trouble = push { job }
  if not results then
    return terminal.redis_failed(err, trouble)
  elseif results[1].err then
    err = results[1].err
    return terminal.fail(EXIT.failed, "not queued: " .. sys.printable(err), net.hint(err))
  elseif settings.dry_run then
    return EXIT.done
  elseif settings.wait then
    return wait(job, results[1].id, settings.wait)
  end
  show_id(job, results[1].id)
  return EXIT.done
end

local function put_many(target, settings, push)
  return bulk.run {
    read = lines.reader(target.queue, target.class),
    push = push,
    show = settings.dry_run and function() end or show_many,
  }
end

-- With -v: tells which hooks will be called here.
local function tell_hooks(include)
  local names = {}
  for _, event in ipairs { "beforeEnqueue", "afterEnqueue" } do
    names[#names + 1] = hooks.has(event) and event or nil
  end
  if include then
    terminal.say_more("%s is loaded; hooks that are called here: %s", sys.printable(include),
      names[1] and table.concat(names, ", ") or "none")
  end
end

--- Runs the command.
-- @tparam {string,...} arguments what is left of the command line
-- @treturn integer exit code
function enqueue.run(arguments)
  local settings = terminal.settings()
  local ok, report = loading.run(loader.load, settings.include)
  if not ok then
    return terminal.fail(EXIT.include, sys.printable(report.message))
  end
  local target, err, hint = read_target(arguments, settings)
  if not target then
    return terminal.fail(EXIT.usage, err, hint)
  end
  target.id = settings.id
  err = conflict(target, settings) or wrong_name(target)
  if err then
    return terminal.fail(EXIT.usage, err, USAGE)
  end
  tell_hooks(settings.include)
  local push, exit = pusher(settings)
  if not push then
    return exit
  end
  return (target.stdin and put_many or put_one)(target, settings, push)
end

return enqueue
