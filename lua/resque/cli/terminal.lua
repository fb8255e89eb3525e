--- Talks to people for every command: exit codes, errors with hints, colour, numbers.
--
-- stdout is for data, stderr for talk. Nothing of a single command is here.
-- @module resque.cli.terminal
local net = require "resque.net"
local sys = require "resque.sys"

local terminal = {}

--- Exit codes, the same for every command.
terminal.EXIT = { done = 0, failed = 1, usage = 2, include = 3, redis = 4, timeout = 5 }

--- The command's settings; an empty table in plain lua5.4.
-- @treturn table
function terminal.settings()
  return sys.where ~= "plain" and sys.settings or {}
end

--- Writes an error to stderr: what and why, then a hint.
-- @tparam integer code exit code
-- @tparam string what one line, or more when it brings its own hint
-- @tparam[opt] string hint what to do about it
-- @treturn integer code, so that commands can `return terminal.fail(…)`
function terminal.fail(code, what, hint)
  io.stderr:write("resque-lua: ", what, "\n", hint and "hint: " .. hint .. "\n" or "")
  return code
end

--- Writes what is wrong with Redis to stderr.
-- @tparam string err as the connection gave it, with the address
-- @tparam ?string trouble its kind
-- @treturn integer exit code
function terminal.redis_failed(err, trouble)
  return terminal.fail(terminal.EXIT.redis, err, net.hint(err, trouble))
end

--- Talks on stderr, unless --quiet.
-- @tparam string format as string.format
-- @param ... its values
function terminal.say(format, ...)
  if not terminal.settings().quiet then
    io.stderr:write(format:format(...), "\n")
  end
end

--- Talks on stderr with -v only.
-- @tparam string format as string.format
-- @param ... its values
function terminal.say_more(format, ...)
  local settings = terminal.settings()
  if settings.verbose or settings.very_verbose then
    io.stderr:write(format:format(...), "\n")
  end
end

--- Whether stdout (1) or stderr (2) is a terminal.
-- @tparam integer fd
-- @treturn boolean
function terminal.is_tty(fd)
  return sys.isatty(fd)
end

--- Whether stderr is a terminal that can draw a line again.
-- @treturn boolean
function terminal.can_draw()
  return terminal.is_tty(2) and os.getenv "TERM" ~= "dumb"
end

local COLOURS = { red = 31, green = 32, yellow = 33, bold = 1, dim = 2 }

--- A text in colour, when stdout is a terminal and nobody forbade it.
-- @tparam string colour red, green, yellow, bold or dim
-- @tparam string text
-- @treturn string
function terminal.paint(colour, text)
  if terminal.settings().no_color or os.getenv "TERM" == "dumb" or not terminal.is_tty(1) then
    return text
  end
  return ("\27[%dm%s\27[0m"):format(COLOURS[colour], text)
end

--- A whole number with commas: 10,000.
-- @tparam number n
-- @treturn string
function terminal.number(n)
  local digits = ("%.0f"):format(n)
  local grouped = digits:reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (grouped:gsub("^,", ""))
end

--- Seconds as people say them: 0s, 59s, 1m 5s, 2h 0m.
-- @tparam number seconds
-- @treturn string
function terminal.duration(seconds)
  local whole = math.floor(seconds + 0.5)
  if whole < 60 then
    return whole .. "s"
  elseif whole < 3600 then
    return ("%dm %ds"):format(whole // 60, whole % 60)
  end
  return ("%dh %dm"):format(whole // 3600, whole % 3600 // 60)
end

return terminal
