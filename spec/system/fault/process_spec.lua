--- Jobs that try to get away from their worker, or do it harm.
local uv = require "luv"
local clock = require "spec.support.clock"
local preload = require "spec.support.preload"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local w <const> = scene.fresh()
local run

local function start(jobs)
  run = w:start_idle { APP_INCLUDE = w:write_jobs("escape.lua", jobs) }
end

local function works_on(worker, processed)
  w:job "Fine"
  w:wait_processed(processed + 1)
  assert.equal(worker, run:worker())
  assert.same({}, proc.children(worker))
end

local FINE = "Fine = { perform = function() end }\n"

describe("a job that", function()
  it("writes over what it shares with its worker, and kills that, is found at once", function()
    run = w:start_idle { RESQUE_HEARTBEAT = "3000", RESQUE_PRUNE = "9000",
      APP_INCLUDE = w:write_jobs("scribble.lua", FINE .. ([[
        local scribble = assert(package.loadlib(%q, "luaopen_scribble"))()
        Scribble = { perform = function()
          ledger.write("areas", scribble())
          os.execute("kill -9 " .. io.open("/proc/self/stat"):read "a":match "%%) %%a (%%d+)")
          resque.sleep(60)
        end }]]):format(preload.module "scribble")) }
    w:job "Scribble"
    w:wait_processed(1)
    assert.is_true(tonumber((w:wait_ledger "areas (%d+)")) > 0)
    assert.equal("Resque::PruneDeadWorkerDirtyExit", w:failed()[1].exception)
    w:job "Fine"
    w:wait_processed(2)
    assert.equal(1, #w:failed())
  end)

  it("makes a daemon by a double fork: it is ended with its job, and is no zombie", function()
    start(FINE .. [[
      Daemon = { perform = function()
        local pid = io.popen([=[python3 -c '
import os, sys
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.chdir("/")
print(os.getpid(), flush=True)
null = os.open("/dev/null", os.O_RDWR)
for fd in (0, 1, 2): os.dup2(null, fd)
import signal, time
for s in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT): signal.signal(s, signal.SIG_IGN)
time.sleep(1000)']=]):read "n"
        ledger.write("daemon", pid)
      end }]])
    local worker = run:worker()
    w:job "Daemon"
    local daemon = tonumber(w:wait_ledger("^daemon (%d+)$", 20))
    w:wait_processed(1)
    assert.same({}, (w:failed()))
    clock.wait_until(function()
      return proc.stat(daemon) == nil
    end, 5, "the daemon is gone")
    works_on(worker, 1)
  end)

  it("leaves grandchildren of grandchildren in sessions of their own: all of them end", function()
    start(FINE .. [[
      Chain = { perform = function()
        for _ = 1, 5 do
          os.execute [=[(setsid sh -c 'setsid sh -c "setsid sleep 90 & sleep 90" & sleep 90' &)]=]
        end
      end }]])
    local worker = run:worker()
    w:job "Chain"
    w:wait_processed(1, 20)
    works_on(worker, 1)
  end)

  it("kills its own process group: a DirtyExit, the worker is not in it", function()
    start(FINE .. [[ Group = { perform = function() os.execute "kill -9 0" end } ]])
    local worker = run:worker()
    w:job "Group"
    w:wait_processed(1)
    assert.matches("signal 9 %(SIGKILL%)", w:failed()[1].error)
    works_on(worker, 1)
  end)

  it("kills its worker: the job is recorded, the worker is replaced", function()
    start(FINE .. [[
      Patricide = { perform = function()
        os.execute "kill -9 $(ps -o ppid= -p $PPID)"
        resque.sleep(10)
      end } ]])
    local worker = run:worker()
    w:job "Patricide"
    w:wait_processed(1)
    assert.equal("Resque::PruneDeadWorkerDirtyExit", w:failed()[1].exception)
    run:wait_title "^Waiting"
    assert.are_not.equal(worker, run:worker())
    works_on(run:worker(), 1)
  end)

  it("stops itself: USR1 ends it all the same", function()
    start(FINE .. [[ Stopped = { perform = function() os.execute "kill -STOP $PPID" end } ]])
    local worker = run:worker()
    w:job "Stopped"
    clock.wait_until(function()
      local job = run:jobs()[1]
      local stat = job and proc.stat(job)
      return stat and stat.state == "T"
    end, 10, "the job is stopped")
    uv.kill(worker, "sigusr1")
    w:wait_processed(1)
    assert.matches("by its worker for SIGUSR1", w:failed()[1].error)
    works_on(worker, 1)
  end)
end)
