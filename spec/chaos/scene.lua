--- What faults need of a campaign: things that happen later, states of Redis, the jobs' file, and
-- which worker has which job. Methods of spec/chaos/campaign.lua.
local cjson = require "cjson"
local uv = require "luv"
local checker = require "spec.support.checker"
local clock = require "spec.support.clock"
local plan = require "spec.chaos.plan"
local process = require "spec.support.process"
local world = require "spec.support.world"

local scene = {}

-- ---- time

--- Calls `f` after some seconds.
function scene:later(seconds, f)
  self.events[#self.events + 1] = { at = clock.now() + seconds, act = f }
end

function scene:due_events(all)
  local events = self.events
  self.events = {}
  for _, event in ipairs(events) do
    if all or clock.now() >= event.at then
      event.act()
    else
      self.events[#self.events + 1] = event
    end
  end
end

-- ---- Redis and the jobs' file

--- A state of Redis for some seconds, `meanwhile` more faults in it. Only one such state at a time.
function scene:window(seconds, meanwhile, on, off)
  if self.open then
    return false
  end
  self.open = true
  self.credit = self.credit + meanwhile
  self.watches = {} -- how long it takes now says nothing
  on()
  self:later(seconds, function()
    self.open = false
    off()
  end)
  return true
end

--- kill -9 of Redis, and a start again.
function scene:restart_redis(seconds, meanwhile)
  return self:window(seconds, meanwhile, function()
    self:look()
    self:read_acl_log()
    self.away = true
    self.world.server:kill()
  end, function()
    self.world.server:launch()
    self.away = false
    self:look()
    self:await_next_job()
  end)
end

function scene:stop_redis(seconds, meanwhile)
  local pid = self.world.server.process.pid
  return self:window(seconds, meanwhile, function()
    self.away = true
    uv.kill(pid, "sigstop")
  end, function()
    uv.kill(pid, "sigcont")
    self.away = false
  end)
end

--- A deploy that goes wrong: the jobs' file cannot be compiled for some seconds.
function scene:break_include(seconds)
  if self.broken then
    return false
  end
  self:write_include("this is no Lua\n", true)
  self:later(seconds, function()
    self:write_include(self.include_text, false)
    for _, one in ipairs(self.fleets) do
      if #one:workers() > 0 then
        one.run:signal "sighup"
      end
    end
  end)
  return true
end

--- The registered id of a worker process: nil while it has none.
function scene:worker_id(pid)
  for _, id in ipairs(not self.away and self.world:on("SMEMBERS", "workers") or {}) do
    if checker.pid_of(id) == pid then
      return id
    end
  end
end

--- The token of a worker's job, and its id: nil if it has none.
function scene:token_of(pid)
  local id = self:worker_id(pid)
  local record = id and self.world:on("GET", "worker:" .. id)
  return record and record:match '^{"token":"([^"]*)"', id
end

-- ---- one job

--- The id of a job that some worker has, one that takes long if there is any; or of one that waits
-- at the end of its queue. Others are over before the order comes.
function scene:some_job(draw)
  local texts = {}
  if draw(3) == 1 then
    texts = self.world:on("LRANGE", "queue:" .. plan.queues[draw(#plan.queues)], -20, -1)
  else
    for _, worker in ipairs(self.world:on("SMEMBERS", "workers")) do
      local record = self.world:on("GET", "worker:" .. worker)
      if record and record:find "Chaos_Hold" then
        texts = { record }
        break
      end
      texts[#texts + 1] = record
    end
  end
  return texts[1] and texts[draw(#texts)]:match '"id":"([^"]*)"'
end

--- `job ID --kill`, by the program itself; what it did is known when it has ended.
function scene:cancel(id)
  self.cancels[process.start({ self.opts.program or world.program, "job", id, "--kill", "--json" },
    { env = self.world:env { REDIS_BACKEND = self.backend, APP_INCLUDE = false }, clean = true,
      dir = self.world.dir })] = id
  self.checker:asked(id)
  return true
end

-- Whether it took the job out of its queue; nil where it did not come to learn that.
local function was_removed(out)
  local text = out:match "^{.*}"
  return text and cjson.decode(text).outcome == "removed"
end

--- Notes what those that have ended did.
function scene:look_at_cancels()
  for one, id in pairs(self.cancels) do
    if not one:running() then
      self.checker:cancelled(id, was_removed(one:out()))
      self.cancels[one] = nil
      os.remove(one.out_path)
      os.remove(one.err_path)
    end
  end
end

return scene
