--- Redis that forgets: an older copy of its data comes back, all of it goes, a replica takes over.
-- What Redis still knows is neither lost nor run twice; what it forgot is logged.
local uv = require "luv"
local clock = require "spec.support.clock"
local scene = require "spec.support.scene"
local server = require "spec.support.server"

local w <const> = scene.fresh()
local run
before_each(function()
  run = w:start_idle { RESQUE_HEARTBEAT = "0.5" }
end)

-- A copy of all data as they are now.
local function save_copy()
  w.server:call "SAVE"
  assert(uv.fs_copyfile(w.server.dir .. "/dump.rdb", w.server.dir .. "/copy.rdb"))
end

-- Redis crashes, and comes back with the copy.
local function roll_back()
  w.server:kill()
  assert(uv.fs_copyfile(w.server.dir .. "/copy.rdb", w.server.dir .. "/dump.rdb"))
  w.server:launch()
  os.remove(w.server.dir .. "/dump.rdb") -- the next test's server starts empty
end

-- A copy from the middle of the running job comes back when that is over.
local function ends_and_is_back(gate)
  save_copy()
  w:open_gate(gate)
  w:wait_processed(1)
  run:wait_title "^Waiting" -- the worker has heard that it is
  roll_back()
  run.process:wait_for("is back after its end", 20)
end

local function times_in_ledger(text)
  local count = 0
  for _, line in ipairs(w:ledger()) do
    count = count + (line == text and 1 or 0)
  end
  return count
end

local function works(name)
  w:job("Note", { n = name })
  w:wait_ledger("^Note " .. name .. "$", 20)
end

