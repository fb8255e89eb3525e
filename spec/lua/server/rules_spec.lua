-- The rules about the server scripts that no single script's spec shows: what comes
-- before what, what is sent late or twice, and that a job is in exactly one place whatever happens.
local cjson = require "cjson"
local json = require "resque.json"
local mime = require "mime"
local resp = require "spec.support.resp"
local scene = require "spec.support.scene"
local scripts = require "spec.support.scripts"

local NONCE, OTHER = scripts.NONCE, scripts.OTHER
local NAMES = {
  "reserve", "done", "fail", "unreserve", "register", "heartbeat", "note", "unregister", "prune",
  "promise", "remove", "features",
}
local JOB = '{"class":"A","args":[]}'

local s <const> = scene.scripts()

describe("rule: reserve is one script, in this order:", function()
  local obstacles = {
    { "LOST", function() s:key("SREM", "workers", s.worker) end },
    { "CONFLICT", function()
      s:key("SET", "worker:" .. s.worker, '{"token":"' .. OTHER .. ':1","queue":"')
    end },
    { "PAUSED", function() s:key("SET", "pause-all-workers", "true") end },
    { "JOB", function() s:push("mail", JOB) end },
  }
  for i, obstacle in ipairs(obstacles) do
    it(obstacle[1] .. " comes before all that follow", function()
      for j = i, #obstacles do
        obstacles[j][2]()
      end
      assert.equal(obstacle[1], s:reserve("mail")[1])
    end)
  end
end)

describe("rule: payload bytes are never changed", function()
  it("from queue to record to queue to record to failed", function()
    for _, payload in ipairs {
      '{"class":"A","args":[[],{},9223372036854775807,1.0,"\\/\\u00e9\\u0000é"],"x":{}}',
      ' {"class" : "A" ,"args":["' .. ("\\n中"):rep(200000) .. '"]} ',
    } do
      s:run("unreserve", s:working(payload))
      s:fail(s:reserve("mail")[2])
      assert.is_truthy(s:failure():find('"payload":' .. payload .. ',"exception"', 1, true))
    end
  end)

  it("nor those of a payload that no record can hold", function()
    local bytes = {}
    for i = 0, 255 do
      bytes[i + 1] = string.char(i)
    end
    local payload = '{"class":"A","args":[]}\0' .. table.concat(bytes):rep(100)
    s:run("unreserve", s:working(payload))
    s:fail(s:reserve("mail")[2], { kind = "malformed" })
    assert.is_true(mime.unb64(select(2, s:failure()).raw_base64) == payload)
  end)
end)

describe("rule: a full Redis loses no job", function()
  it("so no script begins with a #! line, which would be refused as a whole", function()
    for _, name in ipairs(NAMES) do
      assert.are_not.equal("#!", scripts.text(name):sub(1, 2))
    end
  end)

  it("and what this server does is what the scripts count on", function()
    s:set("SET", "x", "1")
    s:fill()
    local function first_write(code) return s:set("EVAL", code, 0) end
    assert.matches("^OOM", first_write 'return redis.pcall("SET", "a", "1").err')
    assert.matches("^OOM",
      s.server.client:try("EVAL", '#!lua\nreturn redis.call("DEL", "a")', 0).err)
    for _, opener in ipairs {
      '"DEL", "absent"', '"LPOP", "absent"', '"HDEL", "absent", "a"', '"LPOP", "x"' } do
      assert.equal("OK", first_write(
        "redis.pcall(" .. opener .. ') return redis.call("SET", "a", "1").ok'))
    end
  end)
end)

describe("rule: only the owner of the token acts", function()
  it("on every single character of it", function()
    local token = s:working(JOB)
    local before = s:everything()
    for at = 1, #token + 1 do
      for _, wrong in ipairs {
        token:sub(1, at - 1) .. (token:sub(at, at) == "7" and "8" or "7") .. token:sub(at + 1),
        token:sub(1, at - 1) } do
        if wrong:find "^%x+:%d+$" and wrong ~= token then
          s:done(wrong)
          s:fail(wrong)
          s:run("unreserve", wrong)
        end
      end
    end
    assert.same(before, s:everything())
  end)

  it("and a hundred pruners make one record", function()
    s:working(JOB)
    local first
    for i = 1, 100 do
      local answer = s:run("prune", "proc", NONCE, "web" .. i .. ":1", "")
      first = first or answer
      assert.equal(i == 1 and "OK" or "GONE", answer[1])
    end
    assert.equal(1, s:key("LLEN", "failed"))
  end)
end)

