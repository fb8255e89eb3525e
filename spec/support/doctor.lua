--- What the specs of resque-lua doctor share: running it in a world and looking up a check.
local assert = require "luassert"
local cjson = require "cjson"

local doctor = {}

--- A failure record that every reader can show.
doctor.GOOD = '{"failed_at":"2026/11/22 10:00:00 UTC","payload":{"class":"A","args":[]},'
  .. '"exception":"E","error":"e","backtrace":[],"worker":"a:1:q","queue":"q"}'

--- Runs it with --json: the checks by name, the exit code, the whole answer.
function doctor.examine(w, env)
  local code, out, err = w:run({ "doctor", "--json" }, env)
  assert.is_true(code < 2, err)
  local answer, by_name = cjson.decode(out), {}
  for _, found in ipairs(answer.checks) do
    by_name[found.name] = found
  end
  return by_name, code, answer
end

--- The check has that level and a text that matches; hint and exit code go with it. Returns it.
function doctor.assert_found(w, name, level, pattern, env)
  local by_name, code = doctor.examine(w, env)
  local found = assert(by_name[name], name)
  assert.equal(level, found.level, found.text)
  assert.matches(pattern, found.text)
  if level == "fail" then
    assert.equal(1, code)
  end
  if level == "fail" or level == "warn" then
    assert.is_string(found.hint)
  end
  return found
end

return doctor
