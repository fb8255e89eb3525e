--- What jobs write to stdout and stderr: where it arrives, and what of it a failure record keeps.
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

describe("what a job writes", function()
  local w <const> = scene.fresh()

  -- Starts a worker whose jobs are this Lua text.
  local function start(text, env, opts)
    env = env or {}
    env.APP_INCLUDE = w:write_jobs("app.lua", text)
    return w:start_idle(env, opts)
  end

  -- The same, with a job of class A and this body; runs it once.
  local function run(body, env, opts)
    local started = start('resque.job("A").perform = function(self) ' .. body .. "\nend", env, opts)
    w:job("A", {})
    w:wait_processed(1)
    return started
  end

  local function last_failure()
    local list, raw = w:failed()
    return list[#list], raw[#raw]
  end

  it("arrives at the worker's stdout and stderr, unchanged", function()
    local odd = "tab\tbell\a \27[31m \255\0 é no line end"
    local worker = run(("local odd = %q "):format(odd)
      .. "io.stdout:write('out\\n', odd) io.stderr:write('err\\n', odd)")
    assert.equal("out\n" .. odd, worker.process:out())
    assert.truthy(worker.process:err():find("err\n" .. odd, 1, true))
  end)

  it("stands between the worker's own lines about the job", function()
    local worker = run 'io.stderr:write "one\\n" resque.log.info "two" os.execute "echo three >&2"'
    worker.process:wait_for "%*%*%* got [^\n]*\none\n%*%*%* two\nthree\n%*%*%* done "
  end)

  it("keeps its order where both are one file", function()
    local worker = run([[
      for i = 1, 200 do
        io.stdout:write(i, "\n") io.stdout:flush()
        io.stderr:write(i, "\n")
      end
    ]], nil, { wrap = { "/bin/sh", "-c", 'exec "$@" 2>&1', "sh" } })
    local expected = {}
    for i = 1, 200 do
      expected[i] = i .. "\n" .. i .. "\n"
    end
    assert.truthy(worker.process:out():find(table.concat(expected), 1, true), worker.process:out())
  end)

  it("arrives while the job runs, a line without its end too", function()
    local worker = start [[
      resque.job("A").perform = function()
        io.stdout:write "line\nquestion? "
        io.stdout:flush()
        ledger.wait_gate "on"
      end
    ]]
    w:job("A", {})
    clock.wait_until(function()
      return worker.process:out() == "line\nquestion? "
    end, 5, "it arrived")
    assert.equal(0, w:stat "processed")
    w:open_gate "on"
    w:wait_processed(1)
  end)

  it("of its hooks and of onFailure after its death arrives, too", function()
    local worker = start [[
      resque.on("afterFork", function() print "afterFork" end)
      resque.on("onFailure", function(err) print("onFailure " .. err.name) end)
      resque.job("A").perform = function() os.exit(3) end
    ]]
    w:job("A", {})
    w:job("A", {})
    w:wait_processed(2)
    clock.wait_until(function()
      return worker.process:out() == ("afterFork\nonFailure Resque::DirtyExit\n"):rep(2)
    end, 5, function()
      return "it arrived; now: " .. worker.process:out()
    end)
    assert.equal("afterFork\n", last_failure().output)
  end)

  it("is in its failure record as text, line ends and tabs kept", function()
    run [[
      io.stdout:write("a\tb\n", "bell\a ", "bad\255\0 ", "é", "\27[31m\n")
      error "no"
    ]]
    assert.equal("a\tb\nbell\\x07 bad?\\x00 é\\x1B[31m\n", last_failure().output)
  end)

  it("is in the record to its last whole line, however it is killed", function()
    run 'io.stdout:write "the last\\nand half" os.execute "kill -9 $PPID"'
    assert.equal("the last\n", last_failure().output)
    assert.equal("Resque::DirtyExit", last_failure().exception)
  end)

  it("is kept to its last 4096 bytes, from a whole character on", function()
    local worker = run 'io.stdout:write(("é"):rep(100000), "!") error "no"'
    assert.equal(("é"):rep(2047) .. "!", last_failure().output)
    assert.equal(200001, #worker.process:out())
  end)

  it("is no member of the record if there is none, or if it was another job's", function()
    start [[
      resque.job("A").perform = function(self)
        if self.args.text then print(self.args.text) end
        if self.args.fail then error "no" end
      end
    ]]
    w:job("A", { text = "of the first" })
    w:job("A", { fail = true })
    w:job("A", { fail = true, text = "of the third" })
    w:job("A", { fail = true })
    w:wait_processed(4)
    local list = w:failed()
    assert.same({ nil, "of the third\n", nil }, { list[1].output, list[2].output, list[3].output })
  end)

  it("may be written by what it left behind, but never to the next job's record", function()
    start [[
      resque.job("A").perform = function(self)
        if self.args.leave then
          os.execute "setsid sh -c 'while :; do echo from the grave; done' &"
          resque.sleep(0.1)
        else
          error "no"
        end
      end
    ]]
    w:job("A", { leave = true })
    w:job("A", {})
    w:wait_processed(2)
    assert.is_nil(last_failure().output)
  end)

  it("may be 100 MB: the worker does not grow", function()
    local worker = start([[
      resque.job("A").perform = function(self)
        local text = ("0123456789abcde\n"):rep(65536)
        for _ = 1, self.args.megabytes do io.stdout:write(text) end
        ledger.write "written"
        error "no"
      end
    ]], nil, { wrap = { "/bin/sh", "-c", 'exec "$@" >/dev/null', "sh" } })
    w:job("A", { megabytes = 1 })
    w:wait_processed(1)
    local before = proc.rss_kb(worker:worker())
    w:job("A", { megabytes = 100 })
    w:wait_processed(2, 30)
    local after = proc.rss_kb(worker:worker())
    assert.is_true(after < before + 256, ("it grew from %d KB to %d KB"):format(before, after))
    assert.equal(("0123456789abcde\n"):rep(256), last_failure().output)
  end)

  describe("for a reader that does not read", function()
    -- Starts a worker whose stdout is a FIFO that is open and full.
    local function stuck(text)
      os.execute(("mkfifo %s/fifo"):format(w.dir))
      local script = 'exec 3<>"$0"; dd if=/dev/zero bs=4096 count=16 >&3 2>/dev/null; exec "$@" >&3'
      return start(text, nil, { wrap = { "/bin/sh", "-c", script, w.dir .. "/fifo" } })
    end

    it("holds up the job, not the worker, which can still be told to end it", function()
      local worker = stuck [[
        resque.job("A").perform = function()
          ledger.write "start"
          io.stdout:write(("x"):rep(1e6))
          ledger.write "written"
        end
      ]]
      w:job("A", {})
      w:wait_ledger "start"
      clock.stays_false(function() return w:stat "processed" > 0 end, 0.3)
      worker:signal "sigusr1"
      w:wait_processed(1, 2)
      assert.same({ "start" }, w:ledger())
      assert.matches("by its worker for SIGUSR1", last_failure().error)
      assert.equal(("x"):rep(4096), last_failure().output)
    end)

    it("is dropped after a moment, and the next jobs do not wait again", function()
      stuck 'resque.job("A").perform = function() print "hello" error "no" end'
      local began = clock.now()
      for _ = 1, 20 do
        w:job("A", {})
      end
      w:wait_processed(20)
      assert.is_true(clock.now() - began < clock.limit(2)) -- else a tenth of a second each
      assert.equal("hello\n", last_failure().output)
    end)
  end)

  it("does not matter when nobody reads any more, or the disk is full", function()
    for _, target in ipairs { "| true", ">/dev/full" } do
      w:close()
      w:open()
      run('print "hello" error "no"', nil,
        { wrap = { "/bin/sh", "-c", '{ "$@"; } ' .. target, "sh" } })
      assert.matches("no$", last_failure().error)
      assert.equal("hello\n", last_failure().output)
    end
  end)

  it("goes through a pipe that blocks, whatever the job before did with it", function()
    start [[
      resque.job("A").perform = function()
        local flags = io.open("/proc/self/fdinfo/1"):read "a":match "flags:%s*(%d+)"
        ledger.write("flags", flags)
        os.execute("lua5.4 -e 'local uv = require \"luv\" local p = uv.new_pipe() p:open(1)'")
      end
    ]]
    w:job("A", {})
    w:job("A", {})
    w:wait_processed(2)
    assert.equal(w:ledger()[1], w:ledger()[2])
  end)

  it("leaves log lines out of the record when they go to a file of their own", function()
    run('resque.log.error "to the file" print "to stdout" error "no"',
      { LOGFILE = w.dir .. "/log" })
    assert.equal("to stdout\n", last_failure().output)
    assert.matches("to the file", proc.read(w.dir .. "/log"))
  end)
end)
