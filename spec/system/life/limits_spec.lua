--- Limits: wall clock, memory, CPU; the worker's and those of job tables. Each kind of endless
-- loop, the memory bomb and deep recursion have a test each.
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local world = require "spec.support.world"

local SAN = os.getenv "SAN" ~= nil
local TIMEOUT, GRACE = 0.4, 1 -- seconds; JOB_TIMEOUT and RESQUE_TERM_TIMEOUT

local function fixture(name)
  return ("%s/%s.lua"):format(world.fixtures, name)
end

describe("limits:", function()
  local w, run

  local function begin(env)
    w = world.new()
    env.APP_INCLUDE = env.APP_INCLUDE or fixture "limits"
    run = w:start_idle(env)
  end
  local function finish()
    w:close()
  end

  -- Runs one job to its end: its failure record (nil: it is done), the ledger's new lines.
  local function work(class, args, seconds)
    local processed, failed, lines = w:stat "processed", w:stat "failed", #w:ledger()
    local worker = run:worker()
    w:job(class, args)
    w:wait_processed(processed + 1, seconds or 20)
    assert.equal(worker, run:worker()) -- the same one goes on
    local records = w:failed()
    return w:stat "failed" > failed and records[#records] or nil,
      { table.unpack(w:ledger(), lines + 1) }
  end

  local function check(record, exception, message, limit)
    assert.is_table(record, "the job is done")
    assert.equal(exception, record.exception)
    assert.matches(message, record.error)
    assert.equal(limit, record.limit)
  end

  local function has_trace(record, ...)
    local trace = table.concat(record.backtrace, "\n")
    for _, pattern in ipairs { ... } do
      assert.matches(pattern, trace)
    end
  end

  describe("at its time limit", function()
    setup(function()
      begin {
        JOB_TIMEOUT = tostring(TIMEOUT * clock.slow),
        RESQUE_TERM_TIMEOUT = tostring(GRACE * clock.slow),
      }
    end)
    teardown(finish)

    local function in_time(record, grace)
      assert.is_true(record.wall_ms >= TIMEOUT * clock.slow * 1000)
      local most = ((TIMEOUT + grace) * clock.slow + clock.limit(0.9)) * 1000
      assert.is_true(record.wall_ms < most, ("took %d ms"):format(record.wall_ms))
    end

    local raised = {
      ["infinite loop in Lua"] = { "Loop", "limits%.lua:%d+: in function 'spin'" },
      ["infinite loop in a coroutine"] = { "LoopInCoroutine", "limits.lua:%d+: .*\n%[C%]: in .*\n"
        .. ".*limits.lua:%d+: in function <line" },
      ["infinite loop in coroutines in each other"] = { "LoopInCoroutines", "'deep'" },
      ["infinite loop of coroutines whose errors nobody looks at"] = { "LoopOfCoroutines",
        "in function 'resume'" },
      ["infinite loop under pcall"] = { "LoopUnderPcall", "in function 'pcall'" },
      ["infinite loop under pcall, xpcall and coroutines"] = { "LoopUnderPcalls",
        "'pcall'.*'pcall'" },
      ["infinite loop in a closing variable"] = { "LoopInClose", "limits.lua" },
      ["infinite loop of sleeps"] = { "LoopInSleep", "in function 'sleep'" },
    }
    for name, row in pairs(raised) do
      it(name .. " gets an error with a traceback of where it was", function()
        local record = work(row[1])
        check(record, "Resque::Timeout", "^took longer than [%d.]+ s %(timeout%)$", "timeout")
        has_trace(record, row[2])
        in_time(record, 0.2)
      end)
    end

    local killed = {
      ["infinite loop in a string pattern"] = "LoopInPattern",
      ["infinite loop in __gc"] = "LoopInGc",
      ["infinite loop in __gc, after perform"] = "LoopAtTheEnd",
      ["infinite loop blocked in a socket"] = "LoopInSocket",
      ["a job that waits for a program"] = "LoopInShell",
    }
    for name, class in pairs(killed) do
      it(name .. " is ended by TERM, as no error reaches it", function()
        local record = work(class)
        check(record, "Resque::DirtyExit",
          "^Job killed by signal 15 %(SIGTERM%), by its worker for its time limit of [%d.]+ s$",
          "timeout")
        in_time(record, GRACE / 2)
      end)
    end

    it("a job whose programs take no notice of TERM is ended by KILL", function()
      local record = work("Deaf")
      check(record, "Resque::DirtyExit", "^Job killed by signal %d+ .*its time limit", "timeout")
      in_time(record, GRACE)
      assert.same({}, proc.children(run:worker()))
    end)

    it("a job may catch the error, tidy up and end well", function()
      local record, lines = work("Tidy", {})
      assert.is_nil(record)
      assert.matches("^caught false Resque::Timeout took longer than [%d.]+ s", lines[1])
    end)

    it("a job may catch the error, tidy up and fail in its own way", function()
      check(work("Tidy", { raise = true }), "LuaError", "^tidied up$", nil)
    end)

    it("tearDown runs and is not disturbed", function()
      local record, lines = work("Told")
      check(record, "Resque::Timeout", "^took longer", "timeout")
      assert.same({ "tearDown Resque::Timeout worked number" }, lines)
    end)

    it("a tearDown that never ends does not change what the job failed of", function()
      check(work("LoopInTearDown"), "LuaError", "first", nil)
    end)

    it("the table's own limit beats the worker's", function()
      assert.is_nil((work("OwnMore")))
      assert.is_nil((work("OwnNone")))
    end)
  end)

  describe("a signal of somebody else", function()
    setup(function()
      begin { JOB_TIMEOUT = "60", JOB_CPU = "30" }
    end)
    teardown(finish)

    for name, number in pairs { ALRM = 14, XCPU = 24 } do
      it(("SIG%s is no limit, and ends the process as any"):format(name), function()
        check(work("Signalled", { signal = name }), "Resque::DirtyExit",
          ("^Job killed by signal %d %%(SIG%s%%)$"):format(number, name), nil)
      end)
    end

    it("the worker's own is nothing if the worker has not told it anything", function()
      local record, lines = work("Signalled", { signal = "34" })
      assert.is_nil(record)
      assert.same({ "goes on" }, lines)
    end)
  end)

  describe("a stop while a job has its time to end", function()
    after_each(finish)

    it("does not wait for that", function()
      begin { JOB_TIMEOUT = tostring(0.2 * clock.slow), RESQUE_TERM_TIMEOUT = "60" }
      w:job "LoopInPattern"
      local pid = run:wait_job()
      clock.wait_until(function()
        return proc.cpu_ticks(pid) >= 25 * clock.slow
      end, 20, "its time is up")
      local began = clock.now()
      run:signal "sigterm"
      assert.equal(0, (run.process:wait(10)))
      assert.is_true(clock.now() - began < clock.limit(3))
      check(w:failed()[1], "Resque::DirtyExit", "SIGKILL.*for its time limit of", "timeout")
    end)
  end)

  describe("of memory", function()
    setup(function()
      begin { JOB_MEMORY = "16M", JOB_TIMEOUT = "60" }
      for _ = 1, 3 do -- the worker has touched what it needs for a failure
        work("BombAtOnce")
      end
    end)
    teardown(finish)

    local bombs = {
      ["of tables"] = { "BombOfTables", "limits.lua:%d+: in function" },
      ["of one table"] = { "BombOfTheArray", "limits.lua:%d+: in function" },
      ["of a text that doubles"] = { "BombOfText", "limits.lua:%d+: in function" },
      ["of 1 GB at once"] = { "BombAtOnce", "%[C%]: in method 'rep'\n.*limits.lua:%d+" },
      ["in a coroutine"] = { "BombInCoroutine", "'rep'\n.*limits.lua:%d+.*\n%[C%].*limits.lua" },
      ["whose tables the job keeps"] = { "BombKept", "limits.lua:%d+: in function" },
      ["of a deep recursion"] = { "Deep", "in function 'f'" },
    }
    for name, row in pairs(bombs) do
      it("memory bomb " .. name .. " fails with a traceback, and the worker stays small", function()
        local worker = run:worker()
        local before = proc.anonymous_kb(worker)
        local record = work(row[1])
        check(record, "Resque::MemoryLimit", "^not enough memory %(limit 16 MB%)$", "memory")
        has_trace(record, row[2])
        assert.is_true(record.peak_kb < (SAN and 400 or 64) * 1024, record.peak_kb .. " KB")
        local grown = proc.anonymous_kb(worker) - before
        assert.is_true(grown <= 64, ("the worker grew by %d KB"):format(grown))
      end)
    end

    it("tearDown has room although the job keeps everything", function()
      local _, lines = work("BombKept")
      assert.same({ "tearDown Resque::MemoryLimit full" }, lines)
    end)

    it("a job may catch the error, let go and go on", function()
      local record, lines = work("BombCaught")
      assert.is_nil(record)
      assert.same({ "caught false not enough memory" }, lines)
    end)

    it("garbage does not count, also where a C function builds a text", function()
      assert.is_nil((work("Garbage")))
    end)

    it("the table's own limit beats the worker's", function()
      check(work("OwnMemory"), "Resque::MemoryLimit", "limit 4 MB", "memory")
      assert.is_nil((work("OwnMoreMemory")))
    end)

    it("a C module's memory is limited by address space", function()
      if SAN then
        return -- a sanitizer reserves terabytes
      end
      local record = work("BombInModule")
      check(record, "Resque::DirtyExit", "^Job exited with exit code", nil)
      assert.is_true(record.peak_kb < 128 * 1024)
    end)
  end)

  describe("of memory that APP_INCLUDE has used up by itself:", function()
    after_each(finish)

    for whose, limits in pairs {
      ["the worker's"] = { JOB_MEMORY = "16M" }, ["the table's"] = { own = "16M" },
    } do
      it(whose .. " ends the job as such, and onFailure hears of it", function()
        w = world.new()
        local text = ([[
          full = ("x"):rep(24 << 20)
          resque.on("onFailure", function(err) ledger.write("told", err.name) end)
          resque.job("Full", { memory = %s }).perform = function() ledger.write "performed" end]])
          :format(limits.own and '"16M"')
        run = w:start_idle { APP_INCLUDE = w:write_jobs("full.lua", text),
          JOB_MEMORY = limits.JOB_MEMORY }
        local record = work "Full"
        check(record, "Resque::MemoryLimit", "^not enough memory %(limit 16 MB%)$", "memory")
        w:wait_ledger "told Resque::MemoryLimit"
        assert.same({ "told Resque::MemoryLimit" }, w:ledger())
      end)
    end
  end)

  describe("without a limit of memory", function()
    setup(function()
      begin {}
    end)
    teardown(finish)

    it("deep recursion, also of coroutines, is an error", function()
      check(work("Deep", {}, 60), "LuaError", "stack overflow", nil)
      check(work("DeepInCoroutine"), "LuaError", "stack overflow", nil)
    end)

    it("a memory bomb under pcall ends at the table's time limit", function()
      local record = work("BombUnderPcall")
      assert.is_true(record.limit == "timeout" or record.limit == "memory")
    end)

    for _, class in ipairs { "Timeout", "TimeoutTable", "TimeoutNone", "TimeoutLess", "TimeoutNan",
      "Memory", "MemoryUnit", "MemoryTrue", "Cpu" } do
      it("a bad value in the job table fails the job: " .. class, function()
        local record, lines = work("Bad" .. class)
        check(record, "Resque::BadJobTable", "^%l+ of job class Bad" .. class
          .. " is .*, which is not ", nil)
        assert.same({}, record.backtrace)
        assert.same({}, lines)
      end)
    end

    it("of the table alone: time, CPU", function()
      check(work("OwnTimeout"), "Resque::Timeout", "^took longer than 0.5 s", "timeout")
      check(work("OwnCpu"), "Resque::CpuLimit", "^used more than 1 s of CPU time", "cpu")
    end)

    it("a job that has run for a while is what the kernel ends first without memory", function()
      local done = w:stat "processed"
      w:job("Gate", { gate = "oom" })
      w:wait_ledger "start oom"
      local pid = run:wait_job()
      local function score(of)
        return proc.read(("/proc/%d/oom_score_adj"):format(of)):match "%-?%d+"
      end
      clock.wait_until(function()
        return score(pid) == "500"
      end, 5, "the job is offered")
      assert.not_equal("500", score(run:worker()))
      w:open_gate "oom"
      w:wait_processed(done + 1)
    end)
  end)

  describe("of CPU", function()
    setup(function()
      begin { JOB_CPU = "1" }
    end)
    teardown(finish)

    it("infinite loop in Lua gets an error with a traceback", function()
      local record = work("Cpu", {}, 60)
      check(record, "Resque::CpuLimit", "^used more than 1 s of CPU time %(cpu%)$", "cpu")
      has_trace(record, "limits.lua:%d+: in function")
      assert.is_true(record.cpu_ms >= 500 and record.cpu_ms < 2000, record.cpu_ms .. " ms")
    end)

    it("infinite loop in a string pattern is ended two CPU seconds later", function()
      local record = work("CpuInPattern", {}, 60)
      check(record, "Resque::DirtyExit",
        "^Job killed by signal 24 %(SIGXCPU%), by its worker for its CPU limit of 1 s$", "cpu")
    end)
  end)

  describe("of loading", function()
    after_each(finish)

    it("APP_INCLUDE that never ends puts the job back with a plain message", function()
      begin { JOB_TIMEOUT = tostring(0.3 * clock.slow), APP_INCLUDE = fixture "limits" }
      local file = w:write("slow.lua", "return {}")
      run:stop()
      run = w:start_idle { JOB_TIMEOUT = tostring(0.3 * clock.slow), APP_INCLUDE = file }
      w:write("slow.lua", "while true do end")
      w:job("Echo", {})
      run.process:wait_for("put back .*slow.lua: took longer than [%d.]+ s %(timeout%)", 10)
      w:write("slow.lua", "return { Echo = { perform = function() end } }")
      w:wait_processed(1)
      assert.equal(0, w:stat "failed")
    end)

    it("APP_INCLUDE that takes no notice is killed, and the job fails the third time", function()
      local slow = { JOB_TIMEOUT = tostring(0.2 * clock.slow), RESQUE_TERM_TIMEOUT = "0.2" }
      begin(slow)
      slow.APP_INCLUDE = w:write("slow.lua", "return {}")
      run:stop()
      run = w:start_idle(slow)
      w:write("slow.lua", "setmetatable({}, { __gc = function() while true do end end }) "
        .. "collectgarbage()")
      w:job("Echo", {})
      w:wait_processed(1, 20)
      local records = w:failed()
      check(records[1], "Resque::DirtyExit", "^its process was killed by signal 15 %(SIGTERM%) "
        .. "before the job started, by its worker for its time limit of", "timeout")
      local _, times = run:err():gsub("put back", "")
      assert.equal(2, times)
    end)
  end)

  describe("TERM_CHILD", function()
    after_each(finish)

    it("reaches a coroutine, too", function()
      begin { TERM_CHILD = "1" }
      w:job("LoopInCoroutine")
      run:wait_title "^Forked"
      run:wait_job()
      clock.wait_until(function()
        return proc.cpu_ticks(run:jobs()[1]) >= 2
      end, 10, "it is busy")
      run:signal "sigusr1"
      w:wait_processed(1)
      check(w:failed()[1], "Resque::TermException", "^SIGTERM$", nil)
      has_trace(w:failed()[1], "limits.lua:%d+: .*\n%[C%]: in .*\n.*limits.lua")
    end)
  end)
end)

describe("coroutines of a job", function()
  local w
  after_each(function()
    w:close()
  end)

  it("do what Lua's do", function()
    w = world.new()
    local reference = {}
    assert(loadfile(fixture "coroutines"))(function(line)
      reference[#reference + 1] = line
    end)
    local run = w:start_idle { APP_INCLUDE = w:write_jobs("co.lua", ([[
      resque.job("Coroutines").perform = function()
        assert(loadfile %q)(ledger.write)
      end]]):format(fixture "coroutines")) }
    w:job("Coroutines")
    w:wait_processed(1)
    assert.equal(0, w:stat "failed", run:err())
    assert.is_true(#reference > 80)
    assert.same(reference, w:ledger())
  end)
end)
