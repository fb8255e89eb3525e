--- Lives one life per place of a fault: which places there are, several lives at a time, and what
-- came of each. A dry run without a fault says what is exchanged and how long that is.
local uv = require "luv"
local clock = require "spec.support.clock"
local life = require "spec.cuts.life"
local proxy = require "spec.cuts.proxy"
local scripts = require "spec.support.scripts"
local server = require "spec.support.server"

local sweep = {}
local Sweep = {}
Sweep.__index = Sweep

local SCRIPTS = { "register", "reserve", "done", "fail", "unreserve", "heartbeat", "unregister",
  "promise" }
local PATIENCE = 20 -- seconds for one life
local MARGIN = 64 -- bytes looked at one by one at both ends of a script's text
local LATEST = 5 -- commands, after which a held one is delivered

sweep.modes = { "cut", "hold", "delay", "split" }

-- ---- lanes: a server and a proxy each, used again and again

-- Tells what a command is for: "reserve", "LOAD reserve", "EVAL reserve", "SELECT".
local function namer(redis, root)
  local by_digest, by_text = {}, {}
  for _, name in ipairs(SCRIPTS) do
    local text = scripts.text(name, root)
    by_digest[redis:call("SCRIPT", "LOAD", text)] = name
    by_text[text] = name
  end
  return function(bytes)
    local first, len, past = bytes:match "^%*%d+\r\n%$%d+\r\n(%u+)\r\n%$(%d+)\r\n()"
    local second = past and bytes:sub(past, past + len - 1)
    if first == "EVALSHA" then
      return assert(by_digest[second], "a script of another text: " .. tostring(second))
    elseif first == "EVAL" then
      return by_text[second] and "EVAL " .. by_text[second] or "JOB'S OWN"
    elseif first == "SCRIPT" then
      for text, name in pairs(by_text) do
        if bytes:find(text, past, true) then
          return "LOAD " .. name
        end
      end
    end
    return first or bytes:match "%$%d+\r\n(%a+)"
  end
end

local function new_lane(folder, root)
  assert(uv.fs_mkdir(folder, 448))
  local lane = { folder = folder, socket = folder .. "/proxy.sock", lua_path = root }
  lane.server = server.start { dir = folder }
  lane.proxy = proxy.open(lane.socket, lane.server.socket, namer(lane.server, root))
  return lane
end

--- `count` lives at a time, in folders below `folder`.
-- @param root other Lua files than the program's own, as RESQUE_LUA_PATH
function sweep.open(folder, count, seed, root)
  local self = setmetatable({ lanes = {}, seed = seed, longest = 0 }, Sweep)
  for i = 1, count do
    self.lanes[i] = new_lane(("%s/lane%d"):format(folder, i), root)
  end
  return self
end

function Sweep:close()
  for _, lane in ipairs(self.lanes) do
    lane.proxy:close()
    lane.server:stop()
  end
end

-- ---- one life

local function begin(lane, place)
  lane.place, lane.since = place, clock.now()
  lane.kind = life.kinds[place.kind]
  life.prepare(lane.kind, lane)
  lane.proxy:begin(place.mode and place, life.before(lane.kind, lane))
  lane.process = life.start(lane.kind, lane)
end

-- Whether the life is over; `place` then knows how it went.
local function finish(lane)
  local place, ended = lane.place, lane.process
  if ended.code == nil and clock.now() - lane.since > PATIENCE * clock.slow then
    place.problems = { "the worker has not ended after " .. PATIENCE .. " s" }
    ended:finish()
  elseif ended.code == nil or lane.proxy:deliver() or not lane.proxy:settled() then
    return false
  else
    local ghost = place.mode == "hold" and place.label:find "register#" ~= nil
    place.problems = life.problems(lane.kind, lane, ended, ghost)
    if place.mode and not lane.proxy.struck then
      table.insert(place.problems, "the place was not reached")
    end
  end
  place.exchanges = lane.proxy.exchanges
  if #place.problems > 0 then
    place.log = ended:err()
  end
  life.tidy(ended)
  lane.place = nil
  return true
end

