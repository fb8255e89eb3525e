--- A disk that is full, and standard streams that are closed, broken or full: the program refuses
-- to start where it cannot keep a promise, and else works on without them.
local uv = require "luv"
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local process = require "spec.support.process"
local scene = require "spec.support.scene"

local w <const> = scene.fresh()

-- Jobs that end in each way are run, whatever becomes of what is written about them.
local function works(run)
  local before = w:account()
  w:job("Noop", {}) -- VERBOSE: a line each
  w:job("Raise", { message = ("long "):rep(1000) })
  w:job("Kill", { signal = "KILL" })
  w:wait_processed(before.processed + 3, 20)
  assert.equal(before.failed + 2, w:on("LLEN", "failed"))
  assert.is_true(run.process:running())
end

-- The program behind a shell that does `redirect` first.
local function started_with(redirect, env)
  local run = w:start(env, { wrap = { "sh", "-c", 'exec "$@" ' .. redirect, "sh" } })
  clock.wait_until(function()
    return #w:on("SMEMBERS", "workers") == 1
  end, 10, "the worker is registered")
  return run
end

local function stops(run)
  run:signal "sigquit"
  assert.same({ 0, 0 }, { run.process:wait(10) })
end

describe("standard streams:", function()
  for name, redirect in pairs {
    ["/dev/full: nothing can be written"] = ">/dev/full 2>&1",
    ["all closed"] = "<&- >&- 2>&-",
    ["read-only where they should be written"] = "</dev/null 1</dev/null 2</dev/null",
  } do
    it(name .. ": jobs run, and the program ends with 0", function()
      local run = started_with(redirect)
      works(run)
      for _, target in pairs(proc.descriptors(run:worker())) do
        assert.is_nil(target:find("deleted", 1, true))
      end
      stops(run)
    end)
  end

  it("a pipe that nobody reads, and is full: jobs run, and the program ends with 0", function()
    local pipe = w.dir .. "/pipe"
    assert.equal(0, process.run({ "mkfifo", pipe }, { dir = w.dir }))
    local reader = process.start({ "sh", "-c", 'exec sleep 100 <"$0"', pipe }, { dir = w.dir })
    local run = w:start({ VVERBOSE = "1" }, { wrap = { "sh", "-c",
      'head -c 65536 /dev/zero >"$GATES/pipe"; exec "$@" >"$GATES/pipe" 2>&1', "sh" } })
    clock.wait_until(function()
      return #w:on("SMEMBERS", "workers") == 1
    end, 20, "the worker is registered")
    works(run)
    stops(run)
    reader:finish()
  end)

  it("a pipe whose reader is gone (EPIPE): jobs run, and the program ends with 0", function()
    local run = w:start(nil, { wrap = { "sh", "-c",
      'rm -f "$GATES/pipe"; mkfifo "$GATES/pipe"; true <"$GATES/pipe" & '
      .. 'exec "$@" >"$GATES/pipe" 2>&1', "sh" } })
    clock.wait_until(function()
      return #w:on("SMEMBERS", "workers") == 1
    end, 10, "the worker is registered")
    works(run)
    stops(run)
  end)
end)

describe("LOGFILE", function()
  it("/dev/full: jobs run all the same", function()
    local run = w:start { LOGFILE = "/dev/full" }
    works(run)
    stops(run)
  end)

  -- A limit on the size of files stands for the end of the disk: the kernel refuses the write.
  it("on a disk that becomes full: jobs run, and HUP opens another when there is room", function()
    local path = w.dir .. "/log"
    local run = w:start({ LOGFILE = path, VVERBOSE = "1" }, { wrap = { "sh", "-c",
      [[trap '' XFSZ; ulimit -f 8; exec "$@"]], "sh" } })
    clock.wait_until(function()
      works(run)
      return #(proc.read(path) or "") >= 4096
    end, 20, "the log is full")
    works(run)
    assert.is_true(#proc.read(path) <= 8 * 1024)
    assert(uv.fs_rename(path, path .. ".1"))
    run:signal "sighup"
    clock.wait_until(function()
      works(run)
      return (proc.read(path) or ""):find("got", 1, true)
    end, 20, "the new log has lines")
    stops(run)
  end)
end)

-- A file system of one page, full but for its first file, in a mount namespace of its own. Words to
-- put before the program; nil where none may be made.
local function full_disk(dir)
  local mount = ("mount -t tmpfs -o size=4k,nr_inodes=8 none %s && head -c 4096 /dev/zero >%s/fill")
    :format(dir, dir)
  for _, user in ipairs { {}, { "--user", "--map-root-user" } } do
    local wrap = { "unshare", "--mount" }
    table.move(user, 1, #user, #wrap + 1, wrap)
    table.move({ "sh", "-c", mount .. ' && exec "$@"', "sh" }, 1, 4, #wrap + 1, wrap)
    if process.run(table.move({ "true" }, 1, 1, #wrap + 1, { table.unpack(wrap) }),
      { dir = w.dir }) == 0 then
      return wrap
    end
  end
end

describe("a full disk", function()
  local dir, wrap
  before_each(function()
    dir = w.dir .. "/disk"
    assert(uv.fs_mkdir(dir, 448))
    wrap = full_disk(dir)
  end)

  local function start_there(env)
    if not wrap then
      pending "this machine allows no mounts"
    end
    return w:start(env, { wrap = wrap })
  end

  it("for PIDFILE: refused at start with exit 1, and no worker ran", function()
    local run = start_there { PIDFILE = dir .. "/pid" }
    assert.same({ 1, 0 }, { run.process:wait(10) })
    assert.matches("PID file .*/pid: .*No space left on device\n%*%*%* hint: make room", run:err())
    assert.equal(0, w:on("EXISTS", "stat:processed"))
    assert.same({}, w:on("SMEMBERS", "workers"))
  end)

  it("for LOGFILE: jobs run all the same", function()
    local run = start_there { LOGFILE = dir .. "/log" }
    works(run)
    stops(run)
  end)

  it("for what a job writes: that job fails, and the next runs", function()
    w:write_jobs("fill.lua", [[
      Fill = { perform = function(self)
        local file = assert(io.open(self.args.path, "w"))
        assert(file:write(("x"):rep(100000)))
        assert(file:close())
      end }
      Fine = { perform = function() end }]])
    start_there { APP_INCLUDE = w.dir .. "/fill.lua" }
    w:job("Fill", { path = dir .. "/output" })
    w:job "Fine"
    w:wait_processed(2)
    assert.equal(1, #w:failed())
    assert.matches("No space left on device", w:failed()[1].error)
  end)
end)
