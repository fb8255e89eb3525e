--- beforeFork runs in the worker, whose state is kept: it follows every file that made it.
local clock = require "spec.support.clock"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

describe("a beforeFork hook that is changed under a running worker:", function()
  local w <const> = scene.fresh()
  local run, done

  before_each(function()
    w:write_jobs("jobs.lua", 'resque.job("Noop").perform = function() end')
    done = 0
  end)

  local function hook(text)
    return ('require("resque").on("beforeFork", function() dofile %q.write %q end)'):format(
      world.fixtures .. "/ledger.lua", text)
  end

  local function start(include)
    run = w:start_idle({ APP_INCLUDE = include }, { cwd = w.dir })
  end

  -- One job through the worker; what the hook wrote.
  local function wrote()
    w:job "Noop"
    done = done + 1
    w:wait_processed(done)
    local lines = w:ledger()
    assert.equal(done, #lines)
    return lines[done]
  end

  -- What brings the hook in: APP_INCLUDE, and hooks.lua if the hook is in another file.
  local ways = {
    { "a file of APP_INCLUDE", "jobs.lua,hooks.lua" },
    { "a file of APP_INCLUDE behind a blank", "jobs.lua, hooks.lua" },
    { "a file of a list with empty items", " jobs.lua ,, hooks.lua , " },
    { "a module beside it", "jobs.lua,main.lua", 'require "hooks"' },
    { "a module elsewhere", "jobs.lua,main.lua",
      'package.path = "./below/?.lua;" .. package.path require "mine"', "below/mine.lua" },
    { "a module of a module", "jobs.lua,main.lua", 'require "between"', nil, 'require "hooks"' },
    { "a file that dofile runs", "jobs.lua,main.lua", 'dofile "hooks.lua"' },
    { "a file that loadfile reads", "jobs.lua,main.lua", 'assert(loadfile("hooks.lua"))()' },
  }

  for _, way in ipairs(ways) do
    it("in " .. way[1], function()
      local name, main, file, between = "hooks.lua", way[3], way[4], way[5]
      if file then
        assert(require("luv").fs_mkdir(w.dir .. "/below", 493))
        name = file
      end
      w:write(name, hook "one")
      w:write("main.lua", main or "")
      w:write("between.lua", between or "")
      start(way[2])
      assert.same({ "one", "one" }, { wrote(), wrote() })
      w:write(name, hook "two")
      assert.equal("two", wrote())
    end)
  end

  it("the state is kept while no file changes", function()
    w:write("hooks.lua", [[local times = 0
      require("resque").on("beforeFork", function()
        times = times + 1
        dofile(os.getenv "LEDGER_MODULE").write(times)
      end)]])
    run = w:start_idle({ APP_INCLUDE = "jobs.lua, hooks.lua",
      LEDGER_MODULE = world.fixtures .. "/ledger.lua" }, { cwd = w.dir })
    assert.same({ "1", "2", "3" }, { wrote(), wrote(), wrote() })
  end)

  it("HUP has it loaded again, whatever else it was made of", function()
    w:write("hooks.lua", [[local file = assert(io.open "word")
      local word = file:read "a"
      file:close()
      require("resque").on("beforeFork", function()
        dofile(os.getenv "LEDGER_MODULE").write(word)
      end)]])
    w:write("word", "one")
    run = w:start_idle({ APP_INCLUDE = "jobs.lua,hooks.lua",
      LEDGER_MODULE = world.fixtures .. "/ledger.lua" }, { cwd = w.dir })
    assert.equal("one", wrote())
    w:write("word", "two")
    assert.equal("one", wrote())
    run:signal "sighup"
    clock.wait_until(function()
      return wrote() == "two"
    end, 5, "the hook is the new one")
  end)
end)
