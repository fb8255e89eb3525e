--- Jobs, faults and a verdict: fleets of resque-lua work off what producers push, while faults hit
-- them and Redis; afterwards the checker holds everything against the invariants.
--
-- The seed decides which jobs there are and which fault comes after how many of them; which
-- instruction a fault hits is the machine's. Its parts: scene.lua (what faults need), watching.lua.
local cjson = require "cjson"
local uv = require "luv"
local checker = require "spec.support.checker"
local clock = require "spec.support.clock"
local faults = require "spec.chaos.faults"
local fleet = require "spec.chaos.fleet"
local look = require "spec.support.look"
local pages = require "spec.support.pages"
local plan = require "spec.chaos.plan"
local process = require "spec.support.process"
local random = require "spec.chaos.random"
local world = require "spec.support.world"

local campaign = {}
local Campaign = {}
Campaign.__index = Campaign
local scene, watching = require "spec.chaos.scene", require "spec.chaos.watching"
for _, part in ipairs { scene, watching } do
  for name, method in pairs(part) do
    Campaign[name] = method
  end
end

local DRAIN = 90 -- seconds for what is left when all faults are over
local STUCK = 30 -- seconds without a job processed: nobody works any more
local LEEWAY = 10 -- descriptors
local HEARTBEAT, PRUNE = 1, 6 -- seconds

-- ---- Redis

-- The Redis user of docs/redis.md, which may do nothing more, for the prefixes of these worlds.
local function user_rules()
  local rules = {}
  for i, rule in ipairs(pages.redis_user()) do
    rules[i] = rule:gsub("^~resque:%*$", "~t*"):gsub("^&resque:lua:control$", "&t*")
  end
  return rules
end

