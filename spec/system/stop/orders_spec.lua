--- The manager's connection for orders (`resque-lua job ID --kill`): it comes back, costs nothing,
-- and nobody can hold up a worker by it.
local clock = require "spec.support.clock"
local scene = require "spec.support.scene"

local w <const> = scene.fresh { tcp = true }

local function kill(id, ...)
  return w:run { "job", id, "--kill", ... }
end

local function running(class, args, opts)
  local id = w:job(class, args, opts)
  w:wait_ledger "^start"
  return id
end

local function works(name)
  w:job("Note", { n = name })
  w:wait_ledger("^Note " .. name .. "$")
end

describe("the connection for orders", function()
  it("comes back after CLIENT KILL, and after a restart of Redis", function()
    local run = w:start_listening()
    for _, cut in ipairs {
      function()
        w.server:call("CLIENT", "KILL", "TYPE", "PUBSUB")
      end,
      function()
        w.server:kill()
        w.server:launch()
        clock.wait_until(function()
          return #w:on("SMEMBERS", "workers") == 1
        end, 10, "the worker is registered again")
      end,
    } do
      cut()
      local began = clock.now()
      clock.wait_until(function()
        return w:listeners() == 1
      end, 5, "the manager listens again")
      assert.is_true(clock.now() - began < clock.limit(1))
      local id = w:job "Spin"
      clock.wait_until(function()
        return run:jobs()[1]
      end, 5, "the job runs")
      assert.equal(0, (kill(id)))
    end
  end)

  it("is one for a host, and costs an idle Redis nothing", function()
    local function clients()
      return select(2, w.server:call("CLIENT", "LIST"):gsub("id=%d+ addr", ""))
    end
    local before = clients()
    local run = w:start_listening { COUNT = "2", INTERVAL = "60" }
    clock.wait_until(function()
      return run:workers()[2] and #w:on("SMEMBERS", "workers") == 2
    end, 5, "both are registered")
    assert.equal(before + 4, clients()) -- the workers', the manager's, and this one
    -- What is asked to find this out is not counted.
    local function counts()
      local all = w.server:command_counts()
      all.info, all.pubsub, all["pubsub|numsub"] = nil, nil, nil
      return all
    end
    local idle = counts()
    clock.stays_false(function() end, 1.5)
    assert.same(idle, counts())
  end)

  it("holds up nothing, however much comes on it", function()
    local run = w:start_listening { COUNT = "2" }
    local id, worker = running "Spin", next(w:records())
    local order = ("kill %s1 %s"):format(w:records()[worker]:match '"token":"([^"]+)"', worker)
    for _ = 1, 3 do
      w.server:call("EVAL", 'for _ = 1, 50000 do redis.call("PUBLISH", KEYS[1], ARGV[1]) end', 1,
        w:key "lua:control", order)
    end
    works "meanwhile"
    assert.equal(0, (kill(id, "--wait=" .. clock.limit(60))))
    assert.equal("Resque::Cancelled", w:failed()[1].exception)
    assert.same({ 0, 0 }, { run:stop(3) })
  end)

  it("can be refused to a Redis user: said once, and everything else works", function()
    w.server:call("ACL", "SETUSER", "lame", "reset", "on", ">secret", "~*", "+@all")
    local backend = ("redis://lame:secret@127.0.0.1:%d"):format(w.server.port)
    local run = w:start_idle { REDIS_BACKEND = backend }
    run.process:wait_for "`resque%-lua job ID %-%-kill` does not reach this host: NOPERM"
    works "all the same"
    local id = running "Spin"
    local code, out, err = w:run({ "job", id, "--kill", "--wait=0.2" },
      { REDIS_BACKEND = w.server:backend() })
    assert.same({ 5, "" }, { code, out })
    assert.matches("still runs on .* after 0%.2 s: no manager listens\nhint: ", err)
    run:signal "sigusr1"
    w:wait_processed(2)
    assert.equal(1, select(2, run:err():gsub("does not reach this host", "")))
  end)
end)
