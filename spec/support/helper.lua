--- Run by busted before the spec files: nothing is left behind at the end, whatever happened.
local busted = require "busted"

busted.subscribe({ "suite", "end" }, function()
  local world = package.loaded["spec.support.world"]
  local process = package.loaded["spec.support.process"]
  if world then
    world.finish()
  end
  if process then
    process.finish_all()
  end
  return nil, true
end)
