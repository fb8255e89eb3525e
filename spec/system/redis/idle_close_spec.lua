--- A connection that was closed while nothing was under way: by Redis's `timeout`, a proxy, a
-- router. It is opened again without a word, and a stop leaves no worker behind; nor does one whose
-- connection is half-open.
local uv = require "luv"
local clock = require "spec.support.clock"
local process = require "spec.support.process"
local scene = require "spec.support.scene"
local wire = require "spec.support.wire"
local world = require "spec.support.world"

local w <const> = scene.fresh { tcp = true }
local run
after_each(function()
  w.server:call("CONFIG", "SET", "timeout", "0")
end)

-- The server's clients but the spec's own.
local function clients()
  return select(2, w.server:call("CLIENT", "LIST"):gsub("\n", "")) - 1
end

-- What a proxy does: closes them all, subscribed ones too.
local function cut()
  w.server:call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
  w.server:call("CLIENT", "KILL", "TYPE", "pubsub")
end

-- Until nobody has anything under way: each has been silent for a second.
local function wait_silent(count)
  clock.wait_until(function()
    local _, silent = w.server:call("CLIENT", "LIST"):gsub(" idle=[1-9]", "")
    return silent == count
  end, 10, "nothing is under way")
end

-- What Redis does itself: all but `left`, which are subscribed, go after a second.
local function idle_out(left)
  w.server:call("CONFIG", "SET", "timeout", "1")
  clock.wait_until(function()
    return clients() == left
  end, 10, function()
    return "Redis has closed what is idle; there are\n" .. w.server:call("CLIENT", "LIST")
  end)
  w.server:call("CONFIG", "SET", "timeout", "0")
end

-- Nobody complained, and nobody is left.
local function left_in_peace()
  assert.same({ 0, 0 }, { run.process:wait(10) })
  assert.same({}, w:on("SMEMBERS", "workers"))
  assert.same({}, w:on("HGETALL", "workers:heartbeat"))
  assert.same({}, w:on("KEYS", "lua:proc:*"))
  local log = run:err()
  for line in log:gmatch "[^\n]+" do
    assert.is_truthy(line:find "^%*%*%* Starting worker " or line:find "^%*%*%* got "
      or line:find "^%*%*%* done ", log)
  end
end

describe("an idle connection closed by Redis's timeout:", function()
  it("a stop unregisters every worker, and says nothing", function()
    run = w:start_idle { INTERVAL = "60", COUNT = "2" }
    idle_out(1)
    run:signal "sigterm"
    left_in_peace()
  end)

  it("a paused worker, too", function()
    run = w:start_idle { INTERVAL = "60", BLOCKING = "1" }
    run:signal "sigusr2"
    run:wait_title "^Paused"
    idle_out(2)
    run:signal "sigquit"
    left_in_peace()
  end)
end)

