--- Folders for what a spec writes: made below TMPDIR, removed with all that is in them.
local uv = require "luv"

local folder = {}

--- Makes one. Returns its path.
-- @param name what it is for, as it shows in the path
function folder.make(name)
  return assert(uv.fs_mkdtemp(("%s/resque-%s.XXXXXX"):format(os.getenv "TMPDIR" or "/tmp", name)))
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
end

return folder
