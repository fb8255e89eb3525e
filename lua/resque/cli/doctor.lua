--- `resque-lua doctor`: checks a Redis and its fleet, and says which promise is broken and what to
-- do. It changes nothing. Exit 0: none is (warnings allowed); 1: some are; 4: no Redis.
-- @module resque.cli.doctor
local connection = require "resque.connection"
local facts = require "resque.cli.doctor.facts"
local json = require "resque.json"
local sys = require "resque.sys"
local terminal = require "resque.cli.terminal"

local doctor = {}
local EXIT = terminal.EXIT

local GROUPS = { "server", "data", "time", "workers", "features", "notes", "jobs", "records" }

-- Runs every check. Returns the findings in order, each with its group.
local function examine(seen)
  local findings = {}
  for _, name in ipairs(GROUPS) do
    local group = require("resque.cli.doctor." .. name)
    for _, check in ipairs(group) do
      local found = check(seen)
      found.group = group.title
      findings[#findings + 1] = found
    end
  end
  return findings
end

local function count(findings)
  local sums = { ok = 0, warn = 0, fail = 0, unseen = 0 }
  for _, found in ipairs(findings) do
    sums[found.level] = sums[found.level] + 1
  end
  return sums
end

-- ------------------------------------------------------------------------------------- output

-- "Redis 7.0.15", "Valkey 8.1.1"; the name alone where the version is not told.
local function title(seen)
  local name, version = seen:product()
  return version and ("%s %s"):format(name, sys.printable(version)) or name
end

local function print_json(seen, findings, sums)
  local list = json.array()
  for i, found in ipairs(findings) do
    list[i] = {
      group = found.group:lower(), name = found.name, level = found.level, text = found.text,
      hint = found.hint,
    }
  end
  print(json.encode {
    redis = seen.conn:where(), server = title(seen), prefix = connection.key "", checks = list,
    ok = sums.ok, warn = sums.warn, fail = sums.fail, unseen = sums.unseen,
  })
end

local function print_rows(findings)
  for _, found in ipairs(findings) do
    print(table.concat({ found.level, found.name, found.text, found.hint }, "\t"))
  end
end

local COLOURS = { ok = "green", warn = "yellow", fail = "red", unseen = "dim" }
local WORD, NAME = 6, 12 -- columns
local LEFT = 2 + WORD + 2 + NAME + 2

-- Prints a text behind `left`, which is `width` columns wide, wrapped between words.
local function print_wrapped(left, width, text)
  local room = math.max(sys.columns() - width - 1, 30)
  local line = ""
  for word in text:gmatch "%S+" do
    if line ~= "" and (utf8.len(line) or #line) + 1 + (utf8.len(word) or #word) > room then
      print(left .. line)
      left, line = (" "):rep(width), word
    else
      line = line == "" and word or line .. " " .. word
    end
  end
  print(left .. line)
end

local function print_finding(found)
  print_wrapped(("  %s%s  %s%s  "):format(terminal.paint(COLOURS[found.level], found.level),
    (" "):rep(WORD - #found.level), found.name, (" "):rep(NAME - #found.name)), LEFT, found.text)
  if found.hint and found.level ~= "ok" then
    print_wrapped((" "):rep(LEFT), LEFT, "hint: " .. found.hint)
  end
end

local function print_table(seen, findings)
  print_wrapped("", 0, ("%s at %s, keys %s*"):format(title(seen), seen.conn:where(),
    sys.printable(connection.key "")))
  local group
  for _, found in ipairs(findings) do
    if found.group ~= group then
      group = found.group
      print("\n" .. terminal.paint("bold", group))
    end
    print_finding(found)
  end
  print ""
end

-- The findings to show: with --quiet only those that need attention.
local function shown(findings)
  if not terminal.settings().quiet then
    return findings
  end
  local list = {}
  for _, found in ipairs(findings) do
    list[#list + 1] = found.level ~= "ok" and found or nil
  end
  return list
end

local function say_sums(sums)
  local text = ("%d fine, %d warning%s, %d broken"):format(sums.ok, sums.warn,
    sums.warn == 1 and "" or "s", sums.fail)
  if sums.unseen > 0 then
    text = ("%s, %d not to be seen"):format(text, sums.unseen)
  end
  if terminal.is_tty(1) and not terminal.settings().quiet and sums.warn + sums.fail > 0 then
    text = text .. " (these alone: --quiet)"
  end
  terminal.say("%s", text)
end

--- Runs the command.
-- @tparam {string,...} arguments none are taken
-- @treturn integer exit code
function doctor.run()
  local conn, err, trouble = connection.own()
  if not conn then
    return terminal.redis_failed(err, trouble)
  end
  local seen = facts.new(conn)
  local findings = examine(seen)
  if seen.trouble then
    return terminal.redis_failed(seen.why, seen.trouble)
  end
  local sums = count(findings)
  if terminal.settings().json then
    print_json(seen, findings, sums)
  elseif terminal.is_tty(1) then
    print_table(seen, shown(findings))
  else
    print_rows(shown(findings))
  end
  say_sums(sums)
  return sums.fail > 0 and EXIT.failed or EXIT.done
end

return doctor
