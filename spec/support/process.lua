--- Processes of a spec: start, signal, wait, read what they wrote. Output goes to files, so nobody
-- blocks on a full pipe and what a killed process wrote is still there. Everything started here
-- dies with the spec process.
local uv = require "luv"
local clock = require "spec.support.clock"

local process = {}
local Process = {}
Process.__index = Process

local started = {}
local serial = 0

-- Proxies write to programs that have left: for the specs that is an error, not the end.
local broken_pipe = uv.new_signal()
broken_pipe:start "sigpipe"
broken_pipe:unref()

local function environment(extra, clean)
  local all = clean and {} or uv.os_environ()
  for name, value in pairs(extra or {}) do
    all[name] = value or nil
  end
  local list = {}
  for name, value in pairs(all) do
    list[#list + 1] = name .. "=" .. tostring(value)
  end
  return list
end

local function slurp(path)
  local file = io.open(path, "rb")
  if not file then
    return ""
  end
  local text = file:read "a"
  file:close()
  return text
end

-- Files for one process: stdin, stdout, stderr as descriptors.
local function open_stdio(self, base, stdin)
  local append = uv.constants.O_WRONLY | uv.constants.O_CREAT | uv.constants.O_APPEND
  self.out_path, self.err_path = base .. ".out", base .. ".err"
  local input_path = "/dev/null"
  if stdin then
    input_path = base .. ".in"
    local file = assert(io.open(input_path, "wb"))
    file:write(stdin)
    file:close()
  end
  return {
    assert(uv.fs_open(input_path, uv.constants.O_RDONLY, 0)),
    assert(uv.fs_open(self.out_path, append, 384)),
    assert(uv.fs_open(self.err_path, append, 384)),
  }
end

--- Starts a program; it is killed when the spec process ends.
-- @param args list: program and its arguments
-- @param opts env = {NAME=text, NAME=false removes}, clean = true (nothing inherited), cwd,
--   dir (where the output files go), stdin = text
function process.start(args, opts)
  serial = serial + 1
  local self = setmetatable({ args = args }, Process)
  local stdio = open_stdio(self, ("%s/p%d"):format(assert(opts.dir, "dir"), serial), opts.stdin)
  uv.disable_stdio_inheritance() -- whatever else is open here (Redis sockets) is not its business
  local handle, pid = uv.spawn("/usr/bin/setpriv", {
    args = { "--pdeathsig", "KILL", "--", table.unpack(args) },
    env = environment(opts.env, opts.clean),
    cwd = opts.cwd,
    detached = true, -- a session of its own: no terminal, whoever runs the specs
    stdio = stdio,
  }, function(code, signal)
    self.code, self.signal, self.ended_at = code, signal, clock.now()
    self.handle:close()
  end)
  for _, fd in ipairs(stdio) do
    uv.fs_close(fd)
  end
  if not handle then
    error(("cannot start %s: %s"):format(args[1], pid), 2)
  end
  self.handle, self.pid = handle, pid
  started[pid] = self
  return self
end

--- Runs a program to its end. Returns exit code (128 + n for signal n), stdout, stderr.
function process.run(args, opts)
  local p = process.start(args, opts)
  p:wait(opts and opts.seconds or 20)
  return p.signal ~= 0 and 128 + p.signal or p.code, p:out(), p:err()
end

function Process:out()
  return slurp(self.out_path)
end

function Process:err()
  return slurp(self.err_path)
end

function Process:running()
  uv.run "nowait"
  return self.code == nil
end

--- Raises what it wrote when it has failed: then what a spec waits for will not come.
function Process:must_not_fail()
  if not self:running() and (self.code ~= 0 or self.signal ~= 0) then
    local wrote = (self:err() .. self:out()):sub(-2000)
    error(("%s ended with exit code %d, signal %d; it wrote:\n%s"):format(
      table.concat(self.args, " "), self.code, self.signal, wrote), 0)
  end
end

function Process:signal_now(name)
  return uv.kill(self.pid, name)
end

--- Waits for the end; returns code, signal (0 when it exited by itself).
function Process:wait(seconds)
  clock.wait_until(function()
    return self.code ~= nil
  end, seconds, function()
    return ("%s ended; it wrote:\n%s"):format(table.concat(self.args, " "), self:err():sub(-2000))
  end)
  return self.code, self.signal
end

--- Waits until stderr (or stdout) contains the Lua pattern; returns the captures. A program that
-- fails before it writes that is not waited for.
function Process:wait_for(pattern, seconds)
  local failed
  return clock.wait_until(function()
    local found = table.pack((self:err() .. self:out()):match(pattern))
    if not found[1] and failed then
      self:must_not_fail()
    end
    failed = not self:running() -- what it wrote at last is looked at once more
    return table.unpack(found, 1, found.n)
  end, seconds, function()
    return ("it wrote %q; it wrote:\n%s"):format(pattern, (self:err() .. self:out()):sub(-2000))
  end)
end

--- Ends one process for good and waits for it.
function Process:finish()
  if self:running() then
    uv.kill(self.pid, "sigcont")
    uv.kill(self.pid, "sigkill")
    self:wait(5)
  end
end

--- Ends everything that was started and still runs.
function process.finish_all()
  for pid, p in pairs(started) do
    p:finish()
    started[pid] = nil
  end
end

return process
