--- Run by busted before the spec files: nothing is left behind at the end, whatever happened.
-- What is loaded here is what the spec files get, too: busted forgets only what they load
-- themselves. SPEC_LOCALE: everything happens under that locale.
local busted = require "busted"
local folder = require "spec.support.folder"
local locales = require "spec.support.locales"
if os.getenv "SPEC_LOCALE" then
  locales.set(os.getenv "SPEC_LOCALE") -- before cjson, which the specs use, asks for it
end
local process = require "spec.support.process"
local world = require "spec.support.world"

busted.subscribe({ "suite", "end" }, function()
  world.finish()
  process.finish_all()
  locales.finish()
  folder.finish()
  return nil, true
end)
