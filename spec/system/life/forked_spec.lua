--- A process that a script forks is a copy of the job's, and never speaks for the job: whatever it
-- does, the job ends as its first process does, and each step of its life is gone through once.
local clock = require "spec.support.clock"
local preload = require "spec.support.preload"
local proc = require "spec.support.proc"
local scene = require "spec.support.scene"

local HEAD = ("local forking = assert(package.loadlib(%q, 'luaopen_forking'))() ")
  :format(preload.module "forking")

-- Forks where the file `at` says so, and waits for the copy, which goes on as if nothing was.
local STEPS = HEAD .. [[
  local function read(name)
    local file = io.open(os.getenv "GATES" .. "/" .. name)
    local text = file and file:read "a"
    if file then file:close() end
    return text
  end
  local function step(name)
    ledger.write(name)
    if read "at" ~= name then return end
    local copy = forking.fork()
    if copy > 0 then
      return ledger.write("copy", forking.wait(copy))
    elseif read "how" then
      load(read "how")()
    end
  end
  local function listener(name) return function() step(name) end end
  for _, event in ipairs { "afterFork", "beforePerform", "afterPerform", "onFailure" } do
    resque.on(event, listener(event))
    resque.on(event, listener(event .. " again"))
  end
  local Steps = resque.job "Steps"
  function Steps:setUp() step "setUp" end
  function Steps:tearDown() step "tearDown" end
  function Steps:perform()
    step "perform"
    if self.args.fail then error "the job failed" end
    return "ours"
  end
  step "load"
]]

