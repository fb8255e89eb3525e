--- Loads the user's scripts and finds the job class a name means.
--
-- A class name is input: it selects a table that the scripts made, never a path made from its text,
-- but for names of letters, digits and underscores in folders the user named.
-- @module resque.job.loader
local errors = require "resque.errors"
local job = require "resque.job"
local sys = require "resque.sys"

local loader = {}

local returned = {} -- what the scripts returned, in order: {name = …, value = table}
local folders = {} -- where <Class>.lua files are looked for
local is_open = function() return true end -- which files may be read, by their path
local standard -- names of the globals that were there before the first script

-- --------------------------------------------------------------------------------------- loading

local function remember_globals()
  if not standard then
    standard = {}
    for name in pairs(_G) do
      standard[name] = true
    end
  end
end

-- Modules beside a script are found before those of the system.
local function add_to_path(dir)
  local entry = dir .. "/?.lua;" .. dir .. "/?/init.lua;"
  if not (";" .. package.path):find(";" .. entry, 1, true) then
    package.path = entry .. package.path
  end
end

-- Runs one file. Returns true and what it returned, or nil and a report.
local function run_file(path)
  if not is_open(path) then
    return nil, errors.report("SANDBOX=strict: not below the folder of APP_INCLUDE: " .. path)
  end
  local chunk, err = loadfile(path, "t") -- text only: bytecode can crash the process
  if not chunk then
    return nil, errors.report(err)
  end
  remember_globals()
  local ok, value = errors.attempt(chunk)
  if not ok then
    return nil, value
  end
  return true, value
end

-- Looks for modules in a script's folder, and for more classes in its `jobs`.
local function look_into(dir)
  add_to_path(dir == "" and "/" or dir)
  loader.autoload(dir .. "/jobs")
end

-- The message for a file of APP_INCLUDE that is missing or cannot be read.
local function not_there(path, why)
  if why then
    return ("APP_INCLUDE (%s) cannot be read: %s."):format(path, why)
  elseif path:sub(1, 1) ~= "/" and sys.folder_is_gone() then
    return ("APP_INCLUDE (%s) does not exist: the folder that resque-lua was started in was "
      .. "removed (hint: start it in a folder whose name stays, or give an absolute path)"):format(
      path)
  end
  return ("APP_INCLUDE (%s) does not exist."):format(path)
end

local function load_include(path)
  local exists, why = sys.file_exists(path)
  if not exists then
    return nil, errors.report(not_there(path, why))
  end
  look_into(path:match "^(.*)/[^/]*$" or ".")
  local ok, value = run_file(path)
  if ok and type(value) == "table" then
    returned[#returned + 1] = { name = path:match "([^/]*)$":gsub("%.lua$", ""), value = value }
  end
  return ok, value
end

--- Loads scripts: puts their folders on package.path, runs them in order.
-- @tparam ?string includes APP_INCLUDE: one file or a comma list; nil: none
-- @tparam[opt] boolean alone NO_INCLUDE: there are only the classes in ./jobs
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] table a report (resque.errors): `message` starts with file:line, `file`
function loader.load(includes, alone)
  if alone then
    look_into "."
  end
  for _, path in ipairs(sys.includes(includes)) do
    local ok, report = load_include(path)
    if not ok then
      report.file = path
      if not report.message:find(":%d+:") and not report.message:find(path, 1, true) then
        report.message = path .. ": " .. report.message
      end
      return nil, report
    end
  end
  return true
end

