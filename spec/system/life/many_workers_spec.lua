--- Many jobs and many workers: php-resque issue 32 (jobs lost with COUNT > 1), and nothing that is
-- left behind. That nothing grows is soak_spec's.
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local w <const> = scene.fresh { tcp = true }

local function push_notes(from, to)
  local batch = {}
  for n = from, to do
    batch[#batch + 1] = ('{"class":"Note","args":[{"n":%d}]}'):format(n)
    if #batch == 500 or n == to then
      w:push("default", table.unpack(batch))
      batch = {}
    end
  end
end

describe("COUNT=5 over TCP", function()
  it("runs each of 5,000 jobs exactly once", function()
    local jobs = clock.sanitized and 1500 or 5000
    for n = 1, 5 do -- the first of each worker
      w:job("Gate", { gate = "g" .. n })
    end
    push_notes(1, jobs // 2)
    local run = w:start { COUNT = "5", REDIS_BACKEND = w.server:backend(true) }
    for n = 1, 5 do
      w:wait_ledger("start g" .. n)
    end
    for n = 1, 5 do
      w:open_gate("g" .. n)
    end
    push_notes(jobs // 2 + 1, jobs)
    w:wait_processed(jobs + 5, 120)
    local seen, lines = {}, w:ledger()
    for _, line in ipairs(lines) do
      seen[line] = (seen[line] or 0) + 1
    end
    for n = 1, jobs do
      assert.equal(1, seen["Note " .. n], "job " .. n)
    end
    assert.equal(jobs + 10, #lines)
    assert.equal(jobs + 5, w:stat "processed")
    assert.same({}, (w:failed()))
    assert.equal(0, w:queued())
    local by_worker, busy = 0, 0
    for _, id in ipairs(w:on("SMEMBERS", "workers")) do
      local count = tonumber(w:on("GET", "stat:processed:" .. id) or 0)
      by_worker, busy = by_worker + count, busy + (count > 0 and 1 or 0)
    end
    assert.equal(jobs + 5, by_worker)
    assert.equal(5, busy)
    assert.same({ 0, 0 }, { run:stop() })
  end)

  it("never shares a socket between two processes", function()
    local run = w:start_idle { COUNT = "5", REDIS_BACKEND = w.server:backend(true) }
    for n = 1, 5 do
      w:job("Gate", { gate = "g" .. n })
      w:wait_ledger("start g" .. n)
    end
    local owner = {}
    local pids = proc.descendants(run.pid)
    pids[#pids + 1] = run.pid
    for _, pid in ipairs(pids) do
      for _, target in pairs(proc.descriptors(pid)) do
        if target:match "^socket:" then
          assert.is_nil(owner[target], target .. " is open in two processes")
          owner[target] = pid
        end
      end
    end
    assert.is_not_nil(next(owner))
  end)
end)

describe("a worker", function()
  it("kills and reaps what a job leaves behind", function()
    w:write_jobs("leaver.lua", [[
      Leaver = {perform = function()
        local p = io.popen "sleep 1000 & echo $!; (setsid sleep 1000 & echo $!) "
        ledger.write("left", p:read "n", p:read "n")
      end}]])
    local run = w:start_idle { APP_INCLUDE = w.dir .. "/leaver.lua" }
    w:job "Leaver"
    local first, second = w:wait_ledger "^left (%d+) (%d+)$"
    w:wait_processed(1)
    clock.wait_until(function()
      return not proc.stat(tonumber(first)) and not proc.stat(tonumber(second))
    end, 5, "both sleeps are gone, not zombies")
    assert.same({}, proc.children(run:worker()))
  end)

  it("kills and reaps it if there is a lot of it", function()
    w:write_jobs("crowd.lua", [[
      Crowd = {perform = function()
        os.execute "for i in $(seq 150); do setsid sleep 1000 & done"
      end}]])
    local run = w:start_idle { APP_INCLUDE = w.dir .. "/crowd.lua" }
    w:job "Crowd"
    w:wait_processed(1)
    run:wait_title "^Waiting"
    assert.same({}, proc.children(run:worker()))
    assert.is_nil(run:err():find("does not end", 1, true))
  end)
end)

describe("a job that closes every descriptor", function()
  it("fails, and what it opens after gets nothing that is not its own", function()
    local jobs = w:write_jobs("closer.lua", [[
      Closer = {perform = function()
        local uv = require "luv"
        for fd = 3, 30 do uv.fs_close(fd) end
        for n = 1, 10 do
          uv.fs_write(uv.fs_open(os.getenv "GATES" .. "/own" .. n, "w", 420), "own", 0)
        end
      end}]])
    w:start_idle { APP_INCLUDE = jobs }
    w:job "Closer"
    w:wait_processed(1)
    for n = 1, 10 do
      assert.equal("own", proc.read(w.dir .. "/own" .. n))
    end
    local record = w:failed()[1]
    assert.equal("Resque::DirtyExit", record.exception)
    assert.matches("without reporting a result", record.error)
    w:job "Closer"
    w:wait_processed(2)
  end)
end)
