--- The error of a limit of which something in the job makes an exit: luv, for one, ends the process
-- where a callback raises an error. That is the limit, and no crash.
-- Without sanitizers: they look for leaks in a process that ends by exit in the middle of its work.
local clock = require "spec.support.clock"
local preload = require "spec.support.preload"
local scene = require "spec.support.scene"

local TIMEOUT = ("%gs"):format(0.4 * clock.slow)

local JOBS = ("local forking = assert(package.loadlib(%q, 'luaopen_forking'))() ")
  :format(preload.module "forking") .. ([[
  local function job(name, perform, limits)
    local class = resque.job(name)
    class.perform = function(self)
      ledger.write("start", name)
      return perform(self)
    end
    for field, value in pairs(limits or {}) do class[field] = value end
  end
  local function in_callback(fn)
    return function()
      local uv = require "luv"
      uv.new_timer():start(1, 0, fn)
      uv.run()
    end
  end
  local function spin() while true do end end
  local function bomb()
    local all = {}
    while true do all[#all + 1] = { #all } end
  end
  job("Cpu", in_callback(spin), { cpu = 1 })
  job("Time", in_callback(spin), { timeout = "TIMEOUT" })
  job("Memory", in_callback(bomb), { memory = "8M" })
  job("Caught", function(self)
    local ok, err = pcall(bomb)
    assert(not ok and err == "not enough memory")
    if self.args.leave then forking.leave() end
    if self.args.code then os.exit(self.args.code) end
  end, { memory = "8M" })
  job("Exit", function() os.exit(3) end, { memory = "8M" })
  job("Garbage", function()
    collectgarbage "stop"
    for _ = 1, 100000 do local _ = { {}, {}, {} } end
    os.exit(3)
  end, { memory = "8M" })
  job("Copy", function()
    local copy = forking.fork()
    if copy == 0 then bomb() end
    assert(forking.wait(copy) == 1)
    os.exit(3)
  end, { memory = "8M" })
  resque.on("onFailure", function(err) ledger.write("told", err.name) end)
]]):gsub("TIMEOUT", TIMEOUT)

describe("the error of a limit that becomes an exit", function()
  local w <const> = scene.shared()
  local run

  setup(function()
    run = w:start_idle { APP_INCLUDE = w:write_jobs("exits.lua", JOBS), ON_CRASH = "requeue:2",
      RESQUE_TERM_TIMEOUT = tostring(4 * clock.slow) }
  end)

  -- Runs one job to its end: its failure record, and the ledger's new lines.
  local function work(class, args)
    local processed, failed, lines = w:stat "processed", #w:failed(), #w:ledger()
    w:job(class, args)
    w:wait_processed(processed + 1, 30)
    run:wait_title "^Waiting"
    return w:failed()[failed + 1], { table.unpack(w:ledger(), lines + 1) }
  end

  local function is_limit(class, args, name, limit, text)
    local record, lines = work(class, args)
    assert.is_table(record, "the job is done")
    assert.same({ name, limit, 1 }, { record.exception, record.limit, record.attempt })
    assert.matches(text, record.error)
    assert.same({ "start " .. class, "told " .. name }, lines)
    assert.is_nil(next(record.backtrace))
  end

  it("of CPU time is recorded as such, and the job is not run again", function()
    is_limit("Cpu", {}, "Resque::CpuLimit", "cpu",
      "^used more than 1 s of CPU time %(cpu%); its process then exited with exit code 255$")
  end)

  it("of time is recorded as such", function()
    is_limit("Time", {}, "Resque::Timeout", "timeout",
      "^took longer than [%d.]+ s %(timeout%); its process then exited with exit code 255$")
  end)

  it("of memory is recorded as such", function()
    is_limit("Memory", {}, "Resque::MemoryLimit", "memory",
      "^not enough memory %(limit 8 MB%); its process then exited with exit code 255$")
  end)

  it("by os.exit, or with 0 and without a word, is recorded as such", function()
    is_limit("Caught", { code = 3 }, "Resque::MemoryLimit", "memory", "with exit code 3$")
    is_limit("Caught", { leave = true }, "Resque::MemoryLimit", "memory", "with exit code 0$")
  end)

  it("of a job that caught it and says that it is done, is a success", function()
    assert.is_nil((work("Caught", { code = 0 })))
    assert.is_nil((work("Caught", {})))
  end)

  for name, class in pairs {
    ["of the job before"] = "Exit", ["that was not raised: collecting garbage helped"] = "Garbage",
    ["of a process that the job forked"] = "Copy",
  } do
    it(name .. ", is none: the exit is a crash", function()
      work("Caught", {})
      local record, lines = work(class, {})
      assert.same({ "Resque::PoisonJob", 3 }, { record.exception, record.attempt })
      assert.matches("Job exited with exit code 3$", record.error)
      assert.is_nil(record.limit)
      assert.equal(4, #lines, table.concat(lines, "\n"))
    end)
  end
end)
