--- Changing job files under a running worker: the next job sees the new file, and a broken one
-- loses nothing.
local clock = require "spec.support.clock"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

describe("APP_INCLUDE changed while the worker runs:", function()
  local w <const> = scene.fresh()
  local run

  -- Writes the job file: a job that writes `text`.
  local function deploy(text)
    return w:write_jobs("app.lua",
      ("Deployed = {perform = function() ledger.write %q end}\n"):format(text))
  end

  before_each(function()
    run = w:start_idle { APP_INCLUDE = deploy "one" }
    w:job "Deployed"
    w:wait_processed(1)
  end)

  it("the next job sees the new file", function()
    deploy "two"
    w:job "Deployed"
    w:wait_processed(2)
    assert.same({ "one", "two" }, w:ledger())
  end)

  it("a job that runs keeps the old one", function()
    w:write_jobs("app.lua", [[
      Slow = {perform = function()
        ledger.write "start slow"
        ledger.wait_gate "slow"
        require "late" -- a module of this deployment, read only now
        ledger.write "end slow"
      end}]])
    w:write("late.lua", "")
    w:job "Slow"
    w:wait_ledger "start slow"
    w:write("app.lua", "broken(")
    w:open_gate "slow"
    w:wait_processed(2)
    assert.same({ "one", "start slow", "end slow" }, w:ledger())
    assert.same({}, (w:failed()))
  end)

  local breaks = {
    ["a syntax error"] = function()
      w:write("app.lua", "function (")
      return "app%.lua:1"
    end,
    ["an error while loading"] = function()
      w:write("app.lua", "local x = nil\nx.y = 1\n")
      return "app%.lua:2"
    end,
    ["a missing file"] = function()
      os.remove(w.dir .. "/app.lua")
      return "app%.lua"
    end,
    ["a missing module"] = function()
      w:write("app.lua", "require 'no_such_module'")
      return "no_such_module"
    end,
  }
  for name, break_it in pairs(breaks) do
    it(name .. " loses nothing, and the worker goes on when it is mended", function()
      local pattern = break_it()
      local worker = run:worker()
      local payloads = {}
      for n = 1, 3 do
        payloads[n] = world.payload("Deployed", { n = n }, ("%032x"):format(n))
      end
      local status = '{"status":1,"updated":1,"started":1,"result":null}'
      w:on("SET", "job:" .. ("%032x"):format(1) .. ":status", status)
      w:push("default", table.unpack(payloads))
      run.process:wait_for(pattern)
      clock.wait_until(function()
        return w:queued() == 3
      end, 5, "the job is back")
      assert.same(payloads, w:on("LRANGE", "queue:default", 0, -1))
      assert.equal(1, w:status(("%032x"):format(1)).status)
      assert.equal(1, w:stat "processed")
      assert.same({}, (w:failed()))
      assert.equal(worker, run:worker())
      deploy "mended"
      w:wait_processed(4, 5)
      assert.same({ "one", "mended", "mended", "mended" }, w:ledger())
      assert.same({}, (w:failed()))
    end)
  end

  it("HUP tries a broken file again and says what is wrong", function()
    w:write("app.lua", "function (")
    local before = #run:err()
    run:signal "sighup"
    clock.wait_until(function()
      return run:err():find("app.lua:1", before, true)
    end, 5, "the log names the file")
    assert.equal("Waiting for default", run:wait_title "^Waiting for default")
  end)

  for what, row in pairs {
    ["dies"] = { 'os.execute "kill -KILL $PPID"', "SIGKILL" },
    ["calls os.exit(0)"] = { "os.exit(0)", "os.exit%(0%) before the job started" },
  } do
    it(("a file that %s while loading: the job is put back twice, then failed"):format(what),
      function()
        w:write("app.lua", row[1])
        w:job "Deployed"
        w:wait_processed(2, 20)
        local record = w:failed()[1]
        assert.equal("Resque::DirtyExit", record.exception)
        assert.matches(row[2], record.error)
        assert.equal(2, select(2, run:err():gsub("put back", "")))
        deploy "after"
        w:job "Deployed"
        w:wait_processed(3)
      end)
  end

  it("QUIT ends the program although the file does not come to an end", function()
    w:write("app.lua", "while true do end")
    run:signal "sighup"
    clock.wait_until(function()
      return #require("spec.support.proc").children(run.pid) == 2 -- the worker and the check
    end, 5, "the file is tried")
    assert.same({ 0, 0 }, { run:stop(5) })
  end)

  it("jobs/<Name>.lua beside it is found by name; a broken one fails only its own job", function()
    assert(require("luv").fs_mkdir(w.dir .. "/jobs", 493))
    w:write_jobs("jobs/Auto_Job.lua", "return {perform = function() ledger.write 'auto' end}")
    w:write("jobs/Broken_Job.lua", "return {")
    w:job "Auto_Job"
    w:job "Broken_Job"
    w:job "Deployed"
    w:wait_processed(4)
    assert.same({ "one", "auto", "one" }, w:ledger())
    assert.equal(1, #w:failed())
    assert.equal("Broken_Job", w:failed()[1].payload.class)
    assert.matches("Broken_Job%.lua:1", w:failed()[1].error)
  end)
end)
