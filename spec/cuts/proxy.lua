--- Stands between a worker and Redis, on Unix sockets, and does one thing wrong at one byte of one
-- exchange. It knows where a command and a reply end, and what a command is for: so a place keeps
-- its name ("done#2", byte 37 on the way out) however often the worker had to try before.
--
-- The first connection of a run is the manager's and passes untouched; the others are the worker's,
-- and the manager's for orders (SUBSCRIBE), which may be lost without harm.
local uv = require "luv"

local proxy = {}
local Proxy = {}
Proxy.__index = Proxy

local PAUSE_MS = { delay = 4, split = 0 }

--- Where the RESP value that begins at `at` is over: the position after it, or nil if it is not all
-- there. Commands and replies are such values.
function proxy.value_end(bytes, at)
  local kind, number, past = bytes:match("^([%+%-:%$%*])([^\r]*)\r\n()", at)
  if kind == "$" and tonumber(number) >= 0 then
    past = past + tonumber(number) + 2
    return past <= #bytes + 1 and past or nil
  elseif kind == "*" then
    for _ = 1, tonumber(number) do
      past = past and proxy.value_end(bytes, past)
    end
  end
  return past
end

local function close(handle)
  if handle and not handle:is_closing() then
    handle:close()
  end
end

-- ---- one direction of one connection: writes and pauses, one after the other

local Lane = {}
Lane.__index = Lane

function Lane:go_on()
  local step = not self.busy and table.remove(self.steps, 1)
  if step then
    self.busy = true
    step(function()
      self.busy = false
      self:go_on()
    end)
  end
end

function Lane:add(step)
  table.insert(self.steps, step)
  self:go_on()
end

function Lane:write(bytes)
  if bytes == "" then
    return
  end
  self:add(function(done)
    if self.pipe:is_closing() then
      return done()
    end
    self.pipe:write(bytes, done)
  end)
end

function Lane:pause(ms)
  self:add(function(done)
    local timer = uv.new_timer()
    timer:start(ms, 0, function()
      timer:close()
      done()
    end)
  end)
end

function Lane:close()
  self:add(function(done)
    close(self.pipe)
    done()
  end)
end

-- ---- faults: each is given the lane, the bytes of one whole command or reply, and where

local faults = {}

-- Both ends are gone after n bytes; what has passed is still delivered.
function faults.cut(_, link, to, bytes, n)
  to:write(bytes:sub(1, n))
  link.client:close()
  link.server:close()
end

-- The worker sees a cut. The rest of its command waits, and comes when nobody expects it any more.
function faults.hold(self, link, to, bytes, n)
  to:write(bytes:sub(1, n))
  link.client:close()
  self.held = { link = link, rest = bytes:sub(n + 1), commands = self.fault.later }
end

function faults.delay(self, _, to, bytes, n)
  to:write(bytes:sub(1, n))
  to:pause(PAUSE_MS[self.fault.mode])
  to:write(bytes:sub(n + 1))
end
faults.split = faults.delay

-- Whether the fault of this run is meant for this exchange. One without a place strikes them all.
function Proxy:strikes(label, way)
  local fault = self.fault
  if not fault or self.struck and fault.label then
    return false
  end
  local here = not fault.label or fault.label == label and fault.way == way
  self.struck = self.struck or here and label
  return here
end

function Proxy:pass(link, to, way, label, bytes)
  if self:strikes(label, way) then
    faults[self.fault.mode](self, link, to, bytes, math.min(self.fault.at, #bytes))
  else
    to:write(bytes)
  end
end

-- ---- commands and replies

-- What is held comes after so many commands that went another way.
function Proxy:count_held()
  if self.held and self.held.commands then
    self.held.commands = self.held.commands - 1
    if self.held.commands <= 0 then
      self:deliver()
    end
  end
end

function Proxy:command(link, bytes)
  local name = self.name(bytes)
  self.times[name] = (self.times[name] or 0) + 1
  local exchange = { label = name .. "#" .. self.times[name], out = #bytes, back = 0 }
  table.insert(self.exchanges, exchange)
  table.insert(link.waiting, exchange)
  if self.before then
    self.before(exchange.label)
  end
  self:count_held()
  self:pass(link, link.server, "out", exchange.label, bytes)
end

function Proxy:reply(link, bytes)
  local exchange = table.remove(link.waiting, 1)
  if not exchange then -- a message on a subscribed connection
    return link.client:write(bytes)
  end
  exchange.back = #bytes
  if link.client.pipe:is_closing() then
    link.server:close() -- nobody is there to be told
    return
  end
  self:pass(link, link.client, "back", exchange.label, bytes)
end

-- Calls `take` with each whole value that has come from `from`; closes both when that one does.
local function follow(from, to, take)
  local buffer = ""
  from.pipe:read_start(function(err, bytes)
    if err or not bytes then
      close(from.pipe)
      return to:close()
    end
    buffer = buffer .. bytes
    local at = 1
    local past = proxy.value_end(buffer, at)
    while past do
      take(buffer:sub(at, past - 1))
      at, past = past, proxy.value_end(buffer, past)
    end
    buffer = buffer:sub(at)
  end)
end

-- ---- the proxy

-- Between a pipe that somebody connected and one to Redis: as it is, or under our eyes.
function Proxy:join(link, untouched)
  follow(link.client, link.server, function(bytes)
    if untouched then
      return link.server:write(bytes)
    end
    self:command(link, bytes)
  end)
  follow(link.server, link.client, function(bytes)
    if untouched then
      return link.client:write(bytes)
    end
    self:reply(link, bytes)
  end)
end

function Proxy:accept()
  local client, server = uv.new_pipe(false), uv.new_pipe(false)
  self.listener:accept(client)
  local link = { waiting = {}, client = setmetatable({ pipe = client, steps = {} }, Lane),
    server = setmetatable({ pipe = server, steps = {} }, Lane) }
  table.insert(self.links, link)
  local of_manager = #self.links == 1
  server:connect(self.target, function(err)
    if err then
      close(client)
      return close(server)
    end
    self:join(link, of_manager)
  end)
end

--- Opens one. `name` tells what a command is for from its bytes: a word.
function proxy.open(listen, target, name)
  local self = setmetatable({ target = target, name = name, links = {} }, Proxy)
  self.listener = uv.new_pipe(false)
  assert(self.listener:bind(listen))
  assert(self.listener:listen(16, function()
    self:accept()
  end))
  self:begin()
  return self
end

--- A new run.
-- @param fault mode = "cut" | "hold" | "delay" | "split", at = bytes that pass before it; label and
--   way ("out" or "back") of the exchange, or neither: every exchange. hold: `later` is after how
--   many further commands the rest is delivered, nil = not before `deliver`.
-- @param before called with each label before the command passes
function Proxy:begin(fault, before)
  for _, link in ipairs(self.links) do
    close(link.client.pipe)
    close(link.server.pipe)
  end
  self.links, self.times, self.exchanges = {}, {}, {}
  self.fault, self.before, self.struck, self.held = fault, before, nil, nil
end

--- Sends Redis the rest of a command that was held. True if there was one.
function Proxy:deliver()
  local held = self.held
  self.held = nil
  if held then
    held.link.server:write(held.rest)
  end
  return held ~= nil
end

--- Whether all connections of this run have ended, with what was still on its way to Redis.
function Proxy:settled()
  for _, link in ipairs(self.links) do
    if not link.server.pipe:is_closing() or not link.client.pipe:is_closing() then
      return false
    end
  end
  return true
end

function Proxy:close()
  self:begin()
  close(self.listener)
end

return proxy
