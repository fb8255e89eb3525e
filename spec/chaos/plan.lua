--- The jobs of a campaign: the n-th job of a producer follows from the seed alone, so the checker
-- knows the bytes of each without having been told.
local random = require "spec.chaos.random"

local plan = {}

plan.queues = { "critical", "high", "low" } -- in the order of their priority
local QUEUE_SHARES = { critical = 1, high = 3, low = 6 }

-- What a kind of job does when nobody kills it, and in how many of a hundred it is drawn.
--   fate: "done", or the exception of its failure
--   says: the pattern of that failure's text
--   ends: the ledger's last word of a job that ran through
--   also: another pattern of that text, of what happens to a job that does not listen
--   unstarted: its code never runs, or may not come to run
--   requeues: how often its table has it run again when it has crashed
plan.kinds = {
  noop = { share = 34, fate = "done", ends = "end" },
  work = { share = 20, fate = "done", ends = "end" }, -- a few milliseconds
  hold = { share = 3, fate = "done", ends = "end" }, -- long enough to be looked at
  text = { share = 6, fate = "done", ends = "end" }, -- a long payload and a long result
  numbers = { share = 3, fate = "done", ends = "end" }, -- bytes that JSON libraries change
  family = { share = 1, fate = "done", ends = "end" }, -- leaves processes behind
  skip = { share = 2, fate = "done", ends = "end" }, -- DontPerform
  bow = { share = 3, fate = "done", ends = "exit" }, -- os.exit(0)
  raise = { share = 8, fate = "LuaError", says = "raised by " },
  leave = { share = 2, fate = "Resque::DirtyExit", says = "^Job exited with exit code 3$" },
  die = { share = 2, fate = "Resque::DirtyExit", says = "^Job killed by signal 9" },
  late = { share = 0.4, fate = "Resque::Timeout", also = "for its time limit", unstarted = true },
  hungry = { share = 1, fate = "Resque::MemoryLimit" },
  sturdy = { share = 5, fate = "done", ends = "end", requeues = 3 }, -- works, and may be killed
  again = { share = 2, fate = "done", ends = "end", requeues = 3 }, -- kills itself the first time
  poison = { share = 1, fate = "Resque::PoisonJob", says = "ON_CRASH forgives 2", requeues = 2 },
  unknown = { share = 2, fate = "Resque::NoClassError", unstarted = true },
  broken = { share = 2, fate = "Resque::MalformedPayload", unstarted = true },
  classless = { share = 1, fate = "Resque::MalformedPayload", unstarted = true },
}

local function some_ms(draw)
  return ('{"ms":%d}'):format(draw(5))
end

-- The text of an argument, and whole payloads of their own.
local ARGUMENTS = {
  work = some_ms,
  sturdy = some_ms,
  hold = function(draw)
    return ('{"ms":%d}'):format(30 + draw(30))
  end,
  text = function(draw)
    return ('{"text":"é\\u0000\\/ \240\159\146\190 %s"}'):format(("x"):rep(draw(20000)))
  end,
  numbers = function()
    return '{"n":9007199254740993,"f":1.0,"e":1e2,"list":[],"map":{},"null":null, "b" : true }'
  end,
}
local PAYLOADS = {
  broken = '{"class":"Chaos_Noop","args":[NaN],"id":"%s"}',
  classless = '{"args":[{}],"id":"%s"}',
  unknown = '{"class":"No_Such_Class","args":[{}],"id":"%s"}',
}

local function class_of(kind)
  return "Chaos_" .. kind:sub(1, 1):upper() .. kind:sub(2)
end

local function payload_of(kind, id, draw)
  if PAYLOADS[kind] then
    return PAYLOADS[kind]:format(id)
  end
  local make = ARGUMENTS[kind]
  return ('{"class":"%s","args":[%s],"id":"%s","queue_time":1326692575.25}'):format(
    class_of(kind), make and make(draw) or "{}", id)
end

--- Shares of the kinds, for `plan.job`.
function plan.shares()
  local shares = {}
  for name, kind in pairs(plan.kinds) do
    shares[name] = kind.share
  end
  return shares
end

--- The n-th job of a producer.
-- @param seed integer
-- @param producer 1, 2, …
-- @param n 1, 2, …
-- @param shares kind -> share
-- @return { id, kind, queue, payload, tracked, fate, says, also, ends, unstarted, requeues }
function plan.job(seed, producer, n, shares)
  local draw = random.stream(seed, producer, n)
  local kind = random.choice(draw, shares)
  local id = ("chaos.%d.%d.%s"):format(producer, n, kind)
  local row = plan.kinds[kind]
  return {
    id = id, kind = kind, queue = random.choice(draw, QUEUE_SHARES), tracked = draw(2) == 1,
    payload = payload_of(kind, id, draw),
    fate = row.fate, says = row.says, also = row.also, ends = row.ends, unstarted = row.unstarted,
    requeues = row.requeues,
  }
end

--- All jobs that were put in, by their ids.
-- @param seed integer
-- @param pushed list: how many each producer has pushed
-- @param shares kind -> share
-- @return table: id -> job; made when asked for, nil when nobody enqueued it
function plan.jobs(seed, pushed, shares)
  return setmetatable({}, { __index = function(_, id)
    local producer, n = id:match "^chaos%.(%d+)%.(%d+)%.%a+$"
    producer, n = math.tointeger(tonumber(producer)), math.tointeger(tonumber(n))
    if not producer or n < 1 or n > (pushed[producer] or 0) then
      return nil
    end
    local job = plan.job(seed, producer, n, shares)
    return job.id == id and job or nil
  end })
end

--- Calls f with every job that was put in, in the order of each producer.
function plan.each(seed, pushed, shares, f)
  for producer, count in ipairs(pushed) do
    for n = 1, count do
      f(plan.job(seed, producer, n, shares))
    end
  end
end

return plan