--- Lives a life for each place of the list. `each` is called with the place after it: `problems` is
-- a list of sentences then. It ends early when `each` returns true.
function Sweep:run(places, each)
  local next_place, active, enough = 1, 0, false
  local tick = uv.new_timer() -- for what makes no event: the patience
  tick:start(50, 50, function() end)
  repeat
    for _, lane in ipairs(self.lanes) do
      if lane.place then
        local place = lane.place
        if finish(lane) then
          active = active - 1
          enough = each(place) or enough
        end
      end
      if not lane.place and places[next_place] and not enough then
        begin(lane, places[next_place])
        next_place, active = next_place + 1, active + 1
      end
    end
    if active > 0 then
      uv.run "once"
    end
  until active == 0
  tick:close()
end

-- ---- places

--- What is exchanged in a life of this kind without a fault: list of { label, out, back }, the
-- last two in bytes.
function Sweep:exchanges(kind)
  local dry = { kind = kind }
  self:run({ dry }, function() end)
  if #dry.problems > 0 then
    error("a life without a fault:\n" .. table.concat(dry.problems, "\n") .. "\n" .. dry.log, 0)
  end
  return dry.exchanges
end

-- Every offset of an exchange; within the text of a script only each `step`-th, as those are bytes
-- of which the server has been told how many will come.
local function offsets(exchange, bytes, step)
  local script = exchange.label:match "^%u+ (%l+)#"
  local inside = script and bytes == exchange.out and #scripts.text(script) - MARGIN or 0
  local n = -1
  return function()
    n = (n < MARGIN or n >= inside) and n + 1 or math.min(n + step, inside)
    return n <= bytes and n or nil
  end
end

local function is_beat(exchange)
  return exchange.label == "EVAL heartbeat#1"
end

-- Whether a place of this exchange is looked for in a life of this kind.
local function belongs(kind, exchange)
  if kind == "crash" then
    return exchange.label:find "^fail#" or exchange.label:find "^done#"
      or exchange.label:find "^EVAL promise#"
  end
  return (kind == "beat") == is_beat(exchange)
end

local function each_exchange(list, mode, kind, exchanges, step)
  for _, exchange in ipairs(exchanges) do
    for _, way in ipairs(mode == "hold" and { "out" } or { "out", "back" }) do
      for at in offsets(exchange, exchange[way], step) do
        if belongs(kind, exchange) then
          list[#list + 1] = { mode = mode, kind = kind, label = exchange.label, way = way, at = at }
        end
      end
    end
  end
end

-- A delay or a split spoils nothing, so one life has it at byte n of every exchange, both ways.
local function all_at_once(list, mode, kind, exchanges, step)
  local longest, short = 0, 0
  for _, exchange in ipairs(exchanges) do
    longest = math.max(longest, exchange.out, exchange.back)
    if not exchange.label:find "^%u+ %l" then
      short = math.max(short, exchange.out, exchange.back)
    end
  end
  local n = 0
  while n <= longest do
    list[#list + 1] = { mode = mode, kind = kind, at = n }
    n = n + (n < short and 1 or step)
  end
end

--- Every place of a mode, numbered in an order that does not change.
-- @param step how many bytes of a script's text one place stands for
function Sweep:places(mode, step)
  local list = {}
  local add = (mode == "cut" or mode == "hold") and each_exchange or all_at_once
  for _, kind in ipairs { "life", "beat", "crash" } do
    add(list, mode, kind, self:exchanges(kind), step)
  end
  for i, place in ipairs(list) do
    math.randomseed(self.seed, i)
    local later = math.random(0, LATEST)
    place.number, place.later = i, later > 0 and later or nil
  end
  return list
end

--- Some of these places: of each exchange and way the first, the last and `more` by chance.
function Sweep:sample(places, more)
  local groups, names, list = {}, {}, {}
  for _, place in ipairs(places) do
    local name = place.kind .. (place.label or "") .. (place.way or "")
    if not groups[name] then
      groups[name], names[#names + 1] = {}, name
    end
    table.insert(groups[name], place)
  end
  math.randomseed(self.seed)
  for _, name in ipairs(names) do
    local group = groups[name]
    list[#list + 1], list[#list + 2] = group[1], group[#group]
    for _ = 1, more do
      list[#list + 1] = group[math.random(#group)]
    end
  end
  return list
end

--- The line that lives this life again.
function Sweep:replay(place, step)
  return ("MODE=%s FROM=%d TO=%d STEP=%d SEED=%d spec/cuts/run"):format(place.mode, place.number,
    place.number, step, self.seed)
end

--- A place in words.
function sweep.describe(place)
  return ("%s, byte %d of %s"):format(place.mode, place.at, place.label
    and place.label .. (place.way == "out" and ", to Redis" or ", to the worker")
    or "every exchange")
end

return sweep
