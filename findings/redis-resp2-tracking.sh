#!/usr/bin/env bash
# Client-side caching without RESP3, where a connection cannot be pushed to. A connection of RESP2 may say CLIENT
# TRACKING ON all the same: the answer is OK, and it never hears of anything. It has to name a connection that is
# subscribed to __redis__:invalidate (REDIRECT id), and that may be itself:
#
# - A report is a message whose third part is a list of keys, where other messages have a text, and nil after FLUSHALL:
#   a library that expects a text there has to be looked at. Several keys of one MSET come in one report.
# - The name is no channel that others could listen to: another connection that subscribes to it hears nothing. What
#   anybody publishes to it does arrive, as a text among the reports.
# - Before it has subscribed a connection that redirects to itself loses its reports without a word; afterwards it can
#   only (un)subscribe and PING, so it cannot be the one that reads the keys.
# - When the connection redirected to ends, nobody is told (RESP3 has tracking-redir-broken): only CLIENT TRACKINGINFO
#   shows broken_redirect. What is cached then stays as it is for ever.
#
# Seen with Debian 12's redis-server 7.0.15 (out of redis-tools).
#
# Exit 0: as stated. 1: something has changed; what was seen is printed. Downloads redis-tools and two libraries with
# apt-get and unpacks them in a temporary folder; needs bash (for /dev/tcp) and dpkg-deb.
set -euo pipefail

REPORT='*3 $7 message $20 __redis__:invalidate'
EXPECTED="no redirect: OK, then nothing
redirected to itself: OK
before SUBSCRIBE: nothing
a key: $REPORT *1 \$3 k:a
two keys of one MSET: $REPORT *2 \$3 k:a \$3 k:b
FLUSHALL: $REPORT \$-1
PUBLISH: $REPORT \$4 text
GET: only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context
another subscriber: nothing
redirected to another: $REPORT *1 \$3 k:a
when that has ended: OK to a write, then nothing
TRACKINGINFO: broken_redirect"

dir=$(mktemp -d "${TMPDIR:-/tmp}/finding.XXXXXX")
server=''
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP
cd "$dir"
apt-get -qq -o APT::Sandbox::User=root download redis-tools liblzf1 libjemalloc2 >/dev/null
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$PWD/$(dirname "$(find root -name 'libjemalloc.so.2' | head -n 1)")
export LD_LIBRARY_PATH PATH="$PWD/root/usr/bin:$PATH"
ln -s redis-check-rdb root/usr/bin/redis-server # the same program under another name

cli() { redis-cli -p "$port" "$@" 2>&1; }
port=1
until [ "$(cli ping)" = PONG ]; do
    if [ -z "$server" ] || ! kill -0 "$server" 2>/dev/null; then # the port was taken
        port=$((20000 + RANDOM % 10000))
        redis-server --port $port --bind 127.0.0.1 --save '' >log &
        server=$!
    fi
    sleep 0.1
done

connect() { # connect NAME: a connection whose descriptor is in the variable of that name
    exec {descriptor}<>"/dev/tcp/127.0.0.1/$port"
    printf -v "$1" %s "$descriptor"
}
# ask DESCRIPTOR COMMAND: the lines that have come until a PING behind it is answered; without a command what came by
# itself. Redis reports a change before it answers who made it.
ask() {
    local line lines=()
    printf '%s\r\n' "${@:2}" PING >&"$1"
    while read -r -t 10 -u "$1" line; do
        line=${line%$'\r'}
        case $line in
        +PONG) break ;;
        pong) # of a subscriber: *2, $4, pong, $0 and an empty line
            read -r -t 10 -u "$1" line && read -r -t 10 -u "$1" line
            unset 'lines[-1]' 'lines[-1]'
            break
            ;;
        esac
        lines+=("$line")
    done
    echo "${lines[*]:-nothing}"
}
id_of() { ask "$1" 'CLIENT ID' | tr -d :; }
ok() { [ "$1" = +OK ] && echo OK || echo "? $1"; }

{
    connect plain
    on=$(ok "$(ask "$plain" 'CLIENT TRACKING ON')")
    ask "$plain" 'GET k:a' >/dev/null # Redis notes that this one has it
    cli set k:a 1 >/dev/null
    echo "no redirect: $on, then $(ask "$plain")"

    connect self
    echo "redirected to itself: $(ok "$(ask "$self" "CLIENT TRACKING ON REDIRECT $(id_of "$self") BCAST PREFIX k:")")"
    cli set k:a 2 >/dev/null
    echo "before SUBSCRIBE: $(ask "$self")"
    ask "$self" 'SUBSCRIBE __redis__:invalidate' >/dev/null
    cli set k:a 3 >/dev/null
    echo "a key: $(ask "$self")"
    cli mset k:a 4 k:b 4 >/dev/null
    echo "two keys of one MSET: $(ask "$self")"
    cli flushall >/dev/null
    echo "FLUSHALL: $(ask "$self")"
    cli publish __redis__:invalidate text >/dev/null
    echo "PUBLISH: $(ask "$self")"
    echo "GET: $(ask "$self" 'GET k:a' | sed "s/.*'get': //")"

    connect stranger
    ask "$stranger" 'SUBSCRIBE __redis__:invalidate' >/dev/null
    cli set k:a 5 >/dev/null
    echo "another subscriber: $(ask "$stranger")"

    connect reader
    connect listener
    id=$(id_of "$listener")
    ask "$listener" 'SUBSCRIBE __redis__:invalidate' >/dev/null
    ask "$reader" "CLIENT TRACKING ON REDIRECT $id" 'GET k:a' >/dev/null
    cli set k:a 6 >/dev/null
    echo "redirected to another: $(ask "$listener")"
    cli client kill id "$id" >/dev/null
    ask "$reader" 'GET k:a' >/dev/null
    echo "when that has ended: $(cli set k:a 7) to a write, then $(ask "$reader")"
    echo "TRACKINGINFO: $(ask "$reader" 'CLIENT TRACKINGINFO' | grep -o broken_redirect)"
} >seen
redis-server --version
cat seen
[ "$(<seen)" = "$EXPECTED" ] || { echo 'this is not what was found before'; exit 1; }
