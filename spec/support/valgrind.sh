#!/bin/sh
# Runs one program under valgrind and fails on any error or leak: valgrind.sh PROGRAM
# or one job through manager, worker and child: valgrind.sh job build/resque-lua
set -eu
grind="valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite
    --error-exitcode=99 --trace-children=yes --child-silent-after-fork=no"

if [ "$1" != job ]; then
    # What a test executes is looked at through /proc (titles), where it must be itself, not valgrind.
    # shellcheck disable=SC2086
    exec $grind --trace-children=no "$1"
fi

dir=$(mktemp -d)
redis-server --port 0 --unixsocket "$dir/redis.sock" --save '' --dir "$dir" >"$dir/redis.log" 2>&1 &
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
redis sadd resque:queues one >/dev/null
redis rpush resque:queue:one '{"class":"Echo","args":[{"name":"valgrind"}]}' \
    '{"class":"Raise","args":[]}' '{"class":"Unknown","args":[]}' '{"class":' >/dev/null
# INTERVAL=0: the worker ends when its queue is empty. The job itself runs under valgrind too.
# shellcheck disable=SC2086
QUEUE=one INTERVAL=0 REDIS_BACKEND="unix://$dir/redis.sock" APP_INCLUDE=spec/fixtures/jobs.lua \
    $grind --log-file="$dir/valgrind.%p" "$2"
cat "$dir"/valgrind.* >"$dir/reports"
cat "$dir/reports" >&2
[ ! -s "$dir/reports" ]
[ "$(redis get resque:stat:processed)" = 4 ]
[ "$(redis llen resque:failed)" = 3 ]
