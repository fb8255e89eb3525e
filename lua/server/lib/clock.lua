-- clock.lua - the server's time, as seconds and as the texts that Resque's records hold. Always
-- UTC: Ruby misreads the abbreviations of other zones.

local RUN_AT = "%04d-%02d-%02dT%02d:%02d:%02dZ"
local FAILED_AT = "%04d/%02d/%02d %02d:%02d:%02d UTC"
local HEARTBEAT = "%04d-%02d-%02dT%02d:%02d:%02d+00:00"

local function now()
  return tonumber(call("TIME")[1])
end

-- `seconds` since 1970 in one of the formats above. Years are counted from 1 March, so that a leap
-- day is the last of its year (howardhinnant.github.io/date_algorithms.html, civil_from_days).
local function utc(format, seconds)
  local floor = math.floor
  local days = floor(seconds / 86400) + 719468
  local era = floor(days / 146097)
  local of_era = days % 146097
  local year = floor((of_era - floor(of_era / 1460) + floor(of_era / 36524)
    - floor(of_era / 146096)) / 365)
  local day = of_era - (365 * year + floor(year / 4) - floor(year / 100))
  local month = floor((5 * day + 2) / 153)
  day = day - floor((153 * month + 2) / 5) + 1
  month = month < 10 and month + 3 or month - 9
  year = year + era * 400 + (month <= 2 and 1 or 0)
  local left = seconds % 86400
  return format:format(year, month, day,
    floor(left / 3600), floor(left % 3600 / 60), left % 60)
end
