-- The program behind spec/cuts/run: all places of the modes asked for, and the table.
local clock = require "spec.support.clock"
local process = require "spec.support.process"
local sweep = require "spec.cuts.sweep"

local function number(name, otherwise)
  return math.tointeger(tonumber(os.getenv(name) or otherwise))
end

local SEED = number("SEED", os.time())
local STEP, LANES = number("STEP", 97), number("LANES", 4)
local FROM, TO = number("FROM", 1), number("TO", math.maxinteger)
local MOST = 5 -- failures shown of a mode

local function print_failure(runner, place)
  print(("FAILED: %s (place %d)"):format(sweep.describe(place), place.number))
  for _, problem in ipairs(place.problems) do
    print("  " .. problem)
  end
  print("  " .. runner:replay(place, STEP))
  print("  the worker's log:\n" .. (place.log or ""):gsub("[^\n]+", "    %0"))
end

local function print_table(mode, rows, order)
  print(("%-6s %-22s %6s %6s %6s"):format(mode, "exchange", "bytes", "lives", "failed"))
  for _, name in ipairs(order) do
    local row = rows[name]
    print(("       %-22s %6d %6d %6d"):format(name, row.bytes, row.lives, row.failed))
  end
end

-- A row of the table for each exchange and way.
local function tally(rows, order, place)
  local name = place.label and (place.label .. (place.way == "out" and " ->" or " <-"))
    or "all, in " .. place.kind
  local row = rows[name]
  if not row then
    row = { lives = 0, failed = 0, bytes = 0 }
    rows[name], order[#order + 1] = row, name
  end
  row.lives = row.lives + 1
  row.bytes = math.max(row.bytes, place.at)
  row.failed = row.failed + (#place.problems > 0 and 1 or 0)
end

local function run_mode(runner, mode)
  local places, rows, order, failed = {}, {}, {}, 0
  for _, place in ipairs(runner:places(mode, STEP)) do
    if place.number >= FROM and place.number <= TO then
      places[#places + 1] = place
    end
  end
  local began = clock.now()
  runner:run(places, function(place)
    tally(rows, order, place)
    if #place.problems > 0 then
      failed = failed + 1
      print_failure(runner, place)
    end
    return failed >= MOST
  end)
  table.sort(order)
  print_table(mode, rows, order)
  local took = clock.now() - began
  print(("%s: %d lives in %.0f s (%.1f a second), %d failed\n"):format(mode, #places, took,
    #places / took, failed))
  return failed
end

io.stdout:setvbuf "line"
print(("SEED=%d"):format(SEED))
local runner = sweep.open(os.getenv "CUTS_DIR", LANES, SEED)
local failed = 0
for _, mode in ipairs(sweep.modes) do
  if not os.getenv "MODE" or os.getenv "MODE" == mode then
    failed = failed + run_mode(runner, mode)
  end
end
runner:close()
process.finish_all()
os.exit(failed == 0)
