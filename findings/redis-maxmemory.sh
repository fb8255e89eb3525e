#!/usr/bin/env bash
# At maxmemory with the policy noeviction Redis does not refuse what writes, but what may need memory: each command has
# a flag for it (denyoom), whatever it would do this time. So of a queue one can LPOP and BLPOP, but not LMOVE,
# RPOPLPUSH or push. A worker that moves jobs into a list of its own stands still on a full Redis; one that pops goes
# on.
#
# Of a script only the first write counts. If that is one which frees (DEL, HDEL, LPOP), even where there is nothing to
# free, every later write of the script is done, of whatever size. If it may need memory, it is refused; reads and
# PUBLISH in front of it do not help, as they are no writes. A script that begins with `#!lua` (Redis 7) is refused
# before it runs, also one that writes nothing, unless it says flags=allow-oom or no-writes; Redis 6 and older do not
# know that line.
#
# In MULTI everything is refused when it is queued, also DEL and GET: what waits for EXEC needs memory. EXEC then
# discards the transaction.
#
# The error begins with `OOM ` each time. That of a script goes on with the script's name; redis.pcall in the script
# gets it without.
#
# Seen with Debian 12's redis-server 7.0.15 (out of redis-tools), which is at its limit of one byte throughout.
#
# Exit 0: as stated. 1: something has changed; what was seen is printed. Downloads redis-tools and two libraries with
# apt-get and unpacks them in a temporary folder; needs dpkg-deb.
set -euo pipefail

EXPECTED='SET refused
RPUSH refused
INCR refused
HSET refused
LSET refused
LMOVE refused
RPOPLPUSH refused
COPY refused
LPOP done
BLPOP done
LREM done
LTRIM done
DEL done
HDEL done
EXPIRE done
RENAME done
GET done
PUBLISH done
script SET refused, says its name
script pcall SET: OOM command not allowed when used memory > maxmemory.
script GET SET refused, says its name
script PUBLISH SET refused, says its name
script DEL SET done
script HDEL RPUSH done
#!lua refused
#!lua DEL refused
#!lua flags=no-writes done
#!lua flags=allow-oom done
MULTI DEL EXEC: OK refused EXECABORT
MULTI GET EXEC: OK refused EXECABORT
MULTI EXEC: OK empty'

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

cli() { redis-cli -s "$dir/socket" "$@" 2>&1; }
redis-server --port 0 --unixsocket "$dir/socket" --save '' >log &
server=$!
until [ "$(cli ping)" = PONG ]; do
    kill -0 $server || { cat log; exit 1; }
    sleep 0.1
done

full() { # full COMMAND...: its answer from a Redis that has a list, a hash and a text, and then no memory
    {
        cli config set maxmemory 0
        cli flushall
        cli rpush list a b c
        cli hset hash field value
        cli set text value
        cli config set maxmemory 1
    } >/dev/null
    cli "$@"
}
verdict() {
    case $1 in
    'OOM command not allowed'*'script: '*) echo 'refused, says its name' ;;
    'OOM command not allowed'*) echo refused ;;
    *ERR*) echo "? $1" ;;
    *) echo 'done' ;;
    esac
}
command() { echo "$1 $(verdict "$(full "$@")")"; }
script() { echo "$1 $(verdict "$(full EVAL "$2" 0)")"; }
transaction() { # transaction LINE...: what is said to each of them
    full PING >/dev/null
    printf '%s\n' MULTI "$@" EXEC | cli | grep -v '^$' | sed 's/^OOM.*/refused/; s/^\(EXECABORT\).*/\1/' | paste -sd ' '
}
{
    command SET text more
    command RPUSH list d
    command INCR number
    command HSET hash field again
    command LSET list 0 x
    command LMOVE list other LEFT RIGHT
    command RPOPLPUSH list other
    command COPY list other
    command LPOP list
    command BLPOP list 1
    command LREM list 1 a
    command LTRIM list 0 0
    command DEL text
    command HDEL hash field
    command EXPIRE text 10
    command RENAME text other
    command GET text
    command PUBLISH channel text
    SET="redis.call('SET', 'text', 'more')"
    script 'script SET' "return $SET"
    echo "script pcall SET: $(full EVAL "return redis.pcall('SET', 'text', 'more').err" 0 | tr -d "'")"
    script 'script GET SET' "redis.call('GET', 'text') return $SET"
    script 'script PUBLISH SET' "redis.call('PUBLISH', 'channel', '') return $SET"
    script 'script DEL SET' "redis.call('DEL', 'none') return $SET"
    script 'script HDEL RPUSH' \
        "redis.call('HDEL', 'none', 'field') return redis.call('RPUSH', 'list', ('x'):rep(1000000))"
    script '#!lua' $'#!lua\nreturn 1'
    script '#!lua DEL' $'#!lua\nreturn redis.call("DEL", "text")'
    script '#!lua flags=no-writes' $'#!lua flags=no-writes\nreturn redis.call("GET", "text")'
    script '#!lua flags=allow-oom' $'#!lua flags=allow-oom\n'"return $SET"
    echo "MULTI DEL EXEC: $(transaction 'DEL text')"
    echo "MULTI GET EXEC: $(transaction 'GET text')"
    echo "MULTI EXEC: $(transaction) empty"
} >seen
redis-server --version
cat seen
[ "$(<seen)" = "$EXPECTED" ] || { echo 'this is not what was found before'; exit 1; }
