#!/usr/bin/env bash
# An error raised in a callback of luv (libuv for Lua) cannot be caught: luv prints it and ends the process with exit
# code 255 from inside uv.run, past every pcall around it. __close and __gc of the program do not run. What an error
# value says is lost if it is a table, with __tostring or without: `Uncaught Error: (null)`. For whoever watches the
# process this is an exit like any that a program chooses, not a crash.
#
# Seen with Debian 12's lua-luv 1.44.2-0-1 on libuv1 1.44.2, and Lua 5.4.4.
#
# Exit 0: as stated. 1: something has changed; what was seen is printed. Downloads lua-luv and libuv1 with apt-get and
# unpacks them in a temporary folder; needs lua5.4 and dpkg-deb.
set -euo pipefail

EXPECTED='text: exit 255, before
text: stderr Uncaught Error: callback.lua:9: said
table: exit 255, before
table: stderr Uncaught Error: (null)
tostring: exit 255, before
tostring: stderr Uncaught Error: (null)'

dir=$(mktemp -d "${TMPDIR:-/tmp}/finding.XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq -o APT::Sandbox::User=root download lua-luv libuv1 >/dev/null
for package in *.deb; do dpkg-deb -x "$package" root; done
modules=$(dirname "$(find root -path '*lua/5.4/luv.so' | head -n 1)")
libraries=$(dirname "$(find root -name 'libuv.so.1' | head -n 1)")

cat >callback.lua <<'LUA'
local uv = require "luv"
local values = {
  table = { "said" },
  tostring = setmetatable({}, { __tostring = function() return "said" end }),
}
local _ <close> = setmetatable({}, { __close = function() print "closed" end })
print "before"
uv.new_timer():start(1, 0, function()
  error(values[arg[1]] or "said")
end)
print("caught", pcall(uv.run))
LUA

for kind in text table tostring; do
    code=0
    LUA_CPATH="$modules/?.so" LD_LIBRARY_PATH=$libraries lua5.4 callback.lua $kind >out 2>err || code=$?
    echo "$kind: exit $code, $(paste -sd ' ' out)"
    echo "$kind: stderr $(head -n 1 err)"
done >seen
printf '%s, %s\n' "$(echo ./*.deb)" "$(lua5.4 -v)"
cat seen
[ "$(<seen)" = "$EXPECTED" ] || { echo 'this is not what was found before'; exit 1; }
