-- features.lua - finds workers that lack a feature which every worker needs. A worker writes the
-- number of its features when it registers (VERSION_FEATURES in src/base/version.h); releases
-- before that wrote none, which is 0.

-- Workers in one call at most, as Redis serves nobody else meanwhile.
local WORKERS_LOOKED_AT = 1000

-- The workers that know less than `needed`, among those whose ids are ARGV[first] and on: a list of
-- an id, its number, an id and so on, empty if there is none. Only resque-lua counts: workers of
-- Ruby, php and Node have no lua:proc and know nothing of ours. Nil, why: too many ids, or Redis
-- refuses to look (an ACL without HMGET), where "none" would be a guess.
local function older_workers(needed, first)
  local older = {}
  if #ARGV >= first + WORKERS_LOOKED_AT then
    return nil, "more than " .. WORKERS_LOOKED_AT .. " workers in one call"
  end
  for i = first, #ARGV do
    local known = try("HMGET", prefix .. "lua:proc:" .. ARGV[i], "nonce", "features")
    if known.err and not known.err:find("^WRONGTYPE") then return nil, "HMGET: " .. known.err end
    local number = known[1] and (tonumber(known[2] or "") or 0)
    if number and number < needed then
      older[#older + 1], older[#older + 2] = ARGV[i], number
    end
  end
  return older
end