--- Looks for the file <Class>.lua in a folder, too, when a class is not known.
-- `jobs` beside each APP_INCLUDE file is looked at anyway.
-- @tparam string dir
function loader.autoload(dir)
  if type(dir) ~= "string" then
    error("autoload: the path of a folder expected, got " .. type(dir), 2)
  elseif not is_open(dir) then
    error("autoload: SANDBOX=strict: not below the folder of APP_INCLUDE: " .. dir, 2)
  end
  folders[#folders + 1] = dir
end

--- Restricts the files and folders that are read from now on (resque.job.sandbox).
-- @tparam function open gets a path, returns whether it may be
function loader.confine(open)
  is_open = open
end

--- The folders where <Class>.lua files are looked for.
-- @treturn {string,...}
function loader.folders()
  return table.move(folders, 1, #folders, 1, {})
end

-- --------------------------------------------------------------------------------------- finding

-- The table at a path of names; nil when there is none, or no name. Raw: looking for a name runs
-- nobody's code.
local function descend(from, path)
  local value
  for name in path:gmatch "[^.]+" do
    value = type(from) == "table" and rawget(from, name)
    from = value
  end
  return type(value) == "table" and value or nil
end

-- Whether a value has a perform. Classes may inherit, so __index is asked, which may raise.
local function is_class(value)
  local ok, method = pcall(job.method, value, "perform")
  return type(value) == "table" and ok and method ~= nil
end

local function find_returned(name)
  local path = job.path(name)
  for _, script in ipairs(returned) do
    if script.name == name and is_class(script.value) then
      return script.value
    end
    local literal = rawget(script.value, name)
    local found = type(literal) == "table" and literal or descend(script.value, path)
    if found then
      return found
    end
  end
end

-- A global table that scripts made: `os.execute` and `string.rep` are no job classes.
local function find_global(name)
  local path = job.path(name)
  local first = path:match "^[^.]+"
  if first and standard and not standard[first] then
    return descend(_G, path)
  end
end

-- Returns the class of <dir>/<name>.lua, or nil and a report when the file is broken.
local function load_class_file(path, name)
  local ok, value = run_file(path)
  if not ok then
    return nil, value
  end
  local class = job.lookup(name) or (type(value) == "table" and value) or find_global(name)
  if not class then
    return nil, errors.report {
      name = "Resque::NoClassError",
      message = ("%s neither returns a table nor makes the job class %s."):format(path, name),
    }
  end
  return job.register(name, class)
end

local function find_file(name)
  if not name:find "^[A-Za-z0-9_]+$" then
    return nil
  end
  for _, dir in ipairs(folders) do
    local path = dir .. "/" .. name .. ".lua"
    if sys.file_exists(path) then
      return load_class_file(path, name)
    end
  end
end

local function is_new_global(name, value)
  return type(name) == "string" and standard and not standard[name] and is_class(value)
end

local function add_files(names)
  for _, dir in ipairs(folders) do
    for _, file in ipairs(sys.list(dir) or {}) do
      names[#names + 1] = file:match "^([A-Za-z0-9_]+)%.lua$"
    end
  end
end

--- Every class that is known without loading more files.
-- @treturn {{name=string, class=table, from=string},...} sorted by name; from is "resque.job",
--   "returned" or "global"
function loader.classes()
  local list, seen = {}, {}
  local function add(name, class, from)
    if not seen[class] then
      seen[class] = true
      list[#list + 1] = { name = name, class = class, from = from }
    end
  end
  for name, class in pairs(job.classes()) do
    add(name, class, "resque.job")
  end
  for _, script in ipairs(returned) do
    if is_class(script.value) then
      add(script.name, script.value, "returned")
    end
    for name, value in next, script.value do
      if type(name) == "string" and is_class(value) then
        add(name, value, "returned")
      end
    end
  end
  for name, value in next, _G do
    if is_new_global(name, value) then
      add(name, value, "global")
    end
  end
  table.sort(list, function(a, b) return sys.before(a.name, b.name) end)
  return list
end

local function not_found(name)
  local names = {}
  for _, entry in ipairs(loader.classes()) do
    names[#names + 1] = entry.name
  end
  add_files(names)
  local nearest = sys.nearest(name, names)
  return errors.report {
    name = "Resque::NoClassError",
    message = ("Could not find job class %s.%s"):format(name,
      nearest and (" Did you mean %s?"):format(nearest) or ""),
  }
end

--- Finds a job class: registered by resque.job, else in a table that a script returned, else a
-- global that a script made, else a file <name>.lua in `jobs` beside APP_INCLUDE or in a folder
-- given to `autoload`. "Mail::Send" and "Mail\Send" also find what is at Mail.Send.
-- @tparam string name
-- @treturn[1] table the class; it has a `perform`
-- @treturn[2] nil
-- @treturn[2] table a report (resque.errors) that says what is missing
function loader.find(name)
  local incomplete
  for _, find in ipairs { job.lookup, find_returned, find_global, find_file } do
    local class, report = find(name)
    if is_class(class) then
      return class
    elseif report then
      return nil, report
    end
    incomplete = incomplete or class
  end
  if not incomplete then
    return nil, not_found(name)
  end
  return nil, errors.report {
    name = "Resque::NoClassError",
    message = ("Job class %s does not contain a perform method."):format(name),
  }
end

return loader
