--- Reads lines of standard input without waiting longer than asked.
--
-- io.lines would block until a line is there, and the jobs of a slow producer would lie in a
-- half-full batch until then.
-- @module resque.cli.input
local sys = require "resque.sys"

local input = {}
local Input = {}
Input.__index = Input

--- A reader of a descriptor.
-- @tparam[opt=0] integer fd
-- @treturn table with `next(seconds)` and `number`, the lines so far
function input.new(fd)
  return setmetatable({ fd = fd or 0, chunk = "", pos = 1, pieces = {}, number = 0 }, Input)
end

-- Keeps the rest of the chunk, which belongs to a line whose end is not there yet.
function Input:keep_rest()
  if self.pos <= #self.chunk then
    self.pieces[#self.pieces + 1] = self.chunk:sub(self.pos)
  end
  self.chunk, self.pos = "", 1
end

function Input:finish_line(text)
  self.number = self.number + 1
  if self.pieces[1] then
    self.pieces[#self.pieces + 1] = text
    text = table.concat(self.pieces)
    self.pieces = {}
  end
  if self.number == 1 then
    text = text:gsub("^\xEF\xBB\xBF", "") -- the byte order mark of other systems' editors
  end
  return text
end

--- The next line, without its end.
-- @tparam ?number seconds to wait at most; nil: as long as it takes
-- @treturn[1] string
-- @treturn[2] nil
-- @treturn[2] string "end", "later", or an error message
function Input:next(seconds)
  while true do
    local stop = self.chunk:find("\n", self.pos, true)
    if stop then
      local text = self.chunk:sub(self.pos, stop - 1)
      self.pos = stop + 1
      return self:finish_line(text)
    end
    self:keep_rest()
    local chunk, why = sys.read(self.fd, seconds)
    if chunk then
      self.chunk = chunk
    elseif why == "end" and self.pieces[1] then
      return self:finish_line ""
    else
      return nil, why
    end
  end
end

--- How many lines there are, when standard input is a file.
-- @treturn ?integer nil: nobody can know
function input.count()
  local file = io.open("/dev/stdin", "rb")
  local count
  if file and file:seek "end" then
    file:seek "set"
    count = 0
    for chunk in file:lines(65536) do
      count = count + select(2, chunk:gsub("\n", ""))
    end
  end
  if file then
    file:close()
  end
  return count
end

return input
