--- Way of ending × what is in Redis.
-- One worker runs all rows, which shows that none of them hurts the next.
local clock = require "spec.support.clock"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

describe("a job that ends", function()
  local w <const> = scene.shared()
  local run

  setup(function()
    local files = world.fixtures .. "/jobs.lua," .. world.fixtures .. "/hooks.lua"
    run = w:start_idle { APP_INCLUDE = files, WORKER_HOST = "web1" }
  end)

  local function dirty(cause)
    return { exception = "Resque::DirtyExit", error = "^" .. cause .. "$", trace = false }
  end
  local function exited(code)
    return dirty("Job exited with exit code " .. code)
  end
  local function killed(number, name)
    return dirty(("Job killed by signal %d %%(%s%%)"):format(number, name))
  end
  local function lua_error(pattern)
    return { exception = "LuaError", error = pattern }
  end
  local function raised(text)
    return { exception = "LuaError", error = "^[^\n]*%.lua:%d+: " .. text .. "$", trace = true }
  end
  local function refused(pattern)
    return { error = pattern }
  end

  -- class, args, and either `failed` (exception, pattern of error, has a backtrace) or done.
  -- result: of the tracked status. ledger: the lines the job writes (hooks left out). told: how
  -- often onFailure is called.
  local rows = {
    { "by returning", "Noop", {} },
    { "by returning what JSON cannot say", "Unencodable", {}, result = "null" },
    { "by os.exit(0)", "Exit", { code = 0 } },
    { "by os.exit(1)", "Exit", { code = 1 }, failed = exited(1) },
    { "by os.exit(3)", "Exit", { code = 3 }, failed = exited(3) },
    { "by os.exit(true)", "Exit", { code = true } },
    { "by os.exit(false)", "Exit", { code = false }, failed = exited(1) },
    { "by SIGSEGV", "Kill", { signal = "SEGV" }, failed = killed(11, "SIGSEGV") },
    { "by SIGKILL", "Kill", { signal = "KILL" }, failed = killed(9, "SIGKILL") },
    { "by SIGABRT", "Kill", { signal = "ABRT" }, failed = killed(6, "SIGABRT") },
    { "by SIGALRM", "Kill", { signal = "ALRM" }, failed = killed(14, "SIGALRM") },
    { "by SIGXCPU", "Kill", { signal = "XCPU" }, failed = killed(24, "SIGXCPU") },
    { "well, whatever stop it sends itself", "Kill",
      { signal = "TERM $PPID; kill -INT $PPID; kill -QUIT $PPID; kill -HUP $PPID; "
        .. "kill -USR1 $PPID; kill -USR2" } },
    { "by error(text)", "Raise", { message = "broken" }, failed = raised "broken" },
    { "by error(text) of two lines", "Raise", { message = "one\ntwo" },
      failed = lua_error "one\ntwo" },
    { "by error(text) with a NUL", "Raise", { message = "a\0b" }, failed = raised "a%?b" },
    { "by error(nil)", "RaiseNil", {}, failed = lua_error "nil" },
    { "by error({})", "RaiseNothing", {}, failed = lua_error "^{}$" },
    { "by error({name, message, code})", "RaiseTable",
      { name = "Net::Timeout", message = "slow", code = 7 },
      failed = { exception = "Net::Timeout", error = "slow" } },
    { "by error(object with __tostring)", "RaiseObject", {},
      failed = lua_error "an object's text" },
    { "by calling nil", "CallNil", {},
      failed = raised "attempt to call a nil value.*no_such_function.*" },
    { "by a stack overflow", "Deep", {}, failed = lua_error "stack overflow" },
    { "by an error that the handler cannot look into", "RaiseBlind", {},
      failed = lua_error "error in error handling" },
    { "by an error after it removed what tells of errors", "RaiseAlone", {},
      failed = { exception = "LuaError", error = "jobs%.lua:%d+: broken$", trace = true } },
    { "by an error after it took the methods of strings", "RaiseSpeechless", {},
      failed = { exception = "LuaError", error = "jobs%.lua:%d+: broken$", trace = true } },
    { "without what its process needs to say how", "RaiseMute", {},
      failed = dirty "Job ended, but its process could not tell how: .*" },
    { "after it wrote nonsense into the pipe of its report", "Nonsense", {},
      failed = dirty "Job exited with exit code 0 without reporting a result" },
    { "by dont_perform", "Skip", {}, result = "false" },
    { "by error(DontPerform)", "SkipRaised", {}, result = "false" },
    { "with an unknown class", "Plian_Job", {},
      failed = refused "^Could not find job class Plian_Job%..*Plain_Job" },
    { "with a name of the standard library", "string", {},
      failed = refused "^Could not find job class string%." },
    { "with a table without perform", "NoPerform", {},
      failed = refused "^Job class NoPerform does not contain a perform method%.$" },
    { "as a global table", "Plain_Job", { a = 1 }, ledger = { 'Plain_Job {"a":1}' } },
    { "as a returned table", "Returned", {}, failed = false },
    { "with a php class name", "App\\Jobs\\Mail", {}, ledger = { "App\\Jobs\\Mail" } },
    { "with a Ruby class name", "Mail::Send", {}, ledger = { "Mail::Send" } },
    { "well, after setUp and tearDown", "Stages", {}, result = '"performed"',
      ledger = { "setUp", "perform", "tearDown nil" } },
    { "with an error in setUp", "Stages", { raise = "setUp" },
      failed = raised "raised in setUp", ledger = { "setUp" } },
    { "with an error in perform", "Stages", { raise = "perform" },
      failed = raised "raised in perform",
      ledger = { "setUp", "perform", "tearDown .*raised in perform" } },
    { "with an error in tearDown", "Stages", { raise = "tearDown" },
      failed = raised "raised in tearDown", ledger = { "setUp", "perform", "tearDown nil" } },
    { "by dont_perform in setUp", "Stages", { skip = "setUp" }, result = "false",
      ledger = { "setUp" } },
    { "by dont_perform in perform", "Stages", { skip = "perform" }, result = "false",
      ledger = { "setUp", "perform", "tearDown nil" } },
    { "by os.exit(0) in setUp", "Stages", { exit = "setUp" }, ledger = { "setUp" } },
    { "by os.exit(3) in perform", "Stages", { exit = "perform", code = 3 },
      failed = exited(3), ledger = { "setUp", "perform" } },
    { "with an error in beforeFork", "Noop", {}, hook = "beforeFork error",
      failed = lua_error "%.lua:%d+: raised in beforeFork$" },
    { "by os.exit(0) in beforeFork", "Noop", {}, hook = "beforeFork exit 0",
      failed = lua_error "os%.exit would end the worker" },
    { "with an error in afterFork", "Stages", {}, hook = "afterFork error",
      failed = raised "raised in afterFork", ledger = {} },
    { "with an error in beforePerform", "Stages", {}, hook = "beforePerform error",
      failed = raised "raised in beforePerform", ledger = {} },
    { "by dont_perform in beforePerform", "Stages", {}, hook = "beforePerform skip",
      result = "false", ledger = {} },
    { "by os.exit(2) in beforePerform", "Stages", {}, hook = "beforePerform exit 2", ledger = {},
      failed = exited(2) },
    { "by SIGKILL in beforePerform", "Stages", {}, hook = "beforePerform kill", ledger = {},
      failed = killed(9, "SIGKILL") },
    { "with an error in afterPerform", "Stages", {}, hook = "afterPerform error",
      failed = raised "raised in afterPerform", ledger = { "setUp", "perform", "tearDown nil" } },
    { "by os.exit(0) in tearDown after an error", "Stages",
      { raise = "perform", exit = "tearDown" }, failed = raised "raised in perform",
      ledger = { "setUp", "perform", "tearDown .*raised in perform" }, told = 1 },
    { "by os.exit(0) in onFailure", "Raise", { message = "first" }, hook = "onFailure exit 0",
      failed = raised "first", told = 1 },
    { "by os.exit(3) in onFailure", "Raise", { message = "first" }, hook = "onFailure exit 3",
      failed = raised "first", told = 1 },
    { "by SIGKILL in onFailure", "Raise", { message = "first" }, hook = "onFailure kill",
      failed = raised "first", told = 1 },
    { "with an error in onFailure", "Raise", { message = "first" }, hook = "onFailure error",
      failed = raised "first" },
    { "with an error in beforeFork that the handler cannot look into", "Noop", {},
      hook = "beforeFork blind", failed = lua_error "error in error handling" },
  }

  -- What the job itself wrote since line `from`: hooks begin with a name of an event.
  local function job_lines(from)
    local lines = {}
    for i, line in ipairs(w:ledger()) do
      local hook = line:match "^before" or line:match "^after" or line:match "^on"
      if i > from and not hook then
        lines[#lines + 1] = line
      end
    end
    return lines
  end

  local function told_since(from)
    local count = 0
    for i, line in ipairs(w:ledger()) do
      count = count + (i > from and line:match "^onFailure" and 1 or 0)
    end
    return count
  end

  local function check_failure(record, expected, row)
    assert.is_table(record, "no failure record")
    if expected.exception then
      assert.equal(expected.exception, record.exception)
    end
    assert.matches("^[%w_:.]+$", record.exception)
    assert.matches(expected.error, record.error)
    assert.equal(row[2], record.payload.class)
    if expected.trace ~= nil then
      assert.equal(expected.trace, #record.backtrace > 0)
    end
  end

  for _, row in ipairs(rows) do
    it(row[1], function()
      local before, worker = w:account(), run:worker()
      local lines, written = #w:ledger(), #run:err()
      if row.hook then
        w:write("raise", row.hook)
      end
      local id = w:job(row[2], row[3], { track = true })
      w:wait_processed(before.processed + 1)
      os.remove(w.dir .. "/raise")
      local after = w:account()
      assert.equal(before.processed + 1, after.processed)
      assert.equal(0, after.queued + after.working)
      assert.equal(w:stat "failed", after.failed)
      local status = w:on("GET", ("job:%s:status"):format(id))
      if row.failed then
        assert.equal(before.failed + 1, after.failed)
        local records = w:failed()
        check_failure(records[#records], row.failed, row)
        assert.matches('"status":3,.*"result":null', status)
        assert.truthy(run:err():find(row[2]:gsub("\\", "\\\\"), written + 1, true),
          "the log does not name the job")
      else
        assert.equal(before.failed, after.failed)
        assert.matches('"status":4,', status)
        if row.result then
          assert.equal(row.result, status:match '"result":(.*)}$')
        end
      end
      if row.ledger then
        local got = job_lines(lines)
        assert.equal(#row.ledger, #got, table.concat(got, "\n"))
        for i, pattern in ipairs(row.ledger) do
          assert.matches("^" .. pattern:gsub("[\\{}]", "%%%0") .. "$", got[i])
        end
      end
      if row.told then
        run:wait_title "^Waiting"
        assert.equal(row.told, told_since(lines))
      end
      assert.equal(worker, run:worker()) -- the worker that ran it is the one that waits now
    end)
  end

  for class, text in pairs { Raise = "told", Kill = "SIGKILL" } do
    it(("tells onFailure once about a failed %s"):format(class), function()
      local from, before = #w:ledger(), w:stat "processed"
      w:job(class, { message = "told", signal = "KILL" })
      w:wait_processed(before + 1)
      local function seen()
        local count = 0
        for i, line in ipairs(w:ledger()) do
          count = count + (i > from and line:match("^onFailure .*" .. text) and 1 or 0)
        end
        return count
      end
      clock.wait_until(function()
        return seen() > 0
      end, 5, "onFailure is called")
      run:wait_title "^Waiting"
      assert.equal(1, seen())
    end)
  end
end)
