-- register.lua, heartbeat.lua and unregister.lua: a worker comes, stays and leaves.
local scene = require "spec.support.scene"
local scripts = require "spec.support.scripts"

local s <const> = scene.scripts(true)

local JOB = '{"class":"A","args":[]}'
local NONCE, OTHER = scripts.NONCE, scripts.OTHER
local PROCESS = { "1b1f5f3e-0000-4000-8000-123456789abc", "4026531836", "12", "777" }
local RECORD = '{"token":"' .. NONCE .. ':%d","queue":"mail","run_at":"x","payload":' .. JOB .. "}"

-- What a worker says whose kernel does not tell: all such workers of one pid say the same.
local UNTOLD = { "", "", "12", "" }

local function register(process, nonce)
  local boot, ns, pid, start = table.unpack(process or PROCESS)
  return s:run("register", boot, ns, pid, start, nonce or NONCE, "0", "1")
end

local function near_now(format, text)
  local now = tonumber(s:set("TIME")[1])
  return text == os.date(format, now) or text == os.date(format, now - 1)
end

describe("register", function()
  it("writes what Ruby's peers and the prover of a death read", function()
    assert.same({ "OK" }, register())
    assert.same({ s.worker }, s:key("SMEMBERS", "workers"))
    assert.is_true(near_now(
      "!%Y-%m-%dT%H:%M:%S+00:00", s:key("HGET", "workers:heartbeat", s.worker)))
    assert.is_true(near_now(
      "!%Y-%m-%dT%H:%M:%SZ", s:key("GET", "worker:" .. s.worker .. ":started")))
    assert.same(PROCESS, s:key("HMGET", "lua:proc:" .. s.worker, "boot", "ns", "pid", "start"))
    assert.equal("1", s:key("HGET", "lua:proc:" .. s.worker, "features"))
    assert.equal(6, s:key("HLEN", "lua:proc:" .. s.worker))
    assert.equal(4, #s:set("KEYS", "*"))
  end)

  it("is never seen without a heartbeat: HSET comes before SADD", function()
    local watcher = require "spec.support.resp".connect(s.server.socket)
    watcher:call "MONITOR"
    register()
    local order = {}
    repeat
      local line = watcher.socket:receive "*l"
      order[#order + 1] = line:match 'lua%] "(%u+)"'
    until line:find('lua] "HSET" "p:lua:proc', 1, true)
    watcher:close()
    assert.matches("HDEL TIME HSET SADD", table.concat(order, " "))
  end)

  local taken = {
    ["is in workers"] = function() s:key("SADD", "workers", s.worker) end,
    ["has a record"] = function() s:key("SET", "worker:" .. s.worker, JOB) end,
    ["has a record of another type"] = function() s:key("RPUSH", "worker:" .. s.worker, JOB) end,
    ["is another process's"] = function() register({ "other", "1", "13", "778" }, OTHER) end,
    ["is another process's that says the same of itself"] = function() register(nil, OTHER) end,
    ["is one's whose kernel does not tell"] = function() register(UNTOLD, OTHER) end,
  }
  for name, prepare in pairs(taken) do
    it("refuses an id that " .. name, function()
      prepare()
      local before = s:everything()
      assert.same({ "TAKEN" }, register())
      assert.same(before, s:everything())
    end)
  end

  it("takes the same process again: the reply to its first try was lost", function()
    register()
    assert.same({ "OK" }, register())
    assert.equal(1, s:key("SCARD", "workers"))
  end)

  it("does not take it again once its record is somebody else's", function()
    register()
    s:key("SET", "worker:" .. s.worker, (RECORD:gsub(NONCE, OTHER):format(1)))
    assert.same({ "TAKEN" }, register())
    s:key("SET", "worker:" .. s.worker, RECORD:format(1))
    assert.same({ "OK" }, register())
  end)

  it("adopts nobody where the kernel tells neither of both who it is", function()
    assert.same({ "OK" }, register(UNTOLD))
    assert.same({ "TAKEN" }, register(UNTOLD, OTHER))
    assert.same({ "OK" }, register(UNTOLD))
    assert.same(UNTOLD, s:key("HMGET", "lua:proc:" .. s.worker, "boot", "ns", "pid", "start"))
  end)

  it("replaces what an unclean end left beside workers and record", function()
    s:key("HSET", "lua:proc:" .. s.worker, "boot", "old", "odd", "x")
    s:key("SET", "worker:" .. s.worker .. ":started", "old")
    assert.same({ "OK" }, register())
    assert.equal(6, s:key("HLEN", "lua:proc:" .. s.worker))
    s:reset(true)
    s:key("SET", "lua:proc:" .. s.worker, "x")
    assert.same({ "OK" }, register())
  end)

  it("works on a full Redis", function()
    s:fill()
    assert.same({ "OK" }, register())
    assert.equal(6, s:key("HLEN", "lua:proc:" .. s.worker))
  end)

  it("registers nothing when the heartbeats cannot be written", function()
    s:key("SET", "workers:heartbeat", "x")
    assert.matches("WRONGTYPE", register().err)
    assert.equal(0, s:key("EXISTS", "workers"))
  end)
end)

describe("heartbeat", function()
  it("writes Redis' time in Ruby's form", function()
    register()
    s:key("HSET", "workers:heartbeat", s.worker, "old")
    assert.same({ "OK" }, s:run("heartbeat", NONCE))
    assert.is_true(near_now(
      "!%Y-%m-%dT%H:%M:%S+00:00", s:key("HGET", "workers:heartbeat", s.worker)))
  end)

  it("never brings back a worker that was pruned", function()
    assert.same({ "LOST" }, s:run("heartbeat", NONCE))
    assert.same({}, s:set("KEYS", "*"))
  end)

  it("is refused to the process that had the name before", function()
    register()
    s:key("HSET", "workers:heartbeat", s.worker, "old")
    assert.same({ "LOST" }, s:run("heartbeat", OTHER))
    assert.equal("old", s:key("HGET", "workers:heartbeat", s.worker))
  end)

  it("works on a full Redis: a worker that cannot beat would be pruned alive", function()
    register()
    s:key("HSET", "workers:heartbeat", s.worker, "old")
    s:fill()
    assert.same({ "OK" }, s:run("heartbeat", NONCE))
    assert.are_not.equal("old", s:key("HGET", "workers:heartbeat", s.worker))
  end)
end)

describe("note", function()
  local function notes()
    local found, known = {}, s:key("HGETALL", "lua:proc:" .. s.worker)
    for i = 1, #known, 2 do
      found[known[i]] = known[i + 1]
    end
    for _, name in ipairs { "boot", "ns", "pid", "start", "nonce", "features" } do
      assert.is_string(found[name])
      found[name] = nil
    end
    return found
  end

  it("keeps exactly the notes that it is given", function()
    register()
    for _, want in ipairs {
      { blocked = "jobs.lua:1: no" }, { blocked = "no", ["resting:mail"] = "class A" },
      { ["resting:a:b c"] = "class A", ["resting:"] = "class B" }, {},
    } do
      local list = {}
      for name, text in pairs(want) do
        table.move({ name, text }, 1, 2, #list + 1, list)
      end
      assert.same({ "OK" }, s:run("note", NONCE, table.unpack(list)))
      assert.same(want, notes())
    end
  end)

  it("is written on a full Redis", function()
    register()
    s:fill()
    assert.same({ "OK" }, s:run("note", NONCE, "blocked", "no"))
    assert.same({ blocked = "no" }, notes())
  end)

  it("leaves alone what is another process's, or nobody's", function()
    register()
    local before = s:everything()
    assert.same({ "LOST" }, s:run("note", OTHER, "blocked", "no"))
    assert.same(before, s:everything())
    s:run("unregister", NONCE, "0")
    before = s:everything()
    assert.same({ "LOST" }, s:run("note", NONCE, "blocked", "no"))
    assert.same(before, s:everything())
  end)

  it("goes with the worker", function()
    register()
    s:run("note", NONCE, "blocked", "no")
    assert.same({ "OK" }, s:run("unregister", NONCE, "0"))
    assert.equal(0, s:key("EXISTS", "lua:proc:" .. s.worker))
  end)
end)

describe("unregister", function()
  local function unregister(committed) return s:run("unregister", NONCE, committed or 0) end

  it("leaves nothing of the worker, and all of the others", function()
    s:reset()
    s:key("SADD", "workers", "web2:1:mail")
    s:key("HSET", "workers:heartbeat", "web2:1:mail", "x")
    s:done(s:working(JOB))
    s:fail(s:working(JOB))
    s:key("DEL", "failed")
    assert.same({ "OK" }, unregister(2))
    local keys = s:set("KEYS", "*")
    table.sort(keys)
    assert.same({ "p:queues", "p:stat:failed", "p:stat:processed", "p:workers",
      "p:workers:heartbeat" }, keys)
    assert.same({ "web2:1:mail" }, s:key("SMEMBERS", "workers"))
    assert.same({ "web2:1:mail" }, s:key("HKEYS", "workers:heartbeat"))
  end)

  it("tells when the server refuses to write", function()
    s:reset()
    s:set("REPLICAOF", "127.0.0.1", "1")
    local answer = unregister()
    s:set("REPLICAOF", "NO", "ONE")
    assert.matches("READONLY", answer.err)
    assert.same({ "OK" }, unregister())
  end)

  it("leaves no key at all after the last worker", function()
    s:reset()
    unregister()
    assert.same({}, s:set("KEYS", "*"))
    assert.same({ "OK" }, unregister())
  end)

  it("puts back the job of a late reserve", function()
    s:reset()
    s:push("mail", JOB)
    s:run("reserve", NONCE .. ":10", scripts.LARGEST, "mail")
    assert.same({ "OK", "PUTBACK" }, unregister(9))
    assert.equal("queue:mail", s:places(JOB))
    assert.equal(0, s:key("EXISTS", "workers"))
  end)

  it("hands a record whose number is not newer to the worker, who alone knows", function()
    s:reset()
    s:push("mail", JOB)
    s:run("reserve", NONCE .. ":9", scripts.LARGEST, "mail")
    local before = s:everything()
    for _, committed in ipairs { 9, 10, 100 } do
      assert.same({ "HELD", NONCE .. ":9" }, unregister(committed))
    end
    assert.same(before, s:everything())
  end)

  local others = { { RECORD:format(1):gsub(NONCE, OTHER), OTHER .. ":1" }, { "junk", "" },
    { "", "" },
    { '{"queue":"q","run_at":"x","payload":{}}', "" } }
  for _, row in ipairs(others) do
    it(("removes nothing while the record is %q"):format(row[1]), function()
      s:reset()
      s:key("SET", "worker:" .. s.worker, row[1])
      local before = s:everything()
      assert.same({ "CONFLICT", row[2] }, unregister())
      assert.same(before, s:everything())
    end)
  end

  it("removes nothing while a late job can go nowhere", function()
    s:reset()
    s:working(JOB)
    for _, key in ipairs { "queue:mail", "failed", "failed:overflow" } do
      s:key("SET", key, "x")
    end
    local before = s:everything()
    assert.equal("ERR", unregister()[1])
    assert.same(before, s:everything())
    s:key("DEL", "failed")
    assert.same({ "OK", "FAILED" }, unregister())
    assert.equal("failed", s:places(JOB))
  end)

  it("goes on past keys of other types", function()
    s:reset()
    s:key("DEL", "workers:heartbeat")
    s:key("SET", "workers:heartbeat", "x")
    s:key("RPUSH", "worker:" .. s.worker, "x")
    assert.same({ "OK" }, unregister())
    assert.equal(0, s:key("EXISTS", "workers"))
  end)

  it("works on a full Redis", function()
    s:reset()
    s:working(JOB)
    s:fill()
    assert.same({ "OK", "PUTBACK" }, unregister())
    assert.equal("queue:mail", s:places(JOB))
  end)
end)
