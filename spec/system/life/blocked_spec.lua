--- A deploy that breaks APP_INCLUDE: jobs wait, which can be seen, and is not said every second.
local cjson = require "cjson"
local clock = require "spec.support.clock"
local scene = require "spec.support.scene"

local REASON = "jobs.lua:1: syntax error near 'here'"

describe("a worker that cannot load APP_INCLUDE", function()
  local w <const> = scene.fresh()
  local run, id

  local function mend()
    w:write_jobs("jobs.lua", 'resque.job("J").perform = function() ledger.write "ran" end')
  end

  -- COUNT workers that find the file broken.
  local function start_blocked(env)
    mend()
    env = env or {}
    env.APP_INCLUDE, env.VERBOSE = env.APP_INCLUDE or "jobs.lua", false
    run = w:start_idle(env, { cwd = w.dir })
    w:write("jobs.lua", "nothing here")
    id = w:job("J", nil, { track = true })
  end

  local function shown_as_blocked()
    local _, out = w:run { "workers" }
    return select(2, out:gsub("\tblocked: " .. REASON .. "\n", ""))
  end

  local function wait_shown(count)
    clock.wait_until(function()
      return shown_as_blocked() == count
    end, 10, function()
      return ("workers shows %d as blocked; the log:\n%s"):format(count, run:err())
    end)
  end

  -- How many lines of a log have the reason, besides those that tell of many tries.
  local function said_but_rarely(log)
    return select(2, log:gsub("syntax error", "")) - select(2, log:gsub("no job has started", ""))
  end

  it("is shown by workers, job and doctor, and no more when it is mended", function()
    start_blocked()
    wait_shown(1)
    local worker = cjson.decode((select(2, w:run { "workers", "--json" })))
    assert.equal(REASON, worker.blocked)
    assert.matches("held up\t1 of 1 worker: blocked: " .. REASON, (select(2, w:run { "job", id })))
    assert.same({ "1 of 1 worker: blocked: " .. REASON },
      cjson.decode((select(2, w:run { "job", id, "--json" }))).held_up)
    local code, out = w:run { "doctor" }
    assert.equal(1, code)
    assert.matches("fail\tblocked\t1 worker starts no job: " .. REASON, out)
    mend()
    w:wait_processed(1)
    wait_shown(0)
    assert.matches("ok\tblocked\t", (select(2, w:run { "doctor" })))
    assert.equal("complete", (select(2, w:run { "job", id }):match "status\t(%w+)"))
    assert.matches("jobs start again, after %d+ s", run:err())
  end)

  it("says so once, and then rarely", function()
    start_blocked()
    local log = clock.wait_until(function()
      local text = run:err()
      return text:find("no job has started for", 1, true) and text
    end, 10, "it is said again")
    assert.is_true(tonumber(log:match "%((%d+) tries%)") >= 3, log)
    assert.equal(1, said_but_rarely(log))
  end)

  it("is blocked no more although others have the jobs", function()
    start_blocked { COUNT = "3" }
    wait_shown(3)
    mend()
    w:wait_processed(1)
    wait_shown(0)
    assert.equal(3, select(2, run:err():gsub("jobs start again", "")))
  end)

  it("is told apart for hooks that run in the worker", function()
    w:write("hooks.lua", 'require("resque").on("beforeFork", function() end)')
    start_blocked { APP_INCLUDE = "jobs.lua,hooks.lua" }
    wait_shown(1)
    assert.equal(1, said_but_rarely(run:err()))
    mend()
    w:wait_processed(1)
    wait_shown(0)
  end)

  it("leaves nothing of it behind", function()
    start_blocked()
    wait_shown(1)
    assert.equal(0, (run:stop()))
    assert.same({}, w.server:call("KEYS", w:key "lua:*"))
    assert.equal(1, w:queued())
  end)

  it("tells it again when Redis has forgotten the worker", function()
    start_blocked()
    wait_shown(1)
    local worker = w:on("SMEMBERS", "workers")[1]
    w:on("DEL", "lua:proc:" .. worker)
    w:on("SREM", "workers", worker)
    wait_shown(1)
  end)
end)
