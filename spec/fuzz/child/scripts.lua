--- Hostile job scripts and payloads, made from a seed: the same seed gives the same text. A script
-- is a job file whose methods are put together from the nastiest things that Lua code can do to the
-- state it runs in. It harms nobody but its own process.
local scripts = {}

local random = math.random

local function pick(list)
  return list[random(#list)]
end

-- ---------------------------------------------------------------------------------------- values

local VALUES = {
  "nil", "true", "false", "0", "-0.0", "0/0", "1/0", "-1/0", "2^53+1", "math.mininteger", "1e308",
  '""', [["\0"]], [["a\0b"]], [["\xff\xfe\x80"]], [["\u{202e}\u{2028}\x1b[2J"]], [["\r\n*** done"]],
  '("x"):rep(70000)', '("\\xff"):rep(300000)', '("\\n"):rep(5000)', "{}", "{1, nil, 3}",
  "{1, 2, x = 3}", "{[1.5] = 1}", "{[{}] = 1}", "{[true] = false}", "print", "io.stdout",
  "coroutine.create(print)", "coroutine.running()", "resque.null", "resque", "_G", "self",
  "self.job", "package.loaded", "setmetatable({}, {__index = error})",
  "setmetatable({}, {__name = '\\xff', __tostring = function() return 42 end})",
  "setmetatable({}, {__tostring = function() error(setmetatable({}, {__tostring = error})) end})",
  "setmetatable({}, {__metatable = false, __len = error, __pairs = error})",
  "setmetatable({}, {__index = function(t, k) return t[k] end})",
  "setmetatable({message = 1e400, name = {}, code = print}, {__concat = error, __eq = error})",
  "{name = 'Resque::DirtyExit\\n', message = ('m'):rep(400000)}",
  "{name = ('N'):rep(5000), message = '\\xc3', code = {}}",
  "resque.DontPerform", "resque.DontPerform(print)", "resque.DontPerform('\\xff')",
  "(function() local t = {} t.t = t return t end)()",
  "(function() local t = {} for _ = 1, 5000 do t = {t} end return t end)()",
  "(function() local t = {} for i = 1, 20000 do t[i] = i .. '' end return t end)()",
}

-- ----------------------------------------------------------------------------------- statements

local NAMES = {
  "error", "pcall", "xpcall", "type", "tostring", "setmetatable", "getmetatable", "select", "next",
  "pairs", "ipairs", "rawget", "rawequal", "assert", "require", "load", "print", "string", "table",
  "math", "os", "io", "utf8", "debug", "coroutine", "package", "_G", "collectgarbage",
}
local FIELDS = {
  "string.gsub", "string.sub", "string.format", "string.find", "string.byte", "table.concat",
  "table.unpack", "table.move", "table.sort", "debug.getinfo", "debug.traceback", "debug.sethook",
  "math.type", "os.exit", "package.loaded", "package.path", "package.searchers", "package.preload",
  "resque.log", "resque.null", "resque.json", "utf8.len", "coroutine.wrap", "self.args", "self.job",
}

local STATEMENTS = {
  -- raising
  "error($V)", "error($V, $N)", "assert(false, $V)", "resque.dont_perform($V)", "error()",
  "error(setmetatable({}, {__gc = error, __close = error, __tostring = error}))",
  "local _ <close> = setmetatable({}, {__close = function() error($V) end}) error($V)",
  "local _ <close> = setmetatable({}, {__close = function() os.exit($N) end})",
  "xpcall(error, function(e) error(e) end, $V)", "xpcall(error, error, $V)",
  "pcall(pcall, pcall, error, $V)", "select(-1, pcall(error, $V))",
  "table.sort({3, 2, 1, 5, 4}, function() error($V) end)",
  "string.gsub('abc', '.', function() error($V) end)", "return $V", "local a = $V .. $V",
  "local a = #$V + $V", "local a = $V < $V", "local a = $V[$V]", "$V()", "for _ in $V do end",
  "for i = $V, $V do end",
  -- other threads
  "coroutine.wrap(function() $S end)()", "coroutine.wrap(function() coroutine.yield($V) end)()",
  "local co = coroutine.create(function() $S end) coroutine.resume(co) coroutine.close(co)",
  "coroutine.yield($V)", "coroutine.close(coroutine.running())",
  -- later
  "setmetatable({}, {__gc = function() $S end})", "KEEP = setmetatable({}, {__gc = error})",
  "KEEP = setmetatable({}, {__gc = function() os.exit($N, true) end})",
  "setmetatable({}, {__gc = function() while true do end end})", "collectgarbage()",
  "collectgarbage('stop')", "collectgarbage('generational')", "collectgarbage($V)",
  -- the world it stands on
  "$G = nil", "$G = $V", "$F = nil", "$F = $V", "$F = function() error($V) end",
  "for k in pairs(_G) do _G[k] = nil end",
  "for k, v in pairs(_G) do if type(v) == 'function' then _G[k] = function() return $V end end end",
  "setmetatable(_G, {__index = function() error($V) end, __newindex = error})",
  "getmetatable('').__index = nil", "getmetatable('').__index = error",
  "getmetatable('').__concat = error", "getmetatable('').__gc = error",
  "setmetatable(string, {__index = error})", "_ENV = {}", "_ENV = nil",
  "package.loaded = {}", "for k in pairs(package.loaded) do package.loaded[k] = nil end",
  "package.loaded['resque.errors'].handler = nil", "package.loaded['resque.errors'].report = error",
  "package.loaded['resque.json'].encode = error", "package.loaded['resque.sys'] = nil",
  "require('resque.sys').report_failed = nil", "require('resque.sys').log = error",
  "require('resque.sys').report_failed($V, $V, $V, $V)", "require('resque.sys').report_started()",
  "require('resque.sys').report_failed('A\\nB', '\\xff', ('t\\n'):rep(10000), true)",
  "require('resque.sys').report_started(true, true)", "require('cjson').encode = nil",
  "require('resque.job.loader').find = nil", "require('resque.job').method = nil",
  "require('resque.hooks').emit = error", "resque.on('onFailure', function() $S end)",
  "resque.on('afterPerform', function() $S end)", "resque.on($V, $V)",
  -- debug
  "debug.sethook(function() error($V) end, 'c')", "debug.sethook(function() error($V) end, '', 1)",
  "debug.sethook(function() end, 'crl', 1)", "debug.sethook(error, 'r')",
  "for k in pairs(debug.getregistry()) do debug.getregistry()[k] = nil end",
  "local r = debug.getregistry() "
    .. "for k, v in pairs(r) do if type(v) == 'userdata' then r[k] = $V end end",
  "debug.getregistry()[$N] = $V", "debug.setmetatable(nil, {__index = function() return 1 end})",
  "debug.setmetatable(0, {__index = error, __call = error})",
  "debug.setmetatable(print, {__index = error, __gc = error})",
  "debug.setmetatable(true, {__tostring = error, __name = $V})",
  "for i = 1, 9 do debug.setupvalue(resque.json.encode, i, $V) end",
  "for i = 1, 9 do debug.setupvalue(require('resque.job.runner').run, i, $V) end",
  "for i = 1, 9 do debug.setupvalue(require('resque.errors').handler, i, $V) end",
  "for level = 1, 9 do if debug.getinfo(level) then debug.setlocal(level, 1, $V) end end",
  "debug.setuservalue(io.stdout, $V, 1)", "debug.setmetatable(io.stdout, nil)",
  -- the end of the process
  "os.exit($N)", "os.exit($N, true)", "os.exit($V)", "os.exit(true)", "os.exit(false, true)",
  "os.execute 'kill -KILL $PPID'", "os.execute 'kill -SEGV $PPID'", "os.execute 'kill -ABRT $PPID'",
  "os.execute 'kill -TERM $PPID'", "os.execute 'kill -STOP $PPID'", "os.execute 'kill -ALRM $PPID'",
  "os.execute 'kill -PIPE $PPID'", "os.execute 'kill -HUP $PPID'", "os.execute 'kill -USR1 $PPID'",
  -- what it leaves behind
  "os.execute 'sleep 50 & sleep 50 &'", "os.execute 'setsid sleep 50 &'", "io.popen('sleep 50')",
  "KEEP = io.popen('cat', 'w')", "os.execute '(setsid sh -c \"sleep 50 & sleep 50\" &)'",
  "os.execute 'trap \"\" TERM; exec sleep 50 &'", "os.setlocale('C')", "os.tmpname = nil",
  -- descriptors
  "io.stdout:close()", "io.stderr:close()", "io.stdin:close()", "io.close()",
  "io.output('/dev/full')",
  "io.output('/dev/null')", "io.stdout:setvbuf('full', 1000000) io.write(('y'):rep(300000))",
  "io.write(('z\\n'):rep(100000))", "io.stderr:write(('\\xff\\0'):rep(50000))", "io.read('a')",
  "io.stderr:write('{\"time\":\"now\",\"level\":\"error\",\"text\":\"forged\"}\\n')",
  [[os.execute 'for f in /proc/$PPID/fd/*; do case $(readlink "$f") in ]]
    .. [[pipe:*) echo XXXXXXX >"$f" & esac; done']],
  [[os.execute 'for f in /proc/$PPID/fd/*; do case $(readlink "$f") in ]]
    .. [[pipe:*) timeout 0.1 cat "$f" >/dev/null & esac; done']],
  [[local p = io.popen("ls -l /proc/$PPID/fd | sed -n 's/.* \\([0-9]*\\) -> pipe.*/\\1/p'") ]]
    .. [[for n in p:lines() do local f = io.open("/proc/self/fd/" .. n, "w") ]]
    .. [[if f then f:write("D\3\0\0\0[1]S\2\0\0\00000F\0\0\0\0T\255\255\255\255") f:close() ]]
    .. "end end",
  "for i = 1, 2000 do local f = io.open('/dev/null') if not f then break end KEEP = {f, KEEP} end",
  -- too much
  "local s = ('x'):rep(2^27) .. 'y'", "local s = ('x'):rep(1e15)", "local s = ('x'):rep(-1)",
  "local t = {} while true do t[#t + 1] = {} end", "local s = 'x' while true do s = s .. s end",
  "local function f() return 1 + f() end f()", "local function f() return f() end f()",
  "local function f() pcall(f) end f()",
  "local t = setmetatable({}, {}) getmetatable(t).__index = t local a = t.x",
  "for i = 1, 300 do local co co = coroutine.wrap(function() co() end) pcall(co) end",
  "while true do end", "repeat pcall(error) until false", "::top:: goto top",
  "coroutine.wrap(function() while true do end end)()",
  "while true do pcall(function() while true do end end) end",
  "string.find(('a'):rep(300), ('.-'):rep(40) .. 'b')", "string.rep('x', 100, ('y'):rep(1e6))",
  "string.format('%99.99f', 1e308)", "string.format('%s', $V)", "string.format('%d', $V)",
  "string.format(('%s'):rep(300), table.unpack({}, 1, 300))", "string.format('%q', $V)",
  "string.pack('!16i16z', $V, $V)", "string.unpack('s8', ('\\xff'):rep(8))", "string.dump(print)",
  "load(string.dump(function() end, true))", "load(('('):rep(300))",
  "load(function() return $V end)",
  "load(('x = x '):rep(50000))()", "select('#', table.unpack({}, 1, 1e6))",
  "table.concat({$V, $V})",
  "utf8.char(0x7fffffff, $N)", "table.move({}, 1, math.maxinteger, 2)", "os.date(('%c'):rep(1000))",
  "os.date('%')", "os.time({year = 1e9, month = 1, day = 1})", "math.random($V)",
  "tonumber('1', $N)",
  -- resque itself
  "resque.log.info($V)", "resque.log.error('%s %d', $V)", "resque.log.warn(('\\n'):rep(3000))",
  "resque.sleep($V)", "resque.sleep(0.001)", "resque.redis('PING')", "resque.redis($V, $V)",
  "resque.redis('QUIT')", "resque.redis('SUBSCRIBE', 'nobody')", "resque.json.decode($V)",
  "resque.json.encode($V)", "resque.status($V)", "resque.key($V)", "resque.job($V, $V)",
  "resque.array($V)", "resque.json.raw($V)", "resque.autoload($V)",
}

local statement

local function fill_in(text, depth)
  return (text:gsub("%$([VNGFS])%f[^%w]", function(what)
    if what == "V" then
      return pick(VALUES)
    elseif what == "N" then
      return tostring(random(-3, 300))
    elseif what == "G" then
      return pick(NAMES)
    elseif what == "F" then
      return pick(FIELDS)
    end
    return depth > 0 and statement(depth - 1) or "error($V)"
  end))
end

function statement(depth)
  local text = fill_in(pick(STATEMENTS), depth)
  local how = random(10)
  if how == 1 then
    return "pcall(function() " .. text .. " end)"
  elseif how == 2 then
    return "if self then " .. text .. " end"
  end
  return "do " .. text .. " end"
end

-- A statement that cannot be compiled by itself is left out: it would take the others with it.
local function method(name, most)
  local lines = { ("function Class:%s(...)"):format(name) }
  for _ = 1, random(most) do
    local text = statement(2)
    if load("local self, resque = ... " .. text) then
      lines[#lines + 1] = "  " .. text
    end
  end
  lines[#lines + 1] = random(4) == 1 and "  return " .. pick(VALUES) or ""
  lines[#lines + 1] = "end"
  return table.concat(lines, "\n")
end

local TABLE_FIELDS = { "memory", "cpu", "on_crash", "sandbox", "queue" }
-- None that lets an endless loop run for ever.
local TIMEOUTS = { "nil", "-1", "0/0", "0.05", "'200ms'", "'1y'", "'\\xff'", "{}", "print", "true" }

--- The text of a job file for a class.
-- @tparam string name
-- @treturn string
function scripts.job_file(name)
  local parts = { ("local resque = require 'resque'\nlocal Class = resque.job(%q)"):format(name) }
  if random(8) == 1 then
    parts[#parts + 1] = ("local self = Class\nClass.%s = %s"):format(pick(TABLE_FIELDS),
      pick(VALUES))
  end
  if random(12) == 1 then
    parts[#parts + 1] = "Class.timeout = " .. pick(TIMEOUTS)
  end
  parts[#parts + 1] = method("perform", 4)
  if random(3) == 1 then
    parts[#parts + 1] = method("setUp", 2)
  end
  if random(3) == 1 then
    parts[#parts + 1] = method("tearDown", 2)
  end
  if random(12) == 1 then
    parts[#parts + 1] = "local self = Class " .. statement(1)
  end
  return table.concat(parts, "\n") .. "\n"
end

-- -------------------------------------------------------------------------------------- payloads

local ARGS = {
  "[]", "[null]", "[[]]", "[{}]", "{}", "null", "1", '"text"', "[1e400]", "[9007199254740993]",
  '["\\u0000"]', '["\\ud83d\\ude00"]', "[" .. ("["):rep(90) .. ("]"):rep(90) .. "]",
  "[" .. ("1,"):rep(5000) .. "1]", '[{"a":1,"a":2}]', "[-0,0.0,1E5]",
  '["' .. ("x"):rep(50000) .. '"]',
}

local function mutate(text)
  for _ = 1, random(3) do
    local at, how = random(#text), random(4)
    if how == 1 then
      text = text:sub(1, at - 1) .. text:sub(at + 1)
    elseif how == 2 then
      text = text:sub(1, at) .. string.char(random(0, 255)) .. text:sub(at + 1)
    elseif how == 3 then
      text = text:sub(1, at)
    else
      text = text:sub(1, at - 1) .. text:sub(random(#text))
    end
  end
  return text
end

--- A payload for a class: mostly sound, sometimes broken in a few bytes.
-- @tparam string name
-- @tparam string id
-- @treturn string bytes
-- @treturn boolean whether it is as every Resque writes it
function scripts.payload(name, id)
  local text = ('{"class":"%s","args":%s,"id":"%s","queue_time":1326692575.25}'):format(name,
    pick(ARGS), id)
  if random(12) == 1 then
    return mutate(text), false
  end
  return text, true
end

return scripts
