--- The files of conf are understood by the programs they are for, and do what they say.
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local process = require "spec.support.process"
local world = require "spec.support.world"

local function text_of(name)
  return assert(proc.read(world.root .. "/" .. name), name .. " is missing")
end

describe("conf", function()
  local w

  before_each(function()
    w = world.new()
  end)
  after_each(function()
    w:close()
  end)

  local function run(line, env, seconds)
    local all_env = { PATH = os.getenv "PATH", HOME = w.dir, LC_ALL = "C.UTF-8" }
    for name, value in pairs(env or {}) do
      all_env[name] = value
    end
    return process.run(line, { env = all_env, clean = true, dir = w.dir, seconds = seconds or 60 })
  end

  local function tool(name)
    return world.root .. "/spec/support/tool.sh", world.build:gsub("/san$", "") .. "/tools", name
  end

  -- A file of conf with this build and this folder instead of the system's.
  local function here(name, mode)
    local places = {
      ["/usr/local/bin/resque-lua"] = world.program,
      ["/usr/local/share/resque-lua/resque-lua.sh"] = world.root .. "/conf/resque-lua.sh",
      ["/etc/resque-lua"] = w.dir, ["/var/log"] = w.dir, ["/run/resque-lua"] = w.dir,
    }
    local text = text_of("conf/" .. name)
    for from, to in pairs(places) do
      text = text:gsub(from:gsub("%p", "%%%0"), (to:gsub("%%", "%%%%")))
    end
    local path = w:write(name:match "[^/]+$", text)
    assert(uv.fs_chmod(path, tonumber(mode or "600", 8)))
    return path
  end

  local function write_settings(more)
    w:write("mail.env", table.concat({
      "QUEUE=mail", "APP_INCLUDE=" .. world.fixtures .. "/jobs.lua", "INTERVAL=0.1",
      "REDIS_BACKEND=" .. w.server:backend(), "PREFIX=" .. w.prefix, "LEDGER=" .. w.ledger_path,
      more or "", "",
    }, "\n"))
  end

  it("resque.monit is understood by monit", function()
    local program, tools, name = tool "monit"
    local path = here "resque.monit"
    local code, out, err = run { program, tools, name, "-t", "-c", path }
    assert.equal(0, code, out .. err)
    assert.truthy((out .. err):find("syntax OK", 1, true))
    local text = text_of "conf/resque.monit"
    assert.truthy(text:find "total memory is greater than 300 MB for 10 cycles then restart\n")
    w:write("resque.monit", text .. "    if total memori > 1 then alert\n")
    assert.not_equal(0, (run { program, tools, name, "-t", "-c", path }))
  end)

  it("logrotate is understood by logrotate, and its script is right", function()
    local program, tools, name = tool "logrotate"
    local path = here("logrotate", "644")
    local code, out, err = run { program, tools, name, "-d", "-s", w.dir .. "/state", path }
    assert.equal(0, code, out .. err)
    assert.is_nil((out .. err):find("error", 1, true))
    write_settings()
    local settings = { "--env-file", w.dir .. "/mail.env", "--logfile", w.dir .. "/mail.log" }
    local env = { QUEUE = false, APP_INCLUDE = false, PIDFILE = w.dir .. "/mail.pid" }
    local worker = w:start_idle(env, { args = settings })
    assert(os.rename(w.dir .. "/mail.log", w.dir .. "/mail.log.1"))
    local script = proc.read(path):match "postrotate\n(.-)endscript"
    assert.equal(0, (run { "sh", "-euc", script }))
    clock.wait_until(function()
      return uv.fs_stat(w.dir .. "/mail.log")
    end, 5, "the log file is opened again")
    assert.is_true(worker.process:running())
  end)

  it("resque-lua@.service is understood by systemd", function()
    local path = here("systemd/resque-lua@.service", "644")
    local unit = path:gsub("@", "@mail")
    assert(uv.fs_copyfile(path, unit))
    local code, out, err = run { "systemd-analyze", "verify", "--man=no", unit }
    assert.equal(0, code, out .. err)
    assert.equal("", out .. err)
  end)

  it("supervisord.conf starts, restarts and stops workers", function()
    write_settings()
    local path = here "supervisord.conf"
    local file = assert(io.open(path, "a"))
    file:write(("\n[supervisord]\nnodaemon=true\nlogfile=%s/s.log\npidfile=%s/s.pid\n")
      :format(w.dir, w.dir))
    file:close()
    local program, tools, name = tool "supervisord"
    local supervisor = process.start({ program, tools, name, "-c", path }, {
      env = { PATH = os.getenv "PATH", HOME = w.dir }, clean = true, dir = w.dir,
    })
    local function workers()
      supervisor:must_not_fail()
      return w:on("SCARD", "workers") == 1 and w:on("SRANDMEMBER", "workers")
    end
    local first = clock.wait_until(workers, 60, "the worker is registered")
    w:job("Noop", {}, { queue = "mail" })
    w:wait_processed(1)
    clock.wait_until(function()
      return proc.read(w.dir .. "/s.log"):find("entered RUNNING state", 1, true)
    end, 30, "supervisord takes it for started") -- before that it would start it again anyway
    -- Its manager dies: another one is started.
    local manager = proc.stat(tonumber(first:match ":(%d+):")).parent
    uv.kill(manager, "sigkill")
    clock.wait_until(function()
      local now = workers()
      return now and now ~= first
    end, 30, "another worker is registered")
    supervisor:signal_now "sigterm"
    supervisor:wait(20)
    assert.equal(0, w:on("SCARD", "workers"))
    assert.truthy(proc.read(w.dir .. "/s.log"):find("stopped: resque-lua-mail (exit status 0)", 1,
      true))
  end)

  describe("resque-lua.sh", function()
    local function service(command, env, wrap)
      local all_env = {
        RESQUE_LUA = world.program, CONF_DIR = w.dir, RUN_DIR = w.dir .. "/run",
        LOG_DIR = w.dir .. "/log", QUEUE = "another", ASAN_OPTIONS = os.getenv "ASAN_OPTIONS",
      }
      for name, value in pairs(env or {}) do
        all_env[name] = value
      end
      local line = table.move(wrap or {}, 1, #(wrap or {}), 1, {})
      line[#line + 1] = world.root .. "/conf/resque-lua.sh"
      line[#line + 1] = command
      line[#line + 1] = "mail"
      return run(line, all_env)
    end

    local function pid()
      return tonumber(proc.read(w.dir .. "/run/mail.pid"))
    end

    -- The script waits for the end of the PID file, shortly behind which is the manager's.
    local function wait_ended(manager)
      clock.wait_until(function()
        return not proc.alive(manager)
      end, 10, "the workers have ended")
    end

    -- What a failed test has left: no child of ours, so nobody else ends it.
    after_each(function()
      local left = uv.fs_stat(w.dir .. "/run/mail.pid") and pid()
      if left and (proc.title(left) or ""):find "Monitoring" then
        uv.kill(left, "sigterm")
        wait_ended(left)
      end
    end)

    it("starts, tells of, reloads, restarts and stops workers", function()
      write_settings "VERBOSE=1"
      assert.equal(3, (service "status"))
      assert.equal(0, (service "start"))
      local first = pid()
      assert.truthy(proc.title(first):find("Monitoring 1 children", 1, true))
      local code, out = service "status"
      assert.equal(0, code)
      assert.equal(("resque-lua mail: is running, pid %d\n"):format(first), out)
      assert.equal(0, (service "start"))
      assert.equal(first, pid())
      w:job("Noop", {}, { queue = "mail" })
      w:wait_processed(1)
      assert.equal(0, (service "reload"))
      clock.wait_until(function()
        return proc.read(w.dir .. "/log/mail.log"):find("APP_INCLUDE is fine", 1, true)
      end, 5, "HUP came")
      assert.equal(0, (service "restart"))
      local second = pid()
      assert.not_equal(first, second)
      wait_ended(first)
      assert.equal(0, (service "stop"))
      wait_ended(second)
      assert.is_nil(uv.fs_stat(w.dir .. "/run/mail.pid"))
      assert.equal(0, (service "stop"))
      assert.equal(3, (service "status"))
      assert.equal(0, w:on("SCARD", "workers"))
    end)

    it("lets a job finish, and ends it when that takes too long", function()
      write_settings()
      assert.equal(0, (service("start")))
      w:job("Spin", {}, { queue = "mail" })
      clock.wait_until(function()
        return w:ledger()[1] == "start spin"
      end, 5, "the job runs")
      local manager = pid()
      local code, out = service("stop", { STOP_SECONDS = "1" })
      assert.equal(0, code)
      assert.truthy(out:find("jobs still run after 1 seconds", 1, true))
      wait_ended(manager)
      assert.equal("Resque::DirtyExit", w:failed()[1].exception)
    end)

    it("says why workers do not start", function()
      local code, _, err = service "start"
      assert.equal(1, code)
      assert.truthy(err:find("cannot read its settings, " .. w.dir .. "/mail.env", 1, true))
      write_settings "APP_INCLUDE=/nonexistent.lua"
      code, _, err = service "start"
      assert.equal(1, code)
      assert.truthy(err:find("APP_INCLUDE (/nonexistent.lua) does not exist", 1, true))
      assert.truthy(err:find("did not start (exit code 3)", 1, true))
    end)

    it("is not taken in by a PID file of a process that is something else", function()
      write_settings()
      assert(uv.fs_mkdir(w.dir .. "/run", 448))
      local stranger = process.start({ "sleep", "60" }, { dir = w.dir })
      w:write("run/mail.pid", ("%d\n"):format(stranger.pid))
      assert.equal(1, (service "status"))
      assert.equal(0, (service "stop"))
      assert.is_true(stranger:running())
      stranger:finish()
    end)

    it("knows its workers where /proc does not show them", function()
      if uv.getuid() ~= 0 then
        return pending "needs root, to hide /proc"
      end
      local blind = { "unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"',
        "sh" }
      write_settings()
      assert.equal(0, (service "start"))
      assert.equal(0, (service("status", nil, blind)))
      local first = pid()
      assert.equal(0, (service("start", nil, blind)))
      assert.equal(first, pid())
      assert.equal(0, (service("stop", nil, blind)))
      assert.is_nil(uv.fs_stat(w.dir .. "/run/mail.pid"))
      w:write("run/mail.pid", ("%d\n"):format(first))
      assert.equal(1, (service("status", nil, blind)))
    end)

    it("tells how it is used", function()
      local script = world.root .. "/conf/resque-lua.sh"
      local code, _, err = run { script }
      assert.equal(2, code)
      assert.truthy(err:find "^usage: .*\nhint: ")
      assert.equal(2, (run { script, "start", "../mail" }))
      assert.equal(2, (run { script, "begin", "mail" }))
    end)
  end)
end)
