--- What a job's process says of its end, and the end of that process in the middle of it: only a
-- whole report counts, and a whole one counts whatever happens after.
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local preload = require "spec.support.preload"
local scene = require "spec.support.scene"

local SLOW = clock.sanitized
local WHOLE = 100000 -- more than any report here has

describe("a job's process that ends by", function()
  local w <const> = scene.shared()
  local library

  setup(function()
    library = preload.ours "cut_report"
    w:write_jobs("cut.lua", [[
      local function cut(self)
        ledger.write("start", self.job.id)
        local file = assert(io.open(os.getenv "CUT_REPORT", "w"))
        file:write(("%d %s"):format(self.args.at, self.args.how)):close()
      end
      Well = { perform = function(self) cut(self) return { a = "é", n = 1 } end }
      Badly = { perform = function(self) cut(self) error "no" end }
      Leave = { perform = function(self) cut(self) os.exit(0) end }
    ]])
    w:start_idle { APP_INCLUDE = w.dir .. "/cut.lua", LD_PRELOAD = library,
      CUT_REPORT = w.dir .. "/cut", VERBOSE = "0" }
  end)

  -- Runs a job for each byte its report may be cut at; returns the failure records by that number.
  local rounds = 0
  local function run_all(class, how, numbers)
    local before, failed, by_number = w:stat "processed", {}, {}
    rounds = rounds + 1
    local function id_of(at)
      return ("%s-%s-%d-%d"):format(class, how, rounds, at)
    end
    for _, at in ipairs(numbers) do
      w:job(class, { at = at, how = how }, { id = id_of(at), track = true })
    end
    w:wait_processed(before + #numbers, 60)
    for _, record in ipairs((w:failed())) do
      failed[record.payload.id] = record
    end
    for _, at in ipairs(numbers) do
      by_number[at] = failed[id_of(at)] or false
    end
    return by_number, id_of(numbers[1])
  end

  -- 0 to `last` - 1, with larger steps where everything is slow.
  local function up_to(last)
    local numbers = {}
    for at = 0, last - 1, SLOW and last // 15 + 1 or 1 do
      numbers[#numbers + 1] = at
    end
    return numbers
  end

  local function started_once()
    local seen = {}
    for _, line in ipairs(w:ledger()) do
      assert.is_nil(seen[line], line)
      seen[line] = true
    end
  end

  local ENDS = { exit = "without reporting a result", kill = "signal 9 %(SIGKILL%)" }
  for how, pattern in pairs(ENDS) do
    for _, class in ipairs { "Well", "Badly", "Leave" } do
      it(("%s: %s's report cut at byte n is a DirtyExit, for all n"):format(how, class), function()
        run_all(class, how, { WHOLE })
        local numbers = up_to(tonumber(proc.read(w.dir .. "/cut")))
        assert.is_true(#numbers > 5)
        for at, record in pairs(run_all(class, how, numbers)) do
          assert.is_table(record, ("cut at %d, and nothing failed"):format(at))
          assert.equal("Resque::DirtyExit", record.exception)
          assert.matches(pattern, record.error)
        end
        started_once()
      end)
    end

    it(how .. " after its full report is counted as that report says", function()
      local failed, id = run_all("Well", how, { WHOLE })
      local status = w:status(id)
      assert.is_false(failed[WHOLE])
      assert.same({ 4, "é", 1 }, { status.status, status.result.a, status.result.n })
      assert.is_false(run_all("Leave", how, { WHOLE })[WHOLE])
      local record = run_all("Badly", how, { WHOLE })[WHOLE]
      assert.equal("LuaError", record.exception)
      assert.matches("no$", record.error)
    end)
  end

  it("itself: nothing of it disturbs the next job", function()
    os.remove(w.dir .. "/cut")
    local account = w:account()
    assert.equal(account.failed, w:stat "failed")
    assert.equal(0, account.queued + account.working)
  end)
end)
