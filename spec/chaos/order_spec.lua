--- I7: one worker starts jobs in the order of their queues and, in each queue, in the order they
-- were put in; also when its jobs, itself, its connection or Redis are ended all the time.
local holding = require "spec.chaos.holding"

describe("one worker under faults", function()
  it("starts jobs in their order", function()
    local one = holding {
      jobs = 600, faults = 80, fleets = 1, count = 1, producers = 1, ordered = true,
      proxied = true, fault_shares = {
        kill_child = 30, kill_worker = 6, signal_worker = 4, cut_all = 20, lose_answer = 20,
        script_flush = 10, redis_kill = 4, full = 3, read_only = 3,
      },
    }
    assert.equal(80, one.count)
  end)
end)
