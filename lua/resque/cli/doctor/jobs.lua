--- Checks keys and queues: wrong types, queues that nobody sees, failures that no page shows.
-- @module resque.cli.doctor.jobs
local connection = require "resque.connection"
local finding = require "resque.cli.doctor.finding"
local sys = require "resque.sys"

local TYPES = {
  { "queues", "set" }, { "workers", "set" }, { "workers:heartbeat", "hash" }, { "failed", "list" },
  { "failed:overflow", "list" }, { "stat:processed", "string" }, { "stat:failed", "string" },
  { "pause-all-workers", "string" },
}

-- Every key whose type is known beforehand: name -> type.
local function expected(facts)
  local names, types = {}, {}
  local function expect(name, kind)
    if not types[name] then
      names[#names + 1], types[name] = name, kind
    end
  end
  for _, row in ipairs(TYPES) do
    expect(row[1], row[2])
  end
  for _, row in ipairs { { "queue:", "list" }, { "worker:", "string" }, { "stat:", "string" } } do
    for _, name in ipairs(facts:names(row[1]) or {}) do
      expect(row[1] .. name, row[2])
    end
  end
  return names, types
end

local function types(facts)
  local names, wanted = expected(facts)
  local got, why = facts:each("TYPE", names)
  local wrong, there, refused = {}, 0, nil
  for i, name in ipairs(names) do
    local kind = got and got[i]
    if type(kind) == "table" then
      refused = kind.err
    elseif kind and kind ~= "none" then
      there = there + 1
      wrong[#wrong + 1] = kind ~= wanted[name]
        and ("%s is a %s, not a %s"):format(name, kind, wanted[name]) or nil
    end
  end
  if wrong[1] then
    return finding.fail("types", finding.examples(wrong) .. "; workers pass over such keys: "
      .. "their jobs do not run, their counts stand still",
      "RENAME the key out of the way, and see what it holds")
  elseif not got or refused then
    return finding.unseen("types", why or refused)
  end
  return finding.ok("types", there == 0 and "there are no keys yet" or ("%s of the right type%s")
    :format(finding.count(there, "key is", "keys are"), facts:partly()))
end

local function counters(facts)
  local odd = {}
  for _, name in ipairs { "stat:processed", "stat:failed" } do
    local value, why = facts:on("GET", name)
    if why and not why:find "^WRONGTYPE" then
      return finding.unseen("counters", why)
    elseif value and not value:find "^%-?%d+$" then
      odd[#odd + 1] = name
    end
  end
  if odd[1] then
    return finding.fail("counters", finding.examples(odd) .. ": no number, so nothing is counted",
      ("SET %s 0"):format(connection.key(odd[1])))
  end
  return finding.ok("counters", "they are numbers")
end

-- Names of queue:* that are not in the set `queues`; how many are in it.
local function unlisted(facts)
  local names, known = facts:names_beside("queue:", "queues")
  if not names then
    return nil, known
  end
  return finding.without(names, finding.among(known)), #known
end

local queues = finding.check("queues", unlisted, function(facts, list, known)
  if not list[1] and known == 0 then
    return finding.ok("queues", "no queue yet")
  elseif not list[1] then
    return finding.ok("queues", ("%s, each in the set of queues%s"):format(
      finding.count(known, "queue"), facts:partly()))
  end
  return finding.fail("queues", ("%s with jobs, but not in the set `queues`: %s; '*' and "
    .. "resque-web do not see them"):format(finding.count(#list, "queue"), finding.examples(list)),
    ("SADD %s '%s'"):format(connection.key "queues", sys.printable(list[1])))
end)

-- ---------------------------------------------------------------------------- who serves a queue

-- A long id is cut off (src/worker/registry.h), so its last queues are not known.
local LONG_ID = 600

-- A pattern of QUEUE as one of Lua's: * and ? are all that ids show.
local function to_pattern(glob)
  local escaped = glob:gsub("[%^%$%(%)%%%.%[%]%+%-]", "%%%0")
  return "^" .. escaped:gsub("%*", ".*"):gsub("%?", ".") .. "$"
end

-- Queues that a worker serves, by its id: {all =, wanted = {pattern}, unwanted = {pattern}}.
local function serving(id)
  local list = { all = #id >= LONG_ID, wanted = {}, unwanted = {} }
  for entry in (id:match "^[^:]*:[^:]*:(.*)$" or "*"):gmatch "[^,]+" do
    if entry:find "^@" then
      list.all = true -- resque-dynamic-queues: nobody else knows
    elseif entry:find "^!" then
      table.insert(list.unwanted, to_pattern(entry:sub(2)))
    else
      table.insert(list.wanted, to_pattern(entry))
    end
  end
  return list
end

local function any_matches(patterns, name)
  for _, pattern in ipairs(patterns) do
    if name:find(pattern) then
      return true
    end
  end
  return false
end

local function is_served(name, lists)
  for _, list in ipairs(lists) do
    if list.all or (any_matches(list.wanted, name) and not any_matches(list.unwanted, name)) then
      return true
    end
  end
  return false
end

-- Queues that have jobs and no worker; how many workers there are.
local function unserved(facts)
  local names, workers = facts:names_beside("queue:", "workers")
  if not names then
    return nil, workers
  end
  local lists = {}
  for i, id in ipairs(workers) do
    lists[i] = serving(id)
  end
  return finding.without(names, function(name)
    return is_served(name, lists)
  end), #workers
end

local served = finding.check("served", unserved, function(_, list, workers)
  if not list[1] then
    return finding.ok("served", "every queue with jobs has a worker")
  elseif workers == 0 then
    return finding.warn("served", ("%s with jobs, and no worker is registered"):format(
      finding.count(#list, "queue")), "start some: QUEUE='*' resque-lua")
  end
  return finding.warn("served", ("%s with jobs that no worker's QUEUE names: %s"):format(
    finding.count(#list, "queue"), finding.examples(list)),
    ("start one with QUEUE='%s', or see whether the name is meant so"):format(
    sys.printable(list[1])))
end)

local function overflow(facts)
  local size, why = facts:on("LLEN", "failed:overflow")
  local from, to = connection.key "failed:overflow", connection.key "failed"
  if why then
    return finding.unseen("overflow", why)
  elseif size > 0 then
    return finding.warn("overflow", ("%s in failed:overflow, from when `failed` was no list: no "
      .. "page shows them"):format(finding.count(size, "failure")),
      ("once `failed` is mended, as often as there are some: RPOPLPUSH %s %s"):format(from, to))
  end
  return finding.ok("overflow", "every failure is in the list that resque-web shows")
end

return { title = "Jobs", types, counters, queues, served, overflow }
