--- What a campaign looks at while it runs: everything in Redis, how long recoveries take, what its
-- processes have open. Methods of spec/chaos/campaign.lua.
local clock = require "spec.support.clock"
local look = require "spec.support.look"
local proc = require "spec.support.proc"

local LOOK_EVERY = 0.3 -- seconds
local MANY_KEYS = 5000 -- from here on, every key is looked at now and then only

local watching = {}

-- ---- how long it takes

-- Notes the time until `ended` is true, unless something else comes in between.
function watching:watch(name, ended)
  self.watches[#self.watches + 1] = { name = name, ended = ended, began = clock.now() }
end

function watching:look_at_watches()
  local watches = self.watches
  self.watches = {}
  for _, watch in ipairs(watches) do
    if watch.ended() then
      local list = self.recovery[watch.name] or {}
      self.recovery[watch.name] = list
      list[#list + 1] = clock.now() - watch.began
    else
      self.watches[#self.watches + 1] = watch
    end
  end
end

function watching:await_outcome(pid, token)
  local id = self:worker_id(pid)
  if id and token and not self.open then
    self:watch("a job killed -> its end written", function()
      return (self.world:on("GET", "worker:" .. id) or ""):match '"token":"([^"]*)"' ~= token
    end)
  end
end

function watching:await_account(id)
  if id and not self.open then
    self:watch("a worker killed -> accounted for", function()
      return self.world:on("SISMEMBER", "workers", id) == 0
    end)
  end
end

function watching:await_next_job()
  local before = self.world:stat "processed"
  self:watch("Redis back -> the next job done", function()
    return self.processed > before
  end)
end

-- ---- looking

--- One look at everything: what is wrong is noted by the checker. Returns id -> place.
function watching:look(full)
  self.looks = self.looks + 1
  self.look_at = clock.now() + LOOK_EVERY
  local many = self.processed > MANY_KEYS and self.looks % 10 > 0
  local seen = look(function(...)
    return self:call(...)
  end, self.world:key "", self.checker.from, full or not many)
  local enqueued = 0
  for n, count in ipairs(seen.pushed) do
    self.pushed[n] = count
    enqueued = enqueued + count
  end
  return self.checker:look(seen, enqueued), seen
end

function watching:read_acl_log()
  for _, entry in ipairs(self:call("ACL", "LOG", 128)) do
    self.refused[#self.refused + 1] = entry
  end
end

-- How many descriptors each process has, over its life.
function watching:sample()
  for _, one in ipairs(self.fleets) do
    for _, pid in ipairs { one.run.pid, table.unpack(one:workers()) } do
      local count = 0
      for _ in pairs(proc.descriptors(pid)) do
        count = count + 1
      end
      local sample = self.samples[pid] or { fewest = count, most = count }
      self.samples[pid] = sample
      if count > 0 then
        sample.fewest = math.min(sample.fewest, count)
        sample.most = math.max(sample.most, count)
      end
    end
  end
end

local function sockets(pid)
  local list = {}
  for _, target in pairs(proc.descriptors(pid)) do
    if target:find "^socket:" then
      list[target] = true
    end
  end
  return list
end

-- A job that has started, and is still there: it shares no socket with its worker.
function watching:check_sockets(id, pid)
  local stat = proc.stat(pid)
  local title = proc.title(pid) or ""
  if not stat or not title:find "Processing" then
    return
  end
  local worker = sockets(stat.parent)
  for socket in pairs(sockets(pid)) do
    if worker[socket] and (proc.title(pid) or ""):find "Processing" then
      self.shared[#self.shared + 1] = ("job %s has %s of its worker"):format(id, socket)
    end
  end
end

-- The jobs of the ledger that say they take a while.
function watching:read_ledger()
  local file = io.open(self.world.ledger_path)
  if not file then
    return
  end
  file:seek("set", self.ledger_at)
  local text = file:read "a"
  file:close()
  self.ledger_at = self.ledger_at + #text
  for id, pid in text:gmatch "start (%S+%.hold) (%d+) %d+\n" do
    self:check_sockets(id, math.tointeger(tonumber(pid)))
  end
end

--- Nobody works: a worker has no processes, and what jobs have started is gone.
function watching:find_leftovers()
  for _, one in ipairs(self.fleets) do
    for _, worker in ipairs(one:workers()) do
      for _, pid in ipairs(proc.children(worker)) do
        self.left[#self.left + 1] = ("worker %d waits, and has the process %d (%s)"):format(worker,
          pid, (proc.stat(pid) or {}).state)
      end
    end
    for _, pid in ipairs(one:leftovers()) do
      self.left[#self.left + 1] = ("process %d (%s) outlived its job"):format(pid,
        tostring(proc.title(pid)))
    end
  end
end

return watching
