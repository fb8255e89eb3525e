--- Orders to stop jobs, at random and under load: only jobs that were meant are ended, and none is
-- lost. HITS=1000 goes on until so many have ended a job.
local uv = require "luv"
local clock = require "spec.support.clock"
local conservation = require "spec.support.conservation"
local killing = require "spec.support.killing"
local world = require "spec.support.world"

describe("orders at random, under load,", function()
  local SEED = tonumber(os.getenv "SEED") or os.time()
  local HITS = tonumber(os.getenv "HITS") or clock.sanitized and 40 or 100

  it("end only jobs that were asked for, and lose none", function()
    print(("\nSEED=%d spec/run system cancel_orders   # the same orders again"):format(SEED))
    math.randomseed(SEED)
    local fleet = killing.fleet(world.program)
    finally(function()
      fleet:close()
    end)
    local w = fleet.world
    clock.wait_until(function()
      return w:listeners() == 1
    end, 5, "the manager listens")
    local asked, orders, stale = {}, 0, {}
    local function order(token, worker)
      w.server:call("PUBLISH", w:key "lua:control", ("kill %s %s"):format(token, worker))
      orders = orders + 1
    end
    while w:on("LLEN", "failed") < HITS do
      fleet:feed()
      for worker, text in pairs(w:records()) do
        local record = { token = text:match '"token":"([^"]+)"', worker = worker }
        asked[text:match '"id":"([^"]+)"'] = true
        uv.sleep(math.random(0, 1)) -- by then it may have ended, and the next one begun
        order(record.token, worker)
        stale[#stale + 1] = record
        order(stale[math.random(#stale)].token, worker)
      end
      if orders % 50 < 2 then
        fleet:check()
      end
    end
    local at = fleet:drain()
    local starts = conservation.ledger(w)
    local cancelled = 0
    for _, failure in ipairs((w:failed())) do
      local id = failure.payload.id
      assert.equal("Resque::Cancelled", failure.exception)
      assert.is_true(asked[id], id .. " was cancelled, and nobody asked for it")
      assert.is_true((starts[id] or 0) <= 1)
      cancelled = cancelled + 1
    end
    for id, place in pairs(at) do
      assert.equal("failed", place, id)
    end
    print(("%d jobs, %d orders, %d ended by them"):format(fleet.serial, orders, cancelled))
    assert.is_true(cancelled >= HITS)
  end)
end)
