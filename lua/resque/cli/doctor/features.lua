--- Checks that all workers have the features of this program: fleets are upgraded host by host.
-- @module resque.cli.doctor.features
local connection = require "resque.connection"
local finding = require "resque.cli.doctor.finding"
local net = require "resque.net"
local sys = require "resque.sys"

local AT_ONCE = 1000 -- workers in one call of the script, which looks at no more

-- Asks about the ids from `first` on. Returns the answer of lua/server/features.lua; nil, why.
local function ask(facts, ids, first)
  local last = math.min(first + AT_ONCE - 1, #ids)
  local answer, why = facts:call("EVAL", net.script "features", 1, connection.key "workers",
    connection.key "", "", sys.settings.features, table.unpack(ids, first, last))
  if answer and answer[1] == "ERR" then
    return nil, answer[2]
  end
  return answer, why
end

-- The workers that know less than this program, as "web1:12:mail (features 0)". Nil, why.
local function older_workers(facts)
  local ids, why = facts:members "workers"
  if not ids then
    return nil, why
  end
  local list = {}
  for first = 1, #ids, AT_ONCE do
    local answer, hidden = ask(facts, ids, first)
    if not answer then
      return nil, hidden
    end
    for i = 2, #answer, 2 do
      list[#list + 1] = ("%s (features %d)"):format(answer[i], answer[i + 1])
    end
  end
  return list
end

local features = finding.check("features", older_workers, function(_, older)
  local ours = sys.settings.features
  if not older[1] then
    return finding.ok("features", ("no worker knows less than this resque-lua (features %d)")
      :format(ours))
  end
  return finding.warn("features", ("workers of different versions are registered: %s, and this "
    .. "resque-lua has features %d"):format(finding.examples(older), ours),
    "upgrade the older ones; what every worker has to know is refused until then")
end)

return { title = "Workers", features }
