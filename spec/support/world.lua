--- What a system spec stands on: a private Redis, the real program, a ledger that jobs write to,
-- and short words for what is in Redis. One world per test; nothing of it is left after close().
local cjson = require "cjson"
local uv = require "luv"
local clock = require "spec.support.clock"
local folder = require "spec.support.folder"
local proc = require "spec.support.proc"
local process = require "spec.support.process"
local running = require "spec.support.running"
local server = require "spec.support.server"

local world = {}
local World = {}
World.__index = World

world.root = uv.fs_realpath "."
world.fixtures = world.root .. "/spec/fixtures"
world.build = os.getenv "RESQUE_BUILD" or "build"
world.build = uv.fs_realpath(world.build) or world.build
world.program = world.build .. "/resque-lua"
world.enqueue_program = world.build .. "/resque-enqueue"

local shared, serial = nil, 0

--- The server of this spec file, started when first asked for.
-- @param opts as server.start, used by the first call only
function world.server(opts)
  if not shared then
    opts = opts or {}
    opts.dir = opts.dir or folder.make "spec"
    shared = server.start(opts)
  end
  return shared
end

--- A world before its open().
function world.unopened()
  return setmetatable({}, World)
end

--- A new world, opened.
-- @param opts as world.server
function world.new(opts)
  local self = world.unopened()
  self:open(opts)
  return self
end

--- Makes it a new world, whatever it was: empty Redis, own prefix, own folder.
function World:open(opts)
  for name in pairs(self) do
    self[name] = nil
  end
  serial = serial + 1
  self.runs, self.dir, self.prefix = {}, folder.make "spec", "t" .. serial
  self.server = world.server(opts)
  if not self.server.process:running() then
    self.server:launch()
  end
  self.server:call "FLUSHALL"
  self.ledger_path = self.dir .. "/ledger"
end

