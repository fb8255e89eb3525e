--- SANDBOX=strict: takes from scripts everything that reaches outside of their process.
--
-- Lua itself stays, and the part of resque that a job needs. Our own modules are not touched: they
-- have globals of their own (src/lua/luaglobals.h). No method of a string is called here, as
-- scripts can change those: find(text), not text:find(). resque-lua-isolation(7) says what this
-- stops.
-- @module resque.job.sandbox
local loader = require "resque.job.loader"
local sys = require "resque.sys"

local sandbox = {}

local find, gmatch, gsub = string.find, string.gmatch, string.gsub

-- Globals of the standard library that stay, and of `os`.
local GLOBALS = {
  _G = true, _VERSION = true, assert = true, collectgarbage = true, coroutine = true,
  error = true, getmetatable = true, ipairs = true, load = true, math = true, next = true,
  os = true, pairs = true, pcall = true, print = true, rawequal = true, rawget = true,
  rawlen = true, rawset = true, select = true, setmetatable = true, string = true, table = true,
  tonumber = true, tostring = true, type = true, utf8 = true, warn = true, xpcall = true,
}
local OS = { clock = true, date = true, difftime = true, exit = true, time = true }

-- Modules that anybody may require: nothing in them reaches further than `resque` does.
local MODULES = {
  _G = true, coroutine = true, math = true, os = true, string = true, table = true, utf8 = true,
  cjson = true, resque = true, ["resque.dequeue"] = true, ["resque.errors"] = true,
  ["resque.hooks"] = true, ["resque.job"] = true, ["resque.json"] = true, ["resque.queue"] = true,
  ["resque.status"] = true,
}

-- ---------------------------------------------------------------------------------- what may be

-- A list such as "socket,socket.*" as Lua patterns; '*' stands for any text.
local function patterns_of(list)
  local patterns = {}
  for name in gmatch(list or "", "[^,%s]+") do
    local escaped = gsub(gsub(name, "%W", "%%%0"), "%%%*", ".*")
    table.insert(patterns, "^" .. escaped .. "$")
  end
  return patterns
end

local function matches(name, patterns)
  for i = 1, #patterns do
    if find(name, patterns[i]) then
      return true
    end
  end
  return false
end

