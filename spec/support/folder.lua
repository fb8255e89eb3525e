--- Folders for what a spec writes: made below TMPDIR, removed with all that is in them.
local uv = require "luv"

local folder = {}

local made = {}

--- Makes one. Returns its path.
-- @param name what it is for, as it shows in the path
function folder.make(name)
  local pattern = ("%s/resque-%s.XXXXXX"):format(os.getenv "TMPDIR" or "/tmp", name)
  local path = assert(uv.fs_mkdtemp(pattern))
  made[path] = true
  return path
end

--- Removes one, whatever is in it.
function folder.remove(path)
  local scan = uv.fs_scandir(path)
  while scan do
    local name, kind = uv.fs_scandir_next(scan)
    if not name then
      break
    end
    if kind == "directory" then
      folder.remove(path .. "/" .. name)
    else
      os.remove(path .. "/" .. name)
    end
  end
  uv.fs_rmdir(path)
  made[path] = nil
end

--- Removes all that are still there: of tests that did not come to that.
function folder.finish()
  for path in pairs(made) do
    folder.remove(path)
  end
end

return folder