--- Ends every process of this world and removes its folder.
function World:close()
  local pids = {}
  for _, run in ipairs(self.runs) do
    if run.process:running() then
      local below = proc.descendants(run.pid)
      table.move(below, 1, #below, #pids + 1, pids)
      run.process:finish()
    end
  end
  for _, pid in ipairs(pids) do
    uv.kill(pid, "sigkill")
  end
  clock.wait_until(function()
    return proc.none_alive(pids)
  end, 5, "all processes of the test ended")
  folder.remove(self.dir)
end

--- Removes the folder of the shared server; called once by the helper at the very end.
function world.finish()
  if shared then
    shared.process:finish()
    folder.remove(shared.dir)
    shared = nil
  end
end

-- ---- programs

-- Nothing of the caller's environment reaches the program but what is needed to run at all.
local INHERITED = { "PATH", "HOME", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "SPEC_SLOW" }

--- The environment our programs get; `extra` adds, and removes with false.
function World:env(extra)
  local env = { LC_ALL = "C.UTF-8", LEDGER = self.ledger_path, GATES = self.dir }
  for _, name in ipairs(INHERITED) do
    env[name] = os.getenv(name)
  end
  env.REDIS_BACKEND = self.server:backend()
  env.PREFIX = self.prefix
  env.APP_INCLUDE = world.fixtures .. "/jobs.lua"
  for name, value in pairs(extra or {}) do
    env[name] = value or nil
  end
  return env
end

--- Starts `resque-lua` in the background with the variables of `env` (false removes a default).
-- opts: args (list), wrap (list put before the program), program (another one), cwd, stdin.
function World:start(env, opts)
  opts = opts or {}
  local all = { QUEUE = "default", VERBOSE = "1", INTERVAL = "0.1" }
  for name, value in pairs(env or {}) do
    all[name] = value
  end
  local args = { table.unpack(opts.wrap or {}) }
  args[#args + 1] = opts.program or world.program
  table.move(opts.args or {}, 1, #(opts.args or {}), #args + 1, args)
  local run = running.new(process.start(args, {
    env = self:env(all), clean = true, dir = self.dir, cwd = opts.cwd, stdin = opts.stdin,
  }))
  self.runs[#self.runs + 1] = run
  return run
end

--- The same, and waits until every worker is registered and waits for jobs.
function World:start_idle(env, opts)
  local run = self:start(env, opts)
  local count = tonumber(env and env.COUNT) or 1
  clock.wait_until(function()
    return #run:workers "Waiting" == count
      or not run.process:running() and error("it ended:\n" .. run.process:err(), 0)
  end, 10, function()
    return "the worker waits; it wrote:\n" .. run.process:err()
  end)
  return run
end

--- How many managers hear orders to stop jobs.
function World:listeners()
  return self.server:call("PUBSUB", "NUMSUB", self:key "lua:control")[2]
end

--- start_idle, and waits until its manager hears orders, too.
function World:start_listening(env, opts)
  local before = self:listeners()
  local run = self:start_idle(env, opts)
  clock.wait_until(function()
    return self:listeners() == before + 1
  end, 5, "its manager listens")
  return run
end

--- Runs `resque-lua ARGS` (or resque-enqueue) to its end: code, stdout, stderr.
function World:run(args, env, opts)
  opts = opts or {}
  local line = { opts.enqueue and world.enqueue_program or world.program, table.unpack(args) }
  return process.run(line, {
    env = self:env(env), clean = true, dir = self.dir, stdin = opts.stdin, cwd = opts.cwd,
    seconds = opts.seconds,
  })
end

--- resque-enqueue: the id it printed. Raises when it did not succeed.
function World:enqueue(...)
  local code, out, err = self:run({ ... }, nil, { enqueue = true })
  if code ~= 0 then
    error(("resque-enqueue: exit %d: %s"):format(code, err), 2)
  end
  return (out:gsub("%s+$", ""))
end

--- A program of spec/node, told where Redis is.
function World:node(name, ...)
  local file = ("%s/spec/node/%s.js"):format(world.root, name)
  return process.start({ "node", file, self.server.socket, self.prefix, ... }, { dir = self.dir })
end

-- ---- Redis

function World:key(name)
  return self.prefix .. ":" .. name
end

--- A command on one key of this world: w:on("LLEN", "queue:mail").
function World:on(command, key, ...)
  return self.server:call(command, self:key(key), ...)
end

--- Puts bytes into a queue as any producer does (SADD, RPUSH).
function World:push(queue, ...)
  self:on("SADD", "queues", queue)
  return self:on("RPUSH", "queue:" .. queue, ...)
end

--- The text of a job as php-resque writes it. `args`: a table (the first argument), or JSON text.
function world.payload(class, args, id)
  local text = type(args) == "string" and args or "[" .. cjson.encode(args or {}) .. "]"
  return ('{"class":%s,"args":%s,"id":"%s","queue_time":1326692575.25}'):format(
    cjson.encode(class), text, id)
end

--- Pushes a job as php-resque writes it. Returns its id. opts: queue, id, args (JSON text), track
function World:job(class, args, opts)
  opts = opts or {}
  self.job_serial = (self.job_serial or 0) + 1
  local id = opts.id or ("%032x"):format(self.job_serial)
  if opts.track then
    local now = os.time()
    self:on("SET", ("job:%s:status"):format(id),
      ('{"status":1,"updated":%d,"started":%d,"result":null}'):format(now, now))
  end
  self:push(opts.queue or "default", world.payload(class, opts.args or args, id))
  return id
end

function World:queued(queue)
  return self:on("LLEN", "queue:" .. (queue or "default"))
end

function World:stat(name)
  return math.tointeger(tonumber(self:on("GET", "stat:" .. name) or 0))
end

--- The failure records, decoded; raw texts as the second value.
function World:failed()
  local raw = self:on("LRANGE", "failed", 0, -1)
  local list = {}
  for i, text in ipairs(raw) do
    list[i] = cjson.decode(text)
  end
  return list, raw
end

--- The decoded status of a tracked job, or nil.
function World:status(id)
  local text = self:on("GET", ("job:%s:status"):format(id))
  return text and cjson.decode(text)
end

--- Raw worker:<id> records of the registered workers: id -> text.
function World:records()
  local records = {}
  for _, id in ipairs(self:on("SMEMBERS", "workers")) do
    records[id] = self:on("GET", "worker:" .. id)
  end
  return records
end

--- Where all jobs are: queued (in any queue), working, processed, failed, overflow.
function World:account()
  local sum = { queued = 0, working = 0 }
  for _, queue in ipairs(self:on("SMEMBERS", "queues")) do
    sum.queued = sum.queued + self:queued(queue)
  end
  for _ in pairs(self:records()) do
    sum.working = sum.working + 1
  end
  sum.processed, sum.failed = self:stat "processed", self:on("LLEN", "failed")
  sum.overflow = self:on("LLEN", "failed:overflow")
  return sum
end

--- Waits until `count` jobs are done or failed.
function World:wait_processed(count, seconds)
  clock.wait_until(function()
    return self:stat "processed" >= count
  end, seconds or 10, function()
    local run = self.runs[#self.runs]
    return ("%d jobs are processed (now %d); the worker wrote:\n%s"):format(
      count, self:stat "processed", run and run.process:err():sub(-3000) or "")
  end)
end

-- ---- ledger

--- What jobs wrote, one string per line.
function World:ledger()
  local lines = {}
  for line in (proc.read(self.ledger_path) or ""):gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
  return lines
end

--- Waits until a ledger line matches; returns its captures.
function World:wait_ledger(pattern, seconds)
  return clock.wait_until(function()
    for _, line in ipairs(self:ledger()) do
      local found = table.pack(line:match(pattern))
      if found[1] then
        return table.unpack(found)
      end
    end
  end, seconds or 10, function()
    return ("a job wrote %q; the ledger:\n%s\nthe worker wrote:\n%s"):format(pattern,
      table.concat(self:ledger(), "\n"), self.runs[#self.runs].process:err():sub(-3000))
  end)
end

--- Lets a Gate job that waits for `name` go on.
function World:open_gate(name)
  self:write("gate." .. name, "")
end

--- Writes a file of this world's folder (in one step: it is renamed into place). Returns its path.
function World:write(name, text)
  local path = self.dir .. "/" .. name
  local file = assert(io.open(path .. ".new", "wb"))
  file:write(text)
  file:close()
  assert(os.rename(path .. ".new", path))
  return path
end

--- The same for a job file, which finds `resque` and `ledger` as local variables on its first line.
function World:write_jobs(name, text)
  local first = 'local resque, ledger = require "resque", dofile %q '
  return self:write(name, first:format(world.fixtures .. "/ledger.lua") .. text)
end

return world
