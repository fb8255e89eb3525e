--- The checker by itself: one look, one ledger, one thing wrong with it.
local checker = require "spec.support.checker"

local PAYLOAD = '{"class":"A","args":[{}],"id":"%s"}'
local RECORD = '{"token":"00ff:1","queue":"q","run_at":"now","payload":%s}'
local FAILURE = '{"failed_at":"2026/01/02 03:04:05 UTC","payload":%s,"exception":"%s","error":"%s"'
  .. ',"backtrace":[],"worker":"h:12:q","queue":"q"}'
local KILLED = { "Resque::DirtyExit", "Job killed by signal 9 (SIGKILL)" }

local function job(id, more)
  local one = { id = id, payload = PAYLOAD:format(id), tracked = true, fate = "done", ends = "end" }
  for name, value in pairs(more or {}) do
    one[name] = value
  end
  return one
end

local function failure(id, exception, text)
  return FAILURE:format(PAYLOAD:format(id), exception or KILLED[1], text or KILLED[2])
end

-- One job in each place, one is done.
local function sound()
  return {
    queue = { { text = PAYLOAD:format "queued", state = 1, queue = "q" } },
    record = { { text = RECORD:format(PAYLOAD:format "working"), state = 2, worker = "h:12:q" } },
    failed = { { text = failure "failed", state = 3 } }, overflow = {},
    failed_count = 1, overflow_count = 0, processed = 2, stat_failed = 1,
    workers = { ["h:12:q"] = { started = 1, beat = 1 } }, left = {}, foreign = {},
  }
end

local function jobs_of(seen_jobs)
  local jobs = {}
  for _, one in ipairs(seen_jobs) do
    jobs[one.id] = one
  end
  return jobs
end

local ALL = { job "queued", job "working", job "failed", job "done" }

-- The invariants that are broken, as one word each.
local function words(one)
  local list = {}
  for i, problem in ipairs(one.problems) do
    list[i] = problem.invariant
  end
  return table.concat(list, " ")
end

