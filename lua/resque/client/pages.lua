--- Goes through a queue that may hold a million jobs: in pages small enough that neither Redis nor
-- this process has to hold much at a time.
-- @module resque.client.pages
local pages = {}

-- Jobs in one LRANGE: at most, and at first, until their size is known.
local MOST, FIRST = 1000, 50
-- Bytes that a page should have. A job may be 16 MB.
local BYTES = 512 * 1024

local function next_size(page)
  local bytes = 0
  for i = 1, #page do
    bytes = bytes + #page[i]
  end
  return math.max(1, math.min(MOST, BYTES * #page // math.max(bytes, 1)))
end

--- Shows every job of a queue, from the tail on: pops and pushes meanwhile make it miss none, but
-- it may show one twice.
-- @tparam connection conn
-- @tparam string key
-- @tparam function visit gets the bytes of a job and how many are behind it; true ends the search
-- @treturn[1] boolean whether `visit` has ended it
-- @treturn[2] nil
-- @treturn[2] string error message
-- @treturn[2] ?string its kind, see resque.connection
function pages.each(conn, key, visit)
  local behind, size = 0, FIRST
  while true do
    local page, err, trouble = conn:call("LRANGE", key, -behind - size, -behind - 1)
    if not page then
      return nil, err, trouble
    end
    for i = #page, 1, -1 do
      if visit(page[i], behind + #page - i) then
        return true
      end
    end
    if #page < size then
      return false
    end
    behind = behind + size
    size = next_size(page)
  end
end

return pages
