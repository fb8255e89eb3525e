--- A worker's connection is cut, held, delayed and split at some bytes of each exchange, by chance
-- (SEED, printed); spec/cuts/run does it at every byte. Every job is done or failed as it should,
-- nothing has run twice, and nothing is left behind.
local clock = require "spec.support.clock"
local sweep = require "spec.cuts.sweep"
local world = require "spec.support.world"

local SEED = tonumber(os.getenv "SEED") or os.time()
local STEP, LANES = 97, 4
local SLOW = clock.sanitized -- sanitizers: a third of the places, and no bugs
-- Places of each exchange beside its ends; a delay or a split is in all exchanges at once.
local MORE = { cut = 0, hold = 0, delay = 6, split = 6 }

-- Bugs in the server's scripts, by which one must lose or repeat a job when a connection is cut.
local BUGS = {
  { "reserve does not resume what it has reserved", "lib/take.lua",
    "if record then return resume(record, token) end", "" },
  { "done does not compare the token", "done.lua",
    "local at = job_has(record, token)", "local at = job_has(record, token) or record and 1" },
  { "fail does not compare the token", "fail.lua", "if job_has(record, token) then",
    "if record then" },
}

describe("a connection spoiled at a byte of an exchange", function()
  local w, runner

  before_each(function()
    w = world.new()
  end)
  after_each(function()
    runner:close()
    w:close()
  end)

  local function fails(place)
    return ("%s: %s\nSEED=%d, or: %s\n%s"):format(sweep.describe(place),
      table.concat(place.problems, "; "), SEED, runner:replay(place, STEP), place.log)
  end

  local function sample(mode)
    local some = {}
    for i, place in ipairs(runner:sample(runner:places(mode, STEP), MORE[mode])) do
      some[#some + 1] = (not SLOW or (i + SEED) % 3 == 0) and place or nil
    end
    return some
  end

  for _, mode in ipairs(sweep.modes) do
    it(mode .. ": every job ends once, as it should", function()
      runner = sweep.open(w.dir, LANES, SEED)
      local lives = 0
      runner:run(sample(mode), function(place)
        lives = lives + 1
        assert.same({}, place.problems, #place.problems > 0 and fails(place) or nil)
      end)
      print(("\n%s: %d lives, SEED=%d"):format(mode, lives, SEED))
      assert.is_true(lives >= 4)
    end)
  end

  for _, bug in ipairs(SLOW and {} or BUGS) do
    it("is noticed when " .. bug[1], function()
      local path = w.dir .. "/lua"
      os.execute(("cp -r '%s/lua' '%s'"):format(world.root, path))
      local file = assert(io.open(("%s/server/%s"):format(path, bug[2])))
      local text = file:read "a"
      file:close()
      local from, to = text:find(bug[3], 1, true)
      w:write("lua/server/" .. bug[2], text:sub(1, from - 1) .. bug[4] .. text:sub(to + 1))
      runner = sweep.open(w.dir, LANES, SEED, path)
      local found
      runner:run(runner:sample(runner:places("cut", STEP), 0), function(place)
        found = found or place.problems[1]
        return found ~= nil
      end)
      assert.is_truthy(found)
    end)
  end
end)
