--- demo/run: the story it tells, its exit code, and that nothing of it stays.
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local process = require "spec.support.process"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

-- The demo is no subject for sanitizers: it builds for itself, beside such a build.
local BUILD = world.build:gsub("/san$", "")

describe("demo/run", function()
  local w <const> = scene.fresh()
  local tmp

  before_each(function()
    tmp = w.dir .. "/tmp"
    assert(uv.fs_mkdir(tmp, 448))
  end)

  -- What a person's shell may have set must not change the demo.
  local function env(more)
    local all = {
      BUILD = BUILD, TMPDIR = tmp, QUEUE = "another", PREFIX = "another", COUNT = "7",
      REDIS_BACKEND = "localhost:6379", LOGFILE = "/nonexistent/log", INTERVAL = "86400",
      APP_INCLUDE = false,
    }
    for name, value in pairs(more or {}) do
      all[name] = value
    end
    return w:env(all)
  end

  local function run(args, opts)
    opts = opts or {}
    local dir = opts.dir or world.root
    local line = { dir .. "/demo/run", table.unpack(args) }
    return process.run(line, { env = env(), clean = true, dir = w.dir, seconds = 60 })
  end

  local function nothing_stays()
    local scan = assert(uv.fs_scandir(tmp))
    assert.is_nil(uv.fs_scandir_next(scan))
    for _, pid in ipairs(proc.descendants(uv.os_getpid())) do
      assert.is_nil((proc.title(pid) or ""):find(tmp, 1, true))
    end
  end

  it("--once shows the four jobs and ends with 0", function()
    local code, out, err = run { "--once" }
    assert.equal(0, code, out .. err)
    assert.is_nil(out:find("\27", 1, true), "there is colour although nobody watches")
    for _, text in ipairs {
      "everything is installed", "a private one: " .. tmp:gsub("%p", "%%%0"),
      "Starting worker [^\n]*:default\n[^\n]*Starting worker [^\n]*:default\n",
      "resque%-1%.0: Monitoring 2 children",
      "resque%-1%.0: Forked %d+ at ",
      "resque%-1%.0: Processing default since [%d: -]+ %[Long_Lua_Job%]",
      "Lua_Job +complete: {\"greeting\":\"Hello, Chris!\"}\n",
      "Bad_Lua_Job +failed\n", "Lua_Error_Job +failed\n", "Long_Lua_Job +failed\n",
      "Bad_Lua_Job +LuaError\n +demo/jobs.lua:%d+: Unable to run this job!\n",
      "Lua_Error_Job +LuaError\n +demo/jobs.lua:%d+: attempt to call a nil value",
      "Long_Lua_Job +Resque::DirtyExit\n +Job killed by signal 9 %(SIGKILL%)",
      "beforeFirstFork: [^\n]*:default starts", "onFailure: Long_Lua_Job",
      "ok +stat:processed +4\n", "ok +stat:failed +3\n", "ok +jobs in failed +3\n",
    } do
      assert.truthy(out:find(text), ("%q is missing in:\n%s%s"):format(text, out, err))
    end
    nothing_stays()
  end)

  it("has colour on a terminal, and none with NO_COLOR", function()
    for _, no_color in ipairs { "", "1" } do
      local opts = { env = env { NO_COLOR = no_color, TERM = "xterm" }, clean = true, dir = w.dir,
        seconds = 60 }
      local command = world.root .. "/demo/run --once"
      local code, out = process.run({ "script", "-qec", command, "/dev/null" }, opts)
      assert.equal(0, code, out)
      assert.truthy(out:find("Lua_Job", 1, true))
      assert.equal(no_color == "", out:find("\27[1m", 1, true) ~= nil)
      assert.equal(no_color == "", out:find("\27", 1, true) ~= nil)
    end
    nothing_stays()
  end)

  -- The same demo with other jobs: a folder of links into this one.
  local function changed(jobs)
    local dir = w.dir .. "/changed"
    assert(uv.fs_mkdir(dir, 448))
    assert(uv.fs_mkdir(dir .. "/demo", 448))
    for _, name in ipairs { "src", "lua", "spec", "conf", "jobs", "Makefile" } do
      assert(uv.fs_symlink(world.root .. "/" .. name, dir .. "/" .. name))
    end
    for _, name in ipairs { "init.lua", "tour.lua", "sample_plugin.lua" } do
      assert(uv.fs_symlink(world.root .. "/demo/" .. name, dir .. "/demo/" .. name))
    end
    assert(uv.fs_copyfile(world.root .. "/demo/run", dir .. "/demo/run"))
    w:write("changed/demo/jobs.lua", jobs)
    return dir
  end

  it("shows a job beside another, and a hook that takes its time", function()
    local jobs = proc.read(world.root .. "/demo/jobs.lua")
    local slow = jobs:gsub("resque%.sleep%(1%)", ("resque.sleep(%g)"):format(2 * clock.slow))
      .. 'resque.on("onFailure", function() resque.sleep(0.3) end)\n'
    local code, out, err = run({ "--once" }, { dir = changed(slow) })
    assert.equal(0, code, out .. err)
    for _, text in ipairs {
      "Lua_Job +running\n", "Lua_Job +complete: ",
      "resque%-1%.0: Processing default since [%d: -]+ %[Lua_Job%]",
      "resque%-1%.0: Processing default since [%d: -]+ %[Long_Lua_Job%]",
      "onFailure: Long_Lua_Job: Resque::DirtyExit",
    } do
      assert.truthy(out:find(text), ("%q is missing in:\n%s%s"):format(text, out, err))
    end
  end)

  it("--once ends with 1 and says what was not expected", function()
    local jobs = proc.read(world.root .. "/demo/jobs.lua")
    local dir = changed((jobs:gsub('error "Unable to run this job!"', "return true")))
    local code, out = run({ "--once" }, { dir = dir })
    assert.equal(1, code, out)
    assert.truthy(out:find "BAD Bad_Lua_Job")
    assert.truthy(out:find "BAD stat:failed +2 instead of 3")
    assert.truthy(out:find "ok +Lua_Error_Job")
    nothing_stays()
  end)

  it("says what is wrong when the worker does not start", function()
    local code, out, err = run({ "--once" }, { dir = changed "this is not Lua" })
    assert.equal(1, code, out)
    assert.truthy(err:find("demo/jobs.lua:1:", 1, true), err)
    nothing_stays()
  end)

  it("goes on until Ctrl-C, and its commands for another terminal work", function()
    local demo = process.start({ world.root .. "/demo/run" },
      { env = env(), clean = true, dir = w.dir })
    demo:wait_for("Ctrl%-C ends everything", 60)
    local servers = 0
    for _, pid in ipairs(proc.descendants(demo.pid)) do
      local title = proc.title(pid)
      if title and title:find "^redis%-server" then -- with a port it would show that
        servers = servers + 1
        assert.truthy(title:find("redis-server unixsocket:" .. tmp, 1, true), title)
      end
    end
    assert.equal(1, servers)
    local backend = demo:out():match "export REDIS_BACKEND=(%S+)"
    local other = { env = env { REDIS_BACKEND = backend, PREFIX = false }, clean = true,
      dir = w.dir, cwd = world.root }
    local code, out, err = process.run({ "lua5.4", "demo/queue.lua", "Lua_Job" }, other)
    assert.equal(0, code, err)
    local id = out:match "^Queued job (%x+)\n\n$"
    code, out, err = process.run({ "lua5.4", "demo/check_status.lua", id }, other)
    assert.equal(0, code, err)
    assert.truthy(out:find("Tracking status of " .. id .. ". Press [break] to stop.\n\n", 1, true))
    assert.truthy(out:find(("Status of %s is: 4\n$"):format(id)))
    demo:wait_for("done %(Job{default} | " .. id) -- the log of the workers is shown
    demo:signal_now "sigint"
    assert.same({ 0, 0 }, { demo:wait(10) })
    assert.truthy(demo:out():find("nothing is left", 1, true))
    nothing_stays()
  end)

  it("told to end in the middle of the story does so; killed, the next one clears up", function()
    local demo = process.start({ world.root .. "/demo/run", "--once" },
      { env = env(), clean = true, dir = w.dir })
    demo:wait_for("Put four jobs in", 60)
    demo:signal_now "sigterm"
    demo:wait()
    nothing_stays()
    demo = process.start({ world.root .. "/demo/run" }, { env = env(), clean = true, dir = w.dir })
    demo:wait_for("Put four jobs in", 60)
    local all = proc.descendants(demo.pid)
    demo:signal_now "sigkill"
    clock.wait_until(function()
      return proc.none_alive(all)
    end, nil, "all that it started has ended")
    assert.equal(0, (run { "--once" }))
    nothing_stays()
  end)

  it("refuses an option it does not know", function()
    local code, _, err = run { "--twice" }
    assert.equal(2, code)
    assert.truthy(err:find("no option '--twice'\nhint: ", 1, true))
  end)
end)