-- "/srv/app/./jobs.lua" is {"/", "srv", "app", "jobs.lua"}.
local function components(path)
  local list = { find(path, "^/") and "/" or nil }
  for name in gmatch(path, "[^/]+") do
    list[#list + 1] = name ~= "." and name or nil
  end
  return list
end

local function folders_of(includes)
  local folders = { sys.settings.no_include and "./" or nil }
  for _, path in next, sys.includes(includes) do
    local dir = gsub(path, "[^/]*$", "")
    table.insert(folders, dir == "" and "./" or dir)
  end
  return folders
end

local function is_below(inner, outer)
  for i = 1, #outer do
    if inner[i] ~= outer[i] then
      return false
    end
  end
  for i = #outer + 1, #inner do
    if inner[i] == ".." or inner[i] == "/" then
      return false
    end
  end
  return true
end

-- Whether a path lies below one of the folders, by its text: links are the administrator's.
local function is_inside(path, folders)
  if type(path) ~= "string" then
    return false
  end
  local inner = components(path)
  for i = 1, #folders do
    if is_below(inner, components(folders[i])) then
      return true
    end
  end
  return false
end

-- --------------------------------------------------------------------------- files and modules

local function outside(path)
  return "SANDBOX=strict: only files below the folder of APP_INCLUDE are open, not "
    .. (type(path) == "string" and path or "standard input")
end

local function file_functions(folders)
  local function load_file(path, ...)
    if not is_inside(path, folders) then
      return nil, outside(path)
    end
    return loadfile(path, ...)
  end
  local function do_file(path)
    if not is_inside(path, folders) then
      error(outside(path), 2)
    end
    return dofile(path)
  end
  return load_file, do_file
end

-- Where a module beside APP_INCLUDE is; nil when there is none.
local function file_beside(name, folders)
  local path = gsub(name, "%.", "/")
  for i = 1, #folders do
    for _, ending in next, { ".lua", "/init.lua" } do
      local file = folders[i] .. path .. ending
      if is_inside(file, folders) and sys.file_exists(file) then
        return file
      end
    end
  end
end

local function load_beside(name, folders)
  local file = file_beside(name, folders)
  if not file then
    return nil
  end
  local chunk, why = loadfile(file, "t")
  if not chunk then
    error(table.concat { "error loading module '", name, "' from file '", file, "':\n\t", why }, 0)
  end
  return chunk, file
end

local function closed(name)
  error(table.concat { "module '", name, "' is closed by SANDBOX=strict: it is neither beside ",
    "APP_INCLUDE nor in SANDBOX_MODULES (hint: SANDBOX_MODULES=", name, ")" }, 3)
end

-- Makes the `require` of scripts. Modules it has found are in their `package.loaded`.
local function require_function(package, patterns, folders)
  local function find_module(name)
    local own = type(package.preload) == "table" and package.preload[name]
    if own then
      return own, ":preload:"
    elseif MODULES[name] or matches(name, patterns) then
      return require
    end
    return load_beside(name, folders)
  end
  return function(name)
    if type(name) ~= "string" then
      error("bad argument #1 to 'require' (string expected, got " .. type(name) .. ")", 2)
    end
    local loaded = package.loaded
    if loaded[name] ~= nil then
      return loaded[name]
    end
    local load, where = find_module(name)
    if not load then
      closed(name)
    end
    local value = load(name, where)
    if value ~= nil then
      loaded[name] = value
    elseif loaded[name] == nil then
      loaded[name] = true
    end
    return loaded[name], where
  end
end

-- ------------------------------------------------------------------------------------- closing

-- Modules that scripts loaded before they were confined and may load again.
local function known_modules(patterns, folders)
  local known = {}
  for name, value in next, package.loaded do
    local ours = _ENV[name] ~= nil or find(name, "^resque%f[.\0]")
    if MODULES[name] or matches(name, patterns) or (not ours and file_beside(name, folders)) then
      known[name] = value
    end
  end
  return known
end

local function new_package(patterns, folders)
  return {
    config = package.config, cpath = "", path = "", preload = {},
    loaded = known_modules(patterns, folders),
  }
end

local function keep_only(from, standard, names)
  for name in next, standard do
    if not names[name] then
      rawset(from, name, nil)
    end
  end
end

--- Confines the scripts of this process for good. Once is enough; again does nothing.
-- @tparam ?string includes APP_INCLUDE, whose folders stay open
-- @tparam ?string modules SANDBOX_MODULES: names and globs, separated by commas
function sandbox.confine(includes, modules)
  if sys.confined then
    return
  end
  sys.confined = true -- resque.env and set_backend ask
  local globals, folders, patterns = _G, folders_of(includes), patterns_of(modules)
  local own = new_package(patterns, folders)
  keep_only(globals, _ENV, GLOBALS)
  if type(globals.os) == "table" then
    keep_only(globals.os, os, OS)
  end
  local load_file, do_file = file_functions(folders)
  rawset(globals, "loadfile", load_file)
  rawset(globals, "dofile", do_file)
  rawset(globals, "package", own)
  rawset(globals, "require", require_function(own, patterns, folders))
  own.loaded.package = own
  local meta = getmetatable ""
  if type(meta) == "table" then
    meta.__metatable = "string"
  end
  loader.confine(function(path)
    return is_inside(path, folders)
  end)
end

--- Confines the scripts if the worker's settings say so.
-- @tparam[opt] string includes the files that are to be loaded; none: APP_INCLUDE
function sandbox.start(includes)
  if sys.settings.sandbox == "strict" then
    sandbox.confine(includes or sys.settings.include, sys.settings.sandbox_modules)
  end
end

--- Confines the scripts, as a job's table asks by `sandbox = "strict"`, whatever the settings say.
function sandbox.enter()
  if sys.where == "job" and not sys.confined then
    sys.confine_calls()
  end
  sandbox.confine(sys.settings.include, sys.settings.sandbox_modules)
end

return sandbox
