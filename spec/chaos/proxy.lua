--- Stands between a fleet and Redis, on loopback, and loses answers: what was asked is carried out,
-- and the one who asked does not learn it.
--
--   lua5.4 spec/chaos/proxy.lua REDIS_PORT
--
-- Prints `port N`, where it listens.
-- SIGUSR1: the next answer is dropped and its connection cut. SIGUSR2: half of it arrives.
local uv = require "luv"

-- A peer that has left is an error of write, not the end of this program.
local broken_pipe = uv.new_signal()
broken_pipe:start "sigpipe"
broken_pipe:unref()

local REDIS_PORT = math.tointeger(arg[1])
local lose -- how many bytes of the next answer get through: nil, 0, or "half"

local function close(...)
  for _, handle in ipairs { ... } do
    if not handle:is_closing() then
      handle:close()
    end
  end
end

local function pass_on(from, to, answers)
  from:read_start(function(err, data)
    if err or not data then
      return close(from, to)
    end
    if not answers or not lose then
      return to:write(data)
    end
    local part = lose == "half" and data:sub(1, #data // 2) or ""
    lose = nil
    to:write(part, function()
      close(from, to)
    end)
  end)
end

local function serve(listener)
  local client, redis = uv.new_tcp(), uv.new_tcp()
  assert(listener:accept(client))
  redis:connect("127.0.0.1", REDIS_PORT, function(err)
    if err or client:is_closing() then
      return close(client, redis)
    end
    client:nodelay(true)
    redis:nodelay(true)
    pass_on(client, redis, false)
    pass_on(redis, client, true)
  end)
end

local function on(name, act)
  uv.new_signal():start(name, act)
end

on("sigusr1", function()
  lose = 0
end)
on("sigusr2", function()
  lose = "half"
end)
local listener = uv.new_tcp()
assert(listener:bind("127.0.0.1", 0))
assert(listener:listen(64, function()
  serve(listener)
end))
io.write("port ", listener:getsockname().port, "\n")
io.flush()
uv.run()