local function look(spoil)
  local seen, one = sound(), checker.new(jobs_of(ALL))
  if spoil then
    spoil(seen)
  end
  one:look(seen, #ALL)
  return words(one)
end

describe("one look", function()
  it("finds nothing wrong where nothing is", function()
    assert.equal("", look())
  end)

  local SPOILS = {
    { "a job in two places", "I1 I1", function(seen)
      table.insert(seen.queue, { text = PAYLOAD:format "failed", state = 1, queue = "q" })
    end },
    { "a job that nobody put in", "I1 I1", function(seen)
      table.insert(seen.queue, { text = PAYLOAD:format "stranger", state = 1, queue = "q" })
    end },
    { "a job that is nowhere", "I1", function(seen) seen.queue = {} end },
    { "a status of another place", "I1", function(seen) seen.queue[1].state = 2 end },
    { "a failure that was not counted", "I1 I2", function(seen) seen.stat_failed = 0 end },
    { "a record of nobody", "I5", function(seen) seen.workers = {} end },
    { "a worker without a heartbeat", "I5", function(seen)
      seen.workers["h:12:q"].beat = 0
    end },
    { "other bytes in a record", "I5", function(seen)
      seen.record[1].text = seen.record[1].text:gsub("%[{}%]", "[{} ]")
    end },
    { "other bytes in a failure", "I10", function(seen)
      seen.failed[1].text = seen.failed[1].text:gsub("%[{}%]", "{}")
    end },
    { "a failure without a backtrace", "I10", function(seen)
      seen.failed[1].text = seen.failed[1].text:gsub('"backtrace":%[%]', '"backtrace":null')
    end },
    { "a key elsewhere", "I9", function(seen) seen.foreign[1] = "elsewhere" end },
  }
  for _, row in ipairs(SPOILS) do
    it("finds " .. row[1], function()
      assert.equal(row[2], look(row[3]))
    end)
  end
end)

-- Jobs that are done, or failed as `failures` says (id -> exception, text).
local function finish(jobs, ledger, failures, injected)
  local one, count = checker.new(jobs_of(jobs)), 0
  local seen = sound()
  seen.queue, seen.record, seen.failed = {}, {}, {}
  for id, words_of_it in pairs(failures or {}) do
    count = count + 1
    seen.failed[count] = { text = failure(id, words_of_it[1], words_of_it[2]), state = 3 }
  end
  seen.failed_count, seen.stat_failed, seen.processed = count, count, #jobs
  one:look(seen, #jobs)
  one:finish(function(f)
    for _, each in ipairs(jobs) do
      f(each)
    end
  end, ledger, injected)
  return words(one)
end

describe("the end", function()
  local RUN = { "start a 5", "end a" }
  local KILL = { child = { [12] = 1 } }
  local RAISED = { "LuaError", "raised" }
  local RAISES = { fate = "LuaError", says = "^raised", ends = nil }

  it("is sound for what ran, and for what was killed", function()
    assert.equal("", finish({ job "a" }, RUN, nil, {}))
    assert.equal("", finish({ job "a" }, { "start a 5" }, { a = KILLED }, KILL))
    assert.equal("", finish({ job("a", RAISES) }, { "start a 5" }, { a = RAISED }, {}))
    assert.equal("", finish({ job("a", { unstarted = true, fate = "LuaError" }) }, {},
      { a = { "LuaError", "no" } }, {}))
  end)

  it("finds done without a run, or with two", function()
    assert.equal("I3", finish({ job "a" }, {}, nil, {}))
    assert.equal("I3", finish({ job "a" }, { "start a 5" }, nil, {}))
    assert.equal("I3", finish({ job "a" }, { "start a 5", "start a 6", "end a" }, nil, {}))
    assert.equal("I3", finish({ job("a", RAISES) }, RUN, nil, {}))
  end)

  it("knows who may run again, and who has not crashed", function()
    local twice = { "start a 5 0", "start a 6 1", "end a" }
    assert.equal("", finish({ job("a", { requeues = 1 }) }, twice, nil, {}))
    assert.equal("I3", finish({ job "a" }, twice, nil, {}))
    assert.equal("I3", finish({ job("a", { requeues = 1 }) },
      { "start a 5 0", "start a 6 0", "end a" }, nil, {}))
  end)

  it("finds a failure without a reason", function()
    assert.equal("I3", finish({ job "a" }, RUN, { a = { "LuaError", "oh" } }, {}))
    assert.equal("I4", finish({ job "a" }, {}, { a = { "LuaError", "oh" } }, {}))
    assert.equal("I4", finish({ job("a", RAISES) }, {}, { a = RAISED }, {}))
    assert.equal("I3", finish({ job "a" }, RUN, { a = KILLED }, { child = { [13] = 1 } }))
    assert.equal("I3", finish({ job "a", job "b" }, {}, { a = KILLED, b = KILLED },
      { child = { [12] = 1 } }))
    assert.equal("I3", finish({ job "a" }, { "start a 5", "start a 6" }, { a = KILLED },
      { child = { [12] = 2 } }))
  end)

  it("finds what is left, and what was refused", function()
    local one = checker.new {}
    one:gone { workers = { w = {} }, left = { "stat:failed:w" } }
    one:refused { { "count", 1, "reason", "command", "object", "keys" } }
    local samples = { [5] = { fewest = 9, most = 40 }, [6] = { fewest = 9, most = 12 } }
    one:processes(samples, { "shared" }, { "left" }, 10)
    assert.equal("I6 I6 I9 I8 I8 I8", words(one))
  end)

  it("finds another order", function()
    local jobs = jobs_of { job("a", { queue = "high" }), job("b", { queue = "low" }),
      job("c", { queue = "low" }) }
    local function order(...)
      local one = checker.new(jobs)
      one:order({ ... }, { "high", "low" })
      return words(one)
    end
    local p, q, r = "pushed a", "pushed b", "pushed c"
    assert.equal("", order(p, q, r, "start a 1", "end a", "start b 1", "end b", "start c 1"))
    assert.equal("I7", order(p, q, r, "start a 1", "end a", "start c 1", "end c", "start b 1"))
    assert.equal("", order(q, "start b 1", p, r, "end b", "start a 1", "end a", "start c 1"))
    assert.equal("", order(p, q, r, "start b 1 0", "start c 2 0", "start b 3 1", "start a 4 1"))
    assert.equal("I7", order(q, "start b 1", p, r, "end b", "start c 1", "end c", "start a 1"))
  end)
end)
