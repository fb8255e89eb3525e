--- The program is stopped at every one of its named places (src/base/stopat.h), and there a process
-- is killed, a signal comes, a connection is cut or Redis restarts. The table says what must become
-- of the job:
--
--   done   it ends as if nothing had been
--   back   whoever had it puts it back, and it is done after that
--   dirty  failed, as a job whose process was killed
--   prune  failed, as the job of a dead worker
--   stop   failed, as somebody asked for (`job ID --kill`: the order column)
--   -      there is nobody to do this to
--
-- It never starts twice, and the rest of the queue is done. A signal goes to the worker, or to the
-- manager if that is who stopped. CONT is what every stop ends with, so it takes back a USR2, but
-- for places in a job's process: there the worker pauses.
local clock = require "spec.support.clock"
local killing = require "spec.support.killing"
local proc = require "spec.support.proc"
local stopping = require "spec.support.stopping"
local uv = require "luv"
local world = require "spec.support.world"

local TABLE = [[
place        child worker manager TERM  INT   QUIT  USR1  USR2  CONT  HUP   cut   redis order
start_worker -     -      done    done  done  done  done  done  done  done  done  done  done
born         -     done   done    done  done  done  done  done  done  done  done  done  done
register     -     done   done    back  back  done  done  done  done  done  done  done  done
registered   -     done   done    back  back  done  done  done  done  done  done  done  done
idle         -     done   done    done  done  done  done  done  done  done  done  done  done
reserve      -     done   done    back  back  done  done  done  done  done  done  done  done
check        -     back   done    back  back  done  done  done  done  done  done  done  stop
start        -     back   done    back  back  done  done  done  done  done  done  done  stop
isolate      back  back   done    back  back  done  back  done  done  done  done  done  stop
load         back  back   done    back  back  done  back  done  done  done  done  done  stop
token        back  prune  done    back  back  done  back  done  done  done  done  done  stop
started      dirty prune  done    dirty dirty done  dirty done  done  done  done  done  stop
perform      dirty prune  done    dirty dirty done  dirty done  done  done  done  done  stop
result       dirty prune  done    dirty dirty done  dirty done  done  done  done  done  stop
reported     done  prune  done    done  done  done  done  done  done  done  done  done  done
watch        -     prune  done    done  done  done  done  done  done  done  done  done  done
decide       -     prune  done    done  done  done  done  done  done  done  done  done  done
commit       -     prune  done    done  done  done  done  done  done  done  done  done  done
committed    -     back   done    back  back  done  done  done  done  done  done  done  stop
unregister   -     done   done    done  done  done  done  done  done  done  done  done  done
bury         -     -      prune   prune prune prune prune prune prune prune prune prune prune
account      -     -      prune   prune prune prune prune prune prune prune prune prune prune
accounted    -     -      prune   prune prune prune prune prune prune prune prune prune prune
]]

local SEED = tonumber(os.getenv "SEED") or os.time()
local SAMPLE = clock.sanitized and 40 or math.huge -- cells; sanitizers take their time

