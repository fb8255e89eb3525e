--- The Redis connection of this process and the names of keys.
--
-- The connection is opened at first use and never inherited: after a fork the first command opens
-- another. Jobs use `redis(...)`; resque.queue and resque.status use `own`.
-- @module resque.connection
local net = require "resque.net"
local sys = require "resque.sys"

local connection = {}

local address -- nil: where the program's settings or the environment say
local current -- nil: not opened yet
local prefix

--- Names another Redis. Nothing is opened before the first command.
-- @tparam[opt] string where as REDIS_BACKEND takes it: "host", "host:port", "redis://...",
--   "unix://..."; nil: back to the settings (plain lua5.4: REDIS_BACKEND, REDIS_URL, localhost)
-- @usage resque.set_backend("localhost:6379")
function connection.set_backend(where)
  if sys.confined then
    error("set_backend is closed by SANDBOX=strict", 2)
  elseif where ~= nil and type(where) ~= "string" then
    error("set_backend: an address expected, got " .. type(where), 2)
  end
  if current then
    current:close()
  end
  address, current = where, nil
end

-- Warns where the server has ignored the address's user or password (an old one knows no users,
-- another asks for no password). The program has said so at its start, so its jobs do not.
local function warn_once(conn)
  local remark = conn:remark()
  if remark and sys.where ~= "job" then
    sys.log("warn", ("Redis at %s %s"):format(conn:where(), remark))
  end
end

--- The connection, opened if it is not yet.
-- @treturn[1] connection (resque.net): `call`, `pipeline`, `where`
-- @treturn[2] nil
-- @treturn[2] string why it cannot be opened
-- @treturn[2] ?string "unreachable", "refused" (Redis is there, and said why not), "denied" or
--   "not_redis"; nil: the address cannot be read
function connection.default()
  if not current then
    local conn, err, trouble = net.connect(address)
    if not conn then
      return nil, err, trouble
    end
    current = conn
    warn_once(conn)
  end
  return current
end

--- As `default`, for resque's own commands, which must not get between a user's MULTI and EXEC.
-- @return as `default`
function connection.own()
  local conn, err, trouble = connection.default()
  if conn and conn:in_transaction() then
    return nil, "resque.redis is inside a transaction: MULTI or WATCH was not ended"
  end
  return conn, err, trouble
end

--- The worker's Redis, whatever set_backend says.
-- @return as `default`
function connection.home()
  if address then
    return net.connect()
  end
  return connection.own()
end

-- ------------------------------------------------------------------------------------------- keys

local function with_colon(text)
  return (text == "" or text:sub(-1) == ":") and text or text .. ":"
end

local function first_prefix()
  if sys.where ~= "plain" then
    return sys.settings.prefix
  end
  local text = os.getenv "PREFIX" or "resque"
  if text:find "^([\"']).*%1$" or text:find "%s#" then
    error("PREFIX has quotes around it or a comment behind it, which would be part of every key"
      .. " (hint: docker's --env-file keeps them: write PREFIX=name)", 0)
  end
  return with_colon(text)
end

--- A key of Resque's: the prefix and the name.
-- @tparam string name such as "queue:mail"
-- @treturn string
-- @usage resque.redis("LLEN", resque.key("queue:mail"))
function connection.key(name)
  prefix = prefix or first_prefix()
  return prefix .. name
end

--- Sets the prefix of keys; PREFIX and --prefix set it, too.
-- @tparam string text a missing ":" is added; "" is none
function connection.set_prefix(text)
  if type(text) ~= "string" then
    error("set_prefix: a string expected, got " .. type(text), 2)
  end
  prefix = with_colon(text)
end

-- ------------------------------------------------------------------------------------------ redis

local redis = {}
connection.redis = redis

--- Sends several commands in one round trip.
-- @function redis.pipeline
-- @tparam function fill gets a function that takes one command as `redis` does
-- @treturn[1] table one value per command; nil is resque.null, an error reply is {err = text}
-- @treturn[2] nil
-- @treturn[2] string what happened to the connection
-- @usage resque.redis.pipeline(function(p) p("INCR", "a") p("INCR", "b") end)
function redis.pipeline(fill)
  local commands = {}
  fill(function(...)
    commands[#commands + 1] = { ... }
  end)
  local conn, err, trouble = connection.default()
  if not conn then
    return nil, err, trouble
  end
  return conn:pipeline(commands)
end

--- Sends one command. Keys are not prefixed: see `key`.
-- @function redis
-- @tparam string name
-- @param ... strings and numbers
-- @return[1] the reply: string, integer, table, or nil
-- @treturn[2] nil
-- @treturn[2] string an error reply, or what happened to the connection
-- @usage local count, err = resque.redis("HINCRBY", "seen", "chris", 1)
setmetatable(redis, {
  __call = function(_, ...)
    local conn, err, trouble = connection.default()
    if not conn then
      return nil, err, trouble
    end
    return conn:call(...)
  end,
})

return connection
