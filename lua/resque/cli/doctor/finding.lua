--- Makes findings of checks: {name, level, text, hint}. Levels: ok, warn, fail, and unseen where
-- this Redis user may not see the facts of the check.
-- @module resque.cli.doctor.finding
local sys = require "resque.sys"
local terminal = require "resque.cli.terminal"

local finding = {}

local function maker(level)
  return function(name, text, hint)
    return { name = name, level = level, text = text, hint = hint }
  end
end

--- A finding that all is well.
-- @function finding.ok
-- @tparam string name of the check
-- @tparam string text one sentence without a full stop
-- @tparam[opt] string hint what to do about it
-- @treturn table
finding.ok = maker "ok"

--- A finding worth knowing that breaks no promise. As `ok`.
finding.warn = maker "warn"

--- A broken promise, of ours or to readers of Resque's keys. As `ok`.
finding.fail = maker "fail"

--- A finding that the check could not look.
-- @tparam string name of the check
-- @tparam ?string why Redis's own words
-- @tparam[opt] string hint
-- @treturn table
function finding.unseen(name, why, hint)
  local text = "cannot be seen: " .. sys.printable(why or "Redis does not tell")
  return { name = name, level = "unseen", text = text, hint = hint }
end

--- A check that rests on one answer of Redis: unseen where that is not given.
-- @tparam string name of the check
-- @tparam function ask gets facts; returns the answer and what belongs to it, or nil and why
-- @tparam function judge gets facts and what `ask` returned; returns what was found
-- @treturn function gets facts, returns what was found
function finding.check(name, ask, judge)
  return function(facts)
    local answer, more = ask(facts)
    if not answer then
      return finding.unseen(name, more)
    end
    return judge(facts, answer, more)
  end
end

--- The elements of a list that are not fine.
-- @tparam {string,...} list
-- @tparam function is_fine gets one of them
-- @treturn {string,...}
function finding.without(list, is_fine)
  local left = {}
  for _, name in ipairs(list) do
    left[#left + 1] = not is_fine(name) and name or nil
  end
  return left
end

--- Whether a name is one of a list.
-- @tparam {string,...} list
-- @treturn function gets a name, returns true or nil
function finding.among(list)
  local set = {}
  for _, name in ipairs(list) do
    set[name] = true
  end
  return function(name)
    return set[name]
  end
end

local EXAMPLES = 3

--- The first few of a list, for people: "a, b, c and 4 more".
-- @tparam {string,...} list
-- @treturn string
function finding.examples(list)
  local shown = {}
  for i = 1, math.min(#list, EXAMPLES) do
    shown[i] = sys.printable(list[i])
  end
  local text = table.concat(shown, ", ")
  if #list > EXAMPLES then
    text = ("%s and %s more"):format(text, terminal.number(#list - EXAMPLES))
  end
  return text
end

--- "1 worker", "2,000 workers".
-- @tparam integer n
-- @tparam string one
-- @tparam[opt] string many default: `one` with an s
-- @treturn string
function finding.count(n, one, many)
  return ("%s %s"):format(terminal.number(n), n == 1 and one or many or one .. "s")
end

return finding
