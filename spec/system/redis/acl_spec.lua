--- The Redis user of docs/redis.md may do all that resque-lua does, and nothing else.
local pages = require "spec.support.pages"
local scene = require "spec.support.scene"

describe("the documented Redis user", function()
  local w <const> = scene.fresh { tcp = true }
  local backend

  before_each(function()
    local rules = pages.redis_user()
    for i, rule in ipairs(rules) do
      rules[i] = rule:gsub("^([~&])resque:", "%1" .. w:key "")
    end
    w.server:call("ACL", "SETUSER", "resque", "reset", table.unpack(rules))
    backend = ("redis://resque:secret@127.0.0.1:%d"):format(w.server.port)
    w.server:call("ACL", "LOG", "RESET")
  end)

  it("suffices for a worker in all it does, and for what puts jobs in", function()
    w:write_jobs("jobs.lua", [[
      local Parent = resque.job "Parent"
      function Parent:perform()
        local id = assert(resque.enqueue("default", "Child", {}, true))
        assert(resque.status(id):get() == 1)
        return true
      end
      local Child = resque.job "Child"
      function Child:perform() error "no" end
      local Deadly = resque.job "Deadly"
      function Deadly:perform() os.execute "kill -9 $PPID" end
      local Endless = resque.job "Endless"
      function Endless:perform() ledger.write "endless" while true do end end
    ]])
    local env = { REDIS_BACKEND = backend, APP_INCLUDE = "jobs.lua", QUEUE = "default" }
    local code, out, err = w:run({ "enqueue", "default", "Parent", "--track" },
      { REDIS_BACKEND = backend }, { cwd = w.dir })
    assert.equal(0, code, err)
    env.BLOCKING = "1"
    local worker = w:start(env, { cwd = w.dir })
    w:wait_processed(2)
    w:push("default", '{"class":"Deadly","args":[{}]}', "junk")
    w:wait_processed(4)
    local shown = select(2, w:run({ "job", out:match "%x+" }, { REDIS_BACKEND = backend }))
    local function resque(...)
      local exit, _, said = w:run({ ... }, { REDIS_BACKEND = backend })
      assert.equal(0, exit, said)
    end
    resque("job", w:job("Child", {}, { queue = "other,", track = true }), "--kill")
    local endless = w:job("Endless", {})
    w:wait_ledger "endless"
    resque "workers"
    resque("job", endless, "--kill")
    worker:stop()
    assert.is_truthy(shown:find "complete")
    assert.equal(4, w:stat "failed")
    assert.same({}, w.server:call("ACL", "LOG"))
  end)
end)
