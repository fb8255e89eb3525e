--- Checks whether Redis keeps what it has acknowledged: persistence, its errors, memory.
-- @module resque.cli.doctor.data
local finding = require "resque.cli.doctor.finding"
local sys = require "resque.sys"

local NEARLY_FULL = 0.9 -- of maxmemory, or of the machine's memory where there is no limit

-- The file of settings that outlast a restart.
local function file(facts)
  return facts:product():lower() .. ".conf"
end

local function size(bytes)
  if bytes >= 1024 ^ 3 then
    return ("%.1f GB"):format(bytes / 1024 ^ 3)
  end
  return ("%.1f MB"):format(bytes / 1024 ^ 2)
end

local function loading(facts)
  local text, why = facts:info "loading"
  if not text then
    return finding.unseen("loading", why)
  elseif text ~= "0" then
    return finding.fail("loading", ("Redis is still reading its data (%s%% done): it answers "
      .. "nothing else"):format(sys.printable(facts:info "loading_loaded_perc" or "?")),
      "wait; workers do so by themselves")
  end
  return finding.ok("loading", "the data are in memory")
end

local function persistence(facts)
  local aof, why = facts:config "appendonly"
  local save, hidden = facts:config "save"
  if not aof then
    return finding.unseen("persistence", why)
  end
  local keep = "appendonly yes and appendfsync always or everysec in " .. file(facts)
  if aof == "yes" then
    return finding.ok("persistence", "appendonly: every write goes to a file")
  elseif save and save ~= "" then
    return finding.fail("persistence", ("snapshots only (save %s): a crash of Redis forgets the "
      .. "jobs put in since the last, and runs again those finished since"):format(save), keep)
  elseif save then
    return finding.fail("persistence", "appendonly is off and there are no snapshots: a restart "
      .. "of Redis loses every job", keep)
  end
  return finding.fail("persistence", "appendonly is off: a crash of Redis loses jobs (snapshots "
    .. "cannot be seen: " .. sys.printable(hidden) .. ")", keep)
end

local SYNC = {
  always = { "ok", "always: what is acknowledged is on disk" },
  everysec = { "warn", "everysec: losing power, not a crash, may cost the last second or two",
    "appendfsync always, if a job is worth a disk write" },
  no = { "fail", "no: losing power may cost the last half minute of jobs",
    "appendfsync everysec, or always" },
}

local function fsync(facts)
  local how, why = facts:config "appendfsync"
  if facts:config "appendonly" == "no" then
    return finding.ok("fsync", "of no meaning while appendonly is off")
  elseif not SYNC[how] then
    return finding.unseen("fsync", why, "allow +config|get to the user who runs doctor")
  elseif how ~= "no" and facts:config "no-appendfsync-on-rewrite" == "yes" then
    return finding.warn("fsync", how .. ", but not while the file is rewritten: losing power "
      .. "then may cost half a minute", "no-appendfsync-on-rewrite no")
  end
  return finding[SYNC[how][1]]("fsync", SYNC[how][2], SYNC[how][3])
end

-- Names of the files that Redis could not write the last time.
local function failed_writes(facts)
  local list = {}
  for _, row in ipairs { { "aof_last_write_status", "the append-only file" },
    { "aof_last_bgrewrite_status", "its rewrite" },
    { "rdb_last_bgsave_status", "the snapshot" } } do
    local status = facts:info(row[1])
    list[#list + 1] = status and status ~= "ok" and row[2] or nil
  end
  return list
end

local function disk(facts)
  local known, why = facts:info "rdb_last_bgsave_status"
  if not known then
    return finding.unseen("disk", why)
  end
  local failed = failed_writes(facts)
  if not failed[1] then
    return finding.ok("disk", "the last writes to it went well")
  end
  local stops = facts:config "stop-writes-on-bgsave-error" == "yes"
    and facts:config "save" ~= "" or facts:info "aof_last_write_status" == "err"
  return finding.fail("disk", ("Redis could not write %s%s"):format(table.concat(failed, " and "),
    stops and ": it refuses jobs (MISCONF) until it can" or ""),
    "its log says why; most often the disk is full, or the folder is not its own")
end

local function policy_of(facts)
  return facts:config "maxmemory-policy"
end

local eviction = finding.check("eviction", policy_of, function(facts, policy)
  if policy == "noeviction" then
    return finding.ok("eviction", "noeviction: a full Redis deletes nothing")
  elseif policy:find "^volatile" then
    return finding.warn("eviction", policy .. ": a full Redis deletes keys that expire: the "
      .. "status of finished jobs, the lock for pruning", "CONFIG SET maxmemory-policy noeviction")
  elseif facts:config "maxmemory" == "0" then
    return finding.warn("eviction", policy .. " would delete jobs as soon as there is a "
      .. "maxmemory", "CONFIG SET maxmemory-policy noeviction")
  end
  return finding.fail("eviction", policy .. ": a full Redis deletes jobs that wait",
    "CONFIG SET maxmemory-policy noeviction, and in " .. file(facts))
end)

-- Bytes that count against maxmemory: buffers for replicas and the append-only file do not.
local function counted(facts)
  return facts:number "used_memory" - facts:number "mem_not_counted_for_evict"
end

local function memory(facts)
  local known, why = facts:info "used_memory"
  if not known then
    return finding.unseen("memory", why)
  end
  local used, most = counted(facts), tonumber((facts:config "maxmemory")) or 0
  local machine = facts:number "total_system_memory"
  if most > 0 and used >= most then
    return finding.fail("memory", ("full: %s of maxmemory %s; no job can be put in")
      :format(size(used), size(most)), "work off or remove jobs, or CONFIG SET maxmemory")
  elseif most > 0 and used >= most * NEARLY_FULL then
    return finding.warn("memory", ("%.0f%% of maxmemory %s are used; full, it takes no jobs")
      :format(used * 100 / most, size(most)), "CONFIG SET maxmemory, or find what fills it")
  elseif most > 0 then
    return finding.ok("memory", ("%s of maxmemory %s"):format(size(used), size(most)))
  elseif machine > 0 and facts:number "used_memory_rss" >= machine * NEARLY_FULL then
    return finding.warn("memory", ("%s of the machine's %s, without a limit: the kernel may kill "
      .. "it"):format(size(facts:number "used_memory_rss"), size(machine)), "set maxmemory")
  end
  return finding.ok("memory", size(used) .. ", without a limit")
end

return { title = "Data", loading, persistence, fsync, disk, eviction, memory }
