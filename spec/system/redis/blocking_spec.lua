--- Waking up: how fast a pushed job starts, and how little an idle worker asks Redis.
-- Runs alone: it measures milliseconds.
local uv = require "luv"
local clock = require "spec.support.clock"
local process = require "spec.support.process"
local scene = require "spec.support.scene"

local w <const> = scene.fresh()

local STAMP = '{"class":"Stamp","args":[{}]}'
-- "Milliseconds": a fork, a fresh Lua state and two trips to Redis. A busy worker needs as much
-- from one job to the next; so many times that is more than the way through the manager takes.
local TIMES, LEAST = 10, 0.02 -- seconds

local function now()
  local seconds, micros = uv.gettimeofday()
  return seconds + micros / 1e6
end

-- When job number n began, by its own clock.
local function start_of(n)
  return tonumber(w:ledger()[n]:match "^Stamp ([%d.]+)")
end

local function middle(list)
  table.sort(list)
  return list[#list // 2 + 1]
end

-- By turns: seconds from a push to the job's first line; and from that of one job to that of the
-- next which is waiting already. The middle ones of so many rounds.
local function latencies(rounds, push)
  local woken, busy = {}, {}
  for n = 1, rounds do
    local done = w:stat "processed"
    push(n)
    local pushed = now()
    w:wait_processed(done + 1)
    woken[n] = start_of(done + 1) - pushed
    w:on("RPUSH", "queue:default", STAMP, STAMP)
    w:wait_processed(done + 3)
    busy[n] = start_of(done + 3) - start_of(done + 2)
  end
  return middle(woken), middle(busy)
end

local function assert_prompt(rounds, push)
  local woken, busy = latencies(rounds, push)
  assert.is_true(woken < math.max(LEAST, TIMES * busy),
    ("%.1f ms to be woken, %.1f ms from job to job"):format(woken * 1000, busy * 1000))
end

describe("BLOCKING starts a pushed job within milliseconds,", function()
  local rows = {
    { "one queue", "default" },
    { "many queues", "q1,q2,q3,q4,q5,q6,q7,default" },
    { "*", "*" },
    { "a glob", "def*" },
  }
  for _, row in ipairs(rows) do
    it("with " .. row[1], function()
      w:on("SADD", "queues", "default")
      w:start_idle { QUEUE = row[2], BLOCKING = "1", INTERVAL = "3600" }
      assert_prompt(15, function()
        w:on("RPUSH", "queue:default", STAMP)
      end)
    end)
  end

  -- Everything that puts something into a list wakes, whoever does it.
  local producers = {
    ["RPUSH of a new queue"] = function(n)
      w:push("new" .. n, STAMP)
    end,
    ["LPUSH"] = function()
      w:on("LPUSH", "queue:default", STAMP)
    end,
    ["LINSERT"] = function()
      w:on("LPUSH", "queue:aside", STAMP)
      w:on("RENAME", "queue:aside", w:key "queue:default")
    end,
    ["LMOVE"] = function()
      w:on("RPUSH", "elsewhere", STAMP)
      w:on("LMOVE", "elsewhere", w:key "queue:default", "LEFT", "RIGHT")
    end,
    ["MULTI"] = function()
      w.server:call "MULTI"
      w:on("RPUSH", "queue:default", STAMP)
      w.server:call "EXEC"
    end,
    ["a script"] = function()
      local script = "return redis.call('RPUSH', KEYS[1], ARGV[1])"
      w.server:call("EVAL", script, 1, w:key "queue:default", STAMP)
    end,
    ["resque-enqueue"] = function()
      w:enqueue("default", "Stamp")
    end,
  }
  for name, push in pairs(producers) do
    it("pushed by " .. name, function()
      w:on("SADD", "queues", "default", "aside")
      w:start_idle { QUEUE = "*,!aside", BLOCKING = "1", INTERVAL = "3600" }
      assert_prompt(5, push)
    end)
  end

  it("for every idle worker when many jobs come at once", function()
    w:start_idle { COUNT = "4", BLOCKING = "1", INTERVAL = "3600" }
    for _, gate in ipairs { "a", "b", "c", "d" } do
      w:job("Gate", { gate = gate })
    end
    for _, gate in ipairs { "a", "b", "c", "d" } do
      w:wait_ledger("start " .. gate, 1)
    end
  end)

  it("after the watching connection was cut", function()
    w:start_idle { BLOCKING = "1", INTERVAL = "3600" }
    local function watchers()
      return select(2, w.server:call("CLIENT", "LIST", "TYPE", "PUBSUB"):gsub("id=", ""))
    end
    local function both() -- this one, and the one for orders
      return watchers() == 2
    end
    clock.wait_until(both, 10, "the manager watches")
    w.server:call("CLIENT", "KILL", "TYPE", "PUBSUB")
    clock.wait_until(both, 10, "the manager watches again")
    w:push("default", STAMP)
    w:wait_processed(1, 2)
  end)

  it("also when it was pushed while nobody was watching", function()
    local run = w:start_idle { BLOCKING = "1", INTERVAL = "3600" }
    run:signal "sigstop"
    for _ = 1, 3 do
      w.server:call("CLIENT", "KILL", "TYPE", "PUBSUB")
    end
    w:push("default", STAMP)
    run:signal "sigcont"
    w:wait_processed(1, 5)
  end)
end)

describe("the watcher", function()
  it("hears signals although pushes come faster than it can look at them", function()
    local run = w:start_idle { BLOCKING = "1", INTERVAL = "3600" }
    local script = "redis.call('RPUSH', KEYS[1], 'x') redis.call('DEL', KEYS[1])"
    local flood = process.start({ "redis-benchmark", "-s", w.server.socket, "-c", "50",
      "-n", "100000000", "EVAL", script, "1", w:key "queue:default" }, { dir = w.dir })
    local looked = w.server:command_counts().llen or 0
    clock.wait_until(function()
      return (w.server:command_counts().llen or 0) > looked + 100
    end, 10, "the pushes are seen")
    local longest = 0
    for _ = 1, 20 do
      local began = clock.now()
      run:signal "sigusr2"
      run:wait_title "^Paused"
      longest = math.max(longest, clock.now() - began)
      run:signal "sigcont"
      run:wait_title "^Waiting"
      clock.stays_false(function() end, 0.1) -- reports pile up
    end
    flood:finish()
    assert.is_true(longest < clock.limit(0.15), longest)
  end)
end)

describe("BLOCKING is off with", function()
  for _, value in ipairs { "0", "no", "false", "off", "" } do
    it(("%q"):format(value), function()
      w:start_idle { BLOCKING = value, INTERVAL = "3600" }
      w:push("default", STAMP)
      assert.is_true(clock.stays_false(function()
        return w:queued() == 0
      end, 0.25))
    end)
  end
end)

describe("an idle worker", function()
  -- Commands that come from outside scripts in so many seconds or a bit more, by MONITOR
  -- (commandstats counts a script's own too): how many, how long that was, what.
  local function commands_in(seconds)
    local args = { "redis-cli", "-s", w.server.socket, "monitor" }
    local began = clock.now()
    local monitor = process.start(args, { dir = w.dir })
    monitor:wait_for "OK"
    clock.stays_false(function() end, seconds)
    local count, seen = 0, monitor:out()
    local took = clock.now() - began
    monitor:finish()
    for line in seen:gmatch "[^\n]+" do
      if line:match "^%d" and not line:match "^%S+ %[%d+ lua%]" then
        count = count + 1
      end
    end
    return count, took, seen
  end

  for _, queues in ipairs { "default", "a,b,c", "*" } do
    it("sends less than one command a second with BLOCKING and QUEUE=" .. queues, function()
      w:start_idle { QUEUE = queues, BLOCKING = "1" , INTERVAL = "5" }
      local count, took, seen = commands_in(3)
      assert.is_true(count < took, seen)
    end)
  end

  it("sends only its INTERVAL's without", function()
    w:start_idle { INTERVAL = "0.5" }
    local count, took, seen = commands_in(3)
    assert.is_true(count >= 1 and count <= took / 0.5 + 2, seen)
  end)
end)

describe("a busy worker", function()
  it("makes one trip per job", function()
    for _ = 1, 200 do
      w:job("Noop", {})
    end
    local before = w.server:command_counts().evalsha or 0
    local run = w:start { INTERVAL = "0" }
    assert.same({ 0, 0 }, { run.process:wait(20) })
    assert.equal(200, w:stat "processed")
    local trips = w.server:command_counts().evalsha - before
    assert.is_true(trips <= 200 + 12, trips .. " scripts for 200 jobs")
  end)
end)
