-- unregister.lua - a worker leaves, with everything of its own.
-- ARGV: 3 nonce, 4 number of its last committed token.
-- Answers: OK | OK PUTBACK (a late reserve had taken a job; or FAILED, as unreserve). With nothing
-- removed: HELD token (the record's job may be one that this worker committed: put back, it could
-- run twice) | CONFLICT token (the record is somebody else's) | ERR why.
local record = try("GET", record_key)
local went, err
if type(record) == "string" then
  local job = job_read(record)
  local nonce, number = (job and job.token or ""):match("^(%x+):(%d+)$")
  if nonce ~= ARGV[3] then return { "CONFLICT", job and job.token or "" } end
  if tonumber(number) <= tonumber(ARGV[4]) then return { "HELD", job.token } end
  went, err = put_back(job, record)
  if not went then return { "ERR", err } end
end
-- Another process can have the id by now: then these keys are its own.
local owner = try("HGET", prefix .. "lua:proc:" .. worker, "nonce")
if type(owner) ~= "string" or owner == ARGV[3] then forget_worker() end
return { "OK", went }
