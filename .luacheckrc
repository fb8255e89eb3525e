std = "lua54"
max_line_length = 100

-- Server scripts run in Redis' Lua 5.1. The files of lua/server/lib stand in front of each of them
-- when they are built: what these define is a local variable there, and no script uses all of it.
local given = { "redis", "KEYS", "ARGV", "cjson" }
local shared = {
  "prefix", "worker", "record_key", "call", "try", "registered", "registered_by",
  "RUN_AT", "FAILED_AT", "HEARTBEAT", "now", "utc",
  "base64", "clean_utf8", "json_string", "json_text",
  "MAX_VALUES", "json_members", "malformed", "payload_members", "presentable",
  "job_record", "job_status_id", "job_attempts", "job_has", "job_read", "job_missed",
  "failure_record", "push_failure", "count",
  "WAITING", "RUNNING", "FAILED", "COMPLETE", "set_status",
  "examine", "refused", "take", "go_on", "bury", "put_back", "forget_worker", "beat",
  "crashes_of", "count_crash", "forget_crashes", "after_crash", "older_workers",
}
local unused = {}
for _, name in ipairs(shared) do
  given[#given + 1] = name
  unused[#unused + 1] = "211/^" .. name .. "$"
end
files["lua/server/**"] = { std = "lua51", read_globals = given }
files["lua/server/lib/**"] = { ignore = unused }
files["spec/**"] = { std = "+busted" }
-- A job method is given self whether it looks at it or not.
files["demo"] = { self = false }
files["jobs"] = { self = false }
