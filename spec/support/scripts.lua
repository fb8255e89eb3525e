--- Runs one server script alone: its text as the program sends it, one worker, a private
-- redis-server.
local assert = require "luassert"
local cjson = require "cjson"
local uv = require "luv"
local folder = require "spec.support.folder"
local server = require "spec.support.server"

local scripts = {}
local Scripts = {}
Scripts.__index = Scripts

scripts.NONCE = "0123456789abcdef"
scripts.OTHER = "fedcba9876543210"
scripts.LARGEST = 16 * 1024 * 1024

local function read_file(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local function lib_text(root)
  local names, texts = {}, {}
  local scan = assert(uv.fs_scandir(root .. "/server/lib"))
  for name in function() return uv.fs_scandir_next(scan) end do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    texts[i] = read_file(root .. "/server/lib/" .. name) .. "\n"
  end
  return table.concat(texts)
end

--- The text of a script as the program sends it: every file of lib in alphabetical order in front.
-- @param root the folder they are in, as RESQUE_LUA_PATH; default: lua
function scripts.text(name, root)
  root = root or "lua"
  return lib_text(root) .. read_file(("%s/server/%s.lua"):format(root, name)) .. "\n"
end

--- Before its open().
function scripts.unopened()
  return setmetatable({}, Scripts)
end

--- Starts a server; `reset` gives each test a clean one.
function scripts.open()
  local self = scripts.unopened()
  self:open()
  return self
end

function Scripts:open()
  self.dir, self.digests = folder.make "scripts", {}
  self.server = server.start { dir = self.dir }
end

function Scripts:close()
  self.server:stop()
  folder.remove(self.dir)
end

--- Empty Redis, and worker web1:12:mail registered in it (not: `lone` = true).
function Scripts:reset(lone)
  self.prefix, self.worker, self.number = "p:", "web1:12:mail", 0
  self:set("CONFIG", "SET", "maxmemory", "0")
  self:set "FLUSHALL"
  if not lone then
    self:worker_named(self.worker)
  end
end

--- Registers a worker of that name; the calls that follow are its own.
function Scripts:worker_named(worker)
  self.worker = worker
  assert.same({ "OK" }, self:run("register", "boot", "4026531836", "12", "777",
    scripts.NONCE, self.on_crash or "0", "1"))
end

--- A command that must not fail.
function Scripts:set(...)
  return self.server:call(...)
end

--- The same about a key under the prefix: s:key("LLEN", "queue:mail").
function Scripts:key(command, key, ...)
  return self:set(command, self.prefix .. key, ...)
end

--- Calls a script for the worker. Returns its answer; a table with the field err when it raised.
function Scripts:run(name, ...)
  self.digests[name] = self.digests[name] or self:set("SCRIPT", "LOAD", scripts.text(name))
  return self.server.client:try("EVALSHA", self.digests[name], 1,
    self.prefix .. "worker:" .. self.worker, self.prefix, self.worker, ...)
end

--- What Lua code gives when it is run behind the files of lib; its own arguments are ARGV[3] and
-- on.
function Scripts:lib(code, ...)
  return self:set("EVAL", lib_text "lua" .. code, 1, self.prefix .. "worker:" .. self.worker,
    self.prefix, self.worker, ...)
end

--- The next token of this worker.
function Scripts:token()
  self.number = self.number + 1
  return scripts.NONCE .. ":" .. self.number
end

--- Pushes payloads as an enqueuer would.
function Scripts:push(queue, ...)
  self:key("SADD", "queues", queue)
  self:key("RPUSH", "queue:" .. queue, ...)
end

--- reserve.lua with a new token and the default size limit.
function Scripts:reserve(...)
  return self:run("reserve", self:token(), scripts.LARGEST, ...)
end

--- Pushes one payload to `mail` and reserves it; returns the token.
function Scripts:working(payload)
  self:push("mail", payload)
  local answer = self:reserve "mail"
  assert.equal("JOB", answer[1])
  assert.equal(payload, answer[6])
  return answer[2]
end

--- done.lua and fail.lua without a next job, if no more is given.
function Scripts:done(token, result, next_token, ...)
  return self:run("done", token, result or "", next_token or "", scripts.LARGEST, ...)
end

function Scripts:fail(token, options)
  options = options or {}
  local lines, queues = options.trace or {}, options.queues or {}
  local args = { token, options.kind or "failed", options.exception or "LuaError",
    options.error or "boom", options.wall_ms or "", options.cpu_ms or "", options.peak_kb or "",
    options.limit or "", options.output or "", options.most or "0", options.next_token or "",
    scripts.LARGEST, #lines }
  table.move(lines, 1, #lines, #args + 1, args)
  table.move(queues, 1, #queues, #args + 1, args)
  return self:run("fail", table.unpack(args))
end

function Scripts:record()
  return self:key("GET", "worker:" .. self.worker)
end

--- The n-th failure record (default: the last): its text, and decoded after a strict check of the
-- text.
function Scripts:failure(n, list)
  local text = self:key("LINDEX", list or "failed", n or -1)
  if not text then return nil end
  assert(require "resque.json".check(text, 100)) -- not loaded by those who want a script's text
  return text, cjson.decode(text)
end

--- Everything in Redis, to see that nothing was changed: key -> its DUMP.
function Scripts:everything()
  local all = {}
  for _, key in ipairs(self:set("KEYS", "*")) do
    all[key] = self:set("DUMP", key)
  end
  return all
end

--- In how many places the bytes of a payload are: queues, failure lists and worker records.
function Scripts:places(payload)
  local places = {}
  for _, key in ipairs(self:set("KEYS", "*")) do
    local kind = self:set("TYPE", key)
    local values = kind == "list" and self:set("LRANGE", key, 0, -1)
      or kind == "string" and { self:set("GET", key) } or {}
    for _, value in ipairs(values) do
      if value:find(payload, 1, true) then
        places[#places + 1] = key:sub(#self.prefix + 1)
      end
    end
  end
  table.sort(places)
  return table.concat(places, " ")
end

--- Counters as "processed failed", in all and of the worker: "2 1 / 2 1".
function Scripts:counters()
  local function pair(suffix)
    return (self:key("GET", "stat:processed" .. suffix) or "0") .. " "
      .. (self:key("GET", "stat:failed" .. suffix) or "0")
  end
  return pair "" .. " / " .. pair(":" .. self.worker)
end

--- Fills Redis: from now on a first write that needs memory is refused.
function Scripts:fill()
  self:set("CONFIG", "SET", "maxmemory", "1")
  local reply = self.server.client:try("SET", "probe", "x")
  assert(reply.err and reply.err:find "^OOM", "the server is not full")
end

return scripts
