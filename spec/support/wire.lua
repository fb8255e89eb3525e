--- A wire between programs and Redis, on Unix sockets: slow, or dead at both ends without either
-- being told (half-open). It moves while the spec waits for something (clock.wait_until).
local uv = require "luv"

local wire = {}
local Wire = {}
Wire.__index = Wire

local function close(pipe)
  if not pipe:is_closing() then
    pipe:close()
  end
end

-- What comes at one end leaves at the other after a while, in order.
local function carry(self, link, from, to)
  from:read_start(function(err, bytes)
    local cut = self.cut and from == link[1] and bytes and bytes:find(self.cut, 1, true)
    if err or not bytes or cut then
      self.cut = not cut and self.cut or nil
      close(from)
      return close(to)
    end
    local timer = uv.new_timer()
    timer:start(self.delay_ms, 0, function()
      timer:close()
      if not link.dead and not (link.mute and from == link[2]) and not to:is_closing() then
        to:write(bytes)
      end
    end)
  end)
end

function Wire:accept()
  local link = { uv.new_pipe(false), uv.new_pipe(false) }
  self.listener:accept(link[1])
  table.insert(self.links, link)
  link[2]:connect(self.target, function(err)
    if err then
      close(link[1])
      return close(link[2])
    end
    carry(self, link, link[1], link[2])
    carry(self, link, link[2], link[1])
  end)
end

--- Opens one.
-- @param listen path of the socket for programs
-- @param target path of Redis's
-- @param delay seconds that bytes take, each way
function wire.open(listen, target, delay)
  local self = setmetatable({ target = target, delay_ms = delay * 1000 // 1, links = {} }, Wire)
  self.listener = uv.new_pipe(false)
  assert(self.listener:bind(listen))
  assert(self.listener:listen(64, function()
    self:accept()
  end))
  return self
end

--- From now on nothing passes on the connections that there are; new ones work.
function Wire:die()
  for _, link in ipairs(self.links) do
    link.dead = true
  end
end

--- From now on nothing that Redis says comes through on the connections that there are; what
-- programs say does.
function Wire:mute()
  for _, link in ipairs(self.links) do
    link.mute = true
  end
end

--- Closes one connection, as soon as its program says this, which does not come through. Then `cut`
-- is nil again.
function Wire:cut_at(text)
  self.cut = text
end

function Wire:close()
  for _, link in ipairs(self.links) do
    close(link[1])
    close(link[2])
  end
  close(self.listener)
end

return wire
