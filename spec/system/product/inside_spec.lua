--- spec/inside.sh: of a run nothing is left, neither in the file system nor a process, however it
-- ends; and what limits are scaled by.
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local process = require "spec.support.process"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

local w <const> = scene.fresh()
local tmp
before_each(function()
  tmp = w.dir .. "/tmp"
  assert(uv.fs_mkdir(tmp, 448))
end)

local function script(name, text)
  local path = w:write(name, "#!/usr/bin/env bash\ncd " .. world.root .. "\n. spec/inside.sh\n"
    .. 'inside "$0" "$@"\n' .. text)
  assert(uv.fs_chmod(path, 448))
  return path
end

-- A run of its own, not part of the one that we belong to.
local function start(...)
  return process.start({ "env", "--default-signal=HUP,INT,TERM", ... },
    { dir = w.dir, env = { TMPDIR = tmp, SPEC_INSIDE = false, SPEC_KEEP = false } })
end

local function left_in(dir)
  local list, scan = {}, uv.fs_scandir(dir)
  for name in function() return scan and uv.fs_scandir_next(scan) end do
    list[#list + 1] = name
  end
  return list
end

local function wait_clean(pids)
  clock.wait_until(function()
    return proc.none_alive(pids) and #left_in(tmp) == 0
  end, nil, function()
    local titles = {}
    for i, pid in ipairs(pids) do
      titles[i] = ("%d %s"):format(pid, proc.alive(pid) and proc.title(pid) or "-")
    end
    return "nothing is left of it; there is " .. table.concat(left_in(tmp), " ") .. "\n  "
      .. table.concat(titles, "\n  ")
  end)
end

-- A Redis, a session of its own, a program that has an empty environment.
local FAMILY = [[
redis-server --port 0 --unixsocket "$TMPDIR/redis.sock" --dir "$TMPDIR" >"$TMPDIR/redis.log" 2>&1 &
one=$!
setsid sleep 1000 >"$TMPDIR/out" 2>&1 &
two=$!
env -i sleep 1000 >"$TMPDIR/out" 2>&1 &
echo "made $$ $one $two $!"
]]

describe("a run that ends", function()
  it("takes its folder and its processes along, and its exit code is told", function()
    local p = start(script("run", FAMILY .. "exit 7"))
    local pids = { p:wait_for "made (%d+) (%d+) (%d+) (%d+)" }
    assert.same({ 7, 0 }, { p:wait() })
    wait_clean(pids)
  end)

  for name, code in pairs { sigterm = 143, sigint = 130, sighup = 129, sigkill = 0 } do
    it("by " .. name .. ", in the middle of something, does so, too", function()
      local p = start(script("run", FAMILY .. "sleep 1000"))
      local pids = { p:wait_for "made (%d+) (%d+) (%d+) (%d+)" }
      p:signal_now(name)
      assert.same(name == "sigkill" and { 0, 9 } or { code, 0 }, { p:wait() })
      wait_clean(pids)
    end)
  end

  it("by sigkill in the middle of a real one takes managers, workers and jobs along", function()
    local p = start("env", "BUILD=" .. world.build, "SAN=" .. (os.getenv "SAN" or ""),
      "SPEC_SLOW=" .. clock.slow, "spec/soak/run", "1000000")
    local pids
    clock.wait_until(function()
      pids = proc.descendants(p.pid)
      for _, pid in ipairs(pids) do
        if (proc.title(pid) or ""):find("Processing", 1, true) then
          return true
        end
      end
      assert(p:running(), p:out() .. p:err())
    end, 60, "jobs run")
    p:signal_now "sigkill"
    wait_clean(pids)
  end)
end)

describe("what a run left that could not clear up", function()
  it("goes with the next; a run that lives, or is just being made, is not touched", function()
    local function make(name, lock)
      assert(uv.fs_mkdir(tmp .. "/" .. name, 448))
      return lock and assert(io.open(tmp .. "/" .. name .. "/lock", "w")):close()
    end
    make("resque-run.dead", true)
    make("resque-run.alive", true)
    make "resque-run.new"
    make "resque-run.old"
    assert(uv.fs_utime(tmp .. "/resque-run.old", os.time() - 7200, os.time() - 7200))
    local held = process.start({ "flock", "--no-fork", tmp .. "/resque-run.alive/lock", "sh", "-c",
      "echo held; exec sleep 1000" }, { dir = w.dir }) -- one process, which ends with the spec
    held:wait_for "held"
    local p = start(script("run", "exit 0"))
    assert.same({ 0, 0 }, { p:wait() })
    local list = left_in(tmp)
    table.sort(list)
    assert.same({ "resque-run.alive", "resque-run.new" }, list)
  end)
end)

describe("the machine", function()
  local function measure(slow)
    local code, out, err = process.run({ "bash", "-c",
      '. spec/machine.sh; machine_measure "$1" 2; echo "SPEC_SLOW=$SPEC_SLOW"', "bash", tmp },
      { dir = w.dir, env = { SPEC_SLOW = slow } })
    assert.equal(0, code, err)
    return out
  end

  it("is measured: kernel, fork, page fault, PING; limits grow by what is slowest", function()
    local out = measure(false)
    local kernel, slow = out:match("^machine: Linux (%S+), %d+ processors, fork %d+%.%d+ ms, "
      .. "page fault %d+%.%d+ us, PING %d+%.%d+ ms; limits x (%d+%.%d)\nSPEC_SLOW=")
    assert.equal((proc.read "/proc/sys/kernel/osrelease":gsub("\n", "")), kernel, out)
    assert.is_true(tonumber(slow) >= 1, out)
  end)

  it("SPEC_SLOW that is given counts", function()
    assert.matches("limits x 7\nSPEC_SLOW=7\n$", measure "7")
  end)

  it("that is twice as slow has limits twice as long", function()
    local out = select(2, process.run({ "bash", "-c",
      '. spec/machine.sh; machine_slow <<<"2000 10 10"; machine_slow <<<"10 7500 10"; '
      .. 'machine_slow <<<"10 10 1000"; machine_slow <<<"10 10 10"' }, { dir = w.dir }))
    assert.equal("2.0\n3.0\n10.0\n1.0\n", out)
  end)
end)
