--- Slow, half-open, with latency: the network between workers and Redis.
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local uv = require "luv"
local wire = require "spec.support.wire"

local w <const> = scene.fresh { tcp = true }
local run, line

local function once_each(count)
  w:wait_processed(count, 30)
  local sum = w:account()
  assert.same({ 0, 0, count, 0 }, { sum.queued, sum.working, sum.processed, sum.failed })
  assert.equal(count, #w:ledger())
end

describe("a wire", function()
  after_each(function()
    line:close()
  end)

  local function start(delay, env)
    line = wire.open(w.dir .. "/wire", w.server.socket, delay)
    env.REDIS_BACKEND = "unix://" .. w.dir .. "/wire"
    run = w:start_idle(env)
  end

  it("with a latency of 50 ms: every job once, and one trip for each", function()
    start(0.025, { RESQUE_HEARTBEAT = "0.2", INTERVAL = "60" })
    for n = 1, 20 do
      w:job("Note", { n = n })
    end
    run:signal "sigusr2" -- and back: it looks at once
    run:wait_title "^Paused"
    local before = w.server:command_counts().evalsha or 0
    run:signal "sigcont"
    once_each(20)
    local trips = w.server:command_counts().evalsha - before
    assert.is_true(trips <= 22, trips .. " trips") -- the first is a reserve
  end)

  it("that is half-open: given up after 5 s; no job runs again, and the next one runs", function()
    start(0, { COUNT = "2" })
    local workers = run:workers()
    local id = w:job("Gate", { gate = "a" }, { track = true })
    w:wait_ledger "start a"
    line:die() -- for one worker in a job, for one that waits
    w:open_gate "a"
    w:job("Note", { n = "next" })
    local began = clock.now()
    w:wait_processed(2, 15)
    assert.is_true(clock.now() - began < clock.limit(7), clock.now() - began)
    assert.same({ "start a", "end a", "Note next" }, w:ledger())
    assert.equal(4, w:status(id).status)
    assert.same(workers, run:workers())
  end)
end)

-- The sockets of a process, by their inodes.
local function sockets(pid)
  local list = {}
  for name in uv.fs_scandir_next, assert(uv.fs_scandir(("/proc/%d/fd"):format(pid))) do
    local target = uv.fs_readlink(("/proc/%d/fd/%s"):format(pid, name)) or ""
    list[target:match "socket:%[(%d+)" or ""] = true
  end
  return list
end

-- A wire that died says nothing to somebody who only listens, and nobody listening asks Redis
-- anything. So the kernel must ask: its timer is what tells of a half-open connection.
describe("a connection by TCP that only listens", function()
  it("is looked after by the kernel: half-open is noticed within a minute", function()
    run = w:start_idle { REDIS_BACKEND = w.server:backend(true), BLOCKING = "1", INTERVAL = "60" }
    local function timers()
      local mine, soon = sockets(run.pid), 0
      for row in proc.read("/proc/net/tcp"):gmatch "[^\n]+" do
        local kind, when, inode = row:match
          "^%s*%d+: %x+:%x+ %x+:%x+ 01 %x+:%x+ (%x+):(%x+) %x+%s+%d+%s+%d+ (%d+)"
        if inode and mine[inode] and kind == "02" and tonumber(when, 16) <= 30 * 100 then
          soon = soon + 1
        end
      end
      return soon
    end
    clock.wait_until(function()
      return timers() == 3 -- scripts, BLOCKING, orders
    end, 5, "all have a timer of half a minute")
  end)
end)
