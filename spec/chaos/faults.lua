--- What is done to a fleet and its Redis: one function per kind of fault, called with the campaign
-- (spec/chaos/campaign.lua) and the fault's own stream of numbers. It answers whether there was
-- somebody to do it to.
--
-- SHARES says how many of a thousand faults are of which kind.
local uv = require "luv"
local fleet = require "spec.chaos.fleet"

local faults = { act = {}, words = {} }
local act, words = faults.act, faults.words

faults.shares = {
  kill_child = 300, kill_worker = 90, kill_manager = 15, kill_all = 5,
  stop_child = 60, stop_worker = 60, stop_manager = 20, stop_long = 1, signal_worker = 25,
  pause = 5, cancel = 20, deploy = 15, hang_up = 5, broken_include = 4,
  cut_all = 40, cut_one = 120, lose_answer = 120, script_flush = 50,
  redis_kill = 10, redis_stop = 20, full = 25, read_only = 15,
}

-- Milliseconds within which a victim must turn up.
local PATIENCE = 30

local function any(list, draw)
  return list[1] and list[draw(#list)]
end

local function wait_for(find)
  local deadline = uv.hrtime() + PATIENCE * 1e6
  repeat
    local a, b = find()
    if a then
      return a, b
    end
    uv.sleep(1)
  until uv.hrtime() > deadline
end

local function some_worker(campaign, draw)
  local one = any(campaign.fleets, draw)
  local worker = any(one:workers(), draw)
  return worker, one
end

-- A job's process, its worker and their fleet.
local function some_child(campaign, draw)
  local child, worker, one
  wait_for(function()
    worker, one = some_worker(campaign, draw)
    child = worker and fleet.child_of(worker)
    return child
  end)
  return child, worker, one
end

-- SIGSTOP, and SIGCONT after some milliseconds.
local function hold(campaign, pid, ms)
  if not pid or uv.kill(pid, "sigstop") ~= 0 then
    return false
  end
  campaign:later(ms / 1000, function()
    uv.kill(pid, "sigcont")
  end)
  return true
end

-- ---- processes

words.kill_child = "kill -9 of a job"
function act.kill_child(campaign, draw)
  local child, worker, one = some_child(campaign, draw)
  if not child then
    return false
  end
  local token = campaign:token_of(worker)
  if uv.kill(child, "sigkill") ~= 0 then
    return false
  end
  one:note("child", worker)
  campaign:await_outcome(worker, token)
  return true
end

words.kill_worker = "kill -9 of a worker"
function act.kill_worker(campaign, draw)
  local worker, one = some_worker(campaign, draw)
  if not worker then
    return false
  end
  local id = campaign:worker_id(worker)
  uv.kill(worker, "sigkill")
  one:note("worker", worker)
  campaign:await_account(id)
  return true
end

words.kill_manager = "kill -9 of a manager"
function act.kill_manager(campaign, draw)
  any(campaign.fleets, draw):kill_manager()
  return true
end

words.kill_all = "kill -9 of a whole fleet"
function act.kill_all(campaign, draw)
  any(campaign.fleets, draw):kill_all()
  return true
end

words.stop_child = "STOP and CONT of a job"
function act.stop_child(campaign, draw)
  return hold(campaign, some_child(campaign, draw), draw(40))
end

words.stop_worker = "STOP and CONT of a worker"
function act.stop_worker(campaign, draw)
  return hold(campaign, some_worker(campaign, draw), draw(60))
end

words.stop_manager = "STOP and CONT of a manager"
function act.stop_manager(campaign, draw)
  return hold(campaign, any(campaign.fleets, draw).run.pid, draw(100))
end

words.stop_long = "STOP of a worker, longer than pruning waits"
function act.stop_long(campaign, draw)
  local worker, one = some_worker(campaign, draw)
  if not worker then
    return false
  end
  one:note("worker", worker)
  return hold(campaign, worker, campaign.prune * 1000 + 2500 + draw(1000))
end

local SIGNALS = { "sigterm", "sigint", "sigquit", "sigusr1" }
words.signal_worker = "TERM, INT, QUIT or USR1 to a worker"
function act.signal_worker(campaign, draw)
  local worker, one = some_worker(campaign, draw)
  return worker ~= nil and one:tell(worker, SIGNALS[draw(#SIGNALS)]) == 0
end

words.pause = "USR2 and CONT to a manager"
function act.pause(campaign, draw)
  local one = any(campaign.fleets, draw)
  local run = one.run
  if #one:workers() == 0 then
    return false -- it has not come to hear signals yet
  end
  run:signal "sigusr2"
  campaign:later(draw(100) / 1000, function()
    run:signal "sigcont"
  end)
  return true
end

words.cancel = "`job ID --kill` of a job that runs or waits"
function act.cancel(campaign, draw)
  local id = not campaign.away and campaign:some_job(draw)
  return id and campaign:cancel(id) or false
end

local FAREWELLS = { "sigterm", "sigint", "sigquit" }
words.deploy = "deploy: TERM, INT or QUIT, another manager"
function act.deploy(campaign, draw)
  local one = any(campaign.fleets, draw)
  if #one.leaving > 3 or #one:workers() == 0 then
    return false -- a manager that is just starting may be told later
  end
  one:replace(FAREWELLS[draw(#FAREWELLS)])
  return true
end

words.hang_up = "HUP to a manager"
function act.hang_up(campaign, draw)
  local one = any(campaign.fleets, draw)
  if #one:workers() == 0 then
    return false
  end
  one.run:signal "sighup"
  return true
end

words.broken_include = "APP_INCLUDE broken for a moment"
function act.broken_include(campaign, draw)
  return campaign:break_include(draw(150) / 1000)
end

-- ---- connections

local function clients(campaign)
  local list = {}
  if campaign.away then
    return list
  end
  local own = campaign:call("CLIENT", "ID")
  for id in campaign:call("CLIENT", "LIST", "TYPE", "normal"):gmatch "id=(%d+)" do
    if math.tointeger(tonumber(id)) ~= own then
      list[#list + 1] = id
    end
  end
  return list
end

words.cut_one = "one connection cut by Redis"
function act.cut_one(campaign, draw)
  local id = any(clients(campaign), draw)
  return id ~= nil and campaign:try("CLIENT", "KILL", "ID", id) == 1
end

words.cut_all = "all connections cut by Redis"
function act.cut_all(campaign)
  return not campaign.away
    and campaign:call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes") > 0
end

words.lose_answer = "an answer lost, or half of it"
function act.lose_answer(campaign, draw)
  return campaign.proxy and campaign.proxy:signal_now(draw(3) == 1 and "sigusr2" or "sigusr1") == 0
end

words.script_flush = "SCRIPT FLUSH"
function act.script_flush(campaign)
  return not campaign.away and campaign:call("SCRIPT", "FLUSH") == "OK"
end

-- ---- Redis. One of these at a time; other faults may come meanwhile.

words.redis_kill = "kill -9 of Redis, and a restart"
function act.redis_kill(campaign, draw)
  return campaign:restart_redis(draw(3) == 1 and draw(200) / 1000 or 0, draw(3) - 1)
end

words.redis_stop = "STOP and CONT of Redis"
function act.redis_stop(campaign, draw)
  return campaign:stop_redis((20 + draw(200)) / 1000, draw(3) - 1)
end

local function trouble(campaign, draw, ms, on, off)
  return campaign:window(draw(ms) / 1000, draw(4) - 1, function()
    campaign:call(table.unpack(on))
  end, function()
    campaign:call(table.unpack(off))
  end)
end

words.full = "Redis out of memory for a moment"
function act.full(campaign, draw)
  return trouble(campaign, draw, 120, { "CONFIG", "SET", "maxmemory", "1" },
    { "CONFIG", "SET", "maxmemory", "0" })
end

words.read_only = "Redis read-only for a moment"
function act.read_only(campaign, draw)
  return trouble(campaign, draw, 120, { "REPLICAOF", "127.0.0.1", "1" },
    { "REPLICAOF", "NO", "ONE" })
end

return faults
