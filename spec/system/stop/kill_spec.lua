--- kill -9 of a job, of a worker and of the manager, at every step of a job's life and at random
-- moments, under load. No job is lost, none starts twice, and only those that were killed fail.
--
-- The order of kills follows from SEED (printed); which instruction a random kill hits does not.
-- Starts first.
local uv = require "luv"
local cjson = require "cjson"
local clock = require "spec.support.clock"
local conservation = require "spec.support.conservation"
local killing = require "spec.support.killing"
local proc = require "spec.support.proc"

local SEED = tonumber(os.getenv "SEED") or os.time()
local SLOW = clock.sanitized -- sanitizers: every place, but fewer kills
local EACH = SLOW and 0 or 100 -- kills of a job, of a worker, of the manager in all, at least
local REPEATS = SLOW and { child = 1, worker = 1, manager = 1 }
  or { child = 8, worker = 5, manager = 4 }
local RANDOM = SLOW and 8 or 80

-- Where a process stops, and what becomes of its job when the job's process, its worker, or the
-- manager is killed there: "back" to its queue to run later, "dirty" or "prune": failed as killed,
-- or as its worker's; "done". "none": that process has no job (any more). nil: no such kill.
-- The job a worker is handed with a commit is still to start: it goes back.
local function quit_worker(_, worker)
  uv.kill(worker, "sigquit")
end
local function lose_worker(fleet, worker)
  uv.kill(worker, "sigstop")
  fleet:until_true(function()
    return killing.stopped(worker)
  end, 2, "the worker is stopped")
  fleet:note("worker", killing.place_of(worker))
  fleet:expect(fleet:job_of(worker), "back prune", "worker, wherever it was")
  uv.kill(worker, "sigkill")
end
local PLACES = {
  { "start_worker", manager = "none", trigger = quit_worker },
  { "born", worker = "none", manager = "none", trigger = quit_worker },
  { "register", worker = "none", manager = "none", trigger = quit_worker },
  { "registered", worker = "none", manager = "none", trigger = quit_worker },
  { "idle", worker = "none", manager = "none" },
  { "reserve", worker = "back", manager = "done" },
  { "check", worker = "back", manager = "done" },
  { "start", worker = "back", manager = "done" },
  { "isolate", child = "back", worker = "back", manager = "done" },
  { "load", child = "back", worker = "back", manager = "done" },
  { "token", child = "back", worker = "prune", manager = "done" },
  { "started", child = "dirty", worker = "prune", manager = "done" },
  { "perform", child = "dirty", worker = "prune", manager = "done" },
  { "result", child = "dirty", worker = "prune", manager = "done" },
  { "reported", child = "done", worker = "prune", manager = "done" },
  { "watch", worker = "back prune", manager = "done" }, -- its child goes on meanwhile
  { "decide", worker = "prune", manager = "done" },
  { "commit", worker = "prune", manager = "done" },
  { "committed", worker = "back", manager = "done" },
  { "unregister", worker = "none", manager = "none", trigger = quit_worker },
  { "bury", manager = "prune", trigger = lose_worker },
  { "account", manager = "prune", trigger = lose_worker },
  { "accounted", manager = "none", trigger = lose_worker },
}

local function shuffle(list)
  for i = #list, 2, -1 do
    local j = math.random(i)
    list[i], list[j] = list[j], list[i]
  end
  return list
end

-- One kill at a place, as the table says.
local function kill_at(fleet, row, victim)
  local place = row[1]
  local pid, worker = fleet:stop_at(place, row.trigger)
  local id
  if worker then
    id = fleet:job_of(worker)
  elseif row[victim] == "prune" then -- of the worker that the manager has just seen dead
    for _, record in ipairs(fleet:check().record) do
      local holder = killing.pid_of(record.worker)
      id = not uv.kill(holder, 0) and record.id or id
    end
  end
  fleet:note(victim, place)
  if row[victim] ~= "none" then
    fleet:expect(id, row[victim], victim .. " at " .. place)
  end
  if victim == "child" then
    fleet:kill_child(pid, worker)
  elseif victim == "worker" then
    fleet:kill_worker(worker)
  else
    fleet:kill_manager(worker and pid)
  end
end

