--- What keeps a job from the rest: text-only code. conf/man/resque-lua-isolation.7 tells it to
-- people.
local world = require "spec.support.world"

local w
before_each(function()
  w = world.new()
end)
after_each(function()
  w:close()
end)

-- Runs a job here and now whose perform is `body`; returns what it returned as JSON text, or nil
-- and what was written about its failure.
local function perform(body, env)
  local path = w:write_jobs("jobs.lua", "local Try = resque.job 'Try'\nfunction Try:perform()\n"
    .. body .. "\nend")
  local all = { APP_INCLUDE = path }
  for name, value in pairs(env or {}) do
    all[name] = value
  end
  local code, out, err = w:run({ "perform", "Try", "here=" .. w.dir }, all)
  if code == 0 then
    return out:match "^(.-)\n?$"
  end
  return nil, err
end

describe("code is text:", function()
  local BYTECODE = string.dump(load "return 'bytecode'")

  before_each(function()
    w:write("bytecode.lua", BYTECODE)
    w:write("text.lua", "return ... or 'text'")
  end)

  local refused = {
    { "load", "return load(string.dump(function() end))" },
    { "load with mode b", "return load(string.dump(function() end), 'x', 'b')" },
    { "load with mode bt", "return load(string.dump(function() end), 'x', 'bt')" },
    { "load of pieces", [[
      local code = string.dump(function() end)
      local at = 0
      return load(function() at = at + 1 return code:sub(at, at) end, 'x', 'bt')]] },
    { "load in a coroutine",
      "return coroutine.wrap(load)(string.dump(function() end), 'x', 'b')" },
    { "loadfile", "return loadfile(self.args.here .. '/bytecode.lua')" },
    { "loadfile with mode b", "return loadfile(self.args.here .. '/bytecode.lua', 'b')" },
    { "dofile", "return nil, select(2, pcall(dofile, self.args.here .. '/bytecode.lua'))" },
    { "require", "return nil, select(2, pcall(require, 'bytecode'))" },
    { "what package.searchers have", [[
      for _, search in ipairs(package.searchers) do
        local ok, found = pcall(search, "bytecode")
        if type(found) == "function" then return found end
        if not ok then return nil, found end
      end]] },
  }
  for _, row in ipairs(refused) do
    it(row[1] .. " refuses bytecode", function()
      local body = "local function try(self)\n" .. row[2] .. "\nend\n"
        .. "local chunk, why = try(self)\nassert(chunk == nil)\nreturn why"
      assert.matches("attempt to load a binary chunk %(mode is '", assert(perform(body)))
    end)
  end

  -- As the reference manual has it: the same in a plain Lua, which these are compared with.
  local same = {
    { "a mode that excludes text", "return select(2, load('return 1', '=x', 'b')) ~= nil" },
    { "a string", "return load 'return 7' ()" },
    { "pieces", [[
      local at, list = 0, { "return ", "4", "2" }
      return load(function() at = at + 1 return list[at] end)()]] },
    { "an empty function chunk", "return #table.pack(load(function() end)())" },
    { "a chunk name", "return select(2, load('x x', '=name'))" },
    { "no chunk name", "return select(2, load('x x'))" },
    { "an environment", "return load('return a', 'x', 't', { a = 5 })()" },
    { "the environment nil", "return select(2, pcall(load('return a', '=x', nil, nil)))" },
    { "no environment", "return load('return type(_G)', 'x', 't')()" },
    { "an environment for loadfile",
      "return loadfile(self.args.here .. '/text.lua', nil, {})(3)" },
    { "a file that is missing", "return select(2, loadfile '/nonexistent')" },
    { "dofile of one", "return select(2, pcall(dofile, '/nonexistent'))" },
    { "dofile", "return dofile(self.args.here .. '/text.lua')" },
    { "dofile that yields", [[
      local co = coroutine.wrap(function() return dofile(self.args.here .. "/yield.lua") end)
      return co() + co()]] },
    { "require", "return (require 'text')" },
    { "require gives the file", "return select(2, require 'text'):match '[^/]+$'" },
    { "require of none", "return select(2, pcall(require, 'none')):match \"module 'none'.-:\"" },
    { "package.path broken", [[
      local path = package.path
      package.path = nil
      local _, why = pcall(require, "none")
      package.path = path
      return why]] },
  }
  it("wrong arguments are errors", function()
    assert.equal([["bad argument #1 to 'load' (function expected, got no value)"]],
      perform "return select(2, pcall(load))")
    assert.matches("reader function must return a string",
      perform "return select(2, load(function() return {} end)).message")
  end)

  for _, row in ipairs(same) do
    it(row[1] .. " is as in plain Lua", function()
      w:write("yield.lua", "coroutine.yield(1) return 2")
      local plain = assert(load("local self = ...\n" .. row[2]))
      local path = package.path
      package.path = w.dir .. "/?.lua"
      local expected = plain { args = { here = w.dir } }
      package.path, package.loaded.text = path, nil
      local cjson = require "cjson"
      assert.same(expected, cjson.decode("[" .. assert(perform(row[2])) .. "]")[1])
    end)
  end
end)
