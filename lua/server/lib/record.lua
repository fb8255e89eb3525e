-- record.lua - makes failure records and appends them to their lists; counts finished jobs.

-- Members that only we write; resque-web takes no notice of them. Each has a comma in front.
local function more_members(failure)
  local text = ',"host":' .. json_string((worker:match("^[^:]*"):gsub("~%d+$", "")))
  for _, name in ipairs({ "attempt", "wall_ms", "cpu_ms", "peak_kb" }) do
    local number = tostring(failure[name] or ""):match("^%d+$")
    text = text .. (number and ',"' .. name .. '":' .. number or "")
  end
  for _, name in ipairs({ "limit", "output" }) do
    local value = failure[name] or ""
    text = text .. (value ~= "" and ',"' .. name .. '":' .. json_string(value) or "")
  end
  return text .. (failure.more or "")
end

-- Ruby's seven members in Ruby's order, and ours. `failure` has exception, error, and maybe trace
-- (a list of lines), attempt (which run of the job it was), wall_ms, cpu_ms, peak_kb, limit, output
-- (texts) and more (further members).
local function failure_record(queue, payload, failure)
  local lines = {}
  for i, line in ipairs(failure.trace or {}) do
    lines[i] = json_string(line)
  end
  return table.concat({
    '{"failed_at":"', utc(FAILED_AT, now()), '","payload":', payload,
    ',"exception":"', (failure.exception:gsub("[^%w_:.]", "_")),
    '","error":', json_string(failure.error),
    ',"backtrace":[', table.concat(lines, ","),
    '],"worker":', json_string(worker), ',"queue":', json_string(queue),
    more_members(failure), "}",
  })
end

-- Appends a record to `failed`, or to `failed:overflow` if that is no list. True; or nil, why.
local function push_failure(record)
  local reply = try("RPUSH", prefix .. "failed", record)
  if type(reply) == "number" then return true end
  if type(try("RPUSH", prefix .. "failed:overflow", record)) == "number" then return true end
  return nil, "cannot write to " .. prefix .. "failed nor to failed:overflow: " .. reply.err
end

-- Counts one finished job. A counter that is no number is passed over.
local function count(failed)
  try("INCR", prefix .. "stat:processed")
  try("INCR", prefix .. "stat:processed:" .. worker)
  if failed then
    try("INCR", prefix .. "stat:failed")
    try("INCR", prefix .. "stat:failed:" .. worker)
  end
end
