--- Holds redis.lua against the scripts themselves: every call that a search has made is made once
-- more on a real redis-server, on keys as they are in that state. Answer and keys must be the same.
local redis = require "spec.model.redis"
local scripts = require "spec.support.scripts"
local folder = require "spec.support.folder"
local server = require "spec.support.server"

local conform = {}
local Calls = {}
Calls.__index = Calls

local LARGEST = 16 * 1024 * 1024
local PAYLOAD = '{"class":"C","args":[],"id":"%d"}'
local RECORD = '{"token":"%s","status_id":"%d"%s,"queue":"q","run_at":"x","payload":%s}'

-- Puts keys as they are in a state. ARGV: commands, each as its number of words and the words.
local PUT = [[
redis.call("FLUSHALL")
local i = 1
while ARGV[i] do
  local words = {}
  for j = 1, tonumber(ARGV[i]) do words[j] = ARGV[i + j] end
  redis.call(unpack(words))
  i = i + 1 + #words
end]]

-- What is there. ARGV: names.
local LOOK = [[
local function ids(list)
  local found = {}
  for i, text in ipairs(list) do found[i] = text:match('"id":"(%d+)"') end
  return table.concat(found)
end
local answer = { ids(redis.call("LRANGE", "p:queue:q", 0, -1)),
  ids(redis.call("LRANGE", "p:failed", 0, -1)) }
for _, name in ipairs(ARGV) do
  local record = redis.call("GET", "p:worker:" .. name) or ""
  answer[#answer + 1] = redis.call("HGET", "p:lua:proc:" .. name, "nonce") or "0"
  answer[#answer + 1] = tostring(redis.call("SISMEMBER", "p:workers", name))
  answer[#answer + 1] = record:match('"token":"([^"]*)"') or ""
  answer[#answer + 1] = record:match('"id":"(%d+)"') or ""
  answer[#answer + 1] = redis.call("HGET", "p:workers:heartbeat", name) or ""
end
for job = 1, 9 do
  answer[#answer + 1] = redis.call("HGET", "p:lua:attempts:" .. job, "crashed") or "0"
end
return answer]]

-- ---- collecting

--- Nothing yet.
function conform.collect()
  return setmetatable({ list = {}, seen = {} }, Calls)
end

--- Adds the calls of the search just made.
function Calls:add(world)
  for state, of_state in pairs(redis.calls()) do
    for command, result in pairs(of_state) do
      local id = (world.requeue or 0) .. state .. command
      if not self.seen[id] then
        self.seen[id] = true
        table.insert(self.list, { state = state, command = command, result = result,
          requeue = world.requeue or 0 })
      end
    end
  end
end

-- ---- a state as keys, keys as a state

local function put(state, requeue)
  local r, words = redis.decode(state), {}
  local function add(...)
    words[#words + 1] = select("#", ...)
    table.move({ ... }, 1, select("#", ...), #words + 1, words)
  end
  for _, job in ipairs(r.queue) do
    add("RPUSH", "p:queue:q", PAYLOAD:format(job))
  end
  for _, job in ipairs(r.failed) do
    add("RPUSH", "p:failed", PAYLOAD:format(job))
  end
  for name, x in pairs(r.names) do
    if x.member then
      add("SADD", "p:workers", name)
      add("HSET", "p:workers:heartbeat", name, "seen")
    end
    if x.owner > 0 then
      add("HSET", "p:lua:proc:" .. name, "boot", "b", "ns", "n", "pid", x.owner, "start", "s",
        "nonce", x.owner, "on_crash", requeue)
    end
    if x.token then
      add("SET", "p:worker:" .. name, RECORD:format(x.token, x.job,
        r.crashed[x.job] > 0 and ',"attempts":' .. r.crashed[x.job] or "", PAYLOAD:format(x.job)))
    end
  end
  for job, times in ipairs(r.crashed) do
    if times > 0 then
      add("HSET", "p:lua:attempts:" .. job, "crashed", times)
    end
  end
  return words
end

-- What is there after a call, in the model's words, and whose heartbeats have changed. What is
-- nowhere is done. `taken` is known to the model alone, `crashed` when a job has ended.
local function state_of(answer, expected)
  local r, there = redis.decode(expected), {}
  local jobs = #r.taken
  local function list(text)
    local found = {}
    for job in text:gmatch "%d" do
      found[#found + 1] = tonumber(job)
      there[tonumber(job)] = true
    end
    return found
  end
  r.queue, r.failed, r.done = list(answer[1]), list(answer[2]), {}
  table.sort(r.failed)
  local beats = ""
  for i, name in ipairs(redis.NAMES) do
    local at = 3 + (i - 1) * 5
    r.names[name] = { owner = tonumber(answer[at], 16), member = answer[at + 1] == "1",
      token = answer[at + 2] ~= "" and answer[at + 2] or nil, job = list(answer[at + 3])[1] }
    beats = beats .. (answer[at + 4] ~= "seen" and answer[at + 4] ~= "" and name or "")
  end
  for job = 1, jobs do
    if not there[job] then
      table.insert(r.done, job)
    elseif not answer[2]:find(job, 1, true) then
      r.crashed[job] = tonumber(answer[2 + 5 * #redis.NAMES + job])
    end
  end
  return redis.encode(r), beats
end

-- ---- a command as the program sends it, an answer in the model's words

local function next_job(token)
  return token == "-" and "" or token, LARGEST
end

local argue = {}

function argue.reserve(token)
  return token, LARGEST, "q"
end

function argue.done(token, next_token)
  local next_one, largest = next_job(next_token)
  return token, "", next_one, largest, "q"
end

function argue.fail(token, next_token)
  local next_one, largest = next_job(next_token)
  return token, "crashed", "E", "e", "1", "1", "1", "", "", redis.requeue, next_one, largest, 0, "q"
end

function argue.unreserve(token)
  return token
end

function argue.register(process)
  return "b", "n", process, "s", process, redis.requeue, "1"
end

function argue.heartbeat(process)
  return process
end

function argue.unregister(process, committed)
  return process, committed
end

function argue.prune(proof, value, started)
  if proof == "heartbeat" then
    return proof, value, "me", ""
  end
  return proof, value, "me", started == "-" and "" or started
end

local WORDS = { POISON = "FAILED", C = "" } -- C is the class, which prune names

local function words_of(answer)
  local words, i = {}, 1
  answer[1] = answer[1]:gsub("^POISON .*", "OK"):gsub("^REQUEUED %d+$", "REQUEUED")
  while answer[i] do
    words[#words + 1] = WORDS[answer[i]] or answer[i]
    if answer[i] == "JOB" then
      words[#words + 1], words[#words + 2] = answer[i + 1], answer[i + 5]:match '"id":"(%d+)"'
      break
    elseif answer[i] == "CONFLICT" or answer[i] == "HELD" then
      break -- the token behind it is the record's
    end
    i = i + 1
  end
  return (table.concat(words, " "):gsub(" $", ""))
end

-- ---- comparing

local function compare_one(redis_server, digests, call)
  local words = {}
  for word in call.command:gmatch "%S+" do
    words[#words + 1] = word
  end
  local script, name = words[1], words[2]
  digests[script] = digests[script]
    or redis_server:call("SCRIPT", "LOAD", scripts.text(script))
  redis_server:call("EVAL", PUT, 0, table.unpack(put(call.state, call.requeue)))
  local answer = redis_server:call("EVALSHA", digests[script], 1, "p:worker:" .. name, "p:", name,
    argue[script](table.unpack(words, 3)))
  local there = redis_server:call("EVAL", LOOK, 0, table.unpack(redis.NAMES))
  local state = state_of(there, call.result[1])
  local said = words_of(answer)
  if state ~= call.result[1] or said ~= call.result[2] then
    return ("%s on %s: the model says %s, %s; Redis says %s, %s"):format(call.command, call.state,
      call.result[2], call.result[1], said, state)
  end
end

--- Makes the calls on a redis-server of its own.
-- @param most some by chance, if there are more; default all
-- @return how many gave the same; a list of sentences about the others
function Calls:compare(most)
  local dir = folder.make "model"
  local redis_server = server.start { dir = dir }
  local same, problems, digests = 0, {}, {}
  local chance = most and most / #self.list or 1
  for _, call in ipairs(self.list) do
    if math.random() < chance then
      redis.requeue = call.requeue
      local problem = compare_one(redis_server, digests, call)
      same = same + (problem and 0 or 1)
      problems[#problems + 1] = problem
    end
  end
  redis_server:stop()
  folder.remove(dir)
  return same, problems
end

return conform
