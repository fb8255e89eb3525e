--- `resque-lua perform CLASS [ARGS...]`: runs one job here and now, as a worker's child would,
-- without Redis. What perform returned goes to stdout. Exit 0, or 1 when the job failed.
-- @module resque.cli.perform
local args = require "resque.cli.args"
local job = require "resque.job"
local json = require "resque.json"
local loader = require "resque.job.loader"
local loading = require "resque.cli.loading"
local runner = require "resque.job.runner"
local sandbox = require "resque.job.sandbox"
local sys = require "resque.sys"
local terminal = require "resque.cli.terminal"

local perform = {}
local EXIT = terminal.EXIT

-- The job as a worker would read it. Its queue is the class's own, as for `enqueue --class`.
local function job_of(class_name, list)
  local class = loader.find(class_name)
  local queue = class and type(class.queue) == "string" and class.queue or "default"
  return job.read(('{"class":%s,"args":%s,"id":"%s","queue_time":%s}'):format(
    json.encode(class_name), json.encode(list), sys.unique_id(), sys.fixed(sys.time(), 6)), queue)
end

local function show_failure(class_name, report)
  if terminal.settings().json then
    print(json.encode { ok = false, exception = report.name, error = report.message,
      backtrace = json.array(report.trace) })
  end
  terminal.fail(EXIT.failed, ("%s failed: %s: %s"):format(sys.printable(class_name), report.name,
    sys.printable(report.message)))
  for _, line in ipairs(report.trace) do
    io.stderr:write("  ", sys.printable(line), "\n")
  end
  return EXIT.failed
end

-- A worker drops a result that JSON cannot hold with a warning, too.
local function show_result(class_name, result)
  local ok, text = pcall(json.encode, result)
  if not ok then
    io.stderr:write("warning: the result of perform cannot be kept: ", tostring(text), "\n")
    text, result = "null", nil
  end
  if terminal.settings().json then
    print(('{"ok":true,"result":%s}'):format(text))
  elseif result ~= nil then
    print(text)
  end
  terminal.say_more("%s is done", sys.printable(class_name))
  return EXIT.done
end

--- Runs the command.
-- @tparam {string,...} arguments the class and its arguments
-- @treturn integer exit code
function perform.run(arguments)
  local settings = terminal.settings()
  local class_name = arguments[1]
  if not class_name then
    return terminal.fail(EXIT.usage, "no job class is named",
      "resque-lua perform SendMail to=chris@example.org")
  end
  if not utf8.len(class_name) then
    return terminal.fail(EXIT.usage, "the name of the class is not valid UTF-8")
  end
  local list, err, hint = args.read({ table.unpack(arguments, 2) }, settings.positional)
  if not list then
    return terminal.fail(EXIT.usage, err, hint)
  end
  sandbox.start()
  local ok, report = loading.run(loader.load, settings.include, settings.no_include)
  if not ok then
    return terminal.fail(EXIT.include, sys.printable(report.message))
  end
  local done, result = runner.perform(job_of(class_name, list))
  if not done then
    return show_failure(class_name, result)
  end
  return show_result(class_name, result)
end

return perform