describe("a connection closed while nothing was under way", function()
  it("during a long job: its end is written, and nothing is said", function()
    local id = w:job("Gate", { gate = "a" }, { track = true })
    run = w:start { INTERVAL = "60" }
    w:wait_ledger "start a"
    cut()
    w:open_gate "a"
    w:wait_processed(1)
    assert.equal(4, w:status(id).status)
    run:signal "sigterm"
    left_in_peace()
  end)

  it("of a paused worker: it goes on when it may", function()
    run = w:start_idle { INTERVAL = "60" }
    run:signal "sigusr2"
    run:wait_title "^Paused"
    cut()
    w:job("Note", { n = 1 })
    run:signal "sigcont"
    w:wait_processed(1)
    assert.same({ "Note 1" }, w:ledger())
    run:signal "sigterm"
    left_in_peace()
  end)

  it("of an idle worker in BLOCKING: the next job wakes it", function()
    run = w:start_idle { INTERVAL = "60", BLOCKING = "1" }
    wait_silent(4)
    cut()
    clock.wait_until(function()
      return clients() == 3 -- orders, reports of changes, the worker's, which was called
    end, 5, "somebody listens again")
    w:job("Note", { n = 1 })
    w:wait_processed(1)
    run:signal "sigterm"
    left_in_peace()
  end)

  it("of a manager between two looks for dead workers", function()
    run = w:start_idle { INTERVAL = "60", RESQUE_HEARTBEAT = "2" }
    cut()
    clock.wait_until(function()
      return clients() == 3 -- orders, looks, the worker's
    end, 10, "manager and worker are back")
    run:signal "sigterm"
    left_in_peace()
  end)

  it("and a worker that died before the stop: it is accounted for", function()
    w:job("Gate", { gate = "a" })
    run = w:start { INTERVAL = "60", COUNT = "2" }
    w:wait_ledger "start a"
    run:signal "sigquit" -- the other one leaves
    clock.wait_until(function()
      return #run:workers() == 1 and clients() == 3
    end, 5, "only the one with the job is left")
    cut()
    uv.kill(run:workers()[1], "sigkill")
    run.process:wait(10)
    assert.same({}, w:on("SMEMBERS", "workers"))
    assert.equal("Resque::PruneDeadWorkerDirtyExit", w:failed()[1].exception)
    assert.is_nil(run:err():find("not accounted", 1, true), run:err())
  end)

  it("of a job: its next command goes through, once", function()
    w:write_jobs("redis.lua", [[
      local J = resque.job "J"
      function J:perform()
        assert(resque.redis("INCR", resque.key "n"))
        ledger.write "first"
        ledger.wait_gate "a"
        assert(resque.redis("INCR", resque.key "n"))
        assert(resque.enqueue("other", "Noop"))
        ledger.write "second"
      end]])
    w:job("J")
    run = w:start { INTERVAL = "60", APP_INCLUDE = w.dir .. "/redis.lua" }
    w:wait_ledger "first"
    cut()
    w:open_gate "a"
    w:wait_ledger "second"
    w:wait_processed(1)
    assert.equal("2", w:on("GET", "n"))
    assert.equal(1, w:queued "other")
    run:signal "sigterm"
    left_in_peace()
  end)

  it("of resque-enqueue --stdin: the next line goes through, once", function()
    assert.equal(0, (process.run({ "mkfifo", w.dir .. "/lines" }, { dir = w.dir })))
    local enqueue = process.start(
      { "sh", "-c", '"$0" mail Noop --stdin < "$1"', world.enqueue_program, w.dir .. "/lines" },
      { env = w:env(), clean = true, dir = w.dir })
    local lines = assert(io.open(w.dir .. "/lines", "w"))
    lines:setvbuf "no"
    for n = 1, 2 do
      lines:write "{}\n"
      clock.wait_until(function()
        return w:queued "mail" == n
      end, 5, "the line is in")
      cut()
    end
    lines:close()
    assert.same({ 0, 0 }, { enqueue:wait(10) })
    assert.matches("^2 queued, 0 rejected\n$", enqueue:err())
  end)

  it("of resque-enqueue --wait: it waits on", function()
    run = w:start_idle { INTERVAL = "0.1" }
    local enqueue = process.start({ world.enqueue_program, "default", "Gate", "gate=a", "--wait" },
      { env = w:env(), clean = true, dir = w.dir })
    w:wait_ledger "start a"
    for _ = 1, 3 do
      cut()
      clock.wait_until(function() -- the next question is a while after this one
        return w.server:call("CLIENT", "LIST"):find "cmd=get "
      end, 10, "who waits asks again")
    end
    w:open_gate "a"
    assert.same({ 0, 0 }, { enqueue:wait(10) })
    assert.matches("complete", enqueue:out())
  end)
end)

it("a connection cut while resque-enqueue --wait asks: it asks again", function()
  local line = wire.open(w.dir .. "/wire", w.server.socket, 0)
  local enqueue = process.start({ world.enqueue_program, "default", "Noop", "--wait" },
    { env = w:env { REDIS_BACKEND = "unix://" .. w.dir .. "/wire" }, clean = true, dir = w.dir })
  clock.wait_until(function()
    return w:queued() == 1
  end, 5, "the job is in")
  line:cut_at "GET"
  clock.wait_until(function()
    return not line.cut
  end, 5, "it was cut")
  run = w:start()
  assert.same({ 0, 0 }, { enqueue:wait(10) }, enqueue:err())
  line:close()
end)

it("a stop while Redis stands still: what was said arrives when it goes on", function()
  run = w:start_idle { INTERVAL = "60" }
  local redis = w.server.process.pid
  uv.kill(redis, "sigstop")
  run:signal "sigterm"
  local ok, code = pcall(run.process.wait, run.process, 15)
  uv.kill(redis, "sigcont")
  assert.same({ true, 0 }, { ok, code })
  clock.wait_until(function()
    return #w:on("SMEMBERS", "workers") == 0
  end, 5, "the worker is unregistered")
end)

describe("a stop with a connection", function()
  local line
  after_each(function()
    line:close()
  end)

  local function start(env)
    line = wire.open(w.dir .. "/wire", w.server.socket, 0)
    env.REDIS_BACKEND = "unix://" .. w.dir .. "/wire"
    run = w:start_idle(env)
  end

  local function leaves()
    local began = clock.now()
    run:signal "sigterm"
    assert.same({ 0, 0 }, { run.process:wait(15) })
    assert.is_true(clock.now() - began < clock.limit(8), clock.now() - began)
    assert.same({}, w:on("SMEMBERS", "workers"))
    assert.is_nil(run:err():find("could not be unregistered", 1, true), run:err())
  end

  it("that is half-open: another is opened, and the worker unregistered", function()
    start { INTERVAL = "60" }
    line:die()
    leaves()
  end)

  it("that is half-open, of a paused worker", function()
    start { INTERVAL = "60" }
    run:signal "sigusr2"
    run:wait_title "^Paused"
    line:die()
    leaves()
  end)

  it("on which the answer is lost: unregistered, and once more does no harm", function()
    start { INTERVAL = "60", VVERBOSE = "1" }
    line:mute()
    leaves()
  end)
end)
