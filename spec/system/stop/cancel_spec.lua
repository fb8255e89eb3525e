--- `resque-lua job ID --kill`: one job is stopped, wherever it is, and no other. `workers kill`,
-- the connection for orders, and orders at random have specs of their own.
local uv = require "luv"
local clock = require "spec.support.clock"
local killing = require "spec.support.killing"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

local w <const> = scene.fresh { tcp = true }

local function kill(id, ...)
  return w:run { "job", id, "--kill", ... }
end

local function running(class, args, opts)
  local id = w:job(class, args, opts)
  w:wait_ledger "^start"
  return id
end

local function only_failure(error_text)
  local failed = w:failed()
  assert.equal(1, #failed)
  assert.equal("Resque::Cancelled", failed[1].exception)
  assert.equal(error_text or "Job was cancelled by resque-lua job --kill", failed[1].error)
  return failed[1]
end

local function works(name)
  w:job("Note", { n = name })
  w:wait_ledger("^Note " .. name .. "$")
end

-- Stops the only job that runs: at once, and the same worker goes on.
local function kill_and_go_on(run, id)
  local worker, began = run:worker(), clock.now()
  local code, out, err = kill(id)
  assert.same({ 0, "" }, { code, err })
  assert.matches("^cancelled\t%S", out)
  assert.is_true(clock.now() - began < clock.limit(1), clock.now() - began)
  only_failure()
  works "next"
  assert.equal(worker, run:worker())
end

describe("a job that waits", function()
  it("is taken out, and no other", function()
    w:job("Noop", {}, { queue = "a", id = "x1" })
    w:job("Noop", {}, { queue = "b", id = "x2", track = true })
    w:job("Noop", {}, { queue = "b", id = "x3" })
    w:push("b", "not json", '{"class":"Noop","args":["x2"],"id":"x22"}')
    local before = w:on("LRANGE", "queue:b", 0, -1)
    assert.same({ 0, "would be removed\tb\n", "" }, { kill("x2", "--dry-run") })
    assert.same(before, w:on("LRANGE", "queue:b", 0, -1))
    assert.same({ 0, "removed\tb\n", "" }, { kill "x2" })
    table.remove(before, 1)
    assert.same(before, w:on("LRANGE", "queue:b", 0, -1))
    assert.equal(1, w:queued "a")
    assert.equal(0, w:on("LLEN", "failed"))
    local status = w:status "x2"
    assert.same({ 3, "cancelled before it ran" }, { status.status, status.result })
    assert.is_true(w:on("TTL", "job:x2:status") > 86000)
    assert.same({ 0, '{"class":"Noop","id":"x1","outcome":"removed","queue":"a"}\n', "" },
      { kill("x1", "--json") })
    assert.is_nil(w:status "x1")
  end)

  it("ends the wait of whoever waits for it", function()
    w:job("Noop", {}, { id = "x1", track = true })
    kill "x1"
    local code, out = w:run { "job", "x1", "--wait=5" }
    assert.equal(1, code)
    assert.matches("status\tfailed\n.*error\tcancelled before it ran\n", out)
  end)

  it("goes once if it is there twice, and is known by the id of its status, too", function()
    local twice = world.payload("Noop", {}, "x1")
    w:push("a", twice, twice, '{"class":"Noop","args":[],"id":"x1","prefix":"app"}')
    assert.same({ 0, "removed\ta\n", "" }, { kill "app_x1" })
    assert.same({ twice, twice }, w:on("LRANGE", "queue:a", 0, -1))
    kill "x1"
    assert.same({ twice }, w:on("LRANGE", "queue:a", 0, -1))
  end)

  it("is found whatever its id is made of, and in a backlog", function()
    w:on("SADD", "queues", "a", "text")
    w:on("SET", "queue:text", "no list")
    w.server:call("EVAL", [[
      for i = 1, 30000 do
        redis.call("RPUSH", KEYS[1], '{"class":"Noop","args":[{}],"id":"n' .. i .. '"}')
      end]], 1, w:key "queue:a")
    local odd = 'é "\\/ \t%w+'
    w:push("a", '{"class":"Noop","args":[],"id":"\\u00e9 \\"\\\\\\/ \\t%w+"}')
    for _, id in ipairs { "n1", "n2", "n15000", "n29999", "n30000", odd } do
      assert.same({ 0, "removed\ta\n", "" }, { kill(id) })
    end
    assert.equal(29995, w:queued "a")
    assert.matches('"n3"', w:on("LINDEX", "queue:a", 0))
  end)

  it("is taken out of a full Redis", function()
    w:job("Noop", {}, { id = "x1", track = true })
    w.server:call("CONFIG", "SET", "maxmemory", "1")
    local code, out, err = kill "x1"
    w.server:call("CONFIG", "SET", "maxmemory", "0")
    assert.same({ 0, "removed\tdefault\n", "" }, { code, out, err })
    assert.equal(3, w:status("x1").status)
  end)
end)

describe("a job that runs", function()
  it("is ended within a second, its hook called, and the worker goes on", function()
    w:write_jobs("jobs.lua", [[
      resque.on("onFailure", function(err, job) ledger.write("failed", job.id, err.name) end)
      local Spin = resque.job "Spin"
      function Spin:perform() ledger.write "start" while true do end end
      function Spin:tearDown() ledger.write "torn down" end
      local Note = resque.job "Note"
      function Note:perform() ledger.write("Note", self.args.n) end]])
    local run = w:start_listening({ APP_INCLUDE = "jobs.lua" }, { cwd = w.dir })
    local id = running("Spin", {}, { track = true })
    kill_and_go_on(run, id)
    assert.equal(3, w:status(id).status)
    assert.same({ "start", "failed " .. id .. " Resque::Cancelled", "Note next" }, w:ledger())
    assert.matches("Resque::Cancelled: Job was cancelled", (select(2, w:run { "job", id })))
  end)

  local settings = {
    ["with BLOCKING"] = { BLOCKING = "1", INTERVAL = "60" },
    ["of a queue with blanks in its name"] = { QUEUE = "my jobs,default" },
  }
  for name, env in pairs(settings) do
    it(name, function()
      local run = w:start_listening(env)
      local id = running("Spin", {}, { queue = env.QUEUE and "my jobs" })
      local code, out = kill(id)
      assert.equal(0, code)
      assert.matches("^cancelled\t", out)
      only_failure()
      assert.is_true(run.process:running())
    end)
  end

  it("while the worker is paused", function()
    local run = w:start_listening()
    local id = running "Spin"
    run:signal "sigusr2"
    assert.equal(0, (kill(id)))
    run:wait_title "^Paused"
    run:signal "sigcont"
    works "next"
  end)

  it("although it has stopped its own processes from hearing signals", function()
    w:write_jobs("jobs.lua", [[
      local Deaf = resque.job "Deaf"
      function Deaf:perform()
        ledger.write "start"
        while true do pcall(os.execute, "trap '' TERM INT HUP QUIT; sleep 60") end
      end]])
    local run = w:start_listening(
      { APP_INCLUDE = "jobs.lua", TERM_CHILD = "1", RESQUE_TERM_TIMEOUT = "0.3" },
      { cwd = w.dir })
    local id = running "Deaf"
    assert.equal(0, (kill(id)))
    only_failure()
    assert.same({}, proc.descendants(run:worker()))
  end)

  it("gets TERM first with TERM_CHILD, and may come to an end of its own then", function()
    w:start_listening { TERM_CHILD = "1" }
    local id = running "Polite"
    local code, out = kill(id)
    assert.same({ 0, "cancelled" }, { code, out:match "^%a+" })
    w:wait_ledger "^told false"
    assert.is_true(#only_failure().backtrace > 0)
  end)

  it("is not put back by ON_CRASH, nor are its crashes remembered when it waits again", function()
    w:write_jobs("jobs.lua", [[
      local Crash = resque.job "Crash"
      function Crash:perform()
        ledger.write("start", self.job.attempts)
        if self.job.attempts == 0 then os.execute "kill -9 $PPID" end
        while true do end
      end]])
    local run = w:start_listening({ APP_INCLUDE = "jobs.lua", ON_CRASH = "requeue:5" },
      { cwd = w.dir })
    local id = w:job "Crash"
    w:wait_ledger "^start 1"
    assert.equal(0, (kill(id)))
    only_failure()
    assert.equal(0, w:queued())
    assert.equal(0, w:on("EXISTS", "lua:attempts:" .. id))
    run:signal "sigusr2"
    run:wait_title "^Paused"
    id = w:job "Crash"
    w:on("HSET", "lua:attempts:" .. id, "crashed", "1")
    assert.equal("removed\tdefault\n", (select(2, kill(id))))
    assert.equal(0, w:on("EXISTS", "lua:attempts:" .. id))
  end)

  it("is ended as asked although it has a time limit, which ends others", function()
    w:start_listening { JOB_TIMEOUT = "60" }
    local id = running "Spin"
    assert.equal(0, (kill(id)))
    assert.is_nil(only_failure().limit)
  end)

  it("that is done, or has failed, before TERM can end it stays what it is", function()
    w:write_jobs("jobs.lua", [[
      local function job(name, finish)
        local class = resque.job(name)
        function class:perform()
          ledger.write("start", name)
          pcall(resque.sleep, 60)
          return finish()
        end
      end
      job("Done", function() return "kept" end)
      job("Other", function() error "my own" end)]])
    w:start_listening({ APP_INCLUDE = "jobs.lua", TERM_CHILD = "1" }, { cwd = w.dir })
    local id = running("Done", {}, { track = true })
    local code, out, err = kill(id)
    assert.same({ 1, "finished" }, { code, out:match "^%a+" })
    assert.matches("complete", out)
    assert.matches("came to its own end", err)
    assert.same({ 4, "kept" }, { w:status(id).status, w:status(id).result })
    id = w:job("Other", {})
    w:wait_ledger "^start Other"
    code, out = kill(id)
    assert.equal(1, code)
    assert.matches("^finished\t%S+\tfailed: LuaError: .*my own", out)
    assert.equal("LuaError", w:failed()[1].exception)
  end)

  it("is failed without a process if it has not been given one yet", function()
    local stops = w.dir .. "/stops"
    assert(uv.fs_mkdir(stops, 448))
    local run = w:start_listening({ RL_STOPAT = stops, INTERVAL = "0.02" },
      { program = killing.program() })
    w:write("stops/start", "")
    local id = w:job("Note", { n = "never" })
    local worker = run:worker()
    clock.wait_until(function()
      return killing.stopped(worker)
    end, 5, "the worker stops before the fork")
    clock.wait_until(function()
      return not uv.fs_stat(stops .. "/start")
    end, 5, "it was this stop")
    local asked = w.server:call("PUBLISH", w:key "lua:control", ("kill %s %s"):format(
      w:records()[w:on("SMEMBERS", "workers")[1]]:match '"token":"([^"]+)"',
      w:on("SMEMBERS", "workers")[1]))
    assert.equal(1, asked)
    run.process:wait_for "passing on the order"
    uv.kill(worker, "sigcont")
    w:wait_processed(1)
    assert.equal(id, only_failure(
      "Job was cancelled by resque-lua job --kill before it started").payload.id)
    assert.same({}, w:ledger())
    works "next"
  end)

  it("on one of several hosts: no other job is touched", function()
    local runs = {}
    for _, host in ipairs { "red", "green" } do
      runs[#runs + 1] = w:start { WORKER_HOST = host, COUNT = "2" }
    end
    local ids = {}
    for _, gate in ipairs { "a", "b", "c", "d" } do
      ids[gate] = w:job("Gate", { gate = gate })
      w:wait_ledger("^start " .. gate)
    end
    assert.equal(2, w:listeners())
    assert.equal(0, (kill(ids.c)))
    assert.equal(ids.c, only_failure().payload.id)
    for _, gate in ipairs { "a", "b", "d" } do
      w:open_gate(gate)
      w:wait_ledger("^end " .. gate)
    end
    w:wait_processed(4)
    assert.equal(1, #w:failed())
    assert.is_true(runs[1].process:running() and runs[2].process:running())
  end)

  it("is not hit by the token of another, nor by words that mean nothing", function()
    w:start_listening()
    running "Spin"
    local worker = w:on("SMEMBERS", "workers")[1]
    local token = w:records()[worker]:match '"token":"([^"]+)"'
    local function publish(text)
      assert.equal(1, w.server:call("PUBLISH", w:key "lua:control", text))
    end
    publish(("kill %s1 %s"):format(token, worker))
    publish(("kill %s %s"):format(token:gsub("%d+$", "0"), worker))
    publish(("kill %s %s"):format(token, worker:gsub(":default", ":other")))
    publish(("kill %s"):format(token))
    publish("kill " .. ("9"):rep(1000) .. " " .. worker)
    publish("sing " .. token .. " " .. worker)
    publish "kill"
    publish ""
    assert.is_true(clock.stays_false(function()
      return #w:failed() > 0
    end, 0.3))
    publish(("kill %s %s"):format(token, worker))
    w:wait_processed(1)
    only_failure()
  end)
end)

describe("--kill says why not:", function()
  it("no such job", function()
    w:job("Noop", {}, { id = "x1" })
    w:on("SET", "job:x9:status", '{"status":4,"updated":1,"result":null}')
    local code, out, err = kill "x8"
    assert.same({ 1, "" }, { code, out })
    assert.matches("no queued or running job has the id x8\nhint: ", err)
    code, out, err = kill("x9", "--dry-run")
    assert.same({ 1, "" }, { code, out })
    assert.matches("has the id x9\nhint: its status is: complete\n", err)
  end)

  it("a worker that is no resque-lua has it", function()
    local ruby = "web1:4711:default"
    w:on("SADD", "workers", ruby)
    w:on("SET", "worker:" .. ruby, '{"queue":"default","run_at":"2012-01-16T13:42:55Z","payload":'
      .. world.payload("Noop", {}, "x1") .. "}")
    local code, out, err = kill "x1"
    assert.same({ 1, "" }, { code, out })
    assert.matches("job x1 runs on web1:4711:default, which is no resque%-lua\n", err)
    assert.matches("hint: its host is web1; kill %-USR1 4711 there ends it\n", err)
    assert.equal(1, (w:run { "workers", "kill", ruby }))
  end)

  it("its manager does not answer", function()
    local run = w:start_listening()
    local id = running "Spin"
    run:signal "sigstop"
    local code, out, err = kill(id, "--wait=0.3")
    assert.same({ 5, "" }, { code, out })
    assert.matches("still runs on .* after 0%.3 s\nhint: does its manager run on ", err)
    run:signal "sigcont"
    w:wait_processed(1) -- the order was there, after all
    only_failure()
  end)

  it("its manager is dead, and the hint ends it", function()
    local run = w:start_listening()
    local id = running "Spin"
    local worker = run:worker()
    run:signal "sigkill"
    clock.wait_until(function()
      return w:listeners() == 0
    end, 5, "nobody listens")
    local code, out, err = kill(id, "--wait=0.1")
    assert.same({ 5, "" }, { code, out })
    local pid = err:match "no manager listens\nhint: does .* Else kill %-USR1 (%d+) there ends it"
    assert.equal(worker, math.tointeger(tonumber(pid)))
    uv.kill(worker, "sigusr1")
    w:wait_processed(1)
    clock.wait_until(function()
      return not proc.alive(worker)
    end, 5, "the worker has left")
  end)

  it("there is no Redis, or the line is wrong", function()
    assert.equal(4, (kill("x1", "-r", "unix:///nonexistent")))
    assert.equal(4, (w:run { "workers", "-r", "unix:///nonexistent" }))
    assert.equal(2, (w:run { "job", "--kill" }))
    assert.equal(2, (w:run { "job", "x1", "--dry-run" }))
    assert.equal(2, (w:run { "workers", "kill" }))
    assert.equal(2, (w:run { "workers", "sing" }))
    assert.equal(2, (w:run { "workers", "list", "x" }))
    assert.equal(2, (w:run { "workers", "--wait=3" }))
  end)
end)
