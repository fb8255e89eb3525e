--- A Redis client for specs, on luasocket: enough RESP2 to send bytes and read any reply. It
-- shares no code with the product, so that what the product wrote is seen by somebody else. No
-- reconnecting, no time-outs.
local unix = require "socket.unix"

local resp = {}

local Client = {}
Client.__index = Client

--- Connects to the server on this Unix socket. Returns the client, or nil and the reason.
function resp.connect(path)
  local socket = assert(unix())
  local ok, err = socket:connect(path)
  if not ok then
    socket:close()
    return nil, err
  end
  return setmetatable({ socket = socket }, Client)
end

local function encode(args)
  local parts = { ("*%d\r\n"):format(#args) }
  for i, arg in ipairs(args) do
    local text = tostring(arg)
    parts[i + 1] = ("$%d\r\n%s\r\n"):format(#text, text)
  end
  return table.concat(parts)
end

local function read_bulk(socket, len)
  if len < 0 then
    return nil
  end
  return (assert(socket:receive(len + 2)):sub(1, len))
end

-- Bulk and status -> string, integer -> integer, nil -> nil (false inside an array), array ->
-- table, error -> a table with the field err.
local function read(socket)
  local line = assert(socket:receive "*l")
  local kind, rest = line:sub(1, 1), line:sub(2)
  if kind == "$" then
    return read_bulk(socket, tonumber(rest))
  elseif kind == "+" then
    return rest
  elseif kind == ":" then
    return math.tointeger(rest)
  elseif kind == "-" then
    return { err = rest }
  end
  assert(kind == "*", "not RESP: " .. line)
  local list = {}
  for i = 1, tonumber(rest) do
    local value = read(socket)
    list[i] = value == nil and false or value
  end
  return list
end

--- Sends one command and does not wait; `read` gives the reply.
function Client:send(...)
  assert(self.socket:send(encode { ... }))
end

--- The next reply as above, an error reply included.
function Client:read()
  return read(self.socket)
end

--- Sends one command. Returns its reply.
function Client:try(...)
  self:send(...)
  return self:read()
end

--- The same; an error reply raises.
function Client:call(...)
  local reply = self:try(...)
  if type(reply) == "table" and reply.err then
    error(reply.err, 2)
  end
  return reply
end

function Client:close()
  self.socket:close()
end

return resp
