--- Puts the jobs of one producer into Redis: SADD, status, RPUSH in a MULTI, as every client does,
-- and a counter of its own beside them, which tells after a lost connection whether the last MULTI
-- was carried out. Run as a program of its own: its connection is cut like any other.
--
--   lua5.4 spec/chaos/producer.lua SOCKET PREFIX: SEED PRODUCER COUNT BACKLOG LEDGER SHARES
--
-- SHARES is name=share,… The counter is chaos:pushed:PRODUCER.
require "socket" -- ignores SIGPIPE, which socket.unix alone does not
local uv = require "luv"
local plan = require "spec.chaos.plan"
local random = require "spec.chaos.random"
local resp = require "spec.support.resp"

local SOCKET, PREFIX = arg[1], arg[2]
local SEED, PRODUCER, COUNT = math.tointeger(arg[3]), math.tointeger(arg[4]), math.tointeger(arg[5])
local BACKLOG, LEDGER, SHARES = math.tointeger(arg[6]), arg[7], {}
for name, share in arg[8]:gmatch "(%a+)=([%d.]+)" do
  SHARES[name] = tonumber(share)
end
local COUNTER = "chaos:pushed:" .. PRODUCER

local client

-- A command, tried until somebody answers without an error.
local function ask(...)
  while true do
    client = client or resp.connect(SOCKET)
    local ok, reply = pcall(function(...)
      return client:try(...)
    end, ...)
    if ok and not (type(reply) == "table" and reply.err) then
      return reply
    end
    if client and not ok then
      client:close()
      client = nil
    end
    uv.sleep(5)
  end
end

local function pushed()
  return math.tointeger(tonumber(ask("GET", COUNTER) or 0))
end

local function wait_for_room()
  while true do
    local waiting = 0
    for _, queue in ipairs(plan.queues) do
      waiting = waiting + ask("LLEN", PREFIX .. "queue:" .. queue)
    end
    if waiting < BACKLOG then
      return
    end
    uv.sleep(10)
  end
end

local function commands_of(job)
  local key = PREFIX .. "queue:" .. job.queue
  local list = { { "SADD", PREFIX .. "queues", job.queue }, { "RPUSH", key, job.payload } }
  if job.tracked then
    local now = os.time()
    table.insert(list, 2, { "SET", PREFIX .. "job:" .. job.id .. ":status",
      ('{"status":1,"updated":%d,"started":%d,"result":null}'):format(now, now) })
  end
  return list
end

-- One try to push a batch; whether it succeeded is asked of the counter.
local function push(batch)
  pcall(function()
    client = client or assert(resp.connect(SOCKET))
    client:call "MULTI"
    for _, job in ipairs(batch) do
      for _, command in ipairs(commands_of(job)) do
        client:try(table.unpack(command))
      end
    end
    client:try("INCRBY", COUNTER, #batch)
    client:try "EXEC" -- refused as a whole where one command was
  end)
end

local function note(batch)
  local lines = {}
  for i, job in ipairs(batch) do
    lines[i] = "pushed " .. job.id .. "\n"
  end
  local file = assert(io.open(LEDGER, "a"))
  file:write(table.concat(lines))
  file:close()
end

local done = 0
while done < COUNT do
  wait_for_room()
  local batch = {}
  for n = done + 1, math.min(COUNT, done + random.stream(SEED, PRODUCER, -done)(20)) do
    batch[#batch + 1] = plan.job(SEED, PRODUCER, n, SHARES)
  end
  repeat
    push(batch)
  until pushed() > done
  done = done + #batch
  note(batch)
end
