--- `resque-lua workers`: who they are and what they do; `workers kill ID` ends the job of one.
local cjson = require "cjson"
local killing = require "spec.support.killing"
local scene = require "spec.support.scene"

local w <const> = scene.fresh()

local function running(class)
  local id = w:job(class)
  w:wait_ledger "^start"
  return id
end

describe("resque-lua workers", function()
  it("lists them with what they do", function()
    w:start_idle { COUNT = "2", WORKER_HOST = "red" }
    local id = running "Spin"
    local ids, rows = w:on("SMEMBERS", "workers"), {}
    local busy = next(w:records())
    table.sort(ids)
    local code, out, err = w:run { "workers" }
    assert.same({ 0, "2 workers\n" }, { code, err })
    for line in out:gmatch "[^\n]+" do
      rows[#rows + 1] = line
    end
    local when = "%d+%-%d+%-%d+T%d+:%d+:%d+Z"
    for i, worker in ipairs(ids) do
      local want = worker == busy and "\tworking\tSpin\t" .. id .. "\t" or "\twaiting\t-\t-\t"
      assert.equal(worker .. want, rows[i]:match("^(.*\t)" .. when .. "$"))
    end
    for line in select(2, w:run { "workers", "list", "--json" }):gmatch "[^\n]+" do
      local worker = cjson.decode(line)
      assert.equal("red", worker.host)
      assert.equal(math.tointeger(worker.pid), killing.pid_of(worker.id))
      assert.equal(worker.id == busy and "working" or "waiting", worker.state)
      assert.equal(worker.id == busy and id or nil, worker.job)
    end
  end)

  it("shows those of other programs, and hostile texts as they are safe", function()
    w:on("SADD", "workers", "no colons", "web\27[31m:1:q")
    w:on("SET", "worker:no colons", '{"queue":"q","payload":{"class":"A\\nB"},"run_at":"\\u0007"}')
    w:on("RPUSH", "worker:web\27[31m:1:q", "no string")
    local code, out = w:run { "workers", "--quiet" }
    assert.equal(0, code)
    assert.equal("no colons\tworking\tA\\nB\t-\t\\x07\nweb\\x1B[31m:1:q\twaiting\t-\t-\t-\n", out)
  end)

  it("ends the job of one", function()
    local run = w:start_idle { COUNT = "2" }
    local id = running "Spin"
    local worker = next(w:records())
    local code, out = w:run { "workers", "kill", worker, "--dry-run" }
    assert.same({ 0, "would be cancelled\t" .. worker .. "\n" }, { code, out })
    code, out = w:run { "workers", "kill", worker }
    assert.same({ 0, "cancelled\t" .. worker .. "\n" }, { code, out })
    assert.equal(id, w:failed()[1].payload.id)
    local err
    code, out, err = w:run { "workers", "kill", worker }
    assert.same({ 1, "" }, { code, out })
    assert.matches("has no job, or is not there\nhint: ", err)
    assert.equal(2, #run:workers())
  end)
end)
