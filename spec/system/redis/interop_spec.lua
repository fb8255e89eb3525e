--- Living with the rest of the fleet: node-resque as a live peer, and the texts that Ruby and php
-- write. What resque-web shows is in resque_web_shapes_spec, who prunes whom in neighbours_spec.
local cjson = require "cjson"
local clock = require "spec.support.clock"
local scene = require "spec.support.scene"

local w <const> = scene.fresh()

local function read_by_node()
  local peer = w:node "reader"
  assert.same({ 0, 0 }, { peer:wait(20) })
  return cjson.decode(peer:out())
end

describe("node-resque", function()
  local JOBS = 1000

  it("enqueues 1,000 jobs that COUNT=2 runs, and both sides count the same", function()
    w:start_idle { COUNT = "2", QUEUE = "math", BLOCKING = "1" }
    assert.same({ 0, 0 }, { w:node("producer", "math", "Note", JOBS):wait(30) })
    w:wait_processed(JOBS, 60)
    local seen = {}
    for _, line in ipairs(w:ledger()) do
      seen[line] = (seen[line] or 0) + 1
    end
    for n = 1, JOBS do
      assert.equal(1, seen["Note " .. n], "job " .. n)
    end
    local node = read_by_node()
    assert.equal(tostring(JOBS), node.stats.processed)
    assert.is_nil(node.stats.failed)
    assert.same({}, node.failed)
    assert.same({ math = {} }, node.queued)
  end)

  it("runs 1,000 jobs that we enqueue, and both sides count the same", function()
    local lines = {}
    for n = 1, JOBS do
      lines[n] = ('{"queue":"math","class":"Add","args":[{"n":%d}]}'):format(n)
    end
    local code, _, err = w:run({ "--stdin" }, nil,
      { enqueue = true, stdin = table.concat(lines, "\n") .. "\n" })
    assert.equal(0, code, err)
    assert.equal(JOBS, w:queued "math")
    local peer = w:node("worker", "math", JOBS)
    assert.same({ 0, 0 }, { peer:wait(60) })
    local n = 0
    for line in peer:out():gmatch "[^\n]+" do
      n = n + 1
      assert.equal(n, cjson.decode(line).args[1].n)
    end
    assert.equal(JOBS, n)
    assert.equal(JOBS, w:stat "processed")
    assert.equal(0, w:stat "failed")
  end)

  it("shares a queue with us: every job runs once, somewhere", function()
    for n = 1, 200 do
      w:job("Add", { n = n }, { queue = "math" })
    end
    w:write_jobs("add.lua", "Add = {perform = function(self) ledger.write('Add', self.args.n) end}")
    local peer = w:node("worker", "math", 100)
    w:start { QUEUE = "math", APP_INCLUDE = w.dir .. "/add.lua" }
    clock.wait_until(function()
      return w:queued "math" == 0 and w:account().working == 0
    end, 20, "everything is done")
    local _, by_node = peer:out():gsub('"class":"Add"', "")
    clock.wait_until(function()
      _, by_node = peer:out():gsub('"class":"Add"', "")
      return by_node + #w:ledger() == 200
    end, 5, "200 jobs ran")
    assert.equal(200, w:stat "processed")
  end)

  it("gets its several arguments to perform", function()
    w:start_idle { QUEUE = "math" }
    assert.same({ 0, 0 }, { w:node("producer", "math", "All", 1, '[1,"é",[],{}]'):wait(20) })
    w:wait_processed(1)
    assert.same({ 'All [1,"é",[],{}]' }, w:ledger())
  end)

  it("sees our worker, our job and our failures", function()
    local run = w:start_idle { QUEUE = "math", WORKER_HOST = "web1" }
    w:job("Raise", { message = "for node" }, { queue = "math" })
    w:job("Gate", { gate = "a" }, { queue = "math" })
    w:wait_ledger "start a"
    local node = read_by_node()
    local name = ("web1:%d"):format(run:worker())
    assert.same({ [name] = "math" }, node.workers)
    assert.equal(1, #node.failed)
    assert.equal("Raise", node.failed[1].payload.class)
    assert.matches("for node$", node.failed[1].error)
    assert.equal("1", node.stats.failed)
    assert.equal("1", node.stats["failed:" .. name .. ":math"])
  end)

  it("can retry what failed with us", function()
    w:start_idle { QUEUE = "math" }
    w:job("Raise", '[{"message":"a / é"}]', { queue = "math" })
    w:job("CallNil", {}, { queue = "math" })
    w:wait_processed(2)
    local peer = w:node "retry"
    assert.same({ 0, 0 }, { peer:wait(20) }, peer:err())
    assert.equal('{"retried":2}\n', peer:out())
    w:wait_processed(4)
    assert.equal(2, #w:failed())
  end)
end)

describe("a payload as written by", function()
  local ID = '"id":"96e6d8c1b1b14c5a9d0b5d0f3e8a68fc"'
  local golden = {
    { "Ruby", '{"class":"All","args":[1,"é/x",{"a":null}]}', 'All [1,"é/x",{"a":null}]' },
    { "php 2012", '{"class":"All","args":[{"name":"Chris"}],' .. ID .. "}",
      'All [{"name":"Chris"}]' },
    { "php without arguments", '{"class":"Echo","args":[null],' .. ID
      .. ',"queue_time":1795341259.662578}', "Echo default {}" },
    { "php with escapes", '{"class":"All","args":[{"a":"\\u00e9\\/x","e":[]}],' .. ID
      .. ',"prefix":"","queue_time":1795341117.777}', 'All [{"a":"é/x","e":[]}]' },
    { "php 1.1", '{"class":"Echo","args":{"name":"Chris"},' .. ID .. "}",
      'Echo default {"name":"Chris"}' },
    { "node", '{"class":"All","queue":"math","args":[1,2]}', "All [1,2]" },
    { "goworker", '{"class":"All","args":["x",1.5]}', 'All ["x",1.5]' },
  }
  for _, row in ipairs(golden) do
    it(row[1] .. " runs", function()
      w:push("default", row[2])
      w:start_idle()
      w:wait_processed(1)
      assert.same({}, (w:failed()))
      assert.same({ row[3] }, w:ledger())
    end)
  end

  it("php-new with a prefix has its status at <prefix>_<id>", function()
    w:on("SET", "job:my_0123:status", '{"status":1,"updated":1,"started":1,"result":null}')
    w:push("default",
      '{"class":"Noop","args":[{}],"id":"0123","prefix":"my","queue_time":1795341117.777}')
    w:start_idle()
    w:wait_processed(1)
    assert.equal(4, cjson.decode(w:on("GET", "job:my_0123:status")).status)
  end)
end)
