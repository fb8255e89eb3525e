--- What may go wrong how often in one search, and the bugs that must be found. A world that is
-- small enough is looked through to its end.
--
-- late: an answer that is not heard, a command that comes late or never; crash: a worker killed, or
-- one started again; odd: a job that fails, one that is not started; prune: a pruner that has seen
-- a heartbeat or a dead process (what a manager knows of its own worker costs nothing); beat: a
-- heartbeat; leave: a worker told to leave.
local worlds = {}

--- `few` is for every run of the specs.
worlds.all = {
  { name = "connections", jobs = 3, few = { late = 2 }, limits = { late = 4 } },
  { name = "leaving", jobs = 2, few = { late = 1, odd = 1, leave = 1 },
    limits = { late = 2, odd = 1, leave = 1 } },
  { name = "deaths", jobs = 2, few = { late = 1, crash = 1 },
    limits = { late = 1, crash = 2, prune = 1 } },
  { name = "stalls", jobs = 2, few = { late = 1, prune = 1, beat = 1 },
    limits = { late = 1, prune = 2, beat = 1, leave = 1 } },
  { name = "requeue", jobs = 2, requeue = 1, few = { prune = 1, odd = 1 },
    limits = { late = 1, crash = 1, prune = 1, odd = 1 } },
  { name = "everything", jobs = 2, few = { late = 1, leave = 1, crash = 1 },
    limits = { late = 2, crash = 2, odd = 2, prune = 2, beat = 1, leave = 2 } },
}

--- Each is a name that redis.lua or worker.lua asks for, what that means, and limits to find it in.
worlds.bugs = {
  { "done_compares_nothing", "done finishes whatever is in the record", { late = 1 } },
  { "unreserve_compares_nothing", "unreserve puts back whatever is in the record",
    { late = 1, odd = 1 } },
  { "prune_compares_nothing", "prune does not look whether its proof still holds",
    { crash = 1, late = 1 } },
  { "reserve_does_not_resume", "reserve takes another job when there is a record", { late = 1 } },
  { "anybody_may_reserve", "reserve does not ask whether the worker is registered", { prune = 1 } },
  { "names_are_not_owned", "reserve does not ask which process has the name",
    { late = 1, prune = 1 } },
  { "register_adopts", "register takes a name that is somebody's", {} },
  { "retries_with_the_same_token", "after a time-out, reserve asks with the same token",
    { late = 1, odd = 1 } },
  { "unregister_knows_nothing_of_commits", "unregister puts back what its worker has run",
    { late = 1, leave = 1 } },
  { "prune_puts_back_what_started", "a dead worker's job is put back whether it had started or not",
    { crash = 1 } },
  { "put_back_to_the_tail", "a job that is put back goes behind the others", { odd = 1 } },
  { "requeue_is_not_counted", "a crashed job is put back without end", { odd = 2 }, requeue = 1 },
}

return worlds