local function account(expected)
  clock.wait_until(function()
    local sum = w:account()
    return sum.queued + sum.working == 0
  end, 10, "nothing waits, nobody works")
  local sum = w:account()
  assert.same(expected, { processed = sum.processed, failed = sum.failed })
  assert.equal(1, #w:on("SMEMBERS", "workers"))
end

describe("a Redis rollback", function()
  it("to before the worker came: it registers again", function()
    local id = w:on("SMEMBERS", "workers")[1]
    w:on("DEL", "workers", w:key "workers:heartbeat", w:key("worker:" .. id .. ":started"),
      w:key("lua:proc:" .. id))
    save_copy()
    works "before"
    roll_back()
    works "after"
    assert.matches("is not registered any more", run:err())
    assert.same({ id }, w:on("SMEMBERS", "workers"))
  end)

  it("to the middle of a job that is done by now: re-acked by its token, not run again", function()
    local id = w:job("Gate", { gate = "a" }, { track = true })
    w:wait_ledger "start a"
    ends_and_is_back "a"
    account { processed = 1, failed = 0 }
    assert.equal(1, times_in_ledger "start a")
    assert.equal(4, w:status(id).status)
    works "after"
  end)

  it("to the middle of a job that has failed by now: the same failure again, once", function()
    w:write_jobs("fails.lua", [[
      Fails = { perform = function(self)
        ledger.write("start", self.args.gate)
        ledger.wait_gate(self.args.gate)
        error { name = "Odd::Error", message = "it failed" }
      end }]])
    run:stop()
    run = w:start_idle { RESQUE_HEARTBEAT = "0.5", APP_INCLUDE = w.dir .. "/fails.lua" }
    w:job("Fails", { gate = "b" })
    w:wait_ledger "start b"
    ends_and_is_back "b"
    account { processed = 1, failed = 1 }
    assert.equal(1, times_in_ledger "start b")
    assert.same({ "Odd::Error", "it failed" }, { w:failed()[1].exception, w:failed()[1].error })
  end)

  it("to the middle of a job that still runs: it ends there, once", function()
    w:job("Gate", { gate = "c" })
    w:wait_ledger "start c"
    save_copy()
    roll_back()
    w:open_gate "c"
    w:wait_processed(1, 20)
    account { processed = 1, failed = 0 }
    assert.equal(1, times_in_ledger "end c")
  end)

  it("to before a job was taken: Redis has it in its queue, so it runs as if for the first time",
    function()
      run:signal "sigusr2"
      run:wait_title "^Paused"
      w:job("Note", { n = "twice" })
      save_copy()
      run:signal "sigcont"
      w:wait_processed(1)
      roll_back()
      w:wait_processed(1, 20)
      account { processed = 1, failed = 0 }
      assert.equal(2, times_in_ledger "Note twice") -- the price of what Redis forgot
    end)
end)

describe("FLUSHALL", function()
  it("in the middle of a job: ownership lost, registered again, the next job runs", function()
    w:job("Gate", { gate = "a" })
    w:wait_ledger "start a"
    w.server:call "FLUSHALL"
    w:open_gate "a"
    run.process:wait_for("ownership of .* was lost", 20)
    works "after"
    account { processed = 1, failed = 0 }
  end)
end)

describe("a fail-over", function()
  local master, replica, fleet

  -- Two servers, and a worker that finds the master by a path that is changed when it moves.
  before_each(function()
    local function start(name, opts)
      opts.dir = w.dir .. "/" .. name
      assert(uv.fs_mkdir(opts.dir, 448))
      return server.start(opts)
    end
    master = start("master", { tcp = true, args = { "--repl-diskless-sync-delay", "0" } })
    replica = start("replica", { args = { "--replicaof", "127.0.0.1 " .. master.port } })
    assert(uv.fs_symlink(master.socket, w.dir .. "/redis.sock"))
    clock.wait_until(function()
      return replica:call("INFO", "replication"):find "master_link_status:up"
    end, 20, "the replica is connected")
    fleet = w.server
    w.server = master
    run = w:start_idle { REDIS_BACKEND = "unix://" .. w.dir .. "/redis.sock" }
  end)
  after_each(function()
    w.server = fleet
    master:stop()
    replica:stop()
  end)

  local function move_to_replica()
    master:kill()
    os.remove(w.dir .. "/redis.sock")
    assert(uv.fs_symlink(replica.socket, w.dir .. "/redis.sock"))
    w.server = replica
  end

  local function promote()
    replica:call("REPLICAOF", "NO", "ONE")
  end

  local function pause()
    run:signal "sigusr2"
    run:wait_title "^Paused"
  end

  it("to a replica that knows all: nothing lost, nothing twice", function()
    for n = 1, 20 do
      w:job("Note", { n = n })
    end
    w:job("Gate", { gate = "a" })
    w:job("Note", { n = "behind" })
    w:wait_ledger "start a"
    master:call("WAIT", 1, 5000)
    move_to_replica()
    promote()
    w:open_gate "a"
    w:wait_processed(22, 20)
    account { processed = 22, failed = 0 }
    for n = 1, 20 do
      assert.equal(1, times_in_ledger("Note " .. n))
    end
    assert.same({ 1, 1 }, { times_in_ledger "end a", times_in_ledger "Note behind" })
  end)

  it("to a replica that stands still: it says READONLY, the worker waits until it is master",
    function()
      pause()
      w:job("Note", { n = "waits" })
      master:call("WAIT", 1, 5000)
      move_to_replica()
      run:signal "sigcont"
      run.process:wait_for("READONLY", 20)
      assert.is_true(run.process:running())
      promote()
      w:wait_ledger("^Note waits$", 20)
      account { processed = 1, failed = 0 }
    end)

  it("that forgot writes: only what was forgotten runs twice", function()
    pause()
    for n = 1, 20 do
      w:job("Note", { n = n })
    end
    w:job("Gate", { gate = "a" })
    for n = 21, 40 do
      w:job("Note", { n = n })
    end
    run:signal "sigcont"
    w:wait_ledger "start a"
    master:call("WAIT", 1, 5000) -- so far it knows all; from now on nothing
    replica:call("REPLICAOF", "127.0.0.1", "1")
    w:open_gate "a"
    w:wait_processed(41)
    move_to_replica()
    promote()
    w:wait_processed(41, 20)
    account { processed = 41, failed = 0 }
    for n = 1, 40 do
      assert.equal(n <= 20 and 1 or 2, times_in_ledger("Note " .. n))
    end
    assert.equal(1, times_in_ledger "end a") -- its token was known
  end)
end)