-- One that keeps every write it has acknowledged; all campaigns of a spec file share it.
local function start_redis()
  local args = { "--appendonly", "yes", "--appendfsync", "always",
    "--auto-aof-rewrite-min-size", "16mb", "--user", "resque" }
  for _, rule in ipairs(user_rules()) do
    args[#args + 1] = rule
  end
  world.server { tcp = true, args = args }
end

--- A command by the campaign's own connection.
function Campaign:call(...)
  return self.world.server:call(...)
end

function Campaign:try(...)
  return self.world.server.client:try(...)
end

-- ---- start

local function backend(port)
  return "redis://resque:secret@127.0.0.1:" .. port
end

function Campaign:start_fleet(n, settings)
  local env = {
    QUEUE = table.concat(plan.queues, ","), COUNT = tostring(self.opts.count), INTERVAL = "0.1",
    VERBOSE = "0", RESQUE_HEARTBEAT = tostring(HEARTBEAT), RESQUE_PRUNE = tostring(PRUNE),
    APP_INCLUDE = self.include, CHAOS_FLEET = ("%s.%d."):format(self.world.dir, n),
    ON_CRASH = self.opts.requeues and "requeue:" .. self.opts.requeues or false,
    REDIS_BACKEND = self.backend, RESQUE_LUA_PATH = self.opts.lua_path or false,
  }
  for name, value in pairs(settings) do
    env[name] = value
  end
  self.fleets[n] = fleet.start(self.world, env, {
    program = self.opts.program, count = self.opts.count, injected = self.injected,
    leave = self.opts.leave,
  })
end

-- The address of a proxy that loses answers.
function Campaign:start_proxy()
  self.proxy = process.start({ "lua5.4", "spec/chaos/proxy.lua", tostring(self.world.server.port) },
    { dir = self.world.dir })
  return backend(self.proxy:wait_for "^port (%d+)\n")
end

function Campaign:start_fleets()
  self.backend = backend(self.world.server.port)
  if self.opts.fleets == 1 then
    return self:start_fleet(1, { BLOCKING = "1",
      REDIS_BACKEND = self.opts.proxied and self:start_proxy() or nil })
  end
  self:start_fleet(1, {})
  self:start_fleet(2, { BLOCKING = "1", QUEUE = "*", GRACEFUL_TERM = "1",
    REDIS_BACKEND = self:start_proxy() })
end

local function share_list(shares)
  local list = {}
  for name, share in pairs(shares) do
    list[#list + 1] = ("%s=%.14g"):format(name, share)
  end
  return table.concat(list, ",")
end

function Campaign:start_producers()
  local opts = self.opts
  for n = 1, opts.producers do
    self.share_of = opts.jobs // opts.producers
    local count = n == 1 and opts.jobs - self.share_of * (opts.producers - 1) or self.share_of
    self.producers[n] = process.start({ "lua5.4", "spec/chaos/producer.lua",
      self.world.server.socket, self.world:key "", tostring(opts.seed), tostring(n),
      tostring(count), tostring(opts.backlog), self.world.ledger_path, share_list(opts.shares),
    }, { dir = self.world.dir })
    self.pushed[n] = 0
  end
end

-- The jobs' file is the world's own copy: it is broken now and then.
function Campaign:read_include()
  local file = assert(io.open(world.root .. "/spec/chaos/jobs.lua"))
  self.include_text = file:read "a":gsub('require "ledger"',
    ("dofile %q"):format(world.fixtures .. "/ledger.lua"))
  file:close()
end

function Campaign:write_include(text, broken)
  self.broken = broken
  for _, one in ipairs(self.fleets) do
    one:break_include(broken)
  end
  self.include = self.world:write("chaos_jobs.lua", text)
end

local DEFAULTS = {
  jobs = 1000, faults = 100, fleets = 2, count = 4, producers = 2, backlog = 300,
  seconds = math.huge,
}

--- Starts everything. opts: seed, jobs, faults, fault_shares, shares (of the kinds of jobs), fleets
-- (1 or 2), proxied (whether answers to the only one can be lost), count (workers of each),
-- producers, backlog (jobs queued at most), program, lua_path, seconds (after which it gives up),
-- drain and leave (seconds for what is left), requeues (ON_CRASH of the workers), ordered (whether
-- the order of starts is looked at).
function campaign.start(opts)
  for name, value in pairs(DEFAULTS) do
    opts[name] = opts[name] or value
  end
  opts.shares = opts.shares or plan.shares()
  opts.fault_shares = opts.fault_shares or faults.shares
  start_redis()
  local self = setmetatable({
    opts = opts, world = world.new(), fleets = {}, producers = {}, pushed = {}, events = {},
    injected = { child = {}, worker = {}, told = {} }, cancels = {}, tally = {}, missed = 0,
    count = 0, credit = 0, looks = 0, recovery = {}, watches = {}, samples = {}, shared = {},
    left = {}, refused = {}, other = {}, prune = PRUNE, began = clock.now(), processed = 0,
    moved_at = clock.now(), look_at = 0, ledger_at = 0, restarts = {},
  }, Campaign)
  self:call("ACL", "LOG", "RESET")
  self.jobs = plan.jobs(opts.seed, self.pushed, opts.shares)
  self.checker = checker.new(self.jobs, opts.requeues)
  self:read_include()
  self:write_include(self.include_text, false)
  self:start_producers()
  self:start_fleets()
  return self
end

-- ---- the run

-- The next fault of the plan, if its time has come.
function Campaign:inject()
  local opts = self.opts
  local due = self:over() * opts.faults >= self.count * opts.jobs
  if self.count >= opts.faults or not (due and not self.open or self.credit > 0) then
    return
  end
  self.drawn = (self.drawn or 0) + 1
  local draw = random.stream(opts.seed, 0, self.drawn)
  local name = random.choice(draw, opts.fault_shares)
  self.credit = math.max(0, self.credit - 1)
  if not faults.act[name](self, draw) then
    self.missed = self.missed + 1
    return
  end
  self.count = self.count + 1
  self.moved_at = clock.now() -- the jobs may be over before the last faults have come
  self.tally[name] = (self.tally[name] or 0) + 1
end

function Campaign:turn()
  uv.run "nowait"
  self:due_events(false)
  if not self.away then
    local processed = self.world:stat "processed"
    if processed ~= self.processed then
      self.processed, self.moved_at = processed, clock.now()
    end
    self:look_at_watches()
    if clock.now() > self.look_at then
      self:look()
      self:sample()
      for _, one in ipairs(self.fleets) do
        one:read_logs()
      end
    end
  end
  for _, one in ipairs(self.fleets) do
    one:tend()
  end
  self:read_ledger()
  self:look_at_cancels()
  self:inject()
end

-- How many jobs are over, also those that were taken out of their queues.
function Campaign:over()
  return self.processed + self.checker:removed_count()
end

-- Whether somebody still has something to do, or to wait for.
function Campaign:unfinished()
  if #self.events > 0 or self.open or self.count < self.opts.faults or next(self.cancels) then
    return true
  end
  for n, producer in ipairs(self.producers) do
    if producer:running() then
      return true
    elseif producer.code ~= 0 or producer.signal ~= 0 then
      error(("producer %d failed: %s"):format(n, producer:err()))
    end
  end
  if self.proxy and not self.proxy:running() then
    error("the proxy ended: " .. self.proxy:err())
  end
  return self:over() < self.opts.jobs
end

function Campaign:too_long()
  local now = clock.now()
  if now - self.began > self.opts.seconds * clock.slow then
    return ("not done after %g s"):format(self.opts.seconds)
  elseif now - self.moved_at > STUCK * clock.slow then
    return ("no job was processed for %d s"):format(STUCK)
  end
end

-- Whether those who are registered are those who run.
function Campaign:settled(seen)
  local running = 0
  for _, one in ipairs(self.fleets) do
    running = running + #one:workers()
  end
  local registered = 0
  for _ in pairs(seen.workers) do
    registered = registered + 1
  end
  return #seen.queue + #seen.record == 0 and running == registered
    and running == #self.fleets * self.opts.count
end

-- Faults are over: what is left is worked off, whoever died is accounted for.
function Campaign:drain(seconds)
  local deadline = clock.now() + seconds * clock.slow
  repeat
    self:turn()
    local _, seen = self:look(true)
    if self:settled(seen) then
      return
    end
    uv.sleep(20)
  until clock.now() > deadline
  self.other[#self.other + 1] = ("still not at rest %g s after the last fault"):format(seconds)
end

function Campaign:stop()
  self:look(true)
  self:sample()
  self:read_acl_log()
  self:find_leftovers()
  for _, one in ipairs(self.fleets) do
    local ok, err = pcall(one.stop, one)
    if not ok then
      self.other[#self.other + 1] = err
    end
  end
  self:find_leftovers()
end

-- Everything that is known, to the checker.
function Campaign:judge(clean)
  local c = self.checker
  local _, seen = self:look(true)
  self.counts = c:finish(function(f)
    plan.each(self.opts.seed, self.pushed, self.opts.shares, f)
  end, self.world:ledger(), self.injected)
  if clean then
    c:gone(seen)
  end
  c:refused(self.refused)
  c:processes(self.samples, self.shared, self.left, LEEWAY)
  if self.opts.ordered then
    c:order(self.world:ledger(), plan.queues)
  end
  for _, one in ipairs(self.fleets) do
    for _, text in ipairs(one.problems) do
      self.other[#self.other + 1] = text
    end
  end
  for _, text in ipairs(self.other) do
    c:problem("run", "%s", text)
  end
  return c.problems
end

--- Runs it to its end. Returns the list of problems.
-- @param enough optional function: whether it may stop now (called with the problems so far)
function Campaign:run(enough)
  local late
  while self:unfinished() do
    self:turn()
    late = self:too_long()
    if late or enough and enough(self.checker.problems) then
      break
    end
    uv.sleep(1)
  end
  self.took = clock.now() - self.began
  if enough and enough(self.checker.problems) then
    return self.checker.problems
  end
  self:due_events(true)
  self.other[#self.other + 1] = late
  if not late then
    self:drain(self.opts.drain or DRAIN)
  end
  self:stop()
  return self:judge(not late)
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

--- Writes what was seen into a folder, for spec/chaos/check.
function Campaign:save(folder)
  uv.fs_mkdir(folder, 448)
  local seen = look(function(...)
    return self:call(...)
  end, self.world:key "", { failed = 0, overflow = 0 }, true)
  write(folder .. "/seen.json", cjson.encode(seen))
  write(folder .. "/ledger", table.concat(self.world:ledger(), "\n") .. "\n")
  write(folder .. "/campaign.json",
    cjson.encode { seed = self.opts.seed, shares = self.opts.shares })
end

function Campaign:close()
  for _, one in ipairs(self.fleets) do
    one:end_all()
  end
  for _, producer in ipairs(self.producers) do
    producer:finish()
  end
  for one in pairs(self.cancels) do
    one:finish()
  end
  if self.proxy then
    self.proxy:finish()
  end
  self.world:close()
end

return campaign
