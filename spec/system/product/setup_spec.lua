--- spec/setup.sh and spec/packages: who needs which packages, and that this is said.
-- Without sanitizers: nothing of the program runs here.
local folder = require "spec.support.folder"
local proc = require "spec.support.proc"
local process = require "spec.support.process"
local world = require "spec.support.world"

describe("spec/setup.sh", function()
  local dir

  before_each(function()
    dir = folder.make "setup"
  end)
  after_each(function()
    folder.remove(dir)
  end)

  -- What it prints where no package is installed, and apt knows `known` of those with a ?.
  local function on_bare(command, known)
    local script = ([[. spec/setup.sh
      setup_proof() { false; }
      apt-cache() { [ "$2" = '%s' ]; }
      %s]]):format(known or "", command)
    local code, out, err = process.run({ "bash", "-c", script }, { dir = dir, cwd = world.root })
    assert.same({ 0, "" }, { code, err })
    return "\n" .. out
  end

  local function lacks(list, name)
    return list:find("\n" .. name .. "\n", 1, true) == nil
  end

  it("asks only for what a part needs", function()
    local unit = on_bare "setup_missing demo spec unit"
    for name, wanted in pairs { gcc = true, ["libcmocka-dev"] = true, ["libseccomp-dev"] = true,
      npm = false, nodejs = false, clang = false, systemd = false, valgrind = false,
      ["lua-busted"] = false } do
      assert.equal(wanted, not lacks(unit, name), name)
    end
    assert.is_true(lacks(on_bare "setup_missing demo spec system", "npm"))
    assert.is_false(lacks(on_bare "setup_missing demo spec system node", "npm"))
    local _, count = on_bare("setup_missing demo spec system san lua"):gsub("\nlua%-luv\n", "")
    assert.equal(1, count)
  end)

  it("says what each is for, and who needs it is somebody", function()
    local known = { demo = true, spec = true, node = true, roots = true }
    for part in proc.read(world.root .. "/spec/run"):match "\nALL=%((.-)%)":gmatch "%S+" do
      known[part] = true
    end
    for line in proc.read(world.root .. "/spec/packages"):gmatch "[^\n]+" do
      local who, why = line:match "^([%l,]+) %S+ %S+ (%S.*)$"
      assert.truthy(why or line:find "^#", line)
      for one in (who or ""):gmatch "[^,]+" do
        assert.is_true(known[one], line)
      end
    end
    assert.truthy(on_bare("setup_lacks valgrind"):find("\nvalgrind memory errors\n", 1, true))
  end)

  it("leaves out what this Debian does not have", function()
    assert.is_true(lacks(on_bare "setup_missing system", "valkey-tools"))
    assert.is_false(lacks(on_bare("setup_missing system", "valkey-tools"), "valkey-tools"))
  end)
end)
