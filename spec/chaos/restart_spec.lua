--- Redis that keeps what it acknowledged is killed and started again: nothing lost, nothing twice.
-- Here a few restarts; FAULTS=redis spec/chaos/run does a hundred.
local holding = require "spec.chaos.holding"

local RESTARTS = 5

describe("Redis restart (AOF always)", function()
  it("kill -9 under load: reconnect, no job lost, none run twice", function()
    local one = holding {
      jobs = 800, faults = RESTARTS, fault_shares = { redis_kill = 1 },
    }
    assert.equal(RESTARTS, one.tally.redis_kill)
    assert.same({}, one.counts["repeat"])
  end)
end)
