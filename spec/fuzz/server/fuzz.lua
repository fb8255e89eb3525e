--- What the server scripts share (lua/server/lib), with texts from a seeded generator, in the Lua
-- and cjson of a real redis-server: those are Redis's own builds, which no library of the
-- distribution is. Called by spec/fuzz/server/run.
--
-- A job that is put into a record and read out of it is the same job, byte for byte. A payload has
-- members there if and only if src/base/json_check.c lets it pass as an object. Failure records are
-- strict JSON for any payload, queue, exception and message. Base64 is what it should be.
local base64 = dofile "spec/fixtures/base64.lua"
local json = require "resque.json"
local scripts = require "spec.support.scripts"
local uv = require "luv"

local SEED = tonumber(os.getenv "SEED") or os.time()
local SECONDS = tonumber(os.getenv "TIME") or 60
local PAYLOADS, JOBS, PARTS = 2000, 200, 6 -- payloads and jobs in a round; texts of a job
local DEPTH = 98 -- src/base/json_check.h

local random = math.random
local function pick(list)
  return list[random(#list)]
end

-- ----------------------------------------------------------------------------------- generators

local STRINGS = {
  '""', '"a"', '"id"', '"class"', '"\\u0000"', '"\\ud83d\\ude00"', '"\\ud83d"', '"\\udc00\\ud800"',
  '"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\x"', '"\\u12"', '"\u{e9}"', '"\u{10ffff}"', '"\xff"',
  '"\xc0\xaf"',
  '"\xed\xa0\x80"', '"\xf4\x90\x80\x80"', '"\u{2028}"', '"\0"', '"\31"', '"\127"', '"', "'a'",
}
local OTHERS = {
  "0", "-0", "1", "-1", "01", "1.", ".5", "1.5", "1e5", "1E+5", "1e-5", "1e", "0x10", "NaN",
  "Infinity", "-", "+1", "9007199254740993", "1e400", "true", "false", "null", "True", "nul", "",
}
local BLANKS = { "", "", "", "", " ", "\n", "\t", "\r", "\v", "\u{a0}", "\0" }

local function value(depth)
  local kind = random(depth > 0 and 6 or 3)
  if kind <= 2 then
    return pick(STRINGS)
  elseif kind == 3 then
    return pick(OTHERS)
  end
  local parts, object = {}, kind > 4
  for i = 1, random(0, 4) do
    parts[i] = (object and pick(STRINGS) .. pick(BLANKS) .. ":" or "") .. value(depth - 1)
  end
  local text = table.concat(parts, "," .. pick(BLANKS))
  return object and "{" .. text .. "}" or "[" .. text .. "]"
end

local function nested(levels)
  return '{"class":' .. ("["):rep(levels) .. ("]"):rep(levels) .. "}"
end

local function bytes()
  local list = {}
  for i = 1, random(0, 12) do
    list[i] = random(3) == 1 and random(0, 255) or random(32, 126)
  end
  return string.char(table.unpack(list))
end

local function mutate(text)
  local at = random(#text + 1)
  local how = random(3)
  if how == 1 then
    return text:sub(1, at - 1) .. text:sub(at + random(2))
  elseif how == 2 then
    return text:sub(1, at - 1) .. string.char(random(0, 255)) .. text:sub(at)
  end
  local c = pick { "{", "}", "[", "]", ",", ":", '"', "\\", " " }
  return text:sub(1, at - 1) .. c .. text:sub(at)
end

local function payload()
  local how = random(20)
  if how == 1 then
    return bytes()
  elseif how == 2 then
    return nested(random(90, 102))
  end
  local text = ('{"class":%s,"args":[%s],"id":%s}'):format(pick(STRINGS), value(4), pick(STRINGS))
  return random(3) == 1 and mutate(text) or how == 3 and value(5) or text
end

local function text()
  return pick { bytes(), pick(STRINGS), '","run_at":"', '"queue":"', "mail", "\u{e9}\xff", "" }
end

-- The id of a job's status: what strict JSON held.
local function status_id()
  local id = text()
  return utf8.len(id) and id or ""
end

-- ------------------------------------------------------------------------------- what Redis does

-- One character for each payload: whether it has members.
local READ = [[
local answers = {}
for i = 3, #ARGV do
  answers[i - 2] = json_members(ARGV[i], 98) and "1" or "0"
end
return table.concat(answers)
]]

-- For each job (a list of PARTS): whether it came back, the failure record, its queue as base64 and
-- as valid UTF-8.
local LOOK = [[
local answers = {}
for i = 3, #ARGV, 6 do
  local job = { token = ARGV[i], queue = ARGV[i + 1], status_id = ARGV[i + 2],
    payload = ARGV[i + 3] }
  local back = job_read(job_record(job)) or {}
  local same = true
  for name, was in pairs(job) do
    same = same and back[name] == was
  end
  local shown, more = presentable(job.payload)
  answers[#answers + 1] = { same and 1 or 0,
    failure_record(job.queue, shown, { exception = ARGV[i + 4], error = ARGV[i + 5],
      trace = { ARGV[i + 5], ARGV[i + 1] }, more = more }),
    base64(job.queue), clean_utf8(job.queue) }
end
return answers
]]

local problems = 0
local function problem(input, ...)
  problems = problems + 1
  print(string.format(...))
  for i, part in ipairs(input) do
    print(("  %d: %q"):format(i, part))
  end
end

local function judge_payload(sent, read)
  local strict = json.check(sent, DEPTH) and sent:find "^[ \t\r\n]*{"
  if read ~= (strict and "1" or "0") then
    problem({ sent }, "Redis says %s to a payload, the worker's check %s", read, strict)
  end
end

local function judge_job(input, answer)
  local queue = input[2]
  if answer[1] ~= 1 then
    problem(input, "the job came back as another one")
  end
  local ok, why = json.check(answer[2], 100)
  if not ok or not answer[2]:find '"exception":"[%w_:.]*","error":"' then
    problem(input, "a failure record is not JSON: %s: %s", why, answer[2])
  end
  if answer[3] ~= base64(queue) then
    problem(input, "base64 is %s", answer[3])
  end
  if not utf8.len(answer[4]) or utf8.len(queue) and answer[4] ~= queue then
    problem(input, "cleaned UTF-8 is %q", answer[4])
  end
end

-- ------------------------------------------------------------------------------------------ runs

local s = scripts.open()

local function try_payloads()
  local sent = {}
  for i = 1, PAYLOADS do
    sent[i] = payload()
  end
  local read = s:lib(READ, table.unpack(sent))
  for i = 1, PAYLOADS do
    judge_payload(sent[i], read:sub(i, i))
  end
end

local function try_jobs()
  local inputs, flat = {}, {}
  for i = 1, JOBS do
    inputs[i] = { ("%x:%d"):format(random(0), random(1e6)), text(), status_id(), payload(), text(),
      text() }
    table.move(inputs[i], 1, PARTS, #flat + 1, flat)
  end
  for i, answer in ipairs(s:lib(LOOK, table.unpack(flat))) do
    judge_job(inputs[i], answer)
  end
end

math.randomseed(SEED)
s:reset()
local began, rounds = uv.hrtime(), 0
repeat
  try_payloads()
  try_jobs()
  rounds = rounds + 1
until problems > 0 or uv.hrtime() - began > SECONDS * 1e9
s:close()
print(("SEED=%d: %d payloads and %d jobs in %.0f s, %d problems"):format(SEED, rounds * PAYLOADS,
  rounds * JOBS, (uv.hrtime() - began) / 1e9, problems))
os.exit(problems == 0)
