--- Run by busted before the spec files: nothing is left behind at the end, whatever happened.
-- What is loaded here is what the spec files get, too: busted forgets only what they load
-- themselves.
local busted = require "busted"
local process = require "spec.support.process"
local world = require "spec.support.world"

busted.subscribe({ "suite", "end" }, function()
  world.finish()
  process.finish_all()
  return nil, true
end)