describe("rule: a command that arrives late loses nothing:", function()
  it("a reserve fills our record, the next reserve resumes it", function()
    s:push("mail", JOB, '{"class":"B","args":[]}')
    s:run("reserve", NONCE .. ":2", scripts.LARGEST, "mail")
    s:done(NONCE .. ":2")
    s:run("reserve", NONCE .. ":1", scripts.LARGEST, "mail")
    local answer = s:run("reserve", NONCE .. ":3", scripts.LARGEST, "mail")
    assert.same({ "JOB", NONCE .. ":1", "mail", "B" }, { table.unpack(answer, 1, 4) })
  end)

  it("a reserve after unregistering finds nobody", function()
    s:run("unregister", NONCE, 0)
    s:push("mail", JOB)
    assert.same({ "LOST" }, s:reserve "mail")
    assert.equal("queue:mail", s:places(JOB))
  end)

  it("a done of a finished job does not touch the next", function()
    s:push("mail", JOB, '{"class":"B","args":[]}')
    local first = s:reserve("mail")[2]
    s:done(first, "", NONCE .. ":2", "mail")
    assert.same({ "ALREADY" }, s:done(first))
    assert.equal("worker:" .. s.worker, s:places '{"class":"B","args":[]}')
  end)
end)

describe("rule: a name is one process's at a time, so the one before", function()
  before_each(function()
    s:run("unregister", NONCE, 0)
    assert.same({ "OK" }, s:run("register", "boot", "4026531836", "12", "778", OTHER, "0", "1"))
    s:push("mail", JOB)
  end)

  local late = {
    { "cannot reserve", "LOST", "reserve", NONCE .. ":7", scripts.LARGEST, "mail" },
    { "cannot go on after a done", "LOST", "done", NONCE .. ":6", "", NONCE .. ":7",
      scripts.LARGEST, "mail" },
    { "has put nothing back", "LOST", "unreserve", NONCE .. ":6" },
    { "does not beat", "LOST", "heartbeat", NONCE },
    { "does not unregister it", "OK", "unregister", NONCE, 6 },
  }
  for _, row in ipairs(late) do
    it(row[1], function()
      s:key("HSET", "workers:heartbeat", s.worker, "old")
      local before = s:everything()
      assert.same({ row[2] }, s:run(table.unpack(row, 3)))
      assert.same(before, s:everything())
      assert.equal("JOB", s:run("reserve", OTHER .. ":1", scripts.LARGEST, "mail")[1])
    end)
  end
end)

