--- A worker that has run very many jobs is the size it had after the first thousand: resident
-- memory, open descriptors, no zombies. Jobs that end well, that fail in every way, and that make
-- the worker's buffers grow, in an order that follows from SEED.
--
-- SOAK_JOBS is how many; spec/soak/run asks for more than there is time for here. Starts first.
local clock = require "spec.support.clock"
local proc = require "spec.support.proc"
local world = require "spec.support.world"

local SEED = tonumber(os.getenv "SEED") or os.time()
local SLOW = clock.sanitized
local JOBS = tonumber(os.getenv "SOAK_JOBS") or (SLOW and 3000 or 10000)
local BATCH, WARM, TOLERANCE = 500, 1000, 64 -- jobs, jobs, KB

-- Of a hundred jobs, how many of each kind: class, args. One size of text: large ones leave gaps in
-- the heap that malloc fills in its own time, and that is no leak.
local TEXT = ("x"):rep(200)
local KINDS = {
  { 74, "Noop", "[{}]" },
  { 6, "Echo", ('[{"text":"%s"}]'):format(TEXT) },
  { 6, "Raise", ('[{"message":"%s"}]'):format(TEXT) },
  { 2, "Exit", '[{"code":3}]' },
  { 2, "Kill", '[{"signal":"KILL"}]' },
  { 2, "NoSuchClass", "[]" },
  { 3, "Say", ('[{"text":"%s"}]'):format(TEXT) },
  { 1, "Late", "[{}]" },
  { 1, "Hungry", "[{}]" },
  { 1, "Dies_Again", "[{}]" },
}

local deck = {}
for _, kind in ipairs(KINDS) do
  for _ = 1, kind[1] do
    deck[#deck + 1] = kind
  end
end

local function payload(n)
  local kind = deck[math.random(#deck + 2)]
  if not kind then
    return '{"class":"Noop","args":[NaN]}' -- Redis lets it pass, the worker's check does not
  end
  return world.payload(kind[2], kind[3], ("soak%d"):format(n))
end

-- Exact, unlike VmRSS, which the kernel counts in batches.
local function rss_kb(pid)
  return tonumber(proc.read(("/proc/%d/smaps_rollup"):format(pid)):match "\nRss:%s+(%d+)")
end

local function descriptors(pid)
  local list = {}
  for fd, target in pairs(proc.descriptors(pid)) do
    list[#list + 1] = ("%d %s"):format(fd, target:gsub("%[%d+%]", ""))
  end
  table.sort(list)
  return list
end

local function size_of(run, worker)
  return {
    worker = rss_kb(worker), manager = rss_kb(run.pid),
    worker_files = descriptors(worker), manager_files = descriptors(run.pid),
  }
end

describe("a worker that has run many jobs", function()
  it("has the size it had after the first thousand", function()
    math.randomseed(SEED)
    local w = world.new()
    finally(function()
      w:close()
    end)
    local run = w:start_idle { INTERVAL = "0.05", VERBOSE = "0", LOGGING = "0" }
    local worker = run:worker()
    local ran, first, largest = 0, nil, 0
    local function run_batch()
      local payloads = {}
      for i = 1, BATCH do
        payloads[i] = payload(ran + i)
      end
      w:push("default", table.unpack(payloads))
      ran = ran + BATCH
      w:wait_processed(ran, 60)
      run:wait_title "^Waiting"
      assert.same({}, proc.children(worker))
      assert.same({ worker }, proc.children(run.pid))
    end
    while ran < JOBS do
      run_batch()
      first = first or ran >= WARM and size_of(run, worker)
      largest = math.max(largest, rss_kb(worker))
      if ran % 10000 == 0 then
        print(("%d jobs: worker %d KB, manager %d KB, %d descriptors"):format(ran, rss_kb(worker),
          rss_kb(run.pid), #descriptors(worker)))
        w:on("DEL", "failed") -- Redis's size is not the subject
      end
    end
    local last = size_of(run, worker)
    print(("SEED=%d: after %d jobs %d KB, after %d jobs %d KB, at most %d KB"):format(SEED, WARM,
      first.worker, ran, last.worker, largest))
    assert.same(first.worker_files, last.worker_files)
    assert.same(first.manager_files, last.manager_files)
    if not SLOW then -- a sanitizer keeps freed memory
      assert.is_true(math.abs(last.worker - first.worker) <= TOLERANCE,
        ("the worker had %d KB, now %d KB"):format(first.worker, last.worker))
      assert.is_true(math.abs(last.manager - first.manager) <= TOLERANCE,
        ("the manager had %d KB, now %d KB"):format(first.manager, last.manager))
    end
  end)
end)
