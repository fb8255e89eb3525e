--- A kernel, or a filter around the program, that does not do what jobs need: said when the manager
-- starts, before any job is touched.
local preload = require "spec.support.preload"
local scene = require "spec.support.scene"

local w <const> = scene.fresh()

local WORDS = { EPERM = "Operation not permitted", ENOSYS = "Function not implemented" }
local CAUSE = { EPERM = "Docker before 20.10", ENOSYS = "Linux 5.3 or later" }

-- The names that spec/support/refuse_call.h gives them.
local CALLS = {
  "pidfd_open", "signalfd4", "pipe2", "getrandom", "waitid", "prctl(PR_SET_CHILD_SUBREAPER)",
  "prctl(PR_SET_PDEATHSIG)",
}

-- Words that put the filter on the program they stand before.
local function refusing(call, errno)
  return { "env", "LD_PRELOAD=" .. preload.ours "refuse_call",
    ("REFUSE_CALL=%s %s"):format(call, errno) }
end

-- A start that is to fail: exit code, what was said.
local function start(call, errno, env)
  local run = w:start(env, { wrap = refusing(call, errno) })
  return (run.process:wait(20)), run:err()
end

local function assert_refused(call, errno, env)
  local code, err = start(call, errno, env)
  assert.equal(1, code, err)
  assert.truthy(err:find(call .. ": " .. WORDS[errno], 1, true), err)
  assert.truthy(err:find(CAUSE[errno], 1, true), err)
  assert.matches("\n%*%*%* hint: ", err)
end

for _, call in ipairs(CALLS) do
  for errno in pairs(WORDS) do
    it(("%s refused with %s: exit 1, named, and the job waits untouched"):format(call, errno),
      function()
        local id = w:job("Noop", {}, { track = true })
        assert_refused(call, errno)
        assert.same({ queued = 1, working = 0, processed = 0, failed = 0, overflow = 0 },
          w:account())
        assert.equal(1, w:status(id).status)
        assert.same({}, w:on("SMEMBERS", "workers"))
      end)
  end
end

it("SANDBOX=strict where no filter can be put on is the same", function()
  w:job "Noop"
  local code, err = start("seccomp", "EPERM", { SANDBOX = "strict" })
  assert.equal(1, code)
  assert.truthy(err:find("SANDBOX=strict: no seccomp filter can be put on: Operation not permitted",
    1, true), err)
  assert.matches("\n%*%*%* hint: ", err)
  assert.equal(1, w:queued())
end)

it("BACKGROUND says so, too, before it goes there", function()
  assert_refused("pidfd_open", "EPERM", { BACKGROUND = "1" })
end)

it("what only asks, or runs a job in its own process, does without pidfd_open", function()
  for _, args in ipairs { { "workers" }, { "config" }, { "perform", "Noop", "a=1" } } do
    local run = w:start(nil, { wrap = refusing("pidfd_open", "ENOSYS"), args = args })
    assert.same({ 0, 0 }, { run.process:wait(20) })
  end
end)
