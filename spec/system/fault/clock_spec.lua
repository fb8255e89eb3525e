--- Somebody sets the time of a machine: of the workers', or of Redis'. Nobody is pruned for it,
-- jobs start as soon as before, and what lasts is measured as before.
local uv = require "luv"
local clock = require "spec.support.clock"
local preload = require "spec.support.preload"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local server = require "spec.support.server"

local DAY = 86400
local BEAT = 0.4 * clock.slow -- seconds
local FAST = { RESQUE_HEARTBEAT = tostring(BEAT), RESQUE_PRUNE = tostring(math.ceil(4 * BEAT)) }

local w <const> = scene.fresh()

local function settings(more)
  local all = {}
  for _, list in ipairs { FAST, more } do
    for name, value in pairs(list) do
      all[name] = value
    end
  end
  return all
end

local function jump(seconds)
  return w:write("clock", ("%d"):format(seconds))
end

-- Work for a few heartbeats: all of it is done, by the same workers.
local serial = 0
local function works_on(runs)
  local workers = {}
  for i, run in ipairs(runs) do
    workers[i] = run:worker()
  end
  for _ = 1, 3 do
    serial = serial + 1
    local began = clock.now()
    w:job("Note", { n = serial })
    w:wait_ledger(("^Note %d$"):format(serial), 20)
    assert.is_true(clock.now() - began < clock.limit(2), "the job waited")
    clock.stays_false(function() end, BEAT)
  end
  for i, run in ipairs(runs) do
    assert.equal(workers[i], run:worker())
    assert.is_nil(run:err():find("has died", 1, true), run:err())
    assert.is_nil(run:err():find("not registered any more", 1, true), run:err())
  end
  assert.equal(#runs, w:on("SCARD", "workers"))
  assert.same({}, (w:failed()))
end

describe("the workers' clock jumps:", function()
  for name, seconds in pairs { ["a day ahead"] = DAY, ["a day back"] = -DAY } do
    it(name .. ": nothing is pruned, jobs start at once, heartbeats stay Redis' time", function()
      local here = w:start_idle(settings { LD_PRELOAD = preload.ours "jump_clock",
        JUMP_CLOCK = jump(0) })
      local there = w:start_idle(settings {})
      jump(seconds)
      works_on { here, there }
      local now = tonumber(w.server:call("TIME")[1])
      local beats = w:on("HGETALL", "workers:heartbeat")
      for i = 2, #beats, 2 do
        local y, mo, d = beats[i]:match "^(%d+)-(%d+)-(%d+)T"
        assert.same(os.date("!%Y-%m-%d", now), ("%s-%s-%s"):format(y, mo, d))
      end
    end)

    it(name .. " during a job with JOB_TIMEOUT: its deadline is the one it had", function()
      w:start_idle(settings { LD_PRELOAD = preload.ours "jump_clock", JUMP_CLOCK = jump(0),
        JOB_TIMEOUT = "0.6" })
      w:job("Spin", { gate = "a" })
      w:wait_ledger "start a"
      jump(seconds)
      w:wait_processed(1)
      local record = w:failed()[1]
      assert.equal("Resque::Timeout", record.exception)
      assert.is_true(record.wall_ms >= 600 and record.wall_ms < clock.limit(3000), record.wall_ms)
    end)

    it(name .. " during a job: its time limits and its ms are the real ones", function()
      local run = w:start_idle(settings { LD_PRELOAD = preload.ours "jump_clock",
        JUMP_CLOCK = jump(0), TERM_CHILD = "1", RESQUE_TERM_TIMEOUT = "0.5",
        APP_INCLUDE = w:write_jobs("deaf.lua", [[
          Deaf = { perform = function()
            ledger.write "start deaf"
            return ("a"):rep(40):find(("a?"):rep(40) .. ("a"):rep(40)) -- for years
          end }]]) })
      w:job "Deaf"
      w:wait_ledger "start deaf"
      local job = run:wait_job()
      clock.wait_until(function()
        return proc.cpu_ticks(job) > 5
      end, 10, "the job is in the middle of it")
      jump(seconds)
      local began = clock.now()
      run:signal "sigusr1" -- TERM, which it does not hear, then KILL after RESQUE_TERM_TIMEOUT
      w:wait_processed(1, 10)
      assert.is_true(clock.now() - began > 0.4)
      assert.is_true(clock.now() - began < clock.limit(3))
      local ms = w:failed()[1].wall_ms
      assert.is_true(ms > 400 and ms < clock.limit(20000), ms)
    end)
  end
end)

describe("Redis' clock jumps:", function()
  -- A Redis with a clock of its own, and two fleets of one worker each.
  local shared
  before_each(function()
    local dir = w.dir .. "/redis"
    assert(uv.fs_mkdir(dir, 448))
    shared = w.server
    w.server = server.start { dir = dir, wrap = preload.wrap("jump_clock",
      { JUMP_CLOCK = jump(0) }) }
  end)
  after_each(function()
    w.server:stop()
    w.server = shared
  end)

  it("every heartbeat is old or in the future for a moment, and nothing is pruned", function()
    local runs = { w:start_idle(FAST), w:start_idle(FAST) }
    for _, seconds in ipairs { 3600, -3600 } do -- an hour ahead, then two back
      jump(seconds)
      works_on(runs)
    end
  end)
end)
