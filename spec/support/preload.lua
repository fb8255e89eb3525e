--- Small C libraries of spec/support that are preloaded into a program, or required by its scripts;
-- built when first asked for.
local process = require "spec.support.process"
local uv = require "luv"
local world = require "spec.support.world"

local preload = {}

local function is_newer(path, than)
  local a, b = uv.fs_stat(path), uv.fs_stat(than)
  return a and b and a.mtime.sec > b.mtime.sec
end

local function lua_headers()
  local out = assert(io.popen "pkg-config --cflags-only-I lua5.4")
  local words = {}
  for word in out:read "a":gmatch "%S+" do
    words[#words + 1] = word
  end
  out:close()
  return words
end

local function build(name)
  local source = ("%s/spec/support/%s.c"):format(world.root, name)
  local library = ("%s/preload/%s.so"):format(world.build, name)
  local header = source:gsub("c$", "h")
  local has_header = uv.fs_stat(header)
  if not is_newer(library, source) or has_header and not is_newer(library, header) then
    uv.fs_mkdir(world.build .. "/preload", 493)
    local new = ("%s.%d"):format(library, uv.os_getpid()) -- several spec files may want it at once
    local words = { "cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", new, source }
    table.move(lua_headers(), 1, 9, #words + 1, words)
    local code, _, err = process.run(words, { dir = world.build .. "/preload" })
    assert(code == 0, err)
    assert(uv.fs_rename(new, library))
  end
  return library
end

-- A program with AddressSanitizer wants its library first of all.
local function sanitizer()
  if not os.getenv "SAN" then
    return ""
  end
  local out = assert(io.popen "gcc -print-file-name=libasan.so")
  local path = out:read "l"
  out:close()
  return path .. ":"
end

--- What LD_PRELOAD must be for a program of ours.
-- @param name of the C file in spec/support, without .c
function preload.ours(name)
  return sanitizer() .. build(name)
end

--- The path of a Lua module in C, for package.loadlib(path, "luaopen_" .. name).
function preload.module(name)
  return build(name)
end

--- Words to put before another program, which gets the library and the variables.
function preload.wrap(name, variables)
  local words = { "env", "LD_PRELOAD=" .. build(name) }
  for variable, value in pairs(variables or {}) do
    words[#words + 1] = variable .. "=" .. value
  end
  return words
end

return preload
