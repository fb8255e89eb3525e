--- The server's answers that checks look at, each asked for once. An answer that Redis refuses is
-- nil and its reason; once the connection is gone, every answer is (`facts.trouble`).
-- @module resque.cli.doctor.facts
local connection = require "resque.connection"
local terminal = require "resque.cli.terminal"

local facts = {}
local Facts = {}
Facts.__index = Facts

-- Keys that one look walks over, at most; a few seconds' worth.
local SCAN_CALLS, SCAN_COUNT = 5000, 1000

-- INFO tells these to users who may not ask CONFIG.
local TOLD_BY_INFO = {
  appendonly = "aof_enabled", maxmemory = "maxmemory", ["maxmemory-policy"] = "maxmemory_policy",
  maxclients = "maxclients",
}
local WORDS = { aof_enabled = { ["0"] = "no", ["1"] = "yes" } }

--- Makes the facts of a server; asks nothing yet.
-- @tparam connection conn as resque.connection gives it
-- @treturn facts
function facts.new(conn)
  return setmetatable({ conn = conn, configs = {} }, Facts)
end

--- Sends one command.
-- @param ... its words
-- @return[1] the reply, nil if it is nil
-- @treturn[2] nil
-- @treturn[2] string an error reply, or what happened to the connection
function Facts:call(...)
  if self.trouble then
    return nil, self.why
  end
  local reply, why, trouble = self.conn:call(...)
  if trouble then
    self.trouble, self.why = trouble, why
  end
  return reply, why
end

--- Sends one command whose first argument is a key of Resque's.
-- @tparam string command
-- @tparam string name of the key, without the prefix
-- @param ... the rest
-- @return as `call`
function Facts:on(command, name, ...)
  return self:call(command, connection.key(name), ...)
end