-- kill -9 without any preparation; the place is the last one seen before.
local function kill_random(fleet, victim)
  local pause = clock.now() + math.random() * 0.02
  local workers
  fleet:until_true(function()
    workers = fleet:workers()
    return clock.now() > pause and #workers > 0
  end, 10, "a worker runs")
  local worker = workers[math.random(#workers)]
  local child = killing.child_of(worker)
  local place = killing.place_of(worker)
  if victim == "child" then
    place = child and killing.comm(child)
    if not child or not proc.alive(child) then
      return false
    end
    uv.kill(child, "sigkill")
  elseif victim == "worker" then
    uv.kill(worker, "sigkill")
  elseif victim == "manager" then
    fleet:kill_manager()
  else
    fleet:kill_all()
  end
  fleet:note(victim, place)
  fleet.unannounced[victim] = (fleet.unannounced[victim] or 0) + 1
  return true
end

-- ---- the verdict

local EXCEPTIONS = {
  ["Resque::DirtyExit"] = "dirty",
  ["Resque::PruneDeadWorkerDirtyExit"] = "prune",
}

local function fate_of(failure)
  local fate = EXCEPTIONS[failure.exception]
  if fate == "dirty" and failure.error:find "before the job started" then
    return "unstarted" -- the third time in a row
  end
  if fate == "dirty" then
    assert.equal("Job killed by signal 9 (SIGKILL)", failure.error)
  elseif fate == "prune" then
    assert.matches("^Worker .* did not gracefully exit while processing Kill_Job$", failure.error)
  end
  return assert(fate, failure.exception)
end

-- Whether some kill of this job explains its end.
local function explained(kills, fate)
  for _, kill in ipairs(kills or {}) do
    if kill.fates:find(fate, 1, true) then
      return true
    end
  end
  return false
end

-- A kill that must have failed the job did so.
local function check_done(id, kills)
  for _, kill in ipairs(kills or {}) do
    assert.is_truthy(kill.fates:find "back" or kill.fates:find "done",
      ("%s is done, after a kill of the %s"):format(id, kill.why))
  end
end

local function verdict(fleet)
  local at = fleet:drain()
  local starts, ends = conservation.ledger(fleet.world)
  local failed, texts = fleet.world:failed()
  local unexplained = { dirty = 0, prune = 0, unstarted = 0 }
  for i, failure in ipairs(failed) do
    local id, fate = failure.payload.id, fate_of(failure)
    assert.is_truthy(texts[i]:find('"payload":' .. fleet.jobs[id] .. ",", 1, true), texts[i])
    assert.is_true((starts[id] or 0) <= 1, id .. " started twice and failed")
    if not explained(fleet.expected[id], fate) then
      unexplained[fate] = unexplained[fate] + 1
    end
  end
  for id in pairs(fleet.jobs) do
    local status = fleet.world:status(id).status
    if not at[id] then
      assert.equal(4, status, id)
      assert.equal(1, starts[id], id .. " is done; starts")
      assert.equal(1, ends[id], id .. " is done; ends")
      check_done(id, fleet.expected[id])
    end
  end
  return unexplained, at
end

local function print_tally(tallies)
  print(("\n%d jobs, %d looks at everything"):format(tallies.jobs, tallies.looks))
  print(("SEED=%d spec/run system kill   # the same order again"):format(SEED))
  print(("%-8s %5s  %s"):format("killed", "times", "of these at each step"))
  for _, victim in ipairs { "child", "worker", "manager", "all" } do
    local row, parts = tallies[victim] or {}, {}
    for i, step in ipairs(killing.steps) do
      parts[i] = ("%s %d"):format(step, row[step] or 0)
    end
    print(("%-8s %5d  %s"):format(victim, row.all or 0, table.concat(parts, ", ")))
  end
end

local function add(sum, fleet)
  sum.jobs, sum.looks = (sum.jobs or 0) + fleet.serial, (sum.looks or 0) + fleet.looks
  for victim, row in pairs(fleet.tally) do
    sum[victim] = sum[victim] or {}
    for step, count in pairs(row) do
      sum[victim][step] = (sum[victim][step] or 0) + count
    end
  end
end

describe("kill -9", function()
  local program, fleet
  local total = {}

  setup(function()
    math.randomseed(SEED)
    print(("\nSEED=%d"):format(SEED))
    program = killing.program()
  end)
  before_each(function()
    fleet = killing.fleet(program)
  end)
  after_each(function()
    fleet:close()
  end)

  it("at every step, of each process: the job is where it must be", function()
    local kills = {}
    for _, row in ipairs(PLACES) do
      for victim, times in pairs(REPEATS) do
        for _ = 1, row[victim] and times or 0 do
          kills[#kills + 1] = { row, victim }
        end
      end
    end
    table.sort(kills, function(a, b)
      return a[1][1] .. a[2] < b[1][1] .. b[2]
    end)
    for _, kill in ipairs(shuffle(kills)) do
      local ok, err = pcall(kill_at, fleet, kill[1], kill[2])
      if not ok then
        error(("SEED=%d, kill of the %s at %s: %s"):format(SEED, kill[2], kill[1][1], err), 0)
      end
    end
    local unexplained = verdict(fleet)
    assert.same({ dirty = 0, prune = 0, unstarted = 0 }, unexplained)
    add(total, fleet)
  end)

  it("at random moments: nothing is lost, and only the killed fail", function()
    local kills = {}
    for _, victim in ipairs { "child", "worker", "manager" } do
      for _ = 1, RANDOM do
        kills[#kills + 1] = victim
      end
    end
    for _ = 1, RANDOM // 8 do
      kills[#kills + 1] = "all"
    end
    for _, victim in ipairs(shuffle(kills)) do
      repeat until kill_random(fleet, victim)
    end
    local unexplained, at = verdict(fleet)
    local hit = fleet.unannounced
    local failed = #fleet.world:failed()
    assert.is_true(unexplained.dirty <= hit.child, cjson.encode { unexplained, hit })
    assert.is_true(unexplained.prune <= hit.worker + 2 * hit.all, cjson.encode { unexplained, hit })
    assert.is_true(unexplained.unstarted * 3 <= hit.child, cjson.encode { unexplained, hit })
    assert.is_true(failed > 0)
    for id in pairs(at) do
      assert.is_true(at[id] == "failed")
    end
    add(total, fleet)
  end)

  it("hit every step, and often enough", function()
    print_tally(total)
    for _, victim in ipairs { "child", "worker", "manager" } do
      assert.is_true(total[victim].all >= EACH, victim .. " was killed too seldom")
    end
    local begun = { reserve = true, check = true, decide = true, commit = true, between = true }
    for _, step in ipairs(killing.steps) do
      assert.is_true((total.worker[step] or 0) > 0, "no worker was killed at " .. step)
      assert.is_true((total.manager[step] or 0) > 0, "no manager was killed at " .. step)
      assert.is_true(begun[step] or (total.child[step] or 0) > 0, "no job was killed at " .. step)
    end
  end)
end)
