--- resque-lua doctor about servers: every finding is provoked for real, and seen in words and in
-- JSON. What it says of keys is doctor_keys_spec's.
local uv = require "luv"
local clock = require "spec.support.clock"
local doctor = require "spec.support.doctor"
local pages = require "spec.support.pages"
local preload = require "spec.support.preload"
local process = require "spec.support.process"
local resp = require "spec.support.resp"
local scene = require "spec.support.scene"
local server = require "spec.support.server"
local world = require "spec.support.world"

local w <const> = scene.fresh { args = { "--appendonly", "yes", "--appendfsync", "always" } }
after_each(function()
  for name, value in pairs { save = "", ["maxmemory-policy"] = "noeviction", maxmemory = "0",
    appendonly = "yes", appendfsync = "always", maxclients = "4000", ["protected-mode"] = "yes",
    ["min-replicas-to-write"] = "0", ["no-appendfsync-on-rewrite"] = "no" } do
    w.server:call("CONFIG", "SET", name, value)
  end
end)

local function examine(env)
  return doctor.examine(w, env)
end

local function assert_found(name, level, pattern, env)
  return doctor.assert_found(w, name, level, pattern, env)
end

local function config(name, value)
  w.server:call("CONFIG", "SET", name, value)
end

-- Another server, in a folder of this world.
local others = 0
local function other(opts)
  others = others + 1
  opts.dir = ("%s/redis%d"):format(w.dir, others)
  assert(uv.fs_mkdir(opts.dir, 448))
  return server.start(opts)
end

