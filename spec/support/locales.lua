--- Locales that write 1,5 and sort a before B; in one of them "i" is not a small "I". They are
-- compiled here (Debian's package `locales` has their sources), as none need be installed.
local uv = require "luv"
local folder = require "spec.support.folder"
local process = require "spec.support.process"

local locales = {}

locales.names = { "de_DE.UTF-8", "tr_TR.UTF-8" }

local made

--- A folder with all of them, for LOCPATH; removed by `finish`.
function locales.folder()
  local given = os.getenv "SPEC_LOCPATH" -- spec/run has them made once
  if given or made then
    return given or made
  end
  made = folder.make "locales"
  for _, name in ipairs(locales.names) do
    local source, charset = name:match "^(.-)%.(.*)$"
    local code, _, err = process.run({ "localedef", "-i", source, "-f", charset,
      made .. "/" .. name }, { dir = made, seconds = 60 })
    assert(code <= 1, err) -- 1: it has warned
  end
  return made
end

--- Sets one for this process. Messages stay English: specs compare them.
function locales.set(name)
  uv.os_setenv("LOCPATH", locales.folder())
  for _, category in ipairs { "numeric", "ctype", "time", "collate" } do
    assert(os.setlocale(name, category), name)
  end
end

function locales.finish()
  if made then
    folder.remove(made)
    made = nil
  end
end

return locales
