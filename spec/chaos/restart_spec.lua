--- The fault matrix's row "Redis restart (AOF always)": reconnect, 0 lost, 0 duplicates. Here a few
-- restarts; FAULTS=redis spec/chaos/run does a hundred.
local campaign = require "spec.chaos.campaign"

local SEED = tonumber(os.getenv "SEED") or os.time()
local RESTARTS = 5

describe("Redis restart (AOF always)", function()
  it("kill -9 under load: reconnect, no job lost, none run twice", function()
    print(("\nSEED=%d"):format(SEED))
    local one = campaign.start {
      seed = SEED, jobs = 800, faults = RESTARTS, fault_shares = { redis_kill = 1 },
    }
    finally(function()
      one:close()
    end)
    local problems, texts = one:run(), {}
    for i, problem in ipairs(problems) do
      texts[i] = problem.invariant .. ": " .. problem.text
    end
    assert.equal("", table.concat(texts, "\n"))
    assert.equal(RESTARTS, one.tally.redis_kill)
    assert.same({}, one.counts["repeat"])
  end)
end)
