--- A Redis user that was made for an older release: with the rights that the README of f0598f8
-- asked for, all goes on that this release had, and what is new names the right that it lacks.
local uv = require "luv"
local clock = require "spec.support.clock"
local doctor = require "spec.support.doctor"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local RULES = "on >secret ~resque:* &__redis__:invalidate &resque:lua:control +select +eval "
  .. "+evalsha +script|load +get +set +del +exists +incr +lpop +lpush +rpush +lrange +llen +lrem "
  .. "+getrange +sadd +srem +sismember +smembers +hset +hget +hgetall +hmget +hdel +expire +time "
  .. "+multi +exec +client|id +client|tracking +subscribe +publish"

local JOBS = [[
  local function job(name, perform)
    local class = resque.job(name)
    class.perform = perform
    return class
  end
  job("Parent", function()
    local id = assert(resque.enqueue("default", "Raise", {}, true))
    return resque.status(id):get() == 1
  end)
  job("Raise", function() error "no" end)
  local function die() os.execute "kill -9 $PPID" resque.sleep(10) end
  job("Die", die)
  job("Dies_Once", function(self) if self.job.attempts == 0 then die() end end)
    .on_crash = "requeue:1"
  job("Gate", function(self) ledger.write("start", self.args.gate) ledger.wait_gate "a" end)
]]

describe("with the rights that an older release needed", function()
  local w <const> = scene.fresh { tcp = true }
  local backend

  -- Gives the Redis user these, and takes some away.
  local function allow(...)
    local rules = { ... }
    local first = 1
    for rule in RULES:gmatch "%S+" do
      table.insert(rules, first, (rule:gsub("^([~&])resque:", "%1" .. w:key "")))
      first = first + 1
    end
    w.server:call("ACL", "SETUSER", "resque", "reset", table.unpack(rules))
    w.server:call("ACL", "LOG", "RESET")
  end

  local function start(env)
    local all = { REDIS_BACKEND = backend, APP_INCLUDE = w.dir .. "/jobs.lua" }
    for name, value in pairs(env or {}) do
      all[name] = value
    end
    return w:start_idle(all)
  end

  local function succeed(...)
    local code, out, err = w:run({ ... }, { REDIS_BACKEND = backend })
    assert.equal(0, code, err)
    return out
  end

  before_each(function()
    allow()
    backend = ("redis://resque:secret@127.0.0.1:%d"):format(w.server.port)
    w:write_jobs("jobs.lua", JOBS)
  end)

  it("jobs are put in, wake workers, run, fail and crash", function()
    local run = start { BLOCKING = "1", INTERVAL = "60", ON_CRASH = "requeue:2" }
    local id = succeed("enqueue", "default", "Parent", "--track"):match "%x+"
    w:wait_processed(2)
    w:job("Dies_Once", {})
    w:job("Die", {})
    w:push("default", "junk")
    w:wait_processed(5)
    assert.matches("complete", succeed("job", id))
    local ends = {}
    for i, failure in ipairs((w:failed())) do
      ends[i] = failure.exception
    end
    table.sort(ends)
    assert.same({ "LuaError", "Resque::MalformedPayload", "Resque::PoisonJob" }, ends)
    run:stop()
    assert.same({}, w.server:call("ACL", "LOG"))
  end)

  it("jobs are stopped, waiting and running, and workers are listed", function()
    local run = start()
    succeed("job", w:job("Raise", {}, { queue = "other", track = true }), "--kill")
    local id = w:job("Gate", { gate = "never" })
    w:wait_ledger "start never"
    assert.matches("Gate", succeed "workers")
    succeed("job", id, "--kill")
    assert.equal("Resque::Cancelled", w:failed()[1].exception)
    run:stop()
    assert.same({}, w.server:call("ACL", "LOG"))
  end)

  it("dead workers are accounted for", function()
    local run = start()
    w:job("Gate", { gate = "never" })
    w:wait_ledger "start never"
    local below = proc.descendants(run.pid)
    uv.kill(run.pid, "sigkill")
    for _, pid in ipairs(below) do
      uv.kill(pid, "sigkill")
    end
    run.process:wait(5)
    start()
    w:wait_processed(1)
    assert.equal("Resque::PruneDeadWorkerDirtyExit", w:failed()[1].exception)
    assert.same({}, w.server:call("ACL", "LOG"))
  end)

  it("workers tell what keeps them from jobs, which is new", function()
    local run = start()
    w:write_jobs("jobs.lua", "error 'broken'")
    w:job("Raise", {})
    clock.wait_until(function()
      return succeed("workers"):find("blocked: ", 1, true)
    end, 20, "the worker shows as blocked")
    w:write_jobs("jobs.lua", JOBS)
    w:wait_processed(1)
    run:stop()
    assert.same({}, w.server:call("ACL", "LOG"))
  end)

  it("doctor judges what it may look at, and names the rights for the rest", function()
    start()
    local env = { REDIS_BACKEND = backend }
    doctor.assert_found(w, "features", "ok", "^no worker knows less", env)
    doctor.assert_found(w, "heartbeats", "ok", "^1 worker, ", env)
    doctor.assert_found(w, "blocked", "ok", "^no worker", env)
    for name, right in pairs { version = "info", fsync = "config|get", orphans = "scan",
      lock = "ttl" } do
      local found = doctor.assert_found(w, name, "unseen", "NOPERM", env)
      assert.is_truthy(found.text:find("'" .. right .. "'", 1, true), found.text)
    end
  end)

  it("less one: what is new names that, and the worker goes on", function()
    local run = start()
    allow "-hgetall"
    w:write_jobs("jobs.lua", "error 'broken'")
    w:job("Raise", {})
    run.process:wait_for("may not tell what keeps it from jobs: HGETALL: .*REDIS USER")
    run.process:wait_for "no job has started for" -- by now it has been tried again
    w:write_jobs("jobs.lua", JOBS)
    w:wait_processed(1)
    assert.equal(1, select(2, run:err():gsub("may not tell", "")))
  end)

  it("less one that the features of workers need: doctor names that", function()
    start()
    allow "-hmget"
    doctor.assert_found(w, "features", "unseen", "HMGET", { REDIS_BACKEND = backend })
  end)
end)
