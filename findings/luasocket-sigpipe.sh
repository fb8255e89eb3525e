#!/usr/bin/env bash
# `require "socket"` has the whole process ignore SIGPIPE from then on, so that send on a closed connection returns nil
# and "closed". Two things about that surprise:
#
# - Programs started later inherit it (exec(3) keeps what is ignored), so loading a module changes how a pipeline in
#   os.execute or io.popen ends. `yes | head -n 1` ends without a word elsewhere, as yes ends by the default action of
#   SIGPIPE (status 141); behind `require "socket"` yes says "Broken pipe" on stderr and exits with 1. The Lua program
#   itself is no longer ended by `| head` either: print goes on, unheard. A program gets the default back from
#   `env --default-signal=PIPE` (coreutils 8.31).
# - `require "socket.unix"` alone does not do it. There the same send on a closed connection raises the signal, whose
#   default action (signal(7)) ends the process. A program of Unix sockets only needs `require "socket"` all the same,
#   or to be started with SIGPIPE ignored.
#
# Seen with Debian 12's lua-socket 3.1.0-1+b1, Lua 5.4.4 and coreutils 9.1.
#
# Exit 0: as stated. 1: something has changed; what was seen is printed. Downloads lua-socket with apt-get and unpacks
# it in a temporary folder; needs lua5.4 and dpkg-deb.
set -euo pipefail

EXPECTED='plain: SIGPIPE default, yes 141 and says nothing, print 141
socket: SIGPIPE ignored, yes 1 and says Broken pipe, print 0
socket, env: SIGPIPE ignored, yes 141 and says nothing, print 0
socket.unix: SIGPIPE default, yes 141 and says nothing, print 141
send with socket: closed, status 0
send with socket.unix alone: -, status 141'

dir=$(mktemp -d "${TMPDIR:-/tmp}/finding.XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq -o APT::Sandbox::User=root download lua-socket >/dev/null
for package in *.deb; do dpkg-deb -x "$package" root; done
modules=$PWD/$(dirname "$(dirname "$(find root -path '*lua/5.4/socket/core.so' | head -n 1)")")
export LUA_CPATH="$modules/?.so" LUA_PATH="$PWD/root/usr/share/lua/5.4/?.lua"

cat >modules.lua <<'LUA'
for name in arg[1]:gmatch "[%w.]+" do
  require(name)
end
LUA

# A pipeline whose first program goes on when the second has seen enough.
cat >yes.sh <<'SH'
"$@" yes 2>err | head -n 1 >out
printf '%s and says %s' "${PIPESTATUS[0]}" "$(sed 's/.*: //' err | grep . || echo nothing)"
SH
cat >inherited.lua <<'LUA'
dofile "modules.lua"
local ignored
for line in io.lines "/proc/self/status" do
  ignored = ignored or line:match "^SigIgn:%s*(%x+)"
end
local file = assert(io.popen("bash yes.sh " .. (arg[2] or "")))
print(("SIGPIPE %s, yes %s"):format(
  tonumber(ignored, 16) >> 12 & 1 == 1 and "ignored" or "default", file:read "a"))
LUA
cat >print.lua <<'LUA'
dofile "modules.lua"
for _ = 1, 100000 do
  print "a line"
end
LUA
cat >send.lua <<'LUA'
dofile "modules.lua"
local unix = require "socket.unix"
local server, client = unix(), unix()
assert(server:bind "socket" and server:listen() and client:connect "socket")
server:accept():close()
local _, err = client:send "text"
print(err)
LUA

# Whoever started this may ignore SIGPIPE, too.
run() { env --default-signal=PIPE lua5.4 "$@"; }
inherited() { # inherited MODULES [WORDS before yes]
    local said
    said=$(run inherited.lua "$@")
    set +o pipefail
    run print.lua "$1" 2>/dev/null | head -n 1 >/dev/null
    echo "$said, print ${PIPESTATUS[0]}"
    set -o pipefail
}
{
    echo "plain: $(inherited '')"
    echo "socket: $(inherited socket)"
    echo "socket, env: $(inherited socket 'env --default-signal=PIPE')"
    echo "socket.unix: $(inherited socket.unix)"
    for modules in socket socket.unix; do
        rm -f socket
        code=0
        said=$(run send.lua $modules) || code=$?
        [ $modules = socket ] || modules+=' alone'
        echo "send with $modules: ${said:--}, status $code"
    done
} >seen
printf '%s, %s, %s\n' "$(echo ./*.deb)" "$(lua5.4 -v)" "$(env --version | head -n 1)"
cat seen
[ "$(<seen)" = "$EXPECTED" ] || { echo 'this is not what was found before'; exit 1; }
