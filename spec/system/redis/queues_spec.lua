--- Which queue a worker takes its next job from.
local scene = require "spec.support.scene"

describe("QUEUE", function()
  local w <const> = scene.fresh()

  -- Fills queues with one job each, named after their queue, works them, returns the order they
  -- ran in.
  local function order(env, queues)
    for _, queue in ipairs(queues) do
      w:job("Note", { n = queue }, { queue = queue })
    end
    env.INTERVAL = "0"
    local run = w:start(env)
    assert.same({ 0, 0 }, { run.process:wait(10) })
    local list = {}
    for i, line in ipairs(w:ledger()) do
      list[i] = line:match "^Note (.*)$"
    end
    return list
  end

  -- variables, queues with a job each, order in which they run (what is missing was left alone)
  local rows = {
    { { QUEUE = "high,low" }, { "low", "high" }, { "high", "low" } },
    { { QUEUE = " high , low ,high" }, { "low", "high" }, { "high", "low" } },
    { { QUEUE = "high" }, { "low", "high" }, { "high" } },
    { { QUEUE = false, QUEUES = "high,low" }, { "low", "high" }, { "high", "low" } },
    { { QUEUE = "low", QUEUES = "high" }, { "low", "high" }, { "high" } },
    { { QUEUE = "*" }, { "b", "a", "C", "10", "9" }, { "10", "9", "C", "a", "b" } },
    { { QUEUE = "z,*" }, { "a", "z", "b" }, { "z", "a", "b" } },
    { { QUEUE = "mail_*" }, { "mail_b", "mail_a", "mail", "xmail_a" }, { "mail_a", "mail_b" } },
    { { QUEUE = "*_high,*_low" }, { "a_low", "b_high", "b_low", "a_high" },
      { "a_high", "b_high", "a_low", "b_low" } },
    { { QUEUE = "mail_?" }, { "mail_a", "mail_ab" }, { "mail_a" } },
    { { QUEUE = "[ab]x" }, { "ax", "bx", "cx" }, { "ax", "bx" } },
    { { QUEUE = "*,!low" }, { "low", "high", "mid" }, { "high", "mid" } },
    { { QUEUE = "*,!*_low,!x" }, { "a_low", "a", "x" }, { "a" } },
    { { QUEUE = "*,a" }, { "b", "a" }, { "a", "b" } },
    { { QUEUE = "a b,工作" }, { "工作", "a b" }, { "a b", "工作" } },
    { { QUEUE = "a:b" }, { "a:b" }, { "a:b" } },
  }
  for _, row in ipairs(rows) do
    local env = row[1]
    it(("%s of %s runs %s"):format(env.QUEUES or env.QUEUE, table.concat(row[2], " "),
      table.concat(row[3], " ")), function()
      assert.same(row[3], order(env, row[2]))
      assert.equal(#row[2] - #row[3], w:account().queued)
    end)
  end

  it("first queue wins before every single job", function()
    for n = 1, 3 do
      w:job("Note", { n = "low" .. n }, { queue = "low" })
    end
    w:job("Gate", { gate = "a" }, { queue = "high" })
    local run = w:start { QUEUE = "high,low" }
    w:wait_ledger "start a"
    w:job("Note", { n = "high" }, { queue = "high" })
    w:open_gate "a"
    w:wait_processed(5)
    assert.equal("start a, end a, Note high, Note low1, Note low2, Note low3",
      table.concat(w:ledger(), ", "))
    run:stop()
  end)

  for _, pattern in ipairs { "*", "new_*" } do
    it("finds new queues while running with " .. pattern, function()
      local run = w:start_idle { QUEUE = pattern }
      assert.equal("Waiting for " .. pattern, run:wait_title "^Waiting.*")
      w:job("Note", { n = 1 }, { queue = "new_one" })
      w:wait_processed(1, 3)
      w:job("Note", { n = 2 }, { queue = "new_two" })
      w:wait_processed(2, 3)
    end)
  end

  it("pause-all-workers holds every job until it is gone", function()
    w:on("SET", "pause-all-workers", " TRUE\n")
    local run = w:start { }
    run:wait_title "^Paused"
    w:job("Note", { n = 1 })
    assert.equal(1, w:queued())
    w:on("SET", "pause-all-workers", "false")
    w:wait_processed(1)
  end)
end)