describe("the demo's scripts", function()
  local w <const> = scene.fresh()

  local function lua(...)
    return process.run({ "lua5.4", ... }, {
      env = w:env { BUILD = BUILD, LUA_PATH = false, LUA_CPATH = false }, clean = true, dir = w.dir,
      cwd = world.root,
    })
  end

  it("say what they want", function()
    local code, _, err = lua "demo/queue.lua"
    assert.equal(2, code)
    assert.truthy(err:find("Specify the name of a job to add. e.g, ", 1, true))
    code, _, err = lua "demo/check_status.lua"
    assert.equal(2, code)
    assert.equal("Specify the ID of a job to monitor the status of.\n", err)
    code, _, err = lua("demo/check_status.lua", "nosuchjob")
    assert.equal(1, code)
    assert.equal("Resque is not tracking the status of this job.\n", err)
  end)

  it("queue.lua takes a queue, too, and sends what php-resque's demo sends", function()
    local code, out = lua("demo/queue.lua", "mail", "Any_Job")
    assert.equal(0, code)
    local payload = w:on("LINDEX", "queue:mail", 0)
    assert.truthy(payload:find('"class":"Any_Job"', 1, true))
    assert.truthy(payload:find('"array":{"test":"test"}', 1, true))
    assert.truthy(payload:find('"time":%d+'))
    assert.equal(1, w:status(out:match "Queued job (%x+)").status)
  end)

  it("sample_plugin.lua hears every event", function()
    local run = w:start_idle {
      APP_INCLUDE = world.root .. "/demo/jobs.lua," .. world.root .. "/demo/sample_plugin.lua",
    }
    w:run({ "-v", "default", "Lua_Job" }, { APP_INCLUDE = "demo/sample_plugin.lua" },
      { enqueue = true, cwd = world.root })
    w:job("Bad_Lua_Job", {})
    w:wait_processed(2)
    for _, event in ipairs {
      "beforeFirstFork", "beforeFork", "afterFork", "beforePerform", "afterPerform", "onFailure",
    } do
      clock.wait_until(function()
        return run:err():find("*** " .. event .. ": ", 1, true)
      end, 5, event .. " is heard")
    end
    local _, _, err = w:run({ "-v", "elsewhere", "Lua_Job", "a=b" },
      { APP_INCLUDE = "demo/sample_plugin.lua" }, { enqueue = true, cwd = world.root })
    assert.truthy(err:find("beforeEnqueue: Lua_Job is about to be queued in elsewhere", 1, true))
    assert.truthy(err:find('afterEnqueue: Lua_Job was queued in elsewhere as %x+ with {"a":"b"}'))
  end)
end)
