--- Relative paths lead where the name of the folder leads that resque-lua was started in ($PWD):
-- a deploy that gives this name to another folder is followed.
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

describe("resque-lua in a folder that a deploy replaces", function()
  local w <const> = scene.fresh()
  local run, done

  before_each(function()
    assert(uv.fs_mkdir(w.dir .. "/releases", 493))
    done = 0
  end)

  local function hook(text)
    return ('require("resque").on("beforeFork", function() dofile %q.write "hook %s" end)'):format(
      world.fixtures .. "/ledger.lua", text)
  end

  -- A release: its job writes its name, and that of a module of the release.
  local function release(name)
    local dir = "releases/" .. name
    assert(uv.fs_mkdir(w.dir .. "/" .. dir, 493))
    assert(uv.fs_mkdir(w.dir .. "/" .. dir .. "/jobs", 493))
    w:write(dir .. "/word.lua", ("return %q"):format(name))
    w:write_jobs(dir .. "/jobs.lua", ([[
      local word = require "word"
      resque.job("Where").perform = function()
        ledger.write("%s", word, (require("io").open "word.lua":read "a"))
      end]]):format(name))
    w:write_jobs(dir .. "/jobs/Below.lua",
      ('return {perform = function() ledger.write "below %s" end}'):format(name))
    w:write(dir .. "/hooks.lua", hook(name))
    return w.dir .. "/" .. dir
  end

  local function link(target)
    assert(uv.fs_symlink(target, w.dir .. "/new"))
    assert(os.rename(w.dir .. "/new", w.dir .. "/current"))
  end

  local function start(env, opts)
    env = env or {}
    env.APP_INCLUDE = env.APP_INCLUDE or "jobs.lua"
    if env.PWD == nil then
      env.PWD = w.dir .. "/current"
    end
    opts = opts or {}
    opts.cwd = w.dir .. "/current"
    run = w:start_idle(env, opts)
  end

  -- What one job wrote, in one line.
  local function wrote(class)
    local before = #w:ledger()
    w:job(class or "Where")
    done = done + 1
    w:wait_processed(done)
    return table.concat(w:ledger(), " | ", before + 1)
  end

  local function words(name)
    return ('%s %s return "%s"'):format(name, name, name)
  end

  it("follows a link in its name: files, modules, jobs/, what jobs open", function()
    link(release "one")
    start()
    assert.equal(words "one", wrote())
    link(release "two")
    assert.equal(words "two", wrote())
    assert.equal("below two", wrote "Below")
    require("spec.support.folder").remove(w.dir .. "/releases/one")
    assert.equal(words "two", wrote())
  end)

  it("follows with hooks of the worker, a worker that starts, and a relative LOGFILE", function()
    link(release "one")
    start { APP_INCLUDE = "jobs.lua, hooks.lua", LOGFILE = "log", PWD = w.dir .. "/current" }
    assert.equal("hook one | " .. words "one", wrote())
    link(release "two")
    assert.equal("hook two | " .. words "two", wrote())
    uv.kill(run:worker(), "sigkill")
    assert.equal("hook two | " .. words "two", wrote())
    run:signal "sighup"
    clock.wait_until(function()
      return (proc.read(w.dir .. "/releases/two/log") or ""):find "APP_INCLUDE is fine"
    end, 5, "the log is opened where the name leads")
  end)

  it("follows in SANDBOX=strict", function()
    w:write("releases/keep", "")
    for _, name in ipairs { "one", "two" } do
      local dir = release(name)
      w:write("releases/" .. name .. "/jobs.lua", ([[
        require("resque").job("Which").perform = function()
          return "%s " .. require "word"
        end]]):format(name))
      if name == "one" then
        link(dir)
      end
    end
    start { SANDBOX = "strict" }
    local id = w:job("Which", nil, { track = true })
    w:wait_processed(1)
    assert.equal("one one", w:status(id).result)
    link(w.dir .. "/releases/two")
    id = w:job("Which", nil, { track = true })
    w:wait_processed(2)
    assert.equal("two two", w:status(id).result)
  end)

  it("follows when another folder gets the name", function()
    local one = release "one"
    assert(os.rename(one, w.dir .. "/current"))
    start()
    assert.equal(words "one", wrote())
    assert(os.rename(w.dir .. "/current", w.dir .. "/old"))
    assert(os.rename(release "two", w.dir .. "/current"))
    assert.equal(words "two", wrote())
  end)

  it("stays in the old one while its name leads nowhere", function()
    link(release "one")
    start()
    assert(os.remove(w.dir .. "/current"))
    assert.equal(words "one", wrote())
    link(release "two")
    assert.equal(words "two", wrote())
  end)

  for what, pwd in pairs { ["no $PWD"] = false, ["a $PWD that is another folder"] = "/",
    ["a $PWD that is no absolute path"] = "." } do
    it(("says so when that is removed, with %s; jobs wait"):format(what), function()
      link(release "one")
      start { PWD = pwd }
      assert.equal(words "one", wrote())
      link(release "two")
      assert.equal(words "one", wrote())
      require("spec.support.folder").remove(w.dir .. "/releases/one")
      w:job "Where"
      clock.wait_until(function()
        return select(2, w:run { "workers" }):find("\tblocked: APP_INCLUDE (jobs.lua) does not "
          .. "exist: the folder that resque-lua was started in was removed (hint: ", 1, true)
      end, 10, "workers shows it")
      clock.wait_until(function()
        return w:queued() == 1
      end, 5, "the job waits")
      assert.equal(done, w:stat "processed")
    end)
  end
end)
