--- A job's whole life against the real program: every key it touches, byte for byte.
-- Ways to end badly are ending_spec's; this file is about what is where, and when.
local cjson = require "cjson"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local ID = ("%x"):rep(32)
local STAMP = "%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d"

describe("the life of a job", function()
  local w <const> = scene.fresh()

  local function keys()
    local list = w.server:call("KEYS", "*")
    table.sort(list)
    return list
  end

  local function prefixed(...)
    local list = {}
    for i, name in ipairs { ... } do
      list[i] = w:key(name)
    end
    table.sort(list)
    return list
  end

  it("begins in its queue, with its status written and nothing else", function()
    local id = w:enqueue("mail", "Echo", '{"name":"Chris"}', "--track")
    assert.matches("^" .. ID .. "$", id)
    assert.same(prefixed("queues", "queue:mail", "job:" .. id .. ":status"), keys())
    assert.same({ "mail" }, w:on("SMEMBERS", "queues"))
    local queued = w:on("LRANGE", "queue:mail", 0, -1)
    assert.equal(1, #queued)
    local time = queued[1]:match(
      '^{"class":"Echo","args":%[{"name":"Chris"}%],"id":"' .. id .. '","queue_time":(%d+%.%d+)}$')
    assert.is_true(math.abs(tonumber(time) - os.time()) < 60, queued[1])
    local updated, started = w:on("GET", "job:" .. id .. ":status"):match(
      '^{"status":1,"updated":(%d+),"started":(%d+),"result":null}$')
    assert.is_true(math.abs(tonumber(updated) - os.time()) < 60)
    assert.equal(updated, started)
    assert.equal(-1, w:on("TTL", "job:" .. id .. ":status"))
  end)

  it("has no status key unless it is tracked", function()
    w:enqueue("mail", "Echo", "{}")
    assert.same(prefixed("queues", "queue:mail"), keys())
    w:start_idle { QUEUE = "mail" }
    w:wait_processed(1)
    assert.equal(0, #w.server:call("KEYS", "*:status"))
  end)

  it("finds a worker registered with heartbeat, start time and proof of life", function()
    local run = w:start_idle { QUEUE = "mail,default", WORKER_HOST = "web1" }
    local id = ("web1:%d:mail,default"):format(run:worker())
    assert.same({ id }, w:on("SMEMBERS", "workers"))
    assert.matches("^" .. STAMP .. "Z$", w:on("GET", "worker:" .. id .. ":started"))
    assert.matches("^" .. STAMP .. "%+00:00$", w:on("HGET", "workers:heartbeat", id))
    assert.equal("hash", w:on("TYPE", "lua:proc:" .. id))
    assert.is_nil(w:on("GET", "worker:" .. id))
    assert.matches("%*%*%* Starting worker " .. id:gsub("%p", "%%%0"), run:err())
  end)

  it("is in its worker's record while it runs, as the same bytes", function()
    local run = w:start_idle {}
    local payload = '{ "class":"Gate", "args":[{"gate":"a","x":1e2,"big":18446744073709551616}],'
      .. '"id":"6055fe1a2c4b4f0e9d0b5d0f3e8a20b9", "more":"\\u00e9é" }'
    w:on("SET", "job:6055fe1a2c4b4f0e9d0b5d0f3e8a20b9:status",
      '{"status":1,"updated":1326692575,"started":1326692574}')
    w:push("default", payload)
    w:wait_ledger "start a"
    local id = w:on("SMEMBERS", "workers")[1]
    local record = w:on("GET", "worker:" .. id)
    local token, run_at, rest = record:match(
      '^{"token":"(%x+:%d+)",.-"queue":"default","run_at":"(' .. STAMP .. 'Z)","payload":(.*)}$')
    assert.is_not_nil(token, record)
    assert.matches("^" .. ("%x"):rep(16) .. ":%d+$", token)
    assert.is_not_nil(run_at)
    assert.equal(payload, rest)
    local status = w:status "6055fe1a2c4b4f0e9d0b5d0f3e8a20b9"
    assert.equal(2, status.status)
    assert.equal(1326692574, status.started)
    assert.is_true(status.updated > 1326692575)
    assert.matches("^resque%-1%.0: Processing default since %d+%-%d+%-%d+ %d+:%d+:%d+ %[Gate%]$",
      proc.title(run:wait_job()))
    run:wait_title("^Forked " .. run:jobs()[1] .. " at %d+%-%d+%-%d+ %d+:%d+:%d+$")
    w:open_gate "a"
    w:wait_processed(1)
    assert.is_nil(w:on("GET", "worker:" .. id))
    assert.equal("1", w:on("GET", "stat:processed:" .. id))
    assert.same({}, (w:failed()))
  end)

  local results = {
    -- what perform returns as JSON of args, and the text of "result"
    { '{"name":"Chris"}', '{"name":"Chris"}' },
    { "[1,[],{}]", '[1,[],{}]' },
    { '{"n":9007199254740993}', '{"n":9007199254740993}' },
  }
  for _, row in ipairs(results) do
    it("keeps the result " .. row[2] .. " of a tracked job", function()
      local id = w:enqueue("default", "Echo", row[1], "--track")
      w:start_idle {}
      w:wait_processed(1)
      local text = w:on("GET", "job:" .. id .. ":status")
      local result = text:match '^{"status":4,"updated":%d+,"started":%d+,"result":(.*)}$'
      assert.equal(row[2], result, text)
      local ttl = w:on("TTL", "job:" .. id .. ":status")
      assert.is_true(ttl > 85000 and ttl <= 86400)
    end)
  end

  it("ends in failed with Ruby's seven keys and ours, the raw payload and a status of 3", function()
    local payload = '{"class":"Raise","args":[{"message":"no é here","n":1.0}],'
      .. '"id":"00000000000000000000000000000abc"}'
    w:on("SET", "job:00000000000000000000000000000abc:status",
      '{"status":1,"updated":1,"started":1,"result":null}')
    w:push("mail", payload)
    local run = w:start_idle { QUEUE = "mail", WORKER_HOST = "web1" }
    local id = ("web1:%d:mail"):format(run:worker())
    w:wait_processed(1)
    local records, raw = w:failed()
    assert.equal(1, #records)
    local names = {}
    for name in pairs(records[1]) do
      names[#names + 1] = name
    end
    table.sort(names)
    assert.equal("attempt backtrace cpu_ms error exception failed_at host payload peak_kb queue "
      .. "wall_ms worker", table.concat(names, " "))
    assert.equal("web1", records[1].host)
    assert.truthy(raw[1]:find('"payload":' .. payload .. ",", 1, true), raw[1])
    assert.matches("^%d%d%d%d/%d%d/%d%d %d%d:%d%d:%d%d UTC$", records[1].failed_at)
    assert.equal("LuaError", records[1].exception)
    assert.matches("jobs%.lua:%d+: no é here$", records[1].error)
    assert.equal(id, records[1].worker)
    assert.equal("mail", records[1].queue)
    assert.matches("jobs%.lua:%d+", table.concat(records[1].backtrace, "\n"))
    assert.equal(1, w:stat "processed")
    assert.equal(1, w:stat "failed")
    assert.equal("1", w:on("GET", "stat:failed:" .. id))
    assert.matches('^{"status":3,"updated":%d+,"started":1,"result":null}$',
      w:on("GET", "job:00000000000000000000000000000abc:status"))
    assert.is_true(w:on("TTL", "job:00000000000000000000000000000abc:status") > 86300)
  end)

  it("is told with its wall time, CPU time and peak memory, in record and log", function()
    w:write_jobs("jobs.lua", [[
      local Heavy = resque.job "Heavy"
      function Heavy:perform()
        local text = ("x"):rep(20 * 1024 * 1024)
        local ends = os.clock() + 0.1
        repeat until os.clock() > ends
        resque.sleep(0.2)
        if self.args.fail then error("heavy " .. #text) end
      end]])
    local run = w:start { APP_INCLUDE = w.dir .. "/jobs.lua", LOG_FORMAT = "json" }
    w:job("Heavy", { fail = true })
    w:job("Heavy", {})
    w:wait_processed(2)
    run:stop()
    local record = w:failed()[1]
    assert.is_true(record.wall_ms >= 300 and record.wall_ms < clock.limit(30000), record.wall_ms)
    assert.is_true(record.cpu_ms >= 90 and record.cpu_ms <= record.wall_ms, record.cpu_ms)
    assert.is_true(record.peak_kb >= 20 * 1024, record.peak_kb)
    local told = {}
    for line in run:err():gmatch "[^\n]+" do
      local entry = cjson.decode(line)
      told[#told + 1] = entry.wall_ms and entry
    end
    assert.equal(2, #told)
    assert.same({ record.wall_ms, record.cpu_ms, record.peak_kb },
      { told[1].wall_ms, told[1].cpu_ms, told[1].peak_kb })
    assert.matches("^failed .* in %d+ ms %(%d+ ms CPU, %d+%.%d MB%): LuaError: ", told[1].text)
    assert.matches("^done .* in %d+ ms %(%d+ ms CPU, %d+%.%d MB%)$", told[2].text)
  end)

  it("leaves nothing of the worker behind after a clean stop", function()
    local run = w:start_idle {}
    w:job "Noop"
    w:job("Raise", {})
    w:wait_processed(2)
    assert.same({ 0, 0 }, { run:stop() })
    assert.same(prefixed("queues", "stat:processed", "stat:failed", "failed"), keys())
  end)

  it("runs in the order of the queue", function()
    for n = 1, 50 do
      w:job("Note", { n = n })
    end
    w:start_idle {}
    w:wait_processed(50)
    local expected = {}
    for n = 1, 50 do
      expected[n] = "Note " .. n
    end
    assert.same(expected, w:ledger())
  end)

  it("is waited for by resque-enqueue --wait, with its result and exit code", function()
    w:start_idle {}
    local env, opts = nil, { enqueue = true }
    local code, out = w:run({ "default", "Echo", '{"a":1}', "--wait=10", "--json" }, env, opts)
    assert.equal(0, code)
    assert.equal(1, cjson.decode(out:match "[^\n]+\n?$").result.a)
    assert.equal(1, (w:run({ "default", "Raise", "--wait=10" }, env, opts)))
    assert.equal(5, (w:run({ "nobody", "Echo", "--wait=0.2" }, env, opts)))
  end)
end)
