--- Checks records that resque-web and others read: those in `failed`, and of jobs that run.
-- @module resque.cli.doctor.records
local connection = require "resque.connection"
local finding = require "resque.cli.doctor.finding"
local json = require "resque.json"
local sys = require "resque.sys"
local terminal = require "resque.cli.terminal"

-- A longer list is looked at from both ends.
local AT_EACH_END = 5000
-- Records come in pieces of about that many bytes: one can be as large as a job.
local PIECE, LARGEST_STEP = 1048576, 1000

-- ------------------------------------------------------------------------------- one record

local function is_time(value)
  return type(value) == "string" and value:find "%d%d%d%d" and value:find "%d%d?:%d%d"
end

local function is_worker(value)
  return type(value) == "string" and value:find "^[^:]*:[^:]*:[^:]" ~= nil
end

local function is_text(value)
  return type(value) == "string"
end

local function is_lines(value)
  if value == json.null then
    return true
  elseif type(value) ~= "table" or (next(value) ~= nil and not json.is_array(value)) then
    return false
  end
  for _, line in ipairs(value) do
    if type(line) ~= "string" then
      return false
    end
  end
  return true
end

local function is_payload(value)
  return type(value) == "table" and type(value.class) == "string"
end

local MEMBERS = {
  { "failed_at", is_time, "is no time" }, { "worker", is_worker, "is not host:process:queues" },
  { "queue", is_text, "is no text" }, { "exception", is_text, "is no text" },
  { "error", is_text, "is no text" }, { "backtrace", is_lines, "is no list of lines" },
  { "payload", is_payload, "has no class" },
}

-- Ruby's parser stops at 100 levels.
local DEPTH = 100

local function read(text)
  local ok = json.check(text, DEPTH)
  local value = ok and json.decode(text)
  if not ok then
    return nil, "is not JSON"
  elseif type(value) ~= "table" or json.is_array(value) then
    return nil, "is no object"
  end
  return value
end

-- What is wrong with a failure record, or nil.
local function wrong_failure(text)
  local record, why = read(text)
  if not record then
    return why
  end
  for _, row in ipairs(MEMBERS) do
    local value = record[row[1]]
    if value == nil then
      return "has no " .. row[1]
    elseif not row[2](value) then
      return ("%s %s"):format(row[1], row[3])
    end
  end
end

-- What is wrong with the record of a job that runs, or nil.
local function wrong_working(text)
  local record, why = read(text)
  if not record then
    return why
  elseif not is_text(record.queue) then
    return "has no queue"
  elseif not is_payload(record.payload) then
    return "payload has no class"
  end
end

-- ---------------------------------------------------------------------------------- the list

-- Calls `look(index, text)` for the elements first..last of `failed`, piece by piece. Returns nil
-- and why when Redis does not answer.
local function walk(facts, first, last, look)
  local step = 1
  while first <= last do
    local records, why = facts:on("LRANGE", "failed", first, math.min(first + step - 1, last))
    if not records then
      return nil, why
    elseif not records[1] then
      return true -- it became shorter meanwhile
    end
    local bytes = 0
    for i, text in ipairs(records) do
      bytes = bytes + #text
      look(first + i - 1, text)
    end
    first = first + #records
    local fitting = PIECE * #records // math.max(bytes, 1)
    step = math.max(1, math.min(fitting, step * 2, LARGEST_STEP))
  end
  return true
end

local function walk_ends(facts, size, look)
  if size <= 2 * AT_EACH_END then
    return walk(facts, 0, size - 1, look)
  end
  local ok, why = walk(facts, 0, AT_EACH_END - 1, look)
  if not ok then
    return nil, why
  end
  return walk(facts, size - AT_EACH_END, size - 1, look)
end

local function failed(facts)
  local size, why = facts:on("LLEN", "failed")
  local wrong, at, looked = {}, nil, 0
  local done = size and true
  if size then
    done, why = walk_ends(facts, size, function(index, text)
      local what = wrong_failure(text)
      looked, at = looked + 1, at or what and index
      wrong[#wrong + 1] = what and ("number %d %s"):format(index, what)
    end)
  end
  if not done then
    return finding.unseen("failed", why)
  end
  local of = looked < size and (" (of %s)"):format(terminal.number(size)) or ""
  if wrong[1] then
    local key = connection.key "failed"
    return finding.fail("failed", ("%s of %s%s that readers like resque-web stumble over: %s")
      :format(terminal.number(#wrong), finding.count(looked, "record"), of,
      finding.examples(wrong)),
      ("LINDEX %s %d shows it; LSET %s %d gone, LREM %s 1 gone removes it"):format(key, at, key,
      at, key))
  end
  if looked == 0 then
    return finding.ok("failed", "no job has failed")
  end
  return finding.ok("failed", ("%s%s, as resque-web reads them"):format(
    finding.count(looked, "failure"), of))
end

-- ------------------------------------------------------------------------------------- workers

local function working(facts)
  local workers, why = facts:members "workers"
  if not workers then
    return finding.unseen("working", why)
  end
  local wrong, busy, first = {}, 0, nil
  for _, id in ipairs(workers) do
    local text, refused = facts:on("GET", "worker:" .. id)
    if refused and not refused:find "^WRONGTYPE" then
      return finding.unseen("working", refused)
    elseif text then
      local what = wrong_working(text)
      busy, first = busy + 1, first or what and id
      wrong[#wrong + 1] = what and ("%s %s"):format(id, what)
    end
  end
  if wrong[1] then
    return finding.fail("working", ("%s of %s that readers stumble over: %s"):format(
      terminal.number(#wrong), finding.count(busy, "record"), finding.examples(wrong)),
      ("GET '%s' shows it"):format(sys.printable(connection.key("worker:" .. first))))
  end
  return finding.ok("working", busy == 0 and "nobody has a job"
    or ("%s at work"):format(finding.count(busy, "job is", "jobs are")))
end

return { title = "Records", failed, working }
