-- resque.hooks: a registry; who emits is tested where it is emitted.
local hooks = require "resque.hooks"

describe("resque.hooks", function()
  local undo
  local function on(...)
    local off = hooks.on(...)
    undo[#undo + 1] = off
    return off
  end
  before_each(function() undo = {} end)
  after_each(function()
    for _, off in ipairs(undo) do
      off()
    end
  end)

  it("knows php-resque's eight events", function()
    assert.are.same({
      "afterEnqueue", "afterFork", "afterPerform", "beforeEnqueue", "beforeFirstFork", "beforeFork",
      "beforePerform", "onFailure",
    }, hooks.names())
  end)

  it("calls in the order of registration, with all arguments", function()
    local calls = {}
    for i = 1, 3 do
      on("afterEnqueue", function(...) calls[#calls + 1] = { i, select("#", ...), ... } end)
    end
    hooks.emit("afterEnqueue", "Class", nil, "queue", nil)
    assert.are.same({ { 1, 4, "Class", nil, "queue" }, { 2, 4, "Class", nil, "queue" },
      { 3, 4, "Class", nil, "queue" } }, calls)
  end)

  it("takes snake_case as the same name", function()
    local count = 0
    on("before_first_fork", function() count = count + 1 end)
    assert.is_true(hooks.has "beforeFirstFork")
    assert.is_true(hooks.has "before_first_fork")
    hooks.emit "beforeFirstFork"
    assert.are.equal(1, count)
  end)

  it("takes one registration back, by the returned function or by off", function()
    local count = 0
    local function fn() count = count + 1 end
    local off = on("onFailure", fn)
    on("onFailure", fn)
    off()
    hooks.emit "onFailure"
    assert.are.equal(1, count)
    assert.is_true(hooks.off("on_failure", fn))
    assert.is_false(hooks.off("onFailure", fn))
    assert.is_false(hooks.has "onFailure")
  end)

  it("lets a hook take itself back while it is called", function()
    local calls, off = {}, nil
    off = on("beforeFork", function() calls[#calls + 1] = "once" off() end)
    on("beforeFork", function() calls[#calls + 1] = "always" end)
    hooks.emit "beforeFork"
    hooks.emit "beforeFork"
    assert.are.same({ "once", "always", "always" }, calls)
  end)

  it("calls a hook that is registered meanwhile the next time only", function()
    local calls = 0
    on("beforeFork", function()
      on("beforeFork", function() calls = calls + 1 end)
    end)
    hooks.emit "beforeFork"
    assert.are.equal(0, calls)
    hooks.emit "beforeFork"
    assert.are.equal(1, calls)
  end)

  it("lets errors through and stops there", function()
    local later = false
    on("afterFork", function() error({ message = "no" }) end)
    on("afterFork", function() later = true end)
    local ok, err = pcall(hooks.emit, "afterFork")
    assert.is_false(ok)
    assert.are.equal("no", err.message)
    assert.is_false(later)
  end)

  it("takes callable objects", function()
    local got
    on("afterFork", setmetatable({}, { __call = function(_, v) got = v end }))
    hooks.emit("afterFork", 5)
    assert.are.equal(5, got)
  end)

  it("refuses unknown events and what cannot be called, at the caller's line", function()
    for _, f in ipairs {
      function() hooks.on("afterPerfrom", print) end,
      function() hooks.off("nothing", print) end,
      function() hooks.has "nothing" end,
      function() hooks.emit "nothing" end,
      function() hooks.on("afterFork", "text") end,
      function() hooks.on("afterFork") end,
      function() hooks.on(nil, print) end,
    } do
      local ok, err = pcall(f)
      assert.is_false(ok)
      assert.is_truthy(err:find "hooks_spec.lua:", err)
    end
    local _, err = pcall(hooks.on, "afterPerfrom", print)
    assert.is_truthy(err:find("no event 'afterPerfrom' (hint: afterEnqueue, ", 1, true), err)
  end)
end)
