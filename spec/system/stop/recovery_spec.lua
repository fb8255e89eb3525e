--- How fast the fleet is itself again after a death: the promised times, each in a test's name.
-- Runs alone: it measures milliseconds.
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

local w <const> = scene.fresh()

-- The middle one of `rounds` times, in ms: `round` returns what to wait for, from then on.
local function median_ms(rounds, round)
  local list = {}
  for n = 1, rounds do
    local condition = round(n)
    local began = clock.now()
    clock.wait_until(condition, 20)
    list[n] = (clock.now() - began) * 1000
  end
  table.sort(list)
  return list[rounds // 2 + 1]
end

local function assert_within(promised, measured)
  print(("%.1f ms, %d promised"):format(measured, promised))
  assert.is_true(measured <= clock.limit(promised), ("%.1f ms"):format(measured))
end

describe("a killed child", function()
  it("is recorded as failed within 50 ms, and the next job runs", function()
    w:start_idle { QUEUE = "default" }
    assert_within(50, median_ms(15, function(n)
      w:job("Spin", { gate = "g" .. n })
      w:wait_ledger("start g" .. n)
      uv.kill(w.runs[1]:wait_job(), "sigkill")
      return function()
        return w:on("LLEN", "failed") == n
      end
    end))
    assert.equal("Job killed by signal 9 (SIGKILL)", w:failed()[1].error)
  end)
end)

describe("a killed worker", function()
  it("has its job recorded and is replaced within 2 s, time after time", function()
    local run = w:start_idle { INTERVAL = "0.02" }
    assert_within(2000, median_ms(5, function(n)
      w:job("Spin", { gate = "g" .. n })
      w:wait_ledger("start g" .. n, 20)
      local worker = run:worker()
      uv.kill(worker, "sigkill")
      return function()
        local now = run:workers "Waiting"[1]
        return now and now ~= worker and w:on("LLEN", "failed") == n
      end
    end))
  end)

  it("takes the whole tree of its job along: children, grandchildren, sessions", function()
    w:write_jobs("tree.lua", [[
      Tree = { perform = function()
        ledger.write "made"
        os.execute "sleep 90 & setsid sleep 90 & (setsid sh -c 'sleep 90 & sleep 90' &); wait"
      end }]])
    local run = w:start_idle { APP_INCLUDE = w.dir .. "/tree.lua" }
    w:job "Tree"
    w:wait_ledger "made"
    local worker, tree = run:worker(), {}
    clock.wait_until(function()
      tree = proc.descendants(worker)
      return #tree >= 6 -- the job, its shell, two sleeps, and what is a level deeper
    end, 10, "the tree of the job stands")
    uv.kill(worker, "sigkill")
    clock.wait_until(function()
      return proc.none_alive(tree)
    end, 2, "all of it is gone")
    w:wait_processed(1, 2)
    assert.equal("Resque::PruneDeadWorkerDirtyExit", w:failed()[1].exception)
  end)
end)

describe("a killed manager", function()
  it("does not keep another from starting at once, with the same PIDFILE", function()
    local settings = { PIDFILE = w.dir .. "/pid" }
    local first = w:start_idle(settings)
    w:job("Gate", { gate = "a" })
    w:wait_ledger "start a"
    local worker = first:worker()
    first:signal "sigkill"
    first.process:wait(5)
    local second = w:start_idle(settings)
    assert.equal(tostring(second.pid), (proc.read(w.dir .. "/pid"):gsub("%s+$", "")))
    w:open_gate "a"
    w:wait_processed(1)
    clock.wait_until(function()
      return not proc.alive(worker)
    end, 5, "the first one's worker has left after its job")
    assert.same({}, (w:failed()))
    assert.equal(1, #w:on("SMEMBERS", "workers"))
  end)
end)

describe("Redis that is back", function()
  it("gives the next job within 500 ms", function()
    w:start_idle { INTERVAL = "60", BLOCKING = "1" }
    assert_within(500, median_ms(5, function(n)
      w.server:kill()
      uv.sleep(300) -- long enough for the worker to be between two tries
      w.server:launch()
      w:push("default", world.payload("Note", { n = n }, "id" .. n))
      return function()
        return #w:ledger() == n
      end
    end))
  end)
end)
