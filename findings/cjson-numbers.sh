#!/usr/bin/env bash
# Debian's lua-cjson, loaded into Lua 5.4, knows no integers. Every number that it reads is a float, so `1` comes back
# as 1.0 (tostring says "1.0", "id" .. n says "id1.0"), and two ids above 2^53 become one. Every number that it writes
# has 14 digits at most, whatever its type: an integer of 15 digits is written rounded and with an exponent, the round
# number 10^14 as 1e+14. encode_number_precision cannot be set above 14. No error is raised anywhere: an id that passes
# through decode and encode is another id.
#
# Seen with Debian 12's lua-cjson 2.1.0+dfsg-2.2 and Lua 5.4.4. What JSON itself says: numbers have no limit of digits
# (RFC 8259, 6), and integers up to 2^53 are the same everywhere.
#
# Exit 0: as stated. 1: something has changed; what was seen is printed. Downloads lua-cjson with apt-get and unpacks it
# in a temporary folder; needs lua5.4 and dpkg-deb.
set -euo pipefail

EXPECTED='decode 1: float 1.0
decode 1.0: float 1.0
decode 9007199254740993: float 9007199254740992
decode 9223372036854775807: float 9223372036854775808
encode 1: 1
encode 1.0: 1
encode 12345678901234: 12345678901234
encode 100000000000000: 1e+14
encode 123456789012345: 1.2345678901234e+14
encode 9223372036854775807: 9.2233720368548e+18
again {"id":1234567890123456}: {"id":1.2345678901235e+15}
precision 17: expected integer between 1 and 14'

dir=$(mktemp -d "${TMPDIR:-/tmp}/finding.XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq -o APT::Sandbox::User=root download lua-cjson >/dev/null
for package in *.deb; do dpkg-deb -x "$package" root; done
modules=$(dirname "$(find root -path '*lua/5.4/cjson.so' | head -n 1)")

cat >numbers.lua <<'LUA'
local cjson = require "cjson"

for _, text in ipairs { "1", "1.0", "9007199254740993", "9223372036854775807" } do
  local n = cjson.decode("[" .. text .. "]")[1]
  print(("decode %s: %s %s"):format(text, math.type(n), n < 10 and n or ("%.0f"):format(n)))
end
for _, n in ipairs { 1, 1.0, 12345678901234, 100000000000000, 123456789012345, math.maxinteger } do
  print(("encode %s: %s"):format(n, cjson.encode(n)))
end
local text = '{"id":1234567890123456}'
print(("again %s: %s"):format(text, cjson.encode(cjson.decode(text))))
local _, err = pcall(cjson.encode_number_precision, 17)
print("precision 17: " .. err:match "%((.*)%)")
LUA

LUA_CPATH="$modules/?.so" lua5.4 numbers.lua >seen
printf '%s, %s\n' "$(echo ./*.deb)" "$(lua5.4 -v)"
cat seen
[ "$(<seen)" = "$EXPECTED" ] || { echo 'this is not what was found before'; exit 1; }
