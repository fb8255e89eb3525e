--- Jobs whose class no file has: some fail, then their queue is left alone, so that a deploy
-- without its classes moves no queue to `failed`.
local cjson = require "cjson"
local clock = require "spec.support.clock"
local process = require "spec.support.process"
local scene = require "spec.support.scene"

local MOST = 5 -- that fail in a row

describe("jobs of unknown classes", function()
  local w <const> = scene.fresh()

  before_each(function()
    w:write_jobs("jobs.lua", [[
      resque.job("Good").perform = function() ledger.write "good" end
      resque.on("onFailure", function(_, job) ledger.write("told", job.id) end)]])
  end)

  local function start(env)
    env = env or {}
    env.QUEUE = "bad,good"
    if env.APP_INCLUDE == nil then
      env.APP_INCLUDE = "jobs.lua"
    end
    return w:start(env, { cwd = w.dir })
  end

  local function push(count, class, queue)
    local ids = {}
    for i = 1, count do
      ids[i] = w:job(class or "Vanished", { n = i }, { queue = queue or "bad", track = true })
    end
    return ids
  end

  local function wait_rest(run, times)
    clock.wait_until(function()
      return select(2, run:err():gsub("leaving queue", "")) >= (times or 1)
        and next(w:records()) == nil
    end, 10, "the queue is left alone")
  end

  it("fail five times; the next is put back as it was, and other queues are served", function()
    local ids = push(8)
    local waiting = w:on("LRANGE", "queue:bad", MOST, -1)
    push(3, "Good", "good")
    local run = start()
    wait_rest(run)
    w:wait_processed(MOST + 3)
    assert.same(waiting, w:on("LRANGE", "queue:bad", 0, -1))
    assert.equal(MOST, #w:failed())
    assert.equal("Resque::NoClassError", w:failed()[MOST].exception)
    assert.equal(1, w:status(ids[MOST + 1]).status)
    local told = {}
    for _, line in ipairs(w:ledger()) do
      told[line] = (told[line] or 0) + 1
    end
    assert.equal(3, told.good)
    assert.equal(1, told["told " .. ids[MOST]])
    assert.is_nil(told["told " .. ids[MOST + 1]])
    assert.matches("leaving queue bad alone until .* 60 s have passed: 5 jobs in a row", run:err())
  end)

  it("run when a file brings their class", function()
    push(8)
    wait_rest(start())
    w:write_jobs("jobs.lua", 'resque.job("Vanished").perform = function() ledger.write "back" end')
    w:wait_processed(8)
    assert.equal(MOST, #w:failed())
    assert.equal(0, w:queued "bad")
  end)

  it("run when a file of the folder jobs brings it", function()
    assert(require("luv").fs_mkdir(w.dir .. "/jobs", 493))
    push(8)
    wait_rest(start())
    w:write("jobs/Vanished.lua", "return {perform = function() end}")
    w:wait_processed(8)
    assert.equal(MOST, #w:failed())
  end)

  it("of a class file that is broken are spared, too", function()
    assert(require("luv").fs_mkdir(w.dir .. "/jobs", 493))
    w:write("jobs/Vanished.lua", "return {")
    push(8)
    local run = start { APP_INCLUDE = false, NO_INCLUDE = "1" }
    wait_rest(run)
    assert.same({ MOST, 3 }, { #w:failed(), w:queued "bad" })
    w:write("jobs/Vanished.lua", "return {perform = function() end}")
    w:wait_processed(8)
    assert.equal(MOST, #w:failed())
  end)

  it("are tried again after HUP", function()
    push(2 * MOST + 3)
    local run = start()
    wait_rest(run)
    run:signal "sighup"
    wait_rest(run, 2)
    assert.equal(2 * MOST, #w:failed())
    assert.equal(3, w:queued "bad")
  end)

  it("all fail where another class has run before", function()
    push(1, "Good")
    push(4 * MOST)
    start()
    w:wait_processed(1 + 4 * MOST)
    assert.equal(4 * MOST, #w:failed())
  end)

  it("are known from errors that have the name of theirs", function()
    w:write_jobs("jobs.lua", [[resque.job("Liar").perform = function()
      error { name = "Resque::NoClassError", message = "Could not find job class Liar." }
    end]])
    push(3 * MOST, "Liar")
    start()
    w:wait_processed(3 * MOST)
    assert.equal(3 * MOST, #w:failed())
  end)

  it("are shown by workers, job and doctor, and no more once they run", function()
    local ids = push(8)
    local run = start()
    wait_rest(run)
    local note = "leaves bad alone: Could not find job class Vanished."
    clock.wait_until(function()
      return select(2, w:run { "workers" }):find("\t" .. note .. "\n", 1, true)
    end, 5, "workers shows it")
    local shown = cjson.decode((select(2, w:run { "workers", "--json" })))
    assert.same({ bad = "Could not find job class Vanished." }, shown.resting)
    assert.is_nil(shown.blocked)
    assert.matches("held up\t1 of 1 worker: " .. note, (select(2, w:run { "job", ids[8] })))
    assert.matches("fail\tresting\t1 queue is left alone: bad; Could not find job class Vanished",
      (select(2, w:run { "doctor" })))
    w:write_jobs("jobs.lua", 'resque.job("Vanished").perform = function() end')
    w:wait_processed(8)
    clock.wait_until(function()
      return not select(2, w:run { "workers" }):find(note, 1, true)
    end, 5, "workers shows it no more")
    assert.matches("ok\tresting\t", (select(2, w:run { "doctor" })))
  end)

  it("end INTERVAL=0 with exit code 1, and stay", function()
    push(8)
    push(2, "Good", "good")
    local run = start { INTERVAL = "0" }
    assert.same({ 1, 0 }, { run.process:wait(20) })
    assert.same({ MOST, 3, 0 }, { #w:failed(), w:queued "bad", w:queued "good" })
    assert.matches("leaving with jobs in queues that are left alone", run:err())
  end)

  it("cost five failures for each worker, and none is lost", function()
    push(40)
    start { COUNT = "3" }
    clock.wait_until(function()
      local code, out = w:run { "workers" }
      return code == 0 and select(2, out:gsub("leaves bad alone", "")) == 3
    end, 10, "each worker leaves the queue alone")
    local account = w:account()
    assert.same({ 3 * MOST, 40 - 3 * MOST, 0 },
      { account.failed, account.queued, account.working })
  end)

  it("that come to a queue at rest wake nobody for long", function()
    push(8)
    local run = start { BLOCKING = "1", INTERVAL = "3600" }
    wait_rest(run)
    run:wait_title "^Waiting"
    local monitor = process.start({ "redis-cli", "-s", w.server.socket, "monitor" },
      { dir = w.dir })
    monitor:wait_for "OK"
    push(20)
    push(1, "Good", "good") -- behind which all is quiet
    w:wait_processed(MOST + 1)
    run:wait_title "^Waiting"
    w.server:call("ECHO", "the end")
    monitor:wait_for "the end"
    local asked = 0
    for line in monitor:out():gmatch "[^\n]+" do
      asked = asked + (line:find '"evalsha"' and not line:find " lua%]" and 1 or 0)
    end
    monitor:finish()
    assert.is_true(asked <= 21 + 6, asked .. " scripts for 21 jobs")
    assert.same({ MOST, 23 }, { #w:failed(), w:queued "bad" })
  end)
end)
