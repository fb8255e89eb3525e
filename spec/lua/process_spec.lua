--- Waiting for programs in specs: one that fails is shown at once, with what it wrote.
local folder = require "spec.support.folder"
local process = require "spec.support.process"

describe("a program of a spec", function()
  local dir

  before_each(function()
    dir = folder.make "process"
  end)
  after_each(function()
    process.finish_all()
    folder.remove(dir)
  end)

  local function start(script)
    return process.start({ "sh", "-c", script, dir .. "/go" }, { dir = dir })
  end

  it("that fails is not waited for, but shown", function()
    local p = start "echo 'No module named x' >&2; exit 3"
    local good, err = pcall(p.wait_for, p, "never written", 300)
    assert.is_false(good)
    assert.matches("^sh .* ended with exit code 3, signal 0; it wrote:\nNo module named x\n", err)
    assert.matches("exit code 3", select(2, pcall(p.must_not_fail, p)))
    assert.equal("x", p:wait_for "named (%w)")
  end)

  it("that is killed is shown, too", function()
    local p = start "kill -KILL $$"
    assert.matches("ended with exit code 0, signal 9", select(2, pcall(p.wait_for, p, "x", 300)))
  end)

  it("that has ended well may have left others who write", function()
    local p = start '(until [ -e "$0" ]; do :; done; echo late) &'
    p:wait(5)
    p:must_not_fail()
    assert(io.open(dir .. "/go", "w")):close()
    assert.equal("late", p:wait_for "late")
  end)
end)
