--- Whose job it is: a worker that was stopped too long, workers of the same id, a host that is
-- lost, many pruners at once.
local uv = require "luv"
local cjson = require "cjson"
local clock = require "spec.support.clock"
local namespace = require "spec.support.namespace"
local proc = require "spec.support.proc"
local resp = require "spec.support.resp"
local scene = require "spec.support.scene"
local scripts = require "spec.support.scripts"

local w <const> = scene.fresh()

local FAST = { RESQUE_HEARTBEAT = "0.2", RESQUE_PRUNE = tostring(math.ceil(2 * clock.slow)) }
local PRUNED = "Resque::PruneDeadWorkerDirtyExit"

local function with(settings)
  local all = {}
  for _, list in ipairs { FAST, settings } do
    for name, value in pairs(list) do
      all[name] = value
    end
  end
  return all
end

local function failures(count)
  clock.wait_until(function()
    return #w:failed() == count
  end, 20, function()
    return ("%d jobs are recorded as failed; the log:\n%s"):format(count, w.runs[1]:err())
  end)
  return w:failed()
end

describe("a worker stopped past prune, then continued,", function()
  local run, worker, id

  before_each(function()
    run = w:start_idle(FAST)
    worker, id = run:worker(), w:on("SMEMBERS", "workers")[1]
  end)

  local function stop_until_pruned()
    uv.kill(worker, "sigstop")
    clock.wait_until(function()
      return w:on("SISMEMBER", "workers", id) == 0
    end, 20, "it is pruned")
  end

  local function works_again()
    w:job("Note", { n = "after" })
    w:wait_ledger("^Note after$", 20)
    assert.equal(worker, run:worker())
    assert.equal(1, #w:on("SMEMBERS", "workers"))
  end

  it("while idle: registers again and goes on", function()
    stop_until_pruned()
    uv.kill(worker, "sigcont")
    works_again()
    assert.matches("is not registered any more", run:err())
    assert.same({}, (w:failed()))
  end)

  it("in a job: done is refused, ownership lost, it registers again", function()
    w:job("Gate", { gate = "a" }, { track = true })
    w:wait_ledger "start a"
    stop_until_pruned()
    local records = failures(1)
    assert.equal(PRUNED, records[1].exception)
    w:open_gate "a"
    w:wait_ledger "end a" -- the job itself was not stopped
    uv.kill(worker, "sigcont")
    run.process:wait_for("ownership of .* was lost", 20)
    works_again()
    w:wait_processed(2)
    assert.equal(1, #w:failed())
    assert.same({ 2, 1 }, { w:stat "processed", w:stat "failed" })
    assert.equal(3, w:status(records[1].payload.id).status)
  end)
end)

describe("the same worker id,", function()
  -- Starts a fleet of one in a pid namespace of its own, where it gets the pids every other gets.
  local function start(settings)
    local wrap = namespace.wrap(w.dir)
    if not wrap[1] then
      pending "this machine allows no pid namespaces"
    end
    settings.WORKER_HOST = "box"
    return w:start(with(settings), { wrap = wrap })
  end

  local function ids(count)
    return clock.wait_until(function()
      local list = w:on("SMEMBERS", "workers")
      table.sort(list)
      return #list == count and list
    end, 20, count .. " workers are registered")
  end

  local function box(n, first)
    return (first:gsub("^box", n > 1 and "box~" .. n or "box"))
  end

  it("in two pid namespaces at once: the second takes host~2, and each has its own job", function()
    start {}
    local first = ids(1)[1]
    start {}
    assert.same({ first, box(2, first) }, ids(2))
    w:job("Gate", { gate = "a" })
    w:job("Gate", { gate = "b" })
    w:wait_ledger "start a"
    w:wait_ledger "start b"
    local records = w:records()
    assert.are_not.equal(cjson.decode(records[first]).token:sub(1, 16),
      cjson.decode(records[box(2, first)]).token:sub(1, 16))
    w:open_gate "a"
    w:open_gate "b"
    w:wait_processed(2)
    assert.same({}, (w:failed()))
  end)

  it("left by a dead predecessor: never adopted, its job fails once by its heartbeat", function()
    local run = start {}
    local first = ids(1)[1]
    w:job("Gate", { gate = "a" })
    w:wait_ledger "start a"
    run.process:finish() -- and with it all that is in its namespace
    local record = w:on("GET", "worker:" .. first)
    local successor = start {}
    assert.is_true(clock.wait_until(function()
      return w:on("SISMEMBER", "workers", box(2, first)) == 1
    end, 10, "the successor has another id"))
    assert.equal(record, w:on("GET", "worker:" .. first) or record)
    assert.equal(PRUNED, failures(1)[1].exception)
    assert.same({ box(2, first) }, ids(1))
    w:job("Note", { n = "after" })
    w:wait_ledger "^Note after$"
    assert.equal(1, #w:failed())
    assert.is_true(successor.process:running())
  end)

  it("a lost host's: pruned by heartbeat elsewhere, after RESQUE_PRUNE and not before", function()
    local run = start {}
    local lost = ids(1)[1]
    w:job("Gate", { gate = "a" })
    w:wait_ledger "start a"
    local elsewhere = w:start(with { WORKER_HOST = "other", QUEUE = "other" })
    elsewhere:wait_title "^Waiting"
    local died = clock.now()
    run.process:finish()
    local record = failures(1)[1]
    assert.is_true(clock.now() - died > 1)
    assert.equal(PRUNED, record.exception)
    assert.equal(lost, record.worker)
    assert.matches(":" .. elsewhere.pid .. "$", record.pruned_by)
    assert.equal(1, w:stat "failed")
  end)
end)

describe("100 parallel pruners", function()
  it("of one dead worker make one failed record", function()
    local s = scripts.open()
    s:reset()
    s:working '{"class":"A","args":[]}'
    local digest = s:set("SCRIPT", "LOAD", scripts.text "prune")
    local clients = {}
    for n = 1, 100 do
      clients[n] = assert(resp.connect(s.server.socket))
    end
    uv.kill(s.server.process.pid, "sigstop") -- so that all of them wait in its sockets at once
    for n, client in ipairs(clients) do
      client:send("EVALSHA", digest, 1, "p:worker:" .. s.worker, "p:", s.worker, "proc",
        scripts.NONCE, ("web%d:1"):format(n), "")
    end
    uv.kill(s.server.process.pid, "sigcont")
    local answers = {}
    for _, client in ipairs(clients) do
      local answer = client:read()[1]
      answers[answer] = (answers[answer] or 0) + 1
      client:close()
    end
    assert.same({ OK = 1, GONE = 99 }, answers)
    assert.equal(1, s:key("LLEN", "failed"))
    assert.equal("1 1 / 0 0", s:counters())
    s:close()
  end)

  it("that are managers: a hundred dead workers, each recorded once", function()
    local OLD = "2012-01-16T05:42:55+00:00"
    for n = 1, 100 do
      local id = ("far:%d:mail"):format(n)
      w:on("SADD", "workers", id)
      w:on("HSET", "workers:heartbeat", id, OLD)
      w:on("SET", "worker:" .. id, ('{"queue":"mail","run_at":"2012-01-16T05:42:55Z",'
        .. '"payload":{"class":"Theirs","args":[%d]}}'):format(n))
    end
    for _ = 1, 5 do
      w:start(with { QUEUE = "other" })
    end
    local seen = {}
    for _, record in ipairs(failures(100)) do
      assert.is_nil(seen[record.payload.args[1]])
      seen[record.payload.args[1]] = true
    end
    assert.same({ 100, 100 }, { w:stat "processed", w:stat "failed" })
    clock.wait_until(function()
      return w:on("SCARD", "workers") == 5
    end, 10, "only the five are left")
    for _, run in ipairs(w.runs) do
      assert.is_true(proc.alive(run.pid))
    end
  end)
end)