describe("doctor finds nothing wrong", function()
  it("with a fleet that works", function()
    w:start_idle { COUNT = "2" }
    w:job("Noop", {})
    w:job("Raise", {})
    w:job("Gate", { gate = "a" })
    w:wait_ledger "start a"
    w:wait_processed(2)
    local by_name, code, answer = examine()
    assert.same({ 0, 0, 0, 0 }, { code, answer.warn, answer.fail, answer.unseen })
    assert.equal(#answer.checks, answer.ok)
    assert.equal(w:key "", answer.prefix)
    assert.equal(by_name.version.text, answer.server)
    assert.matches("^2 workers, none silent for more than 5m$", by_name.heartbeats.text)
    assert.matches("^1 job is at work", by_name.working.text)
    assert.matches("^1 failure, as", by_name.failed.text)
    assert.matches("^1 queue, each", by_name.queues.text)
    w:open_gate "a"
  end)

  it("and says it in a line each, which --quiet leaves out", function()
    local code, out, err = w:run { "doctor" }
    assert.equal(0, code)
    assert.matches("^%d%d fine, 0 warnings, 0 broken\n$", err)
    for line in out:gmatch "[^\n]+" do
      assert.matches("^ok\t[%l-]+\t[^\t]+$", line)
    end
    assert.same({ 0, "", "" }, { w:run { "doctor", "--quiet" } })
  end)

  it("with failures as Ruby, php and node write them", function()
    w:on("RPUSH", "failed", doctor.GOOD,
      '{"failed_at":"Mon Jan 16 13:42:55 CET 2012","payload":{"class":"A"},"exception":"E",'
      .. '"error":"","backtrace":["a","b"],"worker":"h:1:a,b","queue":"q"}',
      '{"failed_at":"Sun Nov 22 2026 10:00:00 GMT+0000 (UTC)","payload":{"class":"A","args":[1]},'
      .. '"exception":"Error","error":"x","backtrace":null,"worker":"h:1+1:a","queue":"q"}')
    assert_found("failed", "ok", "^3 failures")
  end)
end)

describe("doctor on a terminal", function()
  it("shows a table with words, hints and colour that fits", function()
    config("maxmemory-policy", "allkeys-lru")
    w:on("SET", "pause-all-workers", "true")
    local function on_terminal(env)
      local code, out = process.run({ "script", "-qec", "stty cols 72; " .. world.program
        .. " doctor", "/dev/null" }, { env = w:env(env), clean = true, dir = w.dir })
      return code, (out:gsub("\r", ""))
    end
    local code, out = on_terminal { TERM = "xterm" }
    assert.equal(0, code, out)
    assert.matches("^Redis %d[%d.]*%s+at%s+unix://%S+,%s+keys%s", out)
    assert.matches("\n\27%[1mServer\27%[0m\n", out)
    assert.matches("\27%[33mwarn\27%[0m    eviction      allkeys%-lru would delete", out)
    assert.matches("\n {24}hint: DEL " .. (w:key "pause-all-workers"):gsub("%-", "%%-") .. "\n",
      (out:gsub("\n" .. (" "):rep(24), "\n {24}")))
    for line in out:gsub("\27%[%d+m", ""):gmatch "[^\n]+" do
      -- the address is as long as it is, and stands on a line of its own if it has to
      assert.is_true(utf8.len(line) <= 72 or line:find "unix:" ~= nil, line)
    end
    assert.matches("%d%d fine, 2 warnings, 0 broken %(these alone: %-%-quiet%)\n$", out)
    code, out = on_terminal { TERM = "xterm", NO_COLOR = "1" }
    assert.equal(0, code)
    assert.is_nil(out:find("\27", 1, true))
  end)
end)

describe("doctor says of the server's settings:", function()
  local rows = {
    { "snapshots only", { appendonly = "no", save = "3600 1" }, "persistence", "fail",
      "^snapshots only %(save 3600 1%): a crash" },
    { "neither file nor snapshots", { appendonly = "no" }, "persistence", "fail",
      "a restart of Redis loses every job" },
    { "appendfsync everysec", { appendfsync = "everysec" }, "fsync", "warn", "^everysec: " },
    { "appendfsync no", { appendfsync = "no" }, "fsync", "fail", "half minute" },
    { "no sync on rewrite", { ["no-appendfsync-on-rewrite"] = "yes" }, "fsync", "warn",
      "while the file is rewritten" },
    { "eviction of jobs", { ["maxmemory-policy"] = "allkeys-lru", maxmemory = "1gb" }, "eviction",
      "fail", "deletes jobs that wait" },
    { "eviction without a limit", { ["maxmemory-policy"] = "allkeys-random" }, "eviction", "warn",
      "as soon as there is a maxmemory" },
    { "eviction of what expires", { ["maxmemory-policy"] = "volatile-ttl" }, "eviction", "warn",
      "keys that expire" },
    { "a full memory", { maxmemory = "100kb" }, "memory", "fail", "no job can be put in" },
    { "a limit far away", { maxmemory = "1gb" }, "memory", "ok", "of maxmemory 1%.0 GB" },
    { "too few replicas", { ["min-replicas-to-write"] = "1" }, "replicas", "fail",
      "refuses every one" },
    { "nearly all clients there are", { maxclients = "2" }, "clients", "warn", "^2 of at most 2 " },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      for name, value in pairs(row[2]) do
        config(name, value)
      end
      assert_found(row[3], row[4], row[5])
    end)
  end

  it("a memory that is nearly full", function()
    local used = w.server:call("INFO", "memory"):match "used_memory:(%d+)"
    config("maxmemory", ("%.0f"):format(used * 1.06))
    assert_found("memory", "warn", "of maxmemory .* are used")
  end)
end)

describe("doctor says of a server", function()
  -- 192.0.2.1 (RFC 5737) is no address of this machine: named, never listened on.
  local OUTSIDE = { "--bind", "127.0.0.1 -192.0.2.1", "--protected-mode", "no" }

  it("that anybody may come in, unless a password or protected-mode is set", function()
    local s = other { tcp = true, args = OUTSIDE }
    local env = { REDIS_BACKEND = s:backend() }
    assert_found("access", "fail", "no password, and it listens on %-192%.0%.2%.1, port "
      .. s.port, env)
    s:call("CONFIG", "SET", "protected-mode", "yes")
    assert_found("access", "ok", "protected%-mode turns", env)
    s:call("CONFIG", "SET", "protected-mode", "no")
    s:call("CONFIG", "SET", "requirepass", "canary")
    assert_found("access", "ok", "nobody comes in without a password",
      { REDIS_BACKEND = s:backend(), REDIS_PASSWORD = "canary" })
    local _, out, err = w:run({ "doctor", "--json" },
      { REDIS_BACKEND = "redis://:canary@127.0.0.1:" .. s.port })
    assert.is_nil((out .. err):find("canary", 1, true))
    s:stop()
  end)

  it("that it is a replica, and of its master that nothing waits for replicas", function()
    local master = other { tcp = true, args = { "--repl-diskless-sync-delay", "0" } }
    local replica = other { args = { "--replicaof", "127.0.0.1 " .. master.port } }
    clock.wait_until(function()
      return master:call("INFO", "replication"):find "connected_slaves:1"
        and replica:call("INFO", "replication"):find "master_link_status:up"
    end, 20, "the replica is connected")
    assert_found("role", "fail", "a replica of 127%.0%.0%.1:" .. master.port,
      { REDIS_BACKEND = replica:backend() })
    local env = { REDIS_BACKEND = master:backend() }
    assert_found("replicas", "warn", "^1 replica, and writes wait for none", env)
    master:call("CONFIG", "SET", "min-replicas-to-write", "1")
    clock.wait_until(function()
      return master:call("INFO", "replication"):find "min_slaves_good_slaves:1"
    end, 10, "the replica has told how far it is")
    assert_found("replicas", "ok", "^1 replica, of which writes need 1", env)
    replica:stop()
    master:stop()
  end)

  -- Not every Debian has it; spec/lua/cli/doctor_spec.lua has what it says of itself.
  if os.execute "command -v valkey-server >/dev/null" then
    it("that it is a Valkey", function()
      local s = other { program = "valkey-server" }
      local by_name, _, answer = examine { REDIS_BACKEND = s:backend() }
      assert.matches("^Valkey %d+%.%d+%.%d+$", answer.server)
      assert.same({ "ok", answer.server }, { by_name.version.level, by_name.version.text })
      assert.matches("in valkey%.conf$", by_name.persistence.hint)
      assert.equal(0, answer.unseen)
      s:stop()
    end)
  end

  it("that PREFIX needs a hash tag on a cluster", function()
    local s = other { tcp = true, args = { "--cluster-enabled", "yes" } }
    s:call("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    clock.wait_until(function()
      return s:call("CLUSTER", "INFO"):find "cluster_state:ok"
    end, 10, "the cluster works")
    local found = assert_found("cluster", "fail", "^PREFIX 'app:' spreads the keys",
      { REDIS_BACKEND = s:backend(), PREFIX = "app" })
    assert.equal("PREFIX='{app}'", found.hint)
    assert_found("cluster", "ok", "^PREFIX '{app}:' keeps every key in one slot",
      { REDIS_BACKEND = s:backend(), PREFIX = "{app}" })
    s:call("CLUSTER", "FLUSHSLOTS")
    assert_found("cluster", "fail", "not on this node: CLUSTERDOWN",
      { REDIS_BACKEND = s:backend(), PREFIX = "{app}" })
    s:stop()
  end)

  it("that it is still loading", function()
    local s = other {}
    s:call("EVAL", [[for i = 1, 20000 do redis.call("SET", i, ("x"):rep(100)) end]], 0)
    s:call "SAVE"
    s:kill()
    s.process = process.start({ os.getenv "REDIS_SERVER" or "redis-server", "--port", "0",
      "--unixsocket", s.socket, "--dir", s.dir, "--key-load-delay", "300",
      "--loading-process-events-interval-bytes", "1024" }, { dir = s.dir })
    clock.wait_until(function()
      local client = resp.connect(s.socket)
      return client and client:try "INFO":find "loading:1"
    end, 10, "it loads")
    local by_name, code = examine { REDIS_BACKEND = s:backend() }
    assert.same({ 1, "fail" }, { code, by_name.loading.level })
    assert.matches("still reading its data", by_name.loading.text)
    assert.matches("cannot be seen: LOADING", by_name.heartbeats.text)
    s.process:finish()
  end)

  it("that its disk refuses snapshots", function()
    local s = other { args = { "--dbfilename", "taken" } }
    assert(uv.fs_mkdir(s.dir .. "/taken", 448))
    s:call("CONFIG", "SET", "save", "3600 1")
    s:call "BGSAVE"
    clock.wait_until(function()
      return s:call("INFO", "persistence"):find "rdb_last_bgsave_status:err"
    end, 10, "the snapshot failed")
    assert_found("disk", "fail", "^Redis could not write the snapshot: it refuses jobs",
      { REDIS_BACKEND = s:backend() })
    s:stop()
  end)

  it("that its append-only file cannot grow", function()
    local s = other { args = { "--appendonly", "yes" },
      wrap = { "sh", "-c", [[trap '' XFSZ; ulimit -f 64; exec "$@"]], "sh" } }
    clock.wait_until(function()
      s.client:try("SET", "x", ("x"):rep(10000))
      return s:call("INFO", "persistence"):find "aof_last_write_status:err"
    end, 10, "a write failed")
    assert_found("disk", "fail", "could not write the append%-only file: it refuses jobs",
      { REDIS_BACKEND = s:backend() })
    s:stop()
  end)

  it("that its clock is another", function()
    local s = other { wrap = preload.wrap("jump_clock",
      { JUMP_CLOCK = w:write("clock", "300") }) }
    local found = assert_found("clock", "warn", "^this machine is 5m 0s behind Redis",
      { REDIS_BACKEND = s:backend() })
    assert.matches("NTP", found.hint)
    s:stop()
  end)

  it("that it answers slowly", function()
    local s = other {}
    local busy = {}
    for n = 1, 3 do -- one of them always waits for its turn, so does doctor
      busy[n] = process.start({ "sh", "-c", ("while :; do redis-cli -s %s -r 50 EVAL "
        .. "'for i = 1, 3000000 do end' 0 >/dev/null; done"):format(s.socket) }, { dir = w.dir })
    end
    local found
    clock.wait_until(function()
      found = examine({ REDIS_BACKEND = s:backend() }).latency
      return found.level == "warn"
    end, 20, "doctor finds it slow")
    assert.matches("ms there and back: every job waits", found.text)
    for _, client in ipairs(busy) do
      client:finish()
    end
    s:stop()
  end)
end)
describe("doctor", function()
  it("says what its Redis user may not see, and judges the rest", function()
    w.server:call("ACL", "SETUSER", "blind", "on", ">secret", "~*", "+@all", "-config", "-acl",
      "-scan")
    local s = other { tcp = true, args = { "--appendonly", "yes" } }
    s:call("ACL", "SETUSER", "blind", "on", ">secret", "~*", "+@all", "-config", "-acl", "-scan")
    local env = { REDIS_BACKEND = ("redis://blind:secret@127.0.0.1:%d"):format(s.port) }
    local by_name, code = examine(env)
    assert.equal(0, code)
    for _, name in ipairs { "access", "fsync", "orphans", "queues" } do
      assert.equal("unseen", by_name[name].level, by_name[name].text)
      assert.matches("^cannot be seen: NOPERM", by_name[name].text)
    end
    for _, name in ipairs { "persistence", "eviction", "memory", "failed" } do
      assert.equal("ok", by_name[name].level, by_name[name].text) -- INFO tells
    end
    local out, err = select(2, w:run({ "doctor" }, env))
    assert.is_nil((out .. err):find("secret", 1, true))
    assert.matches("not to be seen\n$", err)
    s:call("ACL", "SETUSER", "blind", "-info", "-time")
    by_name = examine(env)
    assert.matches("^cannot be seen: NOPERM", by_name.version.text)
    assert.matches("^cannot be seen: NOPERM", by_name.clock.text)
    s:stop()
  end)

  it("sees everything with what docs/redis.md tells to allow", function()
    local s = other { tcp = true, args = { "--appendonly", "yes" } }
    local more = pages.text "docs/redis.md":match "doctor` sees all there is to see with `([^`]+)`"
    local words = {}
    for word in (table.concat(pages.redis_user(), " ") .. " " .. more):gmatch "%S+" do
      words[#words + 1] = word == "~resque:*" and "~" .. w:key "*" or word
    end
    s:call("ACL", "SETUSER", "resque", "reset", table.unpack(words))
    local _, _, answer = examine {
      REDIS_BACKEND = ("redis://resque:secret@127.0.0.1:%d"):format(s.port) }
    assert.equal(0, answer.unseen)
    s:stop()
  end)

  it("exits 4 when there is no Redis, also in the middle, and 2 for arguments", function()
    local code, out, err = w:run({ "doctor" }, { REDIS_BACKEND = "unix:///nonexistent/r.sock" })
    assert.same({ 4, "" }, { code, out })
    assert.matches("nonexistent.*\nhint: is Redis running", err)
    assert.equal(2, (w:run { "doctor", "everything" }))
  end)
end)
