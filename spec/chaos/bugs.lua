--- Mistakes that somebody could make in the product, so that the checker is seen finding each one.
-- They are made in a copy of its sources (spec/chaos/seeded.lua): the product itself has no switch
-- for them. The old text must stand in the file exactly once: a mistake that cannot be made any
-- more is to be taken out or written anew.
--
-- Each row: the invariant that must be found broken, the mistake, the file, the old text, the new
-- text, and what the campaign needs for it (spec/chaos/campaign.lua) where a few quiet jobs are not
-- enough.
local ROWS = {
  -- ---- what runs inside Redis
  { "I1", "a done job is counted twice", "lua/server/done.lua",
    "  count(false)\n", "  count(false)\n  count(false)\n" },
  { "I1", "a done job stays in the record", "lua/server/done.lua",
    '  call("DEL", record_key)\n', "" },
  { "I3", "done does not compare the token", "lua/server/done.lua",
    "local at = job_has(record, token)", [[local at = record and #token + #'{"token":"",' + 1]],
    { fleets = 1, count = 3, proxied = true, fault_shares = { lose_answer = 1 }, faults = 60,
      shares = { noop = 1 }, jobs = 200 } },
  { "I1", "a failed job stays in the record", "lua/server/lib/transfer.lua",
    '  call("DEL", record_key)\n  local ok, err = push_failure(text)',
    "  local ok, err = push_failure(text)",
    { shares = { noop = 1, raise = 3 } } },
  { "I2", "failures are not counted", "lua/server/lib/record.lua",
    '    try("INCR", prefix .. "stat:failed")\n', "" },
  { "I1", "reserve does not look for a job of its own", "lua/server/lib/take.lua",
    "  if record then return resume(record, token) end\n", "",
    { fleets = 1, count = 3, proxied = true, fault_shares = { lose_answer = 1 }, faults = 80,
      jobs = 400 } },
  { "I5", "the payload is decoded and encoded", "lua/server/lib/take.lua",
    "  local job = { token = token, queue = queue, payload = payload,",
    "  payload = cjson.encode(cjson.decode(payload))\n"
      .. "  local job = { token = token, queue = queue, payload = payload,",
    { shares = { hold = 1, numbers = 1 } } },
  { "I7", "queues are asked in the wrong order", "lua/server/lib/take.lua",
    "  for i = first, #ARGV do", "  for i = #ARGV, first, -1 do",
    { fleets = 1, count = 1, producers = 1, ordered = true } },
  { "I7", "a job is put back behind the others", "lua/server/lib/transfer.lua",
    'push_again("LPUSH", job)', 'push_again("RPUSH", job)',
    { fleets = 1, count = 1, producers = 1, ordered = true, fault_shares = { kill_child = 1 },
      faults = 40, shares = { work = 1 }, jobs = 250 } },
  { "I3", "a dead worker's job is put back though it had started", "lua/server/prune.lua",
    ' and job.token ~= ARGV[6]', "",
    { fault_shares = { kill_worker = 1 }, faults = 40, shares = { work = 1 }, jobs = 400 } },
  { "I3", "a crash is not counted", "lua/server/lib/transfer.lua",
    '  if not count_crash(job, "crashed", crashed) then', "  if false then",
    { shares = { again = 1, noop = 1 }, seconds = 3 } },
  { "I3", "a job crashes once more than it may", "lua/server/lib/transfer.lua",
    "  if crashed <= most then", "  if most > 0 and crashed <= most + 1 then",
    { shares = { noop = 1, poison = 1 } } },
  { "I6", "the count of crashes stays when the job is done", "lua/server/done.lua",
    "then forget_crashes(job_read(record)) end", "then end",
    { shares = { again = 1, noop = 1 }, seconds = 3 } },
  { "I5", "a worker registers without a heartbeat", "lua/server/register.lua",
    "beat()\n", "" },
  { "I6", "the heartbeat of a worker that left stays", "lua/server/lib/worker.lua",
    '  try("HDEL", prefix .. "workers:heartbeat", worker)\n', "" },
  { "I6", "a worker leaves without its keys", "lua/server/unregister.lua",
    "owner == ARGV[3] then forget_worker() end", "owner == ARGV[3] then end" },
  { "I10", "a backtrace is null", "lua/server/lib/record.lua",
    [[    ',"backtrace":[', table.concat(lines, ","),]] .. "\n    '],",
    "    ',\"backtrace\":null," },
  { "I9", "the status key lacks the prefix", "lua/server/lib/status.lua",
    'local key = prefix .. "job:"', 'local key = "job:"' },
  -- ---- the worker and its manager
  { "I3", "a job killed by a signal is a success", "src/worker/verdict.c",
    "{REPORT_NONE, STARTED, BY_SIGNAL, OUTCOME_FAILED,",
    "{REPORT_NONE, STARTED, BY_SIGNAL, OUTCOME_DONE,",
    { shares = { die = 1, noop = 3 } } },
  { "I4", "a broken APP_INCLUDE fails jobs", "src/worker/verdict.c",
    "{REPORT_LOAD, NOT_STARTED, BY_ANY, OUTCOME_PUT_BACK,",
    "{REPORT_LOAD, NOT_STARTED, BY_ANY, OUTCOME_FAILED,",
    { fault_shares = { broken_include = 1 }, faults = 3, jobs = 400 } },
  { "I3", "nobody notes that a job has started", "src/job/report.c",
    "        r->started = true;\n", "",
    { fault_shares = { kill_child = 1 }, faults = 40, shares = { work = 1 }, jobs = 400 } },
  { "I3", "living workers are taken for dead", "src/os/identity.c",
    "    return (kill(pid, 0) < 0 && errno == ESRCH) ||", "    return true ||",
    { fault_shares = { kill_manager = 1 }, faults = 3, shares = { hold = 1, noop = 2 },
      jobs = 400 } },
  { "I8", "a job's process keeps its worker's connection", "src/redis/redis.c",
    "    descriptors_own(r->context->fd);\n", "",
    { shares = { hold = 1 } } },
  { "I8", "each job leaves a descriptor open", "src/worker/child.c",
    "        close(c->pidfd);\n    if (c->report_fd", "        ;\n    if (c->report_fd",
    { fleets = 1, count = 2, jobs = 300 } },
  { "I8", "what a job left behind lives on", "src/worker/child.c",
    "output_end(c->output, !sweep());", "output_end(c->output, false);",
    { shares = { family = 1 }, jobs = 20 } },
  { "I8", "what a dead worker's job left behind lives on", "src/manager/manager.c",
    "    crew_end_orphans(&m->crew);\n", "",
    { fault_shares = { kill_worker = 1 }, faults = 30, shares = { family = 1 }, jobs = 150 } },
}

local bugs = {}
for i, row in ipairs(ROWS) do
  local breaks, name, file, old, new, run = table.unpack(row)
  bugs[i] = { name = name, breaks = breaks, file = file, old = old, new = new, run = run }
end
return bugs