describe("a process that a job forks", function()
  local w <const> = scene.fresh()
  local run

  local function start(text, env)
    env = env or {}
    env.APP_INCLUDE = w:write_jobs("forks.lua", text)
    run = w:start_idle(env)
  end

  -- Runs one job: its failure record, or nil and what is kept as its result.
  local function work(class, args)
    local before, failed = w:stat "processed", #w:failed()
    local id = w:job(class, args, { track = true })
    w:wait_processed(before + 1)
    run:wait_title "^Waiting"
    assert.equal(before + 1, w:stat "processed")
    return w:failed()[failed + 1], w:status(id).result
  end

  local ALL = { "load", "afterFork", "afterFork again", "beforePerform", "beforePerform again",
    "setUp", "perform", "tearDown", "afterPerform", "afterPerform again" }

  local function expect(at, code, failed)
    local lines = {}
    for _, name in ipairs(ALL) do
      if not (failed and name:find "^afterPerform") then
        lines[#lines + 1] = name
        lines[#lines + 1] = name == at and "copy " .. code or nil
      end
    end
    for _, name in ipairs(failed and { "onFailure", "onFailure again" } or {}) do
      lines[#lines + 1] = name
      lines[#lines + 1] = name == at and "copy " .. code or nil
    end
    return lines
  end

  -- What the copy does where it was forked, its exit code, and what the log has.
  for how, row in pairs {
    [""] = { 0 }, ["os.exit(0)"] = { 0 }, ["os.exit(3)"] = { 3 }, ["os.exit(false, true)"] = { 1 },
    ["error 'no'"] = { 1, "in a process that the script has forked: [^\n]*no" },
    ["require 'resque'.dont_perform 'no'"] = { 0 }, ["local s <const> = nil + 1"] = { 1 },
  } do
    it(("that ends by %q leaves each step to the first, which is done"):format(how), function()
      w:write("how", how)
      start(STEPS)
      for _, at in ipairs(ALL) do
        local written = #w:ledger()
        w:write("at", at)
        local record, result = work("Steps", {})
        assert.is_nil(record, at)
        assert.equal("ours", result)
        assert.same(expect(at, row[1]), { table.unpack(w:ledger(), written + 1) })
      end
      assert.is_truthy(run:err():find(row[2] or ""))
    end)
  end

  it("does not keep the first from failing", function()
    w:write("how", "os.exit(0)")
    start(STEPS)
    for _, at in ipairs { "load", "setUp", "perform", "tearDown", "onFailure" } do
      local written = #w:ledger()
      w:write("at", at)
      local record = work("Steps", { fail = true })
      assert.equal("LuaError", record and record.exception, at)
      assert.matches("the job failed$", record.error)
      assert.same(expect(at, 0, true), { table.unpack(w:ledger(), written + 1) })
    end
  end)

  it("runs no onFailure of a job that was killed a second time", function()
    start(STEPS .. 'function Steps:perform() os.execute "kill -9 $PPID" resque.sleep(10) end')
    w:write("at", "onFailure")
    assert.equal("Resque::DirtyExit", work("Steps", {}).exception)
    w:wait_ledger "^onFailure again$"
    run:wait_title "^Waiting"
    assert.same({ "onFailure", "copy 0", "onFailure again" },
      { table.unpack(w:ledger(), #w:ledger() - 2) })
  end)

  it("holds up neither the check of APP_INCLUDE nor a job's end by staying", function()
    start(HEAD .. [[
      local copy = forking.fork()
      while copy == 0 do resque.sleep(60) end
      ledger.write("stays", copy)
      resque.job("Quick").perform = function() return "done" end
    ]])
    assert.is_nil((work("Quick", {})))
    assert.equal(2, #w:ledger()) -- the check's and the job's
    for _, line in ipairs(w:ledger()) do
      local pid = tonumber(line:match "%d+")
      clock.wait_until(function()
        return not proc.alive(pid)
      end, 10, "the copies are gone")
    end
  end)

  it("writes what is its own, and what was written before the fork once", function()
    start(HEAD .. [[
      resque.job "Write".perform = function(self)
        local file = assert(io.open(os.getenv "GATES" .. "/written", "w"))
        file:write "before " io.write "before "
        local copy = forking.fork()
        if copy == 0 then
          file:write "copy " io.write "copy "
          os.exit(self.args.code)
        end
        forking.wait(copy)
        file:write "first" io.write "first\n"
        file:close()
        error "look"
      end]])
    for code = 0, 1 do
      local record = work("Write", { code = code })
      assert.equal("before copy first\n", record.output)
      assert.equal("before copy first", (assert(io.open(w.dir .. "/written")):read "a"))
    end
  end)

  it("has a connection of its own to Redis", function()
    start(HEAD .. [[
      resque.job "Redis".perform = function()
        local function count(name)
          for i = 1, 200 do
            assert(resque.redis("ECHO", name .. i) == name .. i)
          end
        end
        assert(resque.redis "PING")
        local copy = forking.fork()
        count(copy == 0 and "copy" or "first")
        if copy == 0 then
          resque.redis("SET", resque.key "copy", "well")
          assert(resque.enqueue("later", "Other", {}))
          return
        end
        assert(forking.wait(copy) == 0)
        assert(resque.redis("GET", resque.key "copy") == "well")
      end]])
    assert.is_nil((work("Redis", {})))
    assert.equal(1, w:queued "later")
  end)

  it("ends with the job", function()
    start(HEAD .. [[
      resque.job "Short".perform = function()
        if forking.fork() == 0 then
          ledger.write "copy"
          resque.sleep(60)
          os.exit(3)
        end
        while not io.open(os.getenv "LEDGER") do end
        return "ours"
      end]])
    local record, result = work("Short", {})
    assert.is_nil(record)
    assert.equal("ours", result)
  end)

  describe("from a hook of the worker", function()
    for how, text in pairs {
      ["and that falls out of it"] = "", ["and that calls os.exit"] = "os.exit(0, true)",
      ["and that raises an error"] = "error 'no'",
    } do
      it(how .. " is no second worker", function()
        start(HEAD .. ([[
          for _, event in ipairs { "beforeFirstFork", "beforeFork" } do
            resque.on(event, function()
              ledger.write(event)
              local copy = forking.fork()
              if copy == 0 then %s return end
              forking.wait(copy)
            end)
          end
          resque.job "Other".perform = function() ledger.write "performed" end]]):format(text))
        for _ = 1, 3 do
          assert.is_nil((work("Other", {})))
        end
        assert.same({ "beforeFirstFork", "beforeFork", "performed", "beforeFork", "performed",
          "beforeFork", "performed" }, w:ledger())
        assert.equal(1, #w:on("SMEMBERS", "workers"))
      end)
    end
  end)

  it("from a hook of resque-enqueue puts nothing in a second time", function()
    w:write_jobs("hooks.lua", HEAD .. [[
      resque.on("beforeEnqueue", function()
        local copy = forking.fork()
        if copy > 0 then forking.wait(copy) end
      end)]])
    local code, out = w:run({ "mail", "Other", "-I", w.dir .. "/hooks.lua" }, nil,
      { enqueue = true })
    assert.equal(0, code)
    assert.matches("^%x+\n$", out)
    assert.equal(1, w:queued "mail")
  end)

  it("of resque-lua perform is no job, either", function()
    w:write_jobs("one.lua", HEAD .. [[
      resque.job "One".perform = function()
        local copy = forking.fork()
        if copy > 0 then forking.wait(copy) end
        return copy > 0 and "ours" or "the copy's"
      end]])
    local code, out = w:run { "perform", "One", "-I", w.dir .. "/one.lua" }
    assert.same({ 0, '"ours"\n' }, { code, out:match "ours" and '"ours"\n' or out })
    assert.is_nil(out:find "copy")
  end)
end)
