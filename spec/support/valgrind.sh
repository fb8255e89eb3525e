#!/bin/sh
# Runs one program under valgrind and fails on any error or leak: valgrind.sh PROGRAM
# or the real one, `valgrind.sh job build/resque-lua`: it enqueues, runs one job in process, and works off a queue.
# Debian 12's valgrind does not know pidfd_open: answer_pidfd.c lets the program start all the same, and the queue holds
# only jobs for which no process is started.
set -eu
grind="valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite
    --error-exitcode=99 --trace-children=yes --child-silent-after-fork=no"

if [ "$1" != job ]; then
    # What a test executes is looked at through /proc (titles), where it must be itself, not valgrind.
    # shellcheck disable=SC2086
    exec env SPEC_VALGRIND=1 $grind --trace-children=no "$1"
fi

program=$2
dir=$(mktemp -d)
cc -shared -fPIC -O1 -Wall -Werror -o "$dir/answer_pidfd.so" spec/support/answer_pidfd.c -ldl
setpriv --pdeathsig KILL redis-server --port 0 --unixsocket "$dir/redis.sock" --save '' --dir "$dir" \
    >"$dir/redis.log" 2>&1 &
redis=$!
trap 'kill $redis; wait $redis || true; rm -rf "$dir"' EXIT
redis() {
    redis-cli -s "$dir/redis.sock" "$@"
}
tries=0
until [ "$(redis ping 2>/dev/null)" = PONG ]; do
    tries=$((tries + 1))
    [ $tries -lt 200 ]
    sleep 0.05
done

export LEDGER="$dir/ledger" APP_INCLUDE=spec/fixtures/jobs.lua REDIS_BACKEND="unix://$dir/redis.sock"
# expect CODE ARGS...: runs the program under valgrind; any other exit code fails.
expect() {
    code=$1 got=0
    shift
    # shellcheck disable=SC2086
    LD_PRELOAD=$dir/answer_pidfd.so timeout 60 $grind --log-file="$dir/valgrind.%p" "$program" "$@" || got=$?
    [ "$got" -eq "$code" ] || {
        echo "exit $got instead of $code: $*"
        cat "$dir"/valgrind.*
        exit 1
    }
}
expect 0 perform Echo name=valgrind
expect 1 perform Raise message=valgrind
expect 0 enqueue aside Echo name=valgrind --track
redis sadd resque:queues one
redis rpush resque:queue:one '{"class":' '"Echo"' '{"class":"Echo","args":["\ud800"]}'
expect 0 --queues one --interval 0 -vv
cat "$LEDGER" "$dir"/valgrind.*
grep -q '{"name":"valgrind"}' "$LEDGER"
[ "$(redis llen resque:queue:aside)" = 1 ]
[ "$(redis get resque:stat:processed)" = 3 ]
[ "$(redis llen resque:failed)" = 3 ]
# Debian 12's valgrind does not know seccomp(2) either, which libseccomp tries, and says so in five lines.
unknown='unhandled amd64-linux syscall: 317|You may be able to write your own|README_MISSING_SYSCALL'
unknown="$unknown|Nevertheless we consider this a bug|it at http://valgrind"
grep -hvE "$unknown" "$dir"/valgrind.* >"$dir/reports" || true
[ ! -s "$dir/reports" ]
