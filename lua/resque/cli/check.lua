--- `resque-lua check [FILE...]`: runs APP_INCLUDE once, lists the job classes, says what looks
-- wrong. Exit 0, 3 with file:line when something does not load, 1 for warnings with --strict.
-- @module resque.cli.check
local describe = require "resque.cli.describe"
local json = require "resque.json"
local loader = require "resque.job.loader"
local loading = require "resque.cli.loading"
local sandbox = require "resque.job.sandbox"
local sys = require "resque.sys"
local terminal = require "resque.cli.terminal"

local check = {}
local EXIT = terminal.EXIT

-- Loads every <Class>.lua of the folders where jobs are looked for, so that a broken one is found
-- now and not by a job. Returns the reports of the broken ones.
local function load_class_files()
  local broken = {}
  for _, dir in ipairs(loader.folders()) do
    local names = sys.list(dir) or {}
    sys.sort(names)
    for _, file in ipairs(names) do
      local name = file:match "^([A-Za-z0-9_]+)%.lua$"
      local _, report = loading.run(loader.find, name or "")
      broken[#broken + 1] = name and report or nil
    end
  end
  return broken
end

local function describe_all()
  local list = {}
  for _, entry in ipairs(loader.classes()) do
    list[#list + 1] = describe(entry.name, entry.class)
  end
  return list
end

-- All warnings as lines: "SendMail: it has no perform method".
local function collect_warnings(classes)
  local lines = {}
  for _, class in ipairs(classes) do
    for _, warning in ipairs(class.warnings) do
      lines[#lines + 1] = sys.printable(class.name) .. ": " .. warning
    end
  end
  if #classes == 0 then
    lines[1] = "there is no job class "
      .. '(hint: local Name = resque.job("Name"), then function Name:perform())'
  end
  return lines
end

local function place(class)
  return class.file and ("%s:%d"):format(sys.printable(class.file), class.line) or "-"
end

local function print_json(classes, warnings, reports)
  local list, broken = json.array(), json.array()
  for i, class in ipairs(classes) do
    class.methods, class.warnings = json.array(class.methods), json.array(class.warnings)
    list[i] = class
  end
  for i, report in ipairs(reports) do
    broken[i] = report.message
  end
  print(json.encode { classes = list, warnings = json.array(warnings), errors = broken })
end

local function print_rows(classes)
  for _, class in ipairs(classes) do
    print(table.concat({ sys.printable(class.name), place(class), class.queue or "-",
      table.concat(class.methods, ",") }, "\t"))
  end
end

local function print_table(classes)
  local widest = 0
  for _, class in ipairs(classes) do
    widest = math.max(widest, utf8.len(sys.printable(class.name)))
  end
  for _, class in ipairs(classes) do
    local name = sys.printable(class.name)
    print(("%s%s  %s  %s%s"):format(terminal.paint("bold", name),
      (" "):rep(widest - utf8.len(name)), place(class), table.concat(class.methods, ", "),
      class.queue and "  queue " .. sys.printable(class.queue) or ""))
  end
end

local function print_classes(classes, warnings, reports)
  if terminal.settings().json then
    print_json(classes, warnings, reports)
  elseif terminal.is_tty(1) then
    print_table(classes)
  else
    print_rows(classes)
  end
end

-- The files to check: those named, else APP_INCLUDE; nil: none.
local function includes_of(arguments)
  local includes = arguments[1] and table.concat(arguments, ",") or terminal.settings().include
  return sys.includes(includes)[1] and includes or nil
end

-- Loads all scripts; `includes` nil: NO_INCLUDE.
local function load_all(includes)
  sandbox.start(includes)
  local ok, report = loading.run(loader.load, includes, not includes)
  if not ok then
    return { report }
  end
  return load_class_files()
end

--- Runs the command.
-- @tparam {string,...} arguments files; none: APP_INCLUDE
-- @treturn integer exit code
function check.run(arguments)
  local includes = includes_of(arguments)
  if not includes and not terminal.settings().no_include then
    return terminal.fail(EXIT.usage, "there is no file to check",
      "resque-lua check jobs.lua, or set APP_INCLUDE")
  end
  local reports = load_all(includes)
  local classes = describe_all()
  local warnings = #reports == 0 and collect_warnings(classes) or {}
  print_classes(classes, warnings, reports)
  for _, report in ipairs(reports) do
    terminal.fail(EXIT.include, sys.printable(report.message))
  end
  for _, line in ipairs(warnings) do
    io.stderr:write("warning: ", line, "\n")
  end
  if #reports > 0 then
    return EXIT.include
  end
  terminal.say("%s: %d job class%s, %d warning%s", sys.printable(includes or "./jobs"), #classes,
    #classes == 1 and "" or "es", #warnings, #warnings == 1 and "" or "s")
  return #warnings > 0 and terminal.settings().strict and EXIT.failed or EXIT.done
end

return check
