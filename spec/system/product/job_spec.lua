--- What becomes of a job that was put in: resque-enqueue --wait, and `resque-lua job`.
local cjson = require "cjson"
local clock = require "spec.support.clock"
local scene = require "spec.support.scene"

local w <const> = scene.fresh()

-- Runs resque-enqueue to its end: code, stdout, stderr.
local function enqueue(args)
  return w:run(args, nil, { enqueue = true })
end

describe("waiting for the end", function()
  it("prints status and result, and exits 0", function()
    w:start_idle()
    local code, out, err = enqueue { "default", "Echo", '{"a":[],"n":1.0}', "--wait", "--id=7" }
    assert.same({ 0, '7\ncomplete\t{"a":[],"n":1.0}\n', "" }, { code, out, err })
    code, out = enqueue { "default", "Noop", "--wait=10", "--json", "--id=8" }
    assert.equal(0, code)
    local answer = cjson.decode(out)
    assert.same({ "8", "default", "Noop", "complete", 4, cjson.null }, {
      answer.id, answer.queue, answer.class, answer.status, answer.code, answer.result,
    })
  end)

  it("of a job that fails exits 1 and says why", function()
    w:start_idle()
    local code, out = enqueue { "default", "Raise", "message=as told", "--wait", "--id=7" }
    assert.equal(1, code)
    assert.matches("^7\nfailed\tLuaError: .*as told\n$", out)
    code, out = enqueue { "default", "Kill", "signal=KILL", "--wait", "--json" }
    assert.equal(1, code)
    local answer = cjson.decode(out)
    assert.same({ "failed", "Resque::DirtyExit" }, { answer.status, answer.exception })
  end)

  it("too long exits 5, and the job stays", function()
    local began = clock.now()
    local code, out, err = enqueue { "default", "Echo", "--wait=0.2", "--id=7" }
    assert.same({ 5, "7\n" }, { code, out })
    assert.is_true(clock.now() - began >= 0.2)
    assert.matches("job 7 is waiting after 0%.2 s", err)
    assert.equal(1, w:queued "default")
  end)
end)

describe("resque-lua job", function()
  local function job(...)
    return w:run { "job", ... }
  end

  it("shows a job in each of its states", function()
    enqueue { "default", "Gate", "gate=a", "--track", "--id=7" }
    assert.matches("^job\t7\nstatus\twaiting\nenqueued\t%d+%-%d+%-%d+T%d+:%d+:%d+Z\n",
      (select(2, job "7")))
    w:start()
    w:wait_ledger "^start"
    assert.matches("status\trunning\n", (select(2, job "7")))
    w:open_gate "a"
    local code, out = job("7", "--wait=5")
    assert.equal(0, code)
    assert.matches("status\tcomplete\n.*result\tnull\n$", out)
    local seen = cjson.decode((select(2, job("7", "--json"))))
    assert.same({ "7", "complete", 4 }, { seen.id, seen.status, seen.code })
  end)

  it("shows why it failed; only --wait makes that an exit code", function()
    w:start_idle()
    enqueue { "default", "Raise", "message=as told", "--wait", "--id=7" }
    local code, out = job "7"
    assert.equal(0, code)
    assert.matches("status\tfailed\n.*error\tLuaError: .*as told\n\t.*jobs%.lua:%d+", out)
    assert.equal(1, (job("7", "--wait")))
    local seen = cjson.decode((select(2, job("7", "--json"))))
    assert.matches("as told", seen.error)
    assert.is_table(seen.backtrace)
  end)

  it("exits 5, 1, 2 and 4", function()
    enqueue { "default", "Echo", "--track", "--id=7" }
    assert.equal(5, (job("7", "--wait=0.05")))
    local code, out, err = job "unknown"
    assert.same({ 1, "" }, { code, out })
    assert.matches("Resque is not tracking the status of job unknown%.\nhint: ", err)
    code, out, err = job("unknown", "--wait")
    assert.same({ 1, "" }, { code, out })
    assert.matches("Resque is not tracking", err)
    assert.equal(2, (job()))
    assert.equal(2, (job("a", "b")))
    assert.equal(4, (job("7", "-r", "unix:///nonexistent")))
  end)
end)
