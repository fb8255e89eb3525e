--- /proc that does not show all: other users' processes (hidepid, systemd's ProtectProc), what is
-- not a process (ProcSubset), or anything. What is not seen is not dead.
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local process = require "spec.support.process"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

local w <const> = scene.fresh { tcp = true }

if uv.getuid() ~= 0 then
  describe("hidden /proc", function()
    pending "needs root, for mounts and for a second user"
  end)
  return
end

-- Ends all that belongs to a run, from its manager on.
local function kill_all(run, manager)
  local pids = proc.descendants(manager)
  table.insert(pids, 1, manager)
  for _, pid in ipairs(pids) do
    uv.kill(pid, "sigkill")
  end
  run.process:wait(5)
end

describe("another user's worker that /proc hides", function()
  local FIRST, SECOND = "65534", "1"
  local INIT = [[mount -o remount,hidepid=%d /proc && echo up && while sleep 0.05; do :; done]]

  -- A machine of its own, as far as processes go: words that start a program in it as somebody,
  -- not of root's group, which hidepid lets see everything.
  local function machine(hidepid)
    local init = process.start({ "unshare", "--mount", "--pid", "--fork", "--kill-child",
      "--mount-proc", "sh", "-c", INIT:format(hidepid) }, { dir = w.dir })
    init:wait_for "up"
    return function(user)
      return { "nsenter", "--target", tostring(proc.children(init.pid)[1]), "--mount", "--pid",
        "setpriv", "--reuid=" .. user, "--regid=" .. user, "--clear-groups" }
    end
  end

  -- What both need is in the world's folder, which they may enter.
  local function start(as, queue)
    local program = w.dir .. "/resque-lua"
    if not uv.fs_stat(program) then
      assert(uv.fs_copyfile(world.program, program))
      w:write("ledger.lua", proc.read(world.fixtures .. "/ledger.lua"))
      w:write("jobs.lua", ([[
        local ledger = dofile %q
        Wait = { perform = function(self)
          ledger.write("start", self.args.gate)
          ledger.wait_gate(self.args.gate)
        end }]]):format(w.dir .. "/ledger.lua"))
      uv.fs_chmod(w.dir, 493)
      uv.fs_chmod(w:write("ledger", ""), 438)
    end
    return w:start_idle({ QUEUE = queue, APP_INCLUDE = w.dir .. "/jobs.lua",
      REDIS_BACKEND = "127.0.0.1:" .. w.server.port, RESQUE_HEARTBEAT = "1" },
      { program = program, wrap = as, cwd = w.dir })
  end

  for hidepid = 1, 2 do
    it(("is not dead before it is: hidepid=%d"):format(hidepid), function()
      local as = machine(hidepid)
      local first = start(as(FIRST), "one")
      local manager = proc.children(first.pid)[1]
      local id = w:on("SMEMBERS", "workers")[1]
      w:job("Wait", { gate = "a" }, { queue = "one" })
      w:wait_ledger "start a"
      local second = start(as(SECOND), "two") -- which looks for dead workers before it has its own
      assert.same({}, (w:failed()))
      assert.equal(1, w:on("EXISTS", "worker:" .. id))
      w:open_gate "a"
      w:wait_processed(1)
      assert.same({}, (w:failed()))

      w:job("Wait", { gate = "b" }, { queue = "one" })
      w:wait_ledger "start b"
      kill_all(first, manager)
      second.process:wait_for("worker " .. id:gsub("%p", "%%%0") .. " has died %(proc%)", 10)
      assert.equal("Resque::PruneDeadWorkerDirtyExit", w:failed()[1].exception)
    end)
  end
end)

describe("a worker whose /proc lacks", function()
  local function hiding(folder)
    return { "unshare", "--mount", "sh", "-c",
      ('mount -t tmpfs none %s && exec "$@"'):format(folder), "sh" }
  end

  local function lines_of(run, pattern)
    return select(2, run:err():gsub(pattern, ""))
  end

  for folder, file in pairs {
    ["/proc/sys"] = "/proc/sys/kernel/random/boot_id", ["/proc"] = "/proc/self/stat",
  } do
    it(folder .. " says so once, and goes on; its manager still sees it die", function()
      local run = w:start_idle({ COUNT = "2" }, { wrap = hiding(folder) })
      assert.equal(1, lines_of(run, file:gsub("%p", "%%%0") .. ": No such file or directory: "))
      w:job("Echo", { a = 1 })
      w:wait_processed(1)
      w:job("Gate", { gate = "a" })
      w:wait_ledger "start a"
      local worker = clock.wait_until(function() -- the job may be quicker than its worker's title
        return run:workers "Forked"[1]
      end)
      uv.kill(worker, "sigkill")
      run.process:wait_for("has died %(reaped%)", 5)
      assert.equal("Resque::PruneDeadWorkerDirtyExit", w:failed()[1].exception)
      clock.wait_until(function()
        return #run:workers "Waiting" == 2
      end, 5, "it is replaced")
      assert.equal(2, #w:on("SMEMBERS", "workers"))
      assert.equal(1, lines_of(run, "No such file or directory: if workers die"))
    end)
  end

  it("/proc/sys is dead for others when its heartbeat is old, not before", function()
    local run = w:start_idle({ QUEUE = "one", RESQUE_HEARTBEAT = "1" },
      { wrap = hiding "/proc/sys" })
    w:job("Gate", { gate = "a" }, { queue = "one" })
    w:wait_ledger "start a"
    kill_all(run, run.pid)
    local other = w:start_idle { RESQUE_HEARTBEAT = "1", RESQUE_PRUNE = "3" }
    other.process:wait_for("has died %(heartbeat%)", 20)
    assert.equal("Resque::PruneDeadWorkerDirtyExit", w:failed()[1].exception)
  end)
end)
