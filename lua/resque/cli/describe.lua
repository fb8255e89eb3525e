--- Describes a job class: where it is, what it has, what looks like a slip.
-- @module resque.cli.describe
local job = require "resque.job"
local policy = require "resque.job.policy"
local sys = require "resque.sys"

-- Names that people write by mistake, and the right ones.
local MISSPELT = {
  Perform = "perform", run = "perform", execute = "perform", handle = "perform",
  setup = "setUp", Setup = "setUp", SetUp = "setUp",
  teardown = "tearDown", Teardown = "tearDown", TearDown = "tearDown",
}

local function warnings_of(name, class, perform)
  local list = {}
  if not perform then
    list[1] = "it has no perform method"
  elseif debug.getinfo(perform, "u").nparams == 0 and not debug.getinfo(perform, "u").isvararg then
    list[1] = "perform does not take self (hint: write function Name:perform(), with a colon)"
  end
  for wrong, right in pairs(MISSPELT) do
    if type(rawget(class, wrong)) == "function" and not job.method(class, right) then
      list[#list + 1] = ("%s is not called (hint: is it %s?)"):format(wrong, right)
    end
  end
  local ok, err = pcall(policy.read, name, class)
  if not ok then
    list[#list + 1] = tostring(err)
  end
  sys.sort(list)
  return list
end

--- Describes a class. The module is this function.
-- @tparam string name
-- @tparam table class
-- @treturn table `name`, `file` and `line` of perform (nil without one), `queue`, `methods` (list),
--   `warnings` (list)
return function(name, class)
  local perform = job.method(class, "perform")
  local where = perform and debug.getinfo(perform, "S")
  local methods = {}
  for _, method in ipairs { "setUp", "perform", "tearDown" } do
    methods[#methods + 1] = job.method(class, method) and method or nil
  end
  return {
    name = name,
    file = where and (where.source:match "^@(.*)" or where.short_src),
    line = where and where.linedefined,
    queue = type(class.queue) == "string" and class.queue or nil,
    methods = methods,
    warnings = warnings_of(name, class, perform),
  }
end
