--- Hooks that take no notice of their time limit: they run in the worker, which hears no signal
-- meanwhile.
local uv = require "luv"
local clock = require "spec.support.clock"
local scene = require "spec.support.scene"

local STUCK = {
  ["sleeps in another program"] = 'os.execute "sleep 600"',
  ["catches every error"] = "while true do pcall(function() while true do end end) end",
}

describe("a beforeFork hook that", function()
  local w <const> = scene.fresh()

  for what, code in pairs(STUCK) do
    it(what .. " keeps neither the program from ending nor the job", function()
      local file = w:write_jobs("stuck.lua", ([[
        local resque = require "resque"
        resque.job("Noop").perform = function() end
        resque.on("beforeFork", function()
          io.open(os.getenv "GATES" .. "/entered", "w"):close()
          %s
        end)]]):format(code))
      local run = w:start_idle { APP_INCLUDE = file }
      w:job("Noop", {})
      clock.wait_until(function()
        return uv.fs_stat(w.dir .. "/entered")
      end, 5, "the hook runs")
      run:signal "sigterm"
      assert.equal(0, (run.process:wait(15)))
      assert.matches("has died %(reaped%); its job had not started and is put back", run:err())
      assert.equal(1, w:queued "default")
      local account = w:account()
      assert.equal(0, account.processed + account.working)
    end)
  end
end)
