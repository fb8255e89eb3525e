--- spec/measure.lua counts right, and what it measures of this repository is within its limits.
local uv = require "luv"
local process = require "spec.support.process"
local world = require "spec.support.world"

describe("spec/measure.lua", function()
  local w

  before_each(function()
    w = world.new()
  end)
  after_each(function()
    w:close()
  end)

  -- What it prints in a folder.
  local function measure(cwd, ...)
    local code, out, err = process.run({ "lua5.4", world.root .. "/spec/measure.lua", ... },
      { dir = w.dir, cwd = cwd })
    assert.equal(0, code, err)
    assert.equal("", err)
    return out
  end

  it("counts functions, lines, fields and headers", function()
    for _, name in ipairs { "tree", "tree/src", "tree/src/base", "tree/src/os", "tree/lua" } do
      assert(uv.fs_mkdir(w.dir .. "/" .. name, 493))
    end
    w:write("tree/src/base/a.h", [[
#include "os/b.h"
struct a {
    int x, y; /* { not; this } */
    struct {
        int inner;
    } z;
    void (*call)(int, int);
};
]])
    w:write("tree/src/os/b.h", "enum b { B };\n")
    w:write("tree/src/os/c.c", [[
#include "base/a.h"
__attribute__((unused)) static int long_one(int a,
                                            int b)
{
    return a;
}

static int x = 1;
int f(void)
{
}
]])
    w:write("tree/lua/m.lua", "local function g()\n  return 1\nend\nreturn g\n")
    local out = measure(w.dir .. "/tree", "all")
    for _, line in ipairs { "5 long_one src/os/c.c:2", "3 f src/os/c.c:9", "3 g lua/m.lua:1",
      "11 src/os/c.c ", "4 struct a src/base/a.h", "1 base/a.h " } do
      assert.truthy(out:find(" " .. line .. "\n", 1, true), line .. " in\n" .. out)
    end
    assert.matches("arrows that point up +1\n  base/a.h uses os/b.h", out)
  end)

  it("prints a row for each of its measures", function()
    local out = measure(world.root)
    for _, row in ipairs { "functions, C, lines", "functions, Lua, lines", "files, lines",
      "structs, fields", "headers, closure" } do
      assert.matches(row .. " +%d%d+ +%d+ +%d+ +%d+ ", out)
    end
    assert.matches("arrows that point up +0\n$", out)
  end)
end)
