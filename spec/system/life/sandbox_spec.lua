--- What SANDBOX=strict adds in a worker (lua/job/sandbox_spec has the Lua side of it).
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local server = require "spec.support.server"

local w <const> = scene.fresh { tcp = true }

describe("SANDBOX=strict in a worker", function()
  local function start(text, env)
    local all = { SANDBOX = "strict", APP_INCLUDE = w:write("jobs.lua", [[
      local resque = require "resque"
      local function job(name, perform)
        local class = resque.job(name)
        class.perform = perform
        return class
      end
    ]] .. text) }
    for name, value in pairs(env or {}) do
      all[name] = value
    end
    return w:start_idle(all)
  end

  -- A job's result.
  local function result(class, args)
    local id = w:job(class, args, { track = true })
    w:wait_processed(1)
    local failed = w:failed()[1]
    assert.is_nil(failed and failed.error)
    return w:status(id).result
  end

  local HOLD = [[job("Hold", function() resque.log.info "it holds" resque.sleep(30) end)]]
  local function held(run)
    w:job "Hold"
    clock.wait_until(function() return run:err():find "it holds" end, 5, "the job runs")
    return run:wait_job()
  end

  for mode, filters in pairs { strict = "2", off = "0" } do
    it("has a seccomp filter in jobs, and none in the worker: " .. mode, function()
      local run = start(HOLD, { SANDBOX = mode })
      assert.equal(filters, proc.status(held(run), "Seccomp"))
      assert.equal("0", proc.status(run:worker(), "Seccomp"))
      assert.is_nil(run:err():find "without seccomp")
      run:signal "sigusr1"
      w:wait_processed(1)
      assert.matches("SIGUSR1", w:failed()[1].error)
    end)
  end

  it("lets a job do all that resque offers", function()
    local run = start([[
      job("All", function()
        assert(resque.redis("SET", resque.key "x", "1"))
        assert(resque.enqueue("default", "Other", {}))
        resque.log.warn "a line"
        print "printed"
        return { sum = 1 + 1, ok = require "cjson" ~= nil }
      end)
      job("Other", function() return "other" end)
      job("Fails", function() error "as it should" end)
      resque.on("onFailure", function(err) resque.log.warn("told: " .. err.message) end)]])
    local id = w:job("All", {}, { track = true })
    w:job "Fails"
    w:wait_processed(3)
    assert.same({ sum = 2, ok = true }, w:status(id).result)
    assert.equal(1, #w:failed())
    assert.matches("jobs%.lua:%d+: as it should", w:failed()[1].error)
    assert.matches("jobs%.lua:%d+: in ", w:failed()[1].backtrace[1])
    assert.equal("1", w:on("GET", "x"))
    assert.matches("a line.*told: .*as it should", run:err())
  end)

  it("lets it look up names and connect", function()
    start([[job("Ping", function() return (resque.redis "PING") end)]],
      { REDIS_BACKEND = server.name() .. ":" .. w.server.port })
    assert.equal("PONG", result "Ping")
  end)

  -- A C module that was opened for scripts is what could reach the kernel.
  local ways = {
    { "a signal to its worker", "uv.kill(uv.os_getppid(), 0)", "EPERM" },
    { "a signal to everybody", "uv.kill(-1, 0)", "EPERM" },
    { "opening a file for writing", "uv.fs_open(here .. '/new', 'w', 438)", "EPERM" },
    { "appending to one", "uv.fs_open(here .. '/jobs.lua', 'a', 438)", "EPERM" },
    { "removing one", "uv.fs_unlink(here .. '/jobs.lua')", "EPERM" },
    { "renaming one", "uv.fs_rename(here .. '/jobs.lua', here .. '/x')", "EPERM" },
    { "a folder", "uv.fs_mkdir(here .. '/new', 448)", "EPERM" },
    { "a link", "uv.fs_symlink('/etc/passwd', here .. '/link')", "EPERM" },
    { "changing rights", "uv.fs_chmod(here .. '/jobs.lua', 511)", "EPERM" },
    { "a server's socket", "uv.new_tcp():bind('127.0.0.1', 0)", "EPERM" },
    { "a worse priority for its worker", "uv.os_setpriority(uv.os_getppid(), 19)", "EPERM" },
  }
  for _, row in ipairs(ways) do
    it("stops a C module: " .. row[1], function()
      local text = [[
        local uv = require "luv"
        job("Try", function(self)
          local here = self.args.here
          local ok, value, why, name = pcall(function() return %s end)
          return tostring(name or why or value)
        end)]]
      start(text:format(row[2]), { SANDBOX_MODULES = "luv" })
      assert.matches(row[3], result("Try", { here = w.dir }))
      assert.is_nil(uv.fs_stat(w.dir .. "/new") or uv.fs_lstat(w.dir .. "/link"))
    end)
    it("stops only then: " .. row[1], function()
      local text = [[
        local uv = require "luv"
        job("Try", function(self)
          local here = self.args.here
          local ok, value, why, name = pcall(function() return %s end)
          return tostring(name or why or value)
        end)]]
      start((text:format(row[2]):gsub("kill%(%-1", "kill(uv.os_getpid()")), { SANDBOX = "off" })
      assert.is_nil(result("Try", { here = w.dir }):find(row[3], 1, true))
    end)
  end

  -- APP_INCLUDE of a job table's sandbox has kept functions that Lua no longer gives.
  local kept = {
    { "io.popen", "io.popen('true')", "^nil" },
    { "os.execute", "os.execute 'true'", "^nil" },
    { "io.open for writing", "io.open(here .. '/new', 'w')", "Operation not permitted" },
    { "io.open for appending", "io.open(here .. '/jobs.lua', 'a')", "Operation not permitted" },
    { "io.open for updating", "io.open(here .. '/jobs.lua', 'r+')", "Operation not permitted" },
    { "io.tmpfile", "io.tmpfile()", "Operation not permitted" },
    { "os.remove", "os.remove(here .. '/jobs.lua')", "Operation not permitted" },
    { "os.rename", "os.rename(here .. '/jobs.lua', here .. '/x')", "Operation not permitted" },
    { "os.tmpname", "os.tmpname()", "unable to generate a unique filename" },
  }
  for _, row in ipairs(kept) do
    it("a job table's sandbox stops what APP_INCLUDE kept: " .. row[1], function()
      start(([[
        local io, pcall, select = io, pcall, select
        local os = { execute = os.execute, remove = os.remove, rename = os.rename,
          tmpname = os.tmpname }
        job("Try", function(self)
          local here = self.args.here
          local first, why = select(2, pcall(function() return %s end))
          return tostring(first) .. " " .. tostring(why)
        end).sandbox = "strict"]]):format(row[2]), { SANDBOX = "off" })
      assert.matches(row[3], result("Try", { here = w.dir }))
    end)
  end
  it("a job table's sandbox does not stop reading with what APP_INCLUDE kept", function()
    start([[
      local io = io
      job("Read", function(self) return io.open(self.args.path):read "l" end).sandbox = "strict"]],
      { SANDBOX = "off" })
    assert.matches("^root:", result("Read", { path = "/etc/passwd" }))
  end)

  it("is what the check of APP_INCLUDE has", function()
    local path = w:write("jobs.lua", [[
      local uv = require "luv"
      error(tostring(select(2, uv.kill(uv.os_getppid(), "sigstop"))))]])
    local code, _, err = w:run({ "--burst" }, {
      QUEUE = "a", SANDBOX = "strict", SANDBOX_MODULES = "luv", APP_INCLUDE = path,
    })
    assert.equal(3, code)
    assert.matches("EPERM", err)
  end)
  it("is what onFailure of a dead job has", function()
    local run = start([[
      resque.on("onFailure", function() resque.log.warn("io is " .. tostring(io)) end)]] .. HOLD)
    held(run)
    run:signal "sigusr1"
    clock.wait_until(function() return run:err():find "io is nil" end, 5, "onFailure ran")
  end)
  it("goes with JOB_USER", function()
    if uv.getuid() ~= 0 then
      return assert.equal(2, (w:run({}, { QUEUE = "a", SANDBOX = "strict", JOB_USER = "nobody" })))
    end
    uv.fs_chmod(w.dir, 493)
    local run = start(HOLD, { JOB_USER = "nobody" })
    local pid = held(run)
    assert.equal("2", proc.status(pid, "Seccomp"))
    assert.matches("^[1-9]%d*\t", proc.status(pid, "Uid"))
  end)
end)
