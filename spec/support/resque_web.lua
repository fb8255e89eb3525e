--- resque-web 3.0 as a reader: what each of its pages takes from Redis, and no more patience than
-- its templates have. Where a page there would answer with an error, these functions raise.
-- It draws nothing, and knows no key of ours.
local cjson = require "cjson"

local resque_web = {}
local Web = {}
Web.__index = Web

--- The pages of a world (spec.support.world).
function resque_web.new(w)
  return setmetatable({ w = w }, Web)
end

-- Ruby's parser: at most 100 levels, no NaN, and the page must be UTF-8.
local json = cjson.new()
json.decode_max_depth(100)
json.decode_invalid_numbers(false)

local function parse(text)
  if not utf8.len(text) then
    error("not UTF-8: " .. text, 0)
  end
  return json.decode(text)
end

-- Seconds since 1970 of a text in one of the forms we write; anything else could be read as another
-- time by Ruby's Time.parse or a browser.
local FORMS = {
  "^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d):(%d%d)Z$",
  "^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d):(%d%d)%+00:00$",
  "^(%d%d%d%d)/(%d%d)/(%d%d) (%d%d):(%d%d):(%d%d) UTC$",
}
local function seconds(text, form)
  local y, mo, d, h, mi, s = text:match(FORMS[form])
  if not y then
    error(("not a time of form %d: %s"):format(form, text), 0)
  end
  local function number(t)
    return os.time { year = t[1], month = t[2], day = t[3], hour = t[4], min = t[5], sec = t[6] }
  end
  local now = os.date "!*t" -- both as if they were local: the zone of this machine drops out
  return number { y, mo, d, h, mi, s }
    - number { now.year, now.month, now.day, now.hour, now.min, now.sec }
end

-- An id as the templates split it: at every colon, and the third part at commas.
local function split(id)
  local parts = {}
  for part in (id .. ":"):gmatch "([^:]*):" do
    parts[#parts + 1] = part
  end
  if #parts < 3 or parts[3] == "" then
    error("a worker without queues: " .. id, 0)
  end
  local queues = {}
  for queue in (parts[3] .. ","):gmatch "([^,]*)," do
    queues[#queues + 1] = queue
  end
  return { host = parts[1], pid = parts[2], queues = queues, parts = #parts }
end

local function text_of(value, what)
  if type(value) ~= "string" then
    error(("%s is no text but a %s"):format(what, type(value)), 0)
  end
  return value
end

-- ---- pages

--- /queues: name -> jobs, and the number of failures.
function Web:queues()
  local sizes = {}
  for _, queue in ipairs(self.w:on("SMEMBERS", "queues")) do
    sizes[queue] = self.w:queued(queue)
  end
  return sizes, self.w:on("LLEN", "failed")
end

--- /queues/<name>: the first 20 jobs as {class, args}.
function Web:queue(name)
  local list = {}
  for i, text in ipairs(self.w:on("LRANGE", "queue:" .. name, 0, 19)) do
    local job = parse(text)
    list[i] = { class = text_of(job.class, "class"), args = job.args }
  end
  return list
end

-- What a worker is doing, or nil; `age` in seconds.
function Web:processing(id)
  local text = self.w:on("GET", "worker:" .. id)
  if not text then
    return nil
  end
  local record = parse(text)
  return {
    record = record, queue = text_of(record.queue, "queue"), run_at = record.run_at,
    age = -seconds(record.run_at, 1), class = text_of(record.payload.class, "class"),
    args = record.payload.args,
  }
end

--- /workers: sorted by id, each with its split id and what it is doing.
function Web:workers()
  local list = {}
  for i, id in ipairs(self.w:on("SMEMBERS", "workers")) do
    list[i] = split(id)
    list[i].id, list[i].processing = id, self:processing(id)
  end
  table.sort(list, function(a, b)
    return a.id < b.id
  end)
  return list
end

--- /working: those that are busy, in the order of run_at as text. The second value is how many
-- workers there are.
function Web:working()
  local busy, all = {}, self:workers()
  for _, worker in ipairs(all) do
    busy[#busy + 1] = worker.processing and worker
  end
  table.sort(busy, function(a, b)
    return a.processing.run_at < b.processing.run_at
  end)
  return busy, #all
end

--- /workers/<id>, or nil: "Worker doesn't exist".
function Web:worker(id)
  if self.w:on("SISMEMBER", "workers", id) == 0 then
    return nil
  end
  local worker = split(id)
  worker.processing = self:processing(id)
  worker.started_age = -seconds(self.w:on("GET", "worker:" .. id .. ":started"), 1)
  worker.heartbeat_age = -seconds(self.w:on("HGET", "workers:heartbeat", id), 2)
  for _, name in ipairs { "processed", "failed" } do
    worker[name] = self.w:stat(name .. ":" .. id)
  end
  return worker
end

--- /failed: newest first; each with `age` and, as `record`, everything that is in it.
function Web:failed()
  local list = {}
  for i, text in ipairs(self.w:on("LRANGE", "failed", 0, -1)) do
    local record = parse(text)
    if record.backtrace ~= cjson.null then
      table.concat(record.backtrace, "\n")
    end
    table.insert(list, 1, {
      index = i - 1, record = record, raw = text, worker = split(text_of(record.worker, "worker")),
      age = -seconds(record.failed_at, 3), class = text_of(record.payload.class, "class"),
    })
  end
  return list
end

--- /stats/resque and /stats.txt.
function Web:stats()
  local pending, sizes, failed = 0, self:queues()
  for _, size in pairs(sizes) do
    pending = pending + size
  end
  local busy, all = self:working()
  return {
    pending = pending, processed = self.w:stat "processed", failed = failed, workers = all,
    working = #busy,
  }
end

local SIZES = { string = "STRLEN", list = "LLEN", set = "SCARD", hash = "HLEN", zset = "ZCARD" }

--- /stats/keys: key without prefix -> size.
function Web:keys()
  local sizes = {}
  for _, key in ipairs(self.w.server:call("KEYS", self.w:key "*")) do
    local kind = self.w.server:call("TYPE", key)
    sizes[key:sub(#self.w.prefix + 2)] = self.w.server:call(SIZES[kind] or error(kind), key)
  end
  return sizes
end

--- Every page, for its errors; `id` too if one is given.
function Web:visit(id)
  for queue in pairs((self:queues())) do
    self:queue(queue)
  end
  for _, worker in ipairs((self:workers())) do
    self:worker(worker.id)
  end
  self:failed()
  self:stats()
  self:keys()
  return id and self:worker(id)
end

-- ---- buttons

--- Retry: the record gets `retried_at` and stays; the job goes back with its class and its args and
-- nothing else.
function Web:retry(index)
  local record = parse(self.w:on("LINDEX", "failed", index))
  record.retried_at = os.date "!%Y/%m/%d %H:%M:%S UTC"
  self.w:on("LSET", "failed", index, cjson.encode(record))
  self.w:push(record.queue,
    cjson.encode { class = record.payload.class, args = record.payload.args })
end

--- Remove.
function Web:remove(index)
  self.w:on("LSET", "failed", index, "")
  self.w:on("LREM", "failed", 1, "")
end

return resque_web
