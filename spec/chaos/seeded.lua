--- Makes one mistake of spec/chaos/bugs.lua in a copy of the sources, below the build folder. What
-- is built already is taken over, so that one C file is compiled; a Lua file needs nothing but to
-- be read instead of the built-in one.
local process = require "spec.support.process"
local world = require "spec.support.world"

local seeded = {}

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local function run(dir, ...)
  local code, out, err = process.run({ ... }, { dir = dir, seconds = 120,
    env = { MAKEFLAGS = false, MAKELEVEL = false } })
  if code ~= 0 then
    error(("%s:\n%s%s"):format(table.concat({ ... }, " "), out, err), 0)
  end
end

--- The text of a file with the mistake in it; raises where it cannot be made.
function seeded.text(bug)
  local text = read(world.root .. "/" .. bug.file)
  local first, last = text:find(bug.old, 1, true)
  if not first then
    error(("'%s': its text is not in %s any more"):format(bug.name, bug.file), 0)
  elseif text:find(bug.old, last + 1, true) then
    error(("'%s': its text is in %s more than once"):format(bug.name, bug.file), 0)
  end
  return text:sub(1, first - 1) .. bug.new .. text:sub(last + 1)
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function build(dir, folder)
  run(dir, "sh", "-c", [[
    mkdir -p "$2/build" "$2/spec"
    cp -p "$1"/Makefile "$2" && cp -p "$1"/spec/spec.mk "$2/spec" && cp -rp "$1"/src "$2" &&
    cp -rp "$3"/obj "$2/build" && cp -p "$3"/embedded.c "$2/build"
  ]], "sh", world.root, folder, world.build)
end

--- Makes the mistake. `dir` is where output of commands goes.
-- @return program, path of the Lua files: what World:start needs; nil where the usual one serves
function seeded.make(bug, dir)
  local folder = ("%s/bugs/%s"):format(world.build, bug.name:gsub("%W+", "-"))
  local text = seeded.text(bug)
  run(dir, "rm", "-rf", folder)
  run(dir, "mkdir", "-p", folder)
  run(dir, "cp", "-rp", world.root .. "/lua", folder)
  if bug.file:find "^src/" then
    build(dir, folder)
    write(folder .. "/" .. bug.file, text)
    run(dir, "make", "-s", "-C", folder, "BUILD=build", "CFLAGS=-O1", "build/resque-lua")
    return folder .. "/build/resque-lua", nil
  end
  write(folder .. "/" .. bug.file, text)
  return nil, folder .. "/lua"
end

--- Removes the copy.
function seeded.remove(bug, dir)
  run(dir, "rm", "-rf", ("%s/bugs/%s"):format(world.build, bug.name:gsub("%W+", "-")))
end

return seeded
