--- The program as it was at an earlier commit, built from the history of this repository: what a
-- fleet has on the hosts that are not upgraded yet.
local uv = require "luv"
local folder = require "spec.support.folder"
local process = require "spec.support.process"
local world = require "spec.support.world"

local old_build = {}

--- The last commit whose workers register without a number of features.
old_build.commit = "f0598f8b6c9f134f035a95fd9d76dca3796cce4a"

-- $1 the commit, $2 where its build is to be. Nothing is there until all of it is.
local MAKE = [[
set -e
[ -e "$2" ] && exit 0
rm -rf "$2.new"
mkdir -p "$2.new"
git archive "$1" | tar -x -C "$2.new"
make -s -j2 -C "$2.new" CC=gcc CFLAGS='-O1 -g'
mv "$2.new" "$2"
]]

-- Runs a command with nothing of the environment that would change how it builds.
local function run(dir, ...)
  local env = { PATH = os.getenv "PATH", HOME = os.getenv "HOME", LC_ALL = "C" }
  return process.run({ ... }, { dir = dir, env = env, clean = true, seconds = 280 })
end

-- The whole name of the commit; nil, why it is not to be had.
local function find(dir)
  local ok, code, out, err = pcall(run, dir, "git", "rev-parse", "--verify", "--quiet",
    old_build.commit .. "^{commit}")
  if not ok or code == 127 then
    return nil, "there is no git"
  elseif code ~= 0 then
    return nil, ("the history of this repository does not reach to %s%s"):format(old_build.commit,
      err ~= "" and ": " .. err:gsub("%s+$", "") or " (a shallow clone, or no clone)")
  end
  return out:match "%x+"
end

local function build(dir, commit)
  local place = ("%s/old/%s"):format(world.build, commit)
  uv.fs_mkdir(world.build .. "/old", 493)
  local code, out, err = run(dir, "flock", world.build .. "/old/lock", -- others want it, too
    "sh", "-c", MAKE, "sh", commit, place)
  if code ~= 0 then
    error(("make of %s:\n%s%s"):format(commit, out, err), 0)
  end
  return place .. "/build/resque-lua"
end

--- Its program.
-- @treturn[1] string path; built when it is not there yet
-- @treturn[2] nil
-- @treturn[2] string why it cannot be had here: this is no clone with that commit
function old_build.program()
  local dir = folder.make "old"
  local commit, why = find(dir)
  local program = commit and build(dir, commit)
  folder.remove(dir)
  return program, why
end

return old_build
