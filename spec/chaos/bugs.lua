--- Mistakes that somebody could make in the product, so that the checker is seen finding each one.
-- They are made in a copy of its sources (spec/chaos/seeded.lua): the product itself has no switch
-- for them. `old` must stand in the file exactly once: a mistake that cannot be made any more is to
-- be taken out or written anew.
--
--   name, file, old, new
--   breaks   the invariant that must be found broken
--   run      what the campaign needs for it (spec/chaos/campaign.lua), else a few quiet jobs
local ONE = { fleets = 1, count = 1, producers = 1, ordered = true }

local function with(options, more)
  local all = {}
  for _, list in ipairs { options, more } do
    for name, value in pairs(list) do
      all[name] = value
    end
  end
  return all
end

local PROXIED = { fleets = 1, count = 3, proxied = true }

local function faults(kind, count, more)
  return with({ fault_shares = { [kind] = 1 }, faults = count, jobs = 400 }, more or {})
end

return {
  -- ---- what runs inside Redis
  {
    name = "a done job is counted twice", breaks = "I1",
    file = "lua/server/done.lua",
    old = "  count(false)\n", new = "  count(false)\n  count(false)\n",
  },
  {
    name = "a done job stays in the record", breaks = "I1",
    file = "lua/server/done.lua",
    old = '  call("DEL", record_key)\n', new = "",
  },
  {
    name = "done does not compare the token", breaks = "I3",
    file = "lua/server/done.lua",
    old = "local at = job_has(record, token)",
    new = [[local at = record and #token + #'{"token":"",' + 1]],
    run = with(PROXIED, faults("lose_answer", 60, { shares = { noop = 1 }, jobs = 200 })),
  },
  {
    name = "a failed job stays in the record", breaks = "I1",
    file = "lua/server/lib/transfer.lua",
    old = '  call("DEL", record_key)\n  local ok, err = push_failure(text)',
    new = "  local ok, err = push_failure(text)",
    run = { shares = { raise = 3, noop = 1 } },
  },
  {
    name = "failures are not counted", breaks = "I2",
    file = "lua/server/lib/record.lua",
    old = '    try("INCR", prefix .. "stat:failed")\n', new = "",
  },
  {
    name = "reserve does not look for a job of its own", breaks = "I1",
    file = "lua/server/lib/take.lua",
    old = "  if record then return resume(record, token) end\n", new = "",
    run = with(PROXIED, faults("lose_answer", 80)),
  },
  {
    name = "the payload is decoded and encoded", breaks = "I5",
    file = "lua/server/lib/take.lua",
    old = "  local job = { token = token, queue = queue, payload = payload,",
    new = "  payload = cjson.encode(cjson.decode(payload))\n"
      .. "  local job = { token = token, queue = queue, payload = payload,",
    run = { shares = { hold = 1, numbers = 1 } },
  },
  {
    name = "queues are asked in the wrong order", breaks = "I7",
    file = "lua/server/lib/take.lua",
    old = "  for i = first, #ARGV do", new = "  for i = #ARGV, first, -1 do",
    run = ONE,
  },
  {
    name = "a job is put back behind the others", breaks = "I7",
    file = "lua/server/lib/transfer.lua",
    old = 'push_again("LPUSH", job)', new = 'push_again("RPUSH", job)',
    run = with(ONE, faults("kill_child", 40, { shares = { work = 1 }, jobs = 250 })),
  },
  {
    name = "a dead worker's job is put back though it had started", breaks = "I3",
    file = "lua/server/prune.lua",
    old = ' and job.token ~= ARGV[6]', new = "",
    run = faults("kill_worker", 40, { shares = { work = 1 } }),
  },
  {
    name = "a crash is not counted", breaks = "I3",
    file = "lua/server/lib/transfer.lua",
    old = '  if not count_crash(job, "crashed", crashed) then', new = "  if false then",
    run = { shares = { again = 1, noop = 1 }, seconds = 3 },
  },
  {
    name = "a job crashes once more than it may", breaks = "I3",
    file = "lua/server/lib/transfer.lua",
    old = "  if crashed <= most then", new = "  if most > 0 and crashed <= most + 1 then",
    run = { shares = { poison = 1, noop = 1 } },
  },
  {
    name = "the count of crashes stays when the job is done", breaks = "I6",
    file = "lua/server/done.lua",
    old = "then forget_crashes(job_read(record)) end", new = "then end",
    run = { shares = { again = 1, noop = 1 }, seconds = 3 },
  },
  {
    name = "a worker registers without a heartbeat", breaks = "I5",
    file = "lua/server/register.lua",
    old = "beat()\n", new = "",
  },
  {
    name = "the heartbeat of a worker that left stays", breaks = "I6",
    file = "lua/server/lib/worker.lua",
    old = '  try("HDEL", prefix .. "workers:heartbeat", worker)\n', new = "",
  },
  {
    name = "a worker leaves without its keys", breaks = "I6",
    file = "lua/server/unregister.lua",
    old = "owner == ARGV[3] then forget_worker() end", new = "owner == ARGV[3] then end",
  },
  {
    name = "a backtrace is null", breaks = "I10",
    file = "lua/server/lib/record.lua",
    old = [[    ',"backtrace":[', table.concat(lines, ","),]] .. "\n    '],",
    new = "    ',\"backtrace\":null,",
  },
  {
    name = "the status key lacks the prefix", breaks = "I9",
    file = "lua/server/lib/status.lua",
    old = 'local key = prefix .. "job:"', new = 'local key = "job:"',
  },
  -- ---- the worker and its manager
  {
    name = "a job killed by a signal is a success", breaks = "I3",
    file = "src/worker/verdict.c",
    old = "{REPORT_NONE, STARTED, BY_SIGNAL, OUTCOME_FAILED,",
    new = "{REPORT_NONE, STARTED, BY_SIGNAL, OUTCOME_DONE,",
    run = { shares = { noop = 3, die = 1 } },
  },
  {
    name = "a broken APP_INCLUDE fails jobs", breaks = "I4",
    file = "src/worker/verdict.c",
    old = "{REPORT_LOAD, NOT_STARTED, BY_ANY, OUTCOME_PUT_BACK,",
    new = "{REPORT_LOAD, NOT_STARTED, BY_ANY, OUTCOME_FAILED,",
    run = faults("broken_include", 3),
  },
  {
    name = "nobody notes that a job has started", breaks = "I3",
    file = "src/job/report.c",
    old = "        r->started = true;\n", new = "",
    run = faults("kill_child", 40, { shares = { work = 1 } }),
  },
  {
    name = "living workers are taken for dead", breaks = "I3",
    file = "src/os/identity.c",
    old = "    return (kill(pid, 0) < 0 && errno == ESRCH) ||",
    new = "    return true ||",
    run = faults("kill_manager", 3, { shares = { hold = 1, noop = 2 } }),
  },
  {
    name = "a job's process keeps its worker's connection", breaks = "I8",
    file = "src/redis/redis.c",
    old = "    descriptors_own(r->context->fd);\n", new = "",
    run = { shares = { hold = 1 } },
  },
  {
    name = "each job leaves a descriptor open", breaks = "I8",
    file = "src/worker/child.c",
    old = "        close(c->pidfd);\n    if (c->report_fd", new = "        ;\n    if (c->report_fd",
    run = { fleets = 1, count = 2, jobs = 300 },
  },
  {
    name = "what a job left behind lives on", breaks = "I8",
    file = "src/worker/child.c",
    old = "output_end(c->output, !sweep());", new = "output_end(c->output, false);",
    run = { shares = { family = 1 }, jobs = 20 },
  },
  {
    name = "what a dead worker's job left behind lives on", breaks = "I8",
    file = "src/manager/manager.c",
    old = "    crew_end_orphans(&m->crew);\n", new = "",
    run = faults("kill_worker", 30, { shares = { family = 1 }, jobs = 150 }),
  },
}
