-- status.lua - php-resque's job status, kept only while somebody tracks the job (the key exists).

local WAITING, RUNNING, FAILED, COMPLETE = 1, 2, 3, 4

-- The second in which a status began, else `otherwise`: some writers leave it out.
local function started_at(status, otherwise)
  local ok, old = pcall(cjson.decode, status)
  local started = ok and type(old) == "table" and (old.started or old.updated)
  local plausible = type(started) == "number" and started >= 0 and started < 1e11
  return plausible and started or otherwise
end

-- Writes a tracked job's state. `id` is the one in the key; "": it has none. `result` is JSON.
local function set_status(id, state, result)
  if id == "" then return end
  local key = prefix .. "job:" .. id .. ":status"
  local old = try("GET", key)
  if type(old) ~= "string" then return end
  local updated = now()
  local text = ('{"status":%d,"updated":%.0f,"started":%.0f,"result":'):format(
    state, updated, started_at(old, updated)) .. (result or "null") .. "}"
  if state == FAILED or state == COMPLETE then
    try("SET", key, text, "EX", 86400)
  else
    try("SET", key, text)
  end
end