--- Sends the same command for many keys, by round trips of a thousand.
-- @tparam string command
-- @tparam {string,...} names of keys, without the prefix
-- @treturn[1] {any,...} one reply each, as a pipeline gives it
-- @treturn[2] nil
-- @treturn[2] string
function Facts:each(command, names)
  local replies = {}
  for first = 1, #names, SCAN_COUNT do
    local commands = {}
    for i = first, math.min(first + SCAN_COUNT - 1, #names) do
      commands[#commands + 1] = { command, connection.key(names[i]) }
    end
    if self.trouble then
      return nil, self.why
    end
    local part, why, trouble = self.conn:pipeline(commands)
    if not part then
      self.trouble, self.why = trouble, why
      return nil, why
    end
    table.move(part, 1, #part, #replies + 1, replies)
  end
  return replies
end

local function read_info(self)
  local text, why = self:call "INFO"
  local info = {}
  for name, value in (text or ""):gmatch "([%w_]+):([^\r\n]*)" do
    info[name] = value
  end
  return info, why
end

--- A line of INFO.
-- @tparam string name
-- @treturn[1] string
-- @treturn[2] nil
-- @treturn[2] string
function Facts:info(name)
  if not self.infos then
    self.infos, self.info_refused = read_info(self)
  end
  local value = self.infos[name]
  return value, not value and (self.info_refused or "INFO does not tell " .. name) or nil
end

--- The number in a line of INFO; 0 when there is none.
-- @tparam string name
-- @treturn number
function Facts:number(name)
  return tonumber((self:info(name))) or 0
end

--- A setting of the server: CONFIG GET, or INFO where that may be asked only.
-- @tparam string name as in redis.conf
-- @treturn[1] string
-- @treturn[2] nil
-- @treturn[2] string
function Facts:config(name)
  local known = self.configs[name]
  if known then
    return table.unpack(known, 1, 2)
  end
  local reply, why = self:call("CONFIG", "GET", name)
  local value = type(reply) == "table" and reply[2] or nil
  local told = TOLD_BY_INFO[name]
  if not value and told and self:info(told) then
    value = self:info(told)
    value = WORDS[told] and WORDS[told][value] or value
  end
  why = not value and (why or "this server has no setting " .. name) or nil
  self.configs[name] = { value, why }
  return value, why
end

--- Name and version of the server. Valkey's redis_version is that of a Redis it can stand for.
-- @treturn string "Redis" or "Valkey"
-- @treturn ?string its own version; nil and why where INFO is forbidden
-- @treturn ?string
function Facts:product()
  local valkey = self:info "valkey_version"
  if valkey then
    return "Valkey", valkey
  end
  return "Redis", self:info "redis_version"
end

--- Major and minor number of Redis's version, or of the one Valkey can stand for; nil where INFO is
-- forbidden.
-- @treturn ?integer
-- @treturn ?integer
function Facts:version()
  local major, minor = (self:info "redis_version" or ""):match "^(%d+)%.(%d+)"
  return math.tointeger(tonumber(major)), math.tointeger(tonumber(minor))
end

--- The time of Redis's own clock in seconds; nil and why.
-- @treturn ?number
-- @treturn ?string
function Facts:now()
  local reply, why = self:call "TIME"
  return reply and tonumber(reply[1]) + tonumber(reply[2]) / 1e6, why
end

local KINDS = { "queue:", "worker:", "stat:" }

local function sort_in(found, name)
  for _, kind in ipairs(KINDS) do
    if name:sub(1, #kind) == kind then
      found[kind][name:sub(#kind + 1)] = true
      return
    end
  end
end

local function scan(self)
  local found = { ["queue:"] = {}, ["worker:"] = {}, ["stat:"] = {}, whole = true }
  local prefix, cursor = connection.key "", "0"
  local pattern = prefix:gsub("[%*%?%[%]\\%^%-]", "\\%0") .. "*"
  for call = 1, SCAN_CALLS do
    local reply, why = self:call("SCAN", cursor, "MATCH", pattern, "COUNT", SCAN_COUNT)
    if not reply then
      return nil, why
    end
    for _, key in ipairs(reply[2]) do
      sort_in(found, key:sub(#prefix + 1))
    end
    cursor = reply[1]
    if cursor == "0" then
      return found
    end
    found.whole = call < SCAN_CALLS
  end
  return found
end

local function sorted(set)
  local list = {}
  for name in pairs(set) do
    list[#list + 1] = name
  end
  table.sort(list)
  return list
end

--- Names of the keys there are.
-- @tparam string kind "queue:", "worker:" or "stat:"
-- @treturn[1] {string,...} what follows that, sorted
-- @treturn[2] nil
-- @treturn[2] string
function Facts:names(kind)
  if not self.found then
    self.found, self.unfound = scan(self)
    self.found = self.found or {}
  end
  local set = self.found[kind]
  if not set then
    return nil, self.unfound
  end
  return sorted(set)
end

--- Words to add to a text that rests on `names`.
-- @treturn string "" when every key was looked at
function Facts:partly()
  return self.found and self.found.whole == false
    and (" (of the first %s keys)"):format(terminal.number(SCAN_CALLS * SCAN_COUNT)) or ""
end

--- The members of a set, sorted.
-- @tparam string name of the key
-- @treturn[1] {string,...}
-- @treturn[2] nil
-- @treturn[2] string
function Facts:members(name)
  local reply, why = self:on("SMEMBERS", name)
  if not reply then
    return nil, why
  end
  table.sort(reply)
  return reply
end

--- Names of the keys there are, and the members of the set that should account for them.
-- @tparam string kind as `names` takes it
-- @tparam string set name of the key
-- @treturn[1] {string,...} names
-- @treturn[1] {string,...} members
-- @treturn[2] nil
-- @treturn[2] string
function Facts:names_beside(kind, set)
  local names, why = self:names(kind)
  local members, hidden = self:members(set)
  if not names or not members then
    return nil, why or hidden
  end
  return names, members
end

return facts