-- The table's rows: place -> fault -> fate; and the places in order.
local function read_table()
  local rows, order, heads = {}, {}, nil
  for line in TABLE:gmatch "[^\n]+" do
    local words = {}
    for word in line:gmatch "%S+" do
      words[#words + 1] = word
    end
    if not heads then
      heads = words
    else
      order[#order + 1], rows[words[1]] = words[1], {}
      for i = 2, #words do
        rows[words[1]][heads[i]] = words[i]
      end
    end
  end
  return rows, order
end

-- All places that the program can stop at, and the one of the job's own.
local function places_in_sources()
  local places = { perform = true }
  local function scan(folder)
    local names = uv.fs_scandir(folder)
    for name, kind in function() return uv.fs_scandir_next(names) end do
      local path = folder .. "/" .. name
      if kind == "directory" then
        scan(path)
      end
      for place in (kind == "file" and proc.read(path) or ""):gmatch 'STOP_AT%("([%w_]+)"%)' do
        places[place] = true
      end
    end
  end
  scan "src"
  return places
end

local function shuffle(list)
  for i = #list, 2, -1 do
    local j = math.random(i)
    list[i], list[j] = list[j], list[i]
  end
end

local rows, order = read_table()

local function cells()
  local list = {}
  for _, place in ipairs(order) do
    for _, fault in ipairs(stopping.faults) do
      if rows[place][fault] ~= "-" then
        list[#list + 1] = { place, fault }
      end
    end
  end
  shuffle(list)
  return { table.unpack(list, 1, math.min(#list, SAMPLE)) }
end

local function print_table(found, played)
  print(("\n%d cells of the table, SEED=%d; as found:"):format(played, SEED))
  print((TABLE:match "[^\n]+"))
  for _, place in ipairs(order) do
    local line = ("%-12s"):format(place)
    for _, fault in ipairs(stopping.faults) do
      local width = fault == "worker" and 6 or fault == "manager" and 7 or 5
      line = line .. (" %-" .. width .. "s"):format(found[place .. fault] or "-")
    end
    print((line:gsub("%s+$", "")))
  end
end

describe("at every stop point", function()
  it("the table has every place there is, and every fault that can be", function()
    local known = {}
    for place, row in pairs(rows) do
      known[place] = true
      for _, fault in ipairs(stopping.faults) do
        assert.equal(stopping.possible(place, fault) and true or false, row[fault] ~= "-",
          place .. " " .. fault)
      end
    end
    assert.same(places_in_sources(), known)
  end)

  it("and every fault there, the job has the fate that the table says", function()
    math.randomseed(SEED)
    local only = os.getenv "CELL" -- "place fault"
    local list = only and { { only:match "(%S+) (%S+)" } } or cells()
    local stage = stopping.stage(killing.program())
    local found, wrong = {}, {}
    for _, cell in ipairs(list) do
      local place, fault = cell[1], cell[2]
      local ok, fate = pcall(stage.play, stage, place, fault)
      found[place .. fault] = ok and fate or "?"
      local wanted = rows[place][fault]
      if not ok or fate ~= wanted then
        wrong[#wrong + 1] = ("%s at %s: %s, not %s; CELL='%s %s' spec/run system stop_points")
          :format(fault, place, tostring(fate), wanted, place, fault)
        stage:close()
        stage = stopping.stage(killing.program())
      end
    end
    stage:close()
    print_table(found, #list)
    assert.same({}, wrong)
  end)
end)

-- A manager that is about to start its worker is told something, and goes on until it has logged
-- `seen`.
local function told_before_start(name, seen)
  local w = world.new()
  finally(function()
    w:close()
  end)
  assert(uv.fs_mkdir(w.dir .. "/stops", 448))
  w:write("stops/start_worker", "")
  local run = w:start({ VVERBOSE = "1", RL_STOPAT = w.dir .. "/stops" },
    { program = killing.program() })
  clock.wait_until(function()
    return killing.stopped(run.pid)
  end, 10, "the manager stops")
  run:signal(name)
  run:signal "sigcont"
  run.process:wait_for(seen)
  return run
end

describe("a signal that came before the manager had a worker", function()
  it("does not reach the worker that it starts then", function()
    local run = told_before_start("sigusr1", "Starting worker")
    assert.matches("passing SIGUSR1 on to 0 workers", run:err())
    assert.is_nil(run:err():find "passing SIGUSR1 on to 1 workers")
  end)

  for _, name in ipairs { "sigterm", "sigint", "sigquit" } do
    it(name .. " ends the manager, and no worker is started", function()
      local run = told_before_start(name, "passing SIG%u+ on to 0 workers")
      assert.same({ 0, 0 }, { run.process:wait() })
      assert.is_nil(run:err():find "Starting worker")
    end)
  end
end)
