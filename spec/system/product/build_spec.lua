--- make builds again what is there already when that with which it is built has changed, and only
-- then.
-- Without sanitizers: this is about make, not about what it makes.
local uv = require "luv"
local folder = require "spec.support.folder"
local process = require "spec.support.process"
local world = require "spec.support.world"

local PATH = os.getenv "PATH"

describe("make", function()
  local dir, targets

  -- One object of each kind: the program's, the Lua modules', a unit test with its own link.
  before_each(function()
    dir = folder.make "build"
    targets = {}
    local names = { "obj/os/seccomp.o", "obj/embedded.o", "pic/base/text.o", "unit/test_text" }
    for _, name in ipairs(names) do
      targets[#targets + 1] = dir .. "/" .. name
    end
  end)
  after_each(function()
    folder.remove(dir)
  end)

  -- make for the targets, unless the line names others.
  local function make(line, env)
    local all = { "make", "-s", "BUILD=" .. dir, table.unpack(line) }
    if not line.goals then
      table.move(targets, 1, #targets, #all + 1, all)
    end
    local full_env = { PATH = PATH, TMPDIR = dir, CFLAGS = env and env.CFLAGS }
    local code, out, err = process.run(all, {
      env = full_env, clean = true, dir = dir, cwd = world.root, seconds = 200,
    })
    assert(code == 0, out .. err)
    return out
  end

  -- Targets that make would build.
  local function stale(line, env)
    local list = {}
    local out = make({ "-n", table.unpack(line) }, env)
    for _, target in ipairs(targets) do
      if out:find(" -o " .. target .. " ", 1, true) then
        list[#list + 1] = target
      end
    end
    return list
  end

  -- A pkg-config of its own, which answers as the system's, but for what `lines` of sh say before.
  local function pkg_config(lines)
    local path = dir .. "/pkg-config"
    local file = assert(io.open(path, "w"))
    file:write("#!/bin/sh\n", lines, '\nexec pkg-config "$@"\n')
    file:close()
    assert(uv.fs_chmod(path, 493))
    return "PKG_CONFIG=" .. path
  end

  it("builds nothing again as long as nothing changes", function()
    make {}
    for _, line in ipairs { {}, { "WERROR=1" }, { "CC=gcc" }, { "V=1" } } do
      assert.same({}, stale(line), line[1])
    end
  end)

  it("builds everything again for another compiler, flag, setting or version", function()
    make { "CC=gcc" }
    local other = pkg_config 'test "$1" != --modversion || { shift; printf "9.%.0s " "$@"; exit; }'
    for _, setting in ipairs { "CC=clang", "CC=gcc -m64", "CFLAGS=-O1", "CPPFLAGS=-DX='a b'",
      "LDFLAGS=-s", "SECCOMP=0", "LINK=shared", "SAN=1", other } do
      assert.same(targets, stale { setting }, setting)
    end
    assert.same(targets, stale({}, { CFLAGS = "-O1" }))
    assert.same({}, stale { "CC=gcc" }) -- looking changes nothing
  end)

  it("builds the filter when libseccomp is there at last", function()
    local without = pkg_config 'case "$*" in *libseccomp*) exit 1 ;; esac'
    make { without }
    assert.same({}, stale { without })
    assert.same(targets, stale {})
    make {}
    assert.same({}, stale {})
    assert.same(targets, stale { "SECCOMP=0" })
  end)

  it("installs what was built, unless it is told otherwise", function()
    make { "CFLAGS=-O1" }
    local function compiles(line)
      line.goals = true
      return make(line):find(" -o " .. targets[1] .. " ", 1, true) ~= nil
    end
    assert.is_false(compiles { "-n", "install" })
    assert.is_true(compiles { "-n", "install", "SECCOMP=0" })
    assert.is_true(compiles { "-n", "install", "all" })
  end)
end)
