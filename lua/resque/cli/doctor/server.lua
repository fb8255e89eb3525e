--- Checks the server: version, role, replicas, access, cluster, clients.
-- @module resque.cli.doctor.server
local connection = require "resque.connection"
local finding = require "resque.cli.doctor.finding"
local sys = require "resque.sys"
local terminal = require "resque.cli.terminal"

local OLDEST, OLDEST_BLOCKING = 5, 6
local CROWDED = 0.9 -- of maxclients

local function version(facts)
  local name, text, why = facts:product()
  local major = facts:version()
  if not major then
    return finding.unseen("version", why)
  elseif major < OLDEST then
    return finding.fail("version", ("Redis %s is older than 5, which resque-lua needs")
      :format(text), "install Redis 6 or later")
  elseif major < OLDEST_BLOCKING and terminal.settings().blocking then
    return finding.fail("version", ("BLOCKING needs Redis 6, this is %s"):format(text),
      "install Redis 6 or later, or leave BLOCKING out")
  elseif major < OLDEST_BLOCKING then
    return finding.ok("version", ("Redis %s; BLOCKING would need 6"):format(text))
  end
  return finding.ok("version", name .. " " .. text)
end

local function role_of(facts)
  return facts:info "role"
end

local role = finding.check("role", role_of, function(facts, name)
  if name == "master" then
    return finding.ok("role", "it takes writes")
  end
  local master = sys.printable(("%s:%s"):format(facts:info "master_host" or "?",
    facts:info "master_port" or "?"))
  return finding.fail("role", ("a replica of %s: it takes no writes, so no worker can take a job")
    :format(master), "let REDIS_BACKEND name the master")
end)

local function replicas(facts)
  local there, why = facts:info "connected_slaves"
  if not there then
    return finding.unseen("replicas", why)
  end
  there = tonumber(there)
  local wanted = tonumber((facts:config "min-replicas-to-write")) or 0
  local good = tonumber((facts:info "min_slaves_good_slaves")) or there
  local names = finding.count(there, "replica")
  if good < wanted then
    return finding.fail("replicas", ("writes need %d replicas in time, %d are: Redis refuses "
      .. "every one"):format(wanted, good),
      "bring the replicas back, or lower min-replicas-to-write")
  elseif there > 0 and wanted == 0 then
    return finding.warn("replicas", names .. ", and writes wait for none: a fail-over forgets "
      .. "what had not reached it", "CONFIG SET min-replicas-to-write 1 makes that less")
  elseif there > 0 then
    return finding.ok("replicas", ("%s, of which writes need %d; a fail-over may still forget "
      .. "the last seconds"):format(names, wanted))
  end
  return finding.ok("replicas", "none, so there is no fail-over that could forget a write")
end

-- ------------------------------------------------------------------------------------ access

local function has(list, word)
  for _, one in ipairs(type(list) == "table" and list or {}) do
    if one == word then
      return true
    end
  end
  return false
end

-- Whether clients without a password may do anything; nil and why where Redis does not tell.
local function open_to_all(facts)
  local user = facts:call("ACL", "GETUSER", "default")
  if type(user) == "table" then
    return has(user[2], "on") and has(user[2], "nopass")
  end
  local password, why = facts:config "requirepass"
  if not password then
    return nil, why
  end
  return password == ""
end

local function is_loopback(address)
  address = address:gsub("^%-", "")
  return address:find "^127%." or address == "::1" or address == "localhost"
end

-- The addresses that other machines may reach; all of them where bind is empty.
local function outside(bind)
  local list = {}
  for address in bind:gmatch "%S+" do
    if not is_loopback(address) then
      list[#list + 1] = address
    end
  end
  return bind == "" and { "every address" } or list
end

-- Before 7.0, protected mode protected only while no bind was given.
local function is_protected(facts, bind)
  local major = facts:version() or 0
  return facts:config "protected-mode" == "yes" and (major >= 7 or bind == "")
end

local function access(facts)
  local open, why = open_to_all(facts)
  local bind, hidden = facts:config "bind"
  if open == nil then
    return finding.unseen("access", why, "allow +config|get to the user who runs doctor")
  elseif not open then
    return finding.ok("access", "nobody comes in without a password")
  elseif not bind then
    return finding.unseen("access", "there is no password; whether other machines may connect: "
      .. hidden)
  end
  local port = tonumber((facts:config "port")) or 0
  local tls = tonumber((facts:config "tls-port")) or 0
  local reached = outside(bind)
  if (port == 0 and tls == 0) or not reached[1] then
    return finding.ok("access", "no password, but only this machine can connect")
  elseif is_protected(facts, bind) then
    return finding.ok("access", "no password, but protected-mode turns other machines away")
  end
  return finding.fail("access", ("no password, and it listens on %s, port %d: whoever gets there "
    .. "reads, deletes and starts jobs"):format(sys.printable(table.concat(reached, " ")),
    port > 0 and port or tls), "requirepass, or `bind 127.0.0.1`, or protected-mode yes")
end

-- ----------------------------------------------------------------------------- cluster, clients

-- The part of a key that decides on its slot, if it is in the prefix.
local function hash_tag(prefix)
  local tag = prefix:match "{(.-)}"
  return tag and tag ~= "" and tag or nil
end

local function cluster(facts)
  local enabled, why = facts:info "cluster_enabled"
  local prefix = connection.key ""
  if not enabled then
    return finding.unseen("cluster", why)
  elseif enabled ~= "1" then
    return finding.ok("cluster", "not a cluster")
  elseif not hash_tag(prefix) then
    return finding.fail("cluster", ("PREFIX '%s' spreads the keys over the cluster, where no "
      .. "script may touch them together"):format(sys.printable(prefix)),
      ("PREFIX='{%s}'"):format(sys.printable((prefix:gsub(":$", "")))))
  end
  local _, refused = facts:on("EXISTS", "queues")
  if refused then
    return finding.fail("cluster", "the keys are not on this node: " .. sys.printable(refused),
      "let REDIS_BACKEND name the node that has them; redirects are not followed")
  end
  return finding.ok("cluster", ("PREFIX '%s' keeps every key in one slot")
    :format(sys.printable(prefix)))
end

local function clients(facts)
  local there, why = facts:info "connected_clients"
  local most = tonumber((facts:config "maxclients"))
  if not there then
    return finding.unseen("clients", why)
  elseif not most then
    return finding.ok("clients", there .. " are connected")
  end
  local text = ("%s of at most %s are connected"):format(terminal.number(tonumber(there)),
    terminal.number(most))
  if tonumber(there) >= most * CROWDED then
    return finding.warn("clients", text .. ": more workers may be turned away",
      "CONFIG SET maxclients; a manager needs 2 (3 with BLOCKING), a worker 1, a job that uses "
        .. "Redis 1")
  end
  return finding.ok("clients", text)
end

return { title = "Server", version, role, replicas, access, cluster, clients }
