--- sys.where: what scripts learn of the process that they run in. "plain" is spec/lua/sys_spec's.
local world = require "spec.support.world"

-- Says where it is loaded, in each hook, and in perform.
local JOBS = [[
  local sys = require "resque.sys"
  local function say(step)
    return function() ledger.write(step .. ": " .. sys.where) end
  end
  for _, event in ipairs { "beforeFirstFork", "beforeFork", "afterFork", "onFailure",
    "beforeEnqueue" } do
    resque.on(event, say(event))
  end
  resque.job("Where").perform = say "perform"
  resque.job("Dies").perform = function() os.execute "kill -KILL $PPID" end
  say "load" ()]]

describe("sys.where", function()
  local w, include

  before_each(function()
    w = world.new()
    include = w:write_jobs("where.lua", JOBS)
  end)
  after_each(function()
    w:close()
  end)

  it("is worker in the check of APP_INCLUDE and in a worker's hooks, job in the rest", function()
    w:start_idle { APP_INCLUDE = include }
    w:job "Where"
    w:wait_processed(1)
    assert.same({
      "load: worker", -- the manager's check
      "load: worker", "beforeFirstFork: worker", -- the worker
      "beforeFork: worker", "load: job", "afterFork: job", "perform: job",
    }, w:ledger())
  end)

  it("is job where onFailure is called for a job that died, and nothing is reported", function()
    include = w:write_jobs("died.lua", JOBS .. [[ resque.on("onFailure", function()
      ledger.write(select(2, pcall(sys.report_failed, "Late", "too late", "")))
    end)]])
    w:start_idle { APP_INCLUDE = include }
    w:job "Dies"
    w:wait_ledger "^no job runs in this process$"
    assert.equal("onFailure: job", w:ledger()[#w:ledger() - 1])
    w:wait_processed(1)
    assert.matches("SIGKILL", w:failed()[1].error)
  end)

  for name, row in pairs {
    perform = { { "perform", "Where" }, "perform: command" },
    check = { { "check" }, "load: command" },
    enqueue = { { "default", "Where" }, "beforeEnqueue: command", enqueue = true },
  } do
    it("is command in " .. name, function()
      local code, _, err = w:run(row[1], { APP_INCLUDE = include }, { enqueue = row.enqueue })
      assert.equal(0, code, err)
      local lines = w:ledger()
      assert.same({ "load: command", row[2] }, { lines[1], lines[#lines] })
    end)
  end
end)
