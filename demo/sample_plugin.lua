--- A plugin that listens to every event and says so in the log (VERBOSE=1 shows it). Load it beside
-- the jobs: APP_INCLUDE=demo/jobs.lua,demo/sample_plugin.lua
--
-- What each event gets, where it runs and what an error in it means: the table in docs/jobs.md.
local resque = require "resque"

local function say(...)
  resque.log.info(...)
end

-- ------------------------------------------------------------------- in the process that enqueues

resque.on("beforeEnqueue", function(class, _, queue)
  -- Not this one? resque.dont_create "no such job today": enqueue returns nil and the reason.
  say("beforeEnqueue: %s is about to be queued in %s", class, queue)
end)

resque.on("afterEnqueue", function(class, args, queue, id)
  say("afterEnqueue: %s was queued in %s as %s with %s", class, queue, id, resque.json.encode(args))
end)

-- --------------------------------------------------------------------------------- in the worker

resque.on("beforeFirstFork", function(worker)
  say("beforeFirstFork: %s starts", worker) -- an error here: the worker does not start
end)

resque.on("beforeFork", function(job)
  say("beforeFork: about to fork to run %s", job.class) -- an error here: the job fails
end)

-- --------------------------------------------------------------------------- in the job's process

resque.on("afterFork", function(job)
  say("afterFork: this process runs %s", job.class)
end)

resque.on("beforePerform", function(job)
  -- Not this one? resque.dont_perform "no such job today": it counts as done.
  say("beforePerform: %s is about to run", job.class)
end)

resque.on("afterPerform", function(job)
  say("afterPerform: %s has run", job.class)
end)

-- Also when the process died: then it is called in a process of its own.
resque.on("onFailure", function(err, job)
  say("onFailure: %s: %s: %s", job.class, err.name, err.message)
end)
