--- make install, uninstall and dist: what is installed works without the source, nothing of it is
-- left afterwards, and the tarball builds without git. Starts first.
-- Without sanitizers: nobody installs a program that they watch.
local uv = require "luv"
local pages = require "spec.support.pages"
local proc = require "spec.support.proc"
local process = require "spec.support.process"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

local BUILD = world.build
local PATH = os.getenv "PATH"

describe("make", function()
  local w <const> = scene.fresh()
  local dest

  before_each(function()
    dest = w.dir .. "/dest"
  end)

  local function run(line, opts)
    opts = opts or {}
    local code, out, err = process.run(line, {
      env = opts.env or { PATH = PATH, TMPDIR = w.dir, LC_ALL = "C.UTF-8" }, clean = true,
      dir = w.dir, cwd = opts.cwd or world.root, seconds = 200,
    })
    assert(code == 0, ("%s: exit %d\n%s%s"):format(table.concat(line, " "), code, out, err))
    return out, err
  end

  local function make(...)
    return run { "make", "-s", "BUILD=" .. BUILD, "DESTDIR=" .. dest, ... }
  end

  -- Every path below a folder: "d name", "f name", "l name -> target", sorted.
  local function tree(path, name, list)
    list = list or {}
    for entry in uv.fs_scandir_next, assert(uv.fs_scandir(path)) do
      local below = (name or "") .. "/" .. entry
      local stat = uv.fs_lstat(path .. "/" .. entry)
      list[#list + 1] = stat.type == "link"
        and ("l %s -> %s"):format(below, uv.fs_readlink(path .. "/" .. entry))
        or stat.type:sub(1, 1) .. " " .. below
      if stat.type == "directory" then
        tree(path .. "/" .. entry, below, list)
      end
    end
    table.sort(list)
    return list
  end

  local function exists(path)
    return uv.fs_stat(path) ~= nil
  end

  describe("install", function()
    local usr

    before_each(function()
      usr = dest .. "/usr/local"
      make "install"
    end)

    it("gives programs that work: the jobs it brings, and a job's status", function()
      local env = w:env { APP_INCLUDE = usr .. "/share/resque-lua/jobs/WordCount.lua" }
      local id = run({ usr .. "/bin/resque-enqueue", "text", "WordCount", "text=a b a", "--track" },
        { env = env, cwd = "/" }):match "%x+"
      env.QUEUE = "text"
      run({ usr .. "/bin/resque-lua", "--burst" }, { env = env, cwd = "/" })
      env.QUEUE = nil
      local out = run({ usr .. "/bin/resque-lua", "job", id, "--json" }, { env = env, cwd = "/" })
      assert.truthy(out:find '"status":"complete"')
      assert.truthy(out:find('"words":3', 1, true))
    end)

    it("gives modules to a plain lua5.4, and the demo's scripts run with them", function()
      local env = w:env {
        LUA_PATH = usr .. "/share/lua/5.4/?.lua;;", LUA_CPATH = usr .. "/lib/lua/5.4/?.so;;",
        APP_INCLUDE = false, BUILD = false,
      }
      local out = run({ "lua5.4", "-e", [[
        local resque = require "resque"
        print(assert(resque.enqueue("default", "My_Job", { name = "Chris" }, true)))
        print(package.searchpath("resque", package.path), resque.version)
        print(resque.cancel(assert(resque.enqueue("default", "Other"))))
      ]] }, { env = env, cwd = "/" })
      assert.truthy(out:find(usr .. "/share/lua/5.4/resque.lua", 1, true))
      assert.truthy(out:find "\nremoved\t")
      assert.equal(1, w:queued())
      assert.equal(1, w:status(out:match "^%x+").status)
      local demo = usr .. "/share/resque-lua/demo/"
      run({ "lua5.4", demo .. "queue.lua", "Lua_Job" }, { env = env, cwd = "/" })
      assert.equal(2, w:queued())
    end)

    it("gives every module that these need", function()
      for _, name in ipairs { "client.cancel", "connection", "dequeue", "errors", "hooks", "job",
        "job.loader", "json", "queue", "status" } do
        run({ "lua5.4", "-e", ("require 'resque.%s'"):format(name) }, {
          cwd = "/", env = {
            PATH = PATH, LUA_PATH = usr .. "/share/lua/5.4/?.lua",
            LUA_CPATH = usr .. "/lib/lua/5.4/?.so;;",
          },
        })
      end
    end)

    it("gives manual pages, and completions for both names", function()
      for _, page in ipairs { "man1/resque-lua.1", "man1/resque-enqueue.1",
        "man7/resque-lua-jobs.7", "man7/resque-lua-isolation.7" } do
        assert.truthy(exists(usr .. "/share/man/" .. page), page)
      end
      local share = usr .. "/share"
      for _, name in ipairs { "resque-lua", "resque-enqueue" } do
        local file = share .. "/bash-completion/completions/" .. name
        local out = run { "bash", "-c", '. "$0"; complete -p "$1"', file, name }
        assert.truthy(out:find("-F _resque_lua " .. name, 1, true))
        assert.truthy(exists(("%s/fish/vendor_completions.d/%s.fish"):format(share, name)))
      end
      local zsh = proc.read(share .. "/zsh/site-functions/_resque-lua")
      assert.truthy(zsh:find("^#compdef resque%-lua resque%-enqueue\n"))
    end)

    it("gives the documentation, whose pages find each other", function()
      local doc = usr .. "/share/doc/resque-lua/"
      local seen = 0
      for _, page in ipairs(pages.names()) do
        if page == "README.md" or page:find "^docs/" then
          assert.truthy(exists(doc .. page), page)
          for _, target in ipairs(pages.links(page)) do
            local other = target:match "^docs/[^#]+"
            if other then
              assert.truthy(exists(doc .. other), target)
              seen = seen + 1
            end
          end
        end
      end
      assert.is_true(seen > 5)
    end)

    it("over itself changes nothing", function()
      local before = tree(dest)
      local list = proc.read(usr .. "/share/resque-lua/installed")
      make "install"
      assert.same(before, tree(dest))
      assert.equal(list, proc.read(usr .. "/share/resque-lua/installed"))
    end)

    it("is undone by uninstall: nothing is left", function()
      assert.is_true(#tree(dest) > 40)
      make "uninstall"
      assert.same({}, tree(dest))
    end)
  end)

  -- The README's last block of code: packages, then make.
  it("is what the README says: its packages are those we build with, its commands do it", function()
    local blocks = pages.blocks "README.md"
    local packages, commands = {}, {}
    for line in blocks[#blocks].text:gmatch "[^\n]+" do
      local names = line:match "^apt%-get install ([^#]*)"
      for name in (names or ""):gmatch "%S+" do
        packages[name] = true
      end
      commands[#commands + 1] = not names and line:match "^make.*" or nil
    end
    for name in proc.read(world.root .. "/Makefile"):gmatch "[%w.>=-]+:(lib[%w.-]+%-dev)" do
      assert.is_true(packages[name], name)
    end
    assert.matches("^make *\n?$", commands[1])
    assert.equal(3, #commands)
    local env = { PATH = PATH, LC_ALL = "C.UTF-8", DESTDIR = dest, BUILD = BUILD }
    run({ "sh", "-euc", commands[2] }, { env = env })
    run { dest .. "/usr/local/bin/resque-lua", "version" }
    run({ "sh", "-euc", commands[3] }, { env = env })
    assert.same({}, tree(dest))
  end)

  it("install PREFIX=/opt/rl writes that into the files of conf", function()
    make("install", "PREFIX=/opt/rl")
    local share = dest .. "/opt/rl/share/resque-lua/"
    local seen = 0
    for _, name in ipairs { "resque-lua.sh", "resque-lua@.service", "resque.monit",
      "supervisord.conf" } do
      local text = proc.read(share .. name)
      assert.is_nil(text:find("/usr/local", 1, true), name)
      seen = seen + (text:find("/opt/rl/", 1, true) and 1 or 0)
    end
    assert.equal(4, seen)
    run { dest .. "/opt/rl/bin/resque-lua", "version" }
    assert.equal(tonumber("755", 8), uv.fs_stat(share .. "resque-lua.sh").mode & 511)
  end)

  it("uninstall leaves what was there before, and what others put there since", function()
    for _, name in ipairs { "", "/usr", "/usr/local", "/usr/local/bin", "/usr/local/share",
      "/usr/local/share/man" } do
      assert(uv.fs_mkdir(dest .. name, 493))
    end
    w:write("dest/usr/local/bin/other", "")
    local before = tree(dest)
    make "install"
    w:write("dest/usr/local/share/resque-lua/mine", "")
    make "uninstall"
    table.insert(before, "d /usr/local/share/resque-lua")
    table.insert(before, "f /usr/local/share/resque-lua/mine")
    table.sort(before)
    assert.same(before, tree(dest))
  end)

  it("uninstall of nothing says so", function()
    local _, err = make "uninstall"
    assert.truthy(err:find("nothing is installed in " .. dest .. "/usr/local", 1, true))
  end)

  it("dist makes a tarball that builds, runs and installs without git", function()
    run { "make", "-s", "BUILD=" .. w.dir, "dist" }
    local version = run({ BUILD .. "/resque-lua", "version" }):match "%d[%d.]*"
    local name = "resque-lua-" .. version
    run { "tar", "-C", w.dir, "-xzf", w.dir .. "/" .. name .. ".tar.gz" }
    local source = w.dir .. "/" .. name
    assert.is_false(exists(source .. "/.git"))
    -- git is not to be found, and the folder is below no repository.
    local env = { PATH = w.dir .. "/nogit:" .. PATH, LC_ALL = "C" }
    assert(uv.fs_mkdir(w.dir .. "/nogit", 493))
    w:write("nogit/git", "#!/bin/sh\nexit 1\n")
    assert(uv.fs_chmod(w.dir .. "/nogit/git", 493))
    run({ "make", "-s", "CFLAGS=-O1", "-j2", "SECCOMP=0", "install", "DESTDIR=" .. dest },
      { env = env, cwd = source })
    local out = run { dest .. "/usr/local/bin/resque-lua", "version" }
    assert.equal(("resque-lua %s\n"):format(version), out)
    -- It was built without libseccomp, and says so where that matters.
    local _, err = run({ dest .. "/usr/local/bin/resque-lua", "--burst" },
      { env = w:env { QUEUE = "a", SANDBOX = "strict" } })
    assert.truthy(err:find("SANDBOX=strict without seccomp (built without libseccomp", 1, true))
    out = run({ "sh", "-c", dest .. "/usr/local/bin/resque-lua doctor || true" },
      { env = w:env { SANDBOX = "strict" } })
    assert.truthy(out:find("\nwarn\tsandbox\tSANDBOX=strict without seccomp", 1, true))
    out = run({ dest .. "/usr/local/bin/resque-lua", "config" },
      { env = w:env { SANDBOX = "strict" } })
    assert.truthy(out:find("sandbox\tstrict (without seccomp)\tSANDBOX\n", 1, true))
  end)
end)
