--- ON_CRASH of the workers under faults: what crashes runs again, not more often than it may, and
-- that is counted; everything else is as before.
local holding = require "spec.chaos.holding"

describe("ON_CRASH=requeue:3 under faults", function()
  it("runs again what crashed, at most three times, counted", function()
    local one = holding {
      jobs = 600, faults = 120, requeues = 3,
      shares = { work = 6, hold = 1, raise = 1, sturdy = 2, again = 1, poison = 1, broken = 1 },
      fault_shares = {
        kill_child = 50, kill_worker = 15, kill_manager = 2, kill_all = 1, signal_worker = 8,
        deploy = 3, cut_all = 5, lose_answer = 10, redis_kill = 1, full = 2, read_only = 2,
      },
    }
    local again = 0
    for _, count in pairs(one.counts.again) do
      again = again + count
    end
    assert.is_true(again > 100, ("only %d runs after a crash"):format(again))
  end)
end)