describe("invariant I9:", function()
  -- The ACL that the manual publishes for a worker.
  local COMMANDS = {
    "evalsha", "eval", "script|load", "get", "set", "del", "exists", "incr", "lpop", "lpush",
    "rpush", "sadd", "srem", "sismember", "hset", "hget", "hgetall", "hmget", "hdel", "time",
    "expire", "lrem",
  }

  it("no command outside the list, no key outside the prefix", function()
    local rules = { "ACL", "SETUSER", "worker", "reset", "on", "nopass", "~p:*", "-@all" }
    for _, command in ipairs(COMMANDS) do
      rules[#rules + 1] = "+" .. command
    end
    s:set(table.unpack(rules))
    local own = s.server.client
    s.server.client = resp.connect(s.server.socket)
    s:set("AUTH", "worker", "x")
    s:key("SADD", "queues", "mail")
    for _, payload in ipairs { JOB, JOB, "junk", '{"class":"A","args":[],"id":"a"}', JOB, JOB } do
      s:key("RPUSH", "queue:mail", payload)
    end
    s:key("SET", "job:a:status", '{"status":1}')
    local function act(word, answer)
      assert.equal(word, answer.err or answer[1])
      return answer[3] or answer[2]
    end
    act("OK", s:run("heartbeat", NONCE))
    act("OK", s:run("note", NONCE, "blocked", "why", "resting:mail", "why"))
    act("OK", s:run("note", NONCE))
    local token = act("OK", s:done(s:reserve("mail")[2], "", s:token(), "mail"))
    act("OK", s:fail(token, { next_token = s:token(), queues = { "mail" } }))
    token = s:reserve("mail")[2]
    act("OK", s:run("unreserve", token))
    act("OK", s:done(s:reserve("mail")[2], '"r"', s:token(), "mail"))
    act("OK", s:run("unregister", NONCE, 1))
    s.on_crash = "2"
    s:worker_named "web1:13:mail"
    s.on_crash = nil
    act("REQUEUED 1", s:fail(s:reserve("mail")[2], { kind = "crashed", most = 2 }))
    act("OK", s:done(s:reserve("mail")[2]))
    act("OK", s:run("promise", s:reserve("mail")[2], 1))
    act("OK", s:run("prune", "proc", NONCE, "me", ""))
    act("OK", s:set("EVAL", scripts.text "remove", 1, "p:queue:mail", "p:", "", 1, JOB, ""))
    s.server.client:close()
    s.server.client = own
    s:set("ACL", "DELUSER", "worker")
  end)
end)

-- Two workers do anything in any order: late, twice, with keys of wrong types, on a full Redis.
-- After each step every job is in one place, and the counters tell the truth.
describe("promise 1: no job is ever lost", function()
  local chaos, order
  local seen = {} -- "script word" and "script word word" of every answer

  local function new_chaos(seed)
    math.randomseed(seed)
    chaos = { pushed = 0, done = {}, done_count = 0, sent = { { s.worker, "heartbeat" } },
      calls = 0, serial = 0 }
    s:reset(true)
  end

  local function choose(list) return list[math.random(#list)] end

  local function choose_worker()
    local n = math.random(2)
    s.worker = ("web%d:%d:a,b"):format(n, n)
    local own = math.random(12) > 1 -- else two processes of one worker id
    chaos.nonce = (n == 1) == own and NONCE or OTHER
  end

  local function fresh_token()
    chaos.serial = chaos.serial + 1
    return chaos.nonce .. ":" .. chaos.serial
  end

  local function held_token()
    local record = s:key("TYPE", "worker:" .. s.worker) == "string" and s:record()
    local token = record and record:match '^{"token":"([^"]+)"'
    if token and math.random(10) > 1 then return token end
    return chaos.nonce .. ":" .. math.random(0, chaos.serial)
  end

  local function next_job()
    if math.random(2) == 1 then return "" end
    return fresh_token(), 150, "a", "b", "c"
  end

  -- Calls a script; a success that `done` reports takes its job out of the world.
  local function send(worker, name, ...)
    s.worker = worker
    local marker = (s:record() or ""):match "J%d+J"
    local answer = s:run(name, ...)
    assert.is_nil(answer.err)
    seen[name .. " " .. answer[1]:match "^%S+"] = true
    if answer[2] then seen[name .. " " .. answer[1] .. " " .. answer[2]] = true end
    if name == "done" and answer[1] == "OK" then
      chaos.done[marker] = true
      chaos.done_count = chaos.done_count + 1
    end
  end

  local function call(name, ...)
    chaos.calls = chaos.calls + 1
    chaos.sent[chaos.calls % 20 + 1] = { s.worker, name, ... }
    send(s.worker, name, ...)
  end

  local function park(key)
    if s:key("TYPE", key) == "string" then
      s:key("DEL", key)
    else
      if key:find "attempts" then
        s:key("DEL", key)
      elseif s:key("EXISTS", key) == 1 then
        chaos.serial = chaos.serial + 1
        s:key("RENAME", key, s.prefix .. "parked:" .. chaos.serial)
      end
      s:key("SET", key, "x")
    end
  end

  local shapes = {
    '{"class":"A","args":["J%dJ"]}', '{"class":"A","args":[],"id":"J%dJ"}', "junk J%dJ",
    '{"args":"J%dJ"}', '{"class":"A","args":["J%dJ",NaN]}',
    '{"class":"Big","args":["J%dJ","' .. ("x"):rep(150) .. '"]}', ("x"):rep(150) .. "J%dJ",
    '{"class":"A","args":["\255J%dJ"]}',
  }

  local steps = {
    push = { 10, function()
      chaos.pushed = chaos.pushed + 1
      local queue = choose { "a", "b" }
      if s:key("TYPE", "queue:" .. queue) == "string" then s:key("DEL", "queue:" .. queue) end
      s:set("CONFIG", "SET", "maxmemory", "0")
      s:push(queue, choose(shapes):format(chaos.pushed))
    end },
    reserve = { 16, function() call("reserve", fresh_token(), 150, "c", "a", "b") end },
    done = { 6, function() call("done", held_token(), "", next_job()) end },
    fail = { 6, function()
      local token, next_token, largest, a, b, c = held_token(), next_job()
      call("fail", token, "malformed", "E", "e", "1", "1", "1", "memory", "o", "0",
        next_token, largest or 150, 2, "x", "y", a, b, c)
    end },
    crash = { 8, function()
      local token, next_token, largest, a, b, c = held_token(), next_job()
      local record = s:key("TYPE", "worker:" .. s.worker) == "string" and s:record()
      if record and not json.check(record, 100) then return end -- it would not have been run
      local id = record and record:match '"status_id":"([^"]+)"'
      local most = math.random(0, 2)
      if id and math.random(2) == 1 then
        most = 1
        s:set("CONFIG", "SET", "maxmemory", "0")
        s.server.client:try("HSET", "p:lua:attempts:" .. id, "crashed", 1, "unstarted", 4)
      end
      call("fail", token, "crashed", "E", "e", "1", "1", "1", "", "o", most,
        next_token, largest or 150, 1, "x", a, b, c)
    end },
    unreserve = { 6, function() call("unreserve", held_token()) end },
    again = { 7, function() send(table.unpack(choose(chaos.sent))) end },
    register = { 14, function()
      call("register", "boot", "1", "2", chaos.serial, chaos.nonce, math.random(0, 2), "1")
    end },
    unregister = { 5, function()
      call("unregister", chaos.nonce, choose { chaos.serial, math.random(0, chaos.serial) })
    end },
    prune = { 2, function()
      local nonce = s:key("HGET", "lua:proc:" .. s.worker, "nonce")
      if nonce then
        call("prune", choose { "proc", "reaped" }, nonce, "me", choose { "", held_token() })
      end
    end },
    heartbeat = { 1, function() call("heartbeat", chaos.nonce) end },
    full = { 2, function() s:set("CONFIG", "SET", "maxmemory", choose { "0", "1" }) end },
    pause = { 1, function()
      s:set("CONFIG", "SET", "maxmemory", "0")
      s:key("SET", "pause-all-workers", choose { "true", "false", "no", "0" })
    end },
    spoil = { 4, function()
      s:set("CONFIG", "SET", "maxmemory", "0")
      park(choose { "failed", "failed:overflow", "queue:a", "queue:b", "queue:c",
        ("lua:attempts:J%dJ"):format(math.max(1, chaos.pushed - math.random(0, 3))) })
    end },
  }
  order = {}
  for name, row in pairs(steps) do
    for _ = 1, row[1] do
      order[#order + 1] = name
    end
  end
  table.sort(order)

  local function note(found, text)
    local raw = text:match '"raw_base64":"([^"]*)"'
    local marker = (raw and mime.unb64(raw) or text):match "J%d+J"
    found[marker] = (found[marker] or 0) + 1
  end

  local function look()
    local found, failures = {}, 0
    for _, key in ipairs(s:set("KEYS", "p:*")) do
      local kind = s:set("TYPE", key)
      for _, text in ipairs(kind == "list" and s:set("LRANGE", key, 0, -1) or {}) do
        note(found, text)
        if text:find '^{"failed_at"' then
          failures = failures + 1
          assert(json.check(text, 100))
          assert.equal("table", type(cjson.decode(text).backtrace))
        end
      end
      if kind == "string" and key:find "^p:worker:[^:]+:[^:]+:[^:]+$" then note(
        found, s:set("GET", key)) end
    end
    return found, failures
  end

  local function conserved()
    local found, failures = look()
    for i = 1, chaos.pushed do
      local marker = "J" .. i .. "J"
      assert.equal(1, (found[marker] or 0) + (chaos.done[marker] and 1 or 0), marker)
    end
    assert.equal(failures, tonumber(s:key("GET", "stat:failed") or 0))
    assert.equal(failures + chaos.done_count, tonumber(s:key("GET", "stat:processed") or 0))
  end

  for seed = 1, 3 do
    it("in 1000 random steps, seed " .. seed, function()
      new_chaos(seed)
      for step = 1, 1000 do
        local name = choose(order)
        choose_worker()
        local ok, err = pcall(function()
          steps[name][2]()
          conserved()
        end)
        assert(ok, ("seed %d, step %d (%s): %s"):format(seed, step, name, tostring(err)))
      end
    end)
  end

  it("and every answer was among those", function()
    local expected = {
      reserve = "JOB EMPTY PAUSED REJECTED LOST ERR", done = "OK ALREADY LOST",
        fail = "OK ALREADY LOST ERR REQUEUED POISON",
      unreserve = "OK ALREADY LOST", register = "OK TAKEN", heartbeat = "OK LOST",
        prune = "OK GONE ERR",
      unregister = "OK HELD CONFLICT",
    }
    for name, words in pairs(expected) do
      for word in words:gmatch "%u+" do
        assert.is_true(seen[name .. " " .. word], name .. " " .. word)
      end
    end
    for _, words in ipairs {
      "done OK JOB", "done ALREADY JOB", "fail OK JOB", "fail OK REJECTED", "unreserve OK FAILED",
      "unregister OK PUTBACK", "prune OK PUTBACK", "prune OK FAILED",
      "prune OK REQUEUED" } do
      assert.is_true(seen[words], words)
    end
  end)
end)
