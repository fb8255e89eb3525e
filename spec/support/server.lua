--- A private redis-server for one spec file: Unix socket in a temporary folder, no persistence
-- unless asked for.
local uv = require "luv"
local resp = require "spec.support.resp"
local clock = require "spec.support.clock"
local process = require "spec.support.process"

local server = {}
local Server = {}
Server.__index = Server

-- Debian's redis-tools carries the server under the name of a tool; spec/setup.sh puts a link on
-- PATH.
local PROGRAM = os.getenv "REDIS_SERVER" or "redis-server"

--- A loopback port nobody listens on.
function server.free_port()
  local probe = uv.new_tcp()
  assert(probe:bind("127.0.0.1", 0))
  local port = probe:getsockname().port
  probe:close()
  return port
end

--- What this machine calls itself: localhost, unless nothing (/etc/hosts) knows that.
function server.name()
  return uv.getaddrinfo("localhost") and "localhost" or "127.0.0.1"
end

--- Starts one. opts: dir (required), tcp = true (also listens on a loopback port), args = more
-- arguments, wrap = words put before the program, program = another one
function server.start(opts)
  local self = setmetatable({
    dir = opts.dir, args = opts.args or {}, wrap = opts.wrap or {},
    program = opts.program or PROGRAM,
  }, Server)
  self.socket = opts.dir .. "/redis.sock"
  self.port = opts.tcp and server.free_port() or 0
  self:launch()
  return self
end

--- Starts the program (again, after kill or stop) with further arguments, and does not wait.
function Server:spawn(...)
  local args = { table.unpack(self.wrap) }
  for _, words in ipairs { {
    self.program, "--port", tostring(self.port), "--bind", "127.0.0.1", "--unixsocket", self.socket,
    "--dir", self.dir, "--save", "", "--appendonly", "no", "--loglevel", "warning",
  }, self.args, { ... } } do
    table.move(words, 1, #words, #args + 1, args)
  end
  os.remove(self.socket)
  -- What the sanitizers put before a plain lua5.4 does not get along with the allocator of Redis.
  local env = { LC_ALL = "C", LD_PRELOAD = false }
  self.process = process.start(args, { dir = self.dir, env = env })
  self.client = nil
end

--- Waits until it answers PING: it has loaded its data.
function Server:await()
  clock.wait_until(function()
    local client = resp.connect(self.socket)
    if client and client:try "PING" == "PONG" then
      self.client = client
      return true
    end
    return not self.process:running() and error("redis-server ended:\n" .. self.process:out(), 0)
  end, 10, "redis-server answers")
end

--- Starts it, and waits until it answers.
function Server:launch()
  self:spawn()
  self:await()
end

--- The address as REDIS_BACKEND takes it; over TCP when the server was started so and `tcp` is
-- true.
function Server:backend(tcp)
  return tcp and "127.0.0.1:" .. self.port or "unix://" .. self.socket
end

--- A command by a connection of the spec's own; an error reply raises.
function Server:call(...)
  return self.client:call(...)
end

--- kill -9, as a crash. `launch` brings it back, empty.
function Server:kill()
  self.client:close()
  self.process:finish()
end

Server.stop = Server.kill

--- Calls per command so far: name -> number (INFO commandstats).
function Server:command_counts()
  local counts = {}
  for name, calls in self:call("INFO", "commandstats"):gmatch "cmdstat_([%w|_-]+):calls=(%d+)" do
    counts[name] = tonumber(calls)
  end
  return counts
end

return server
