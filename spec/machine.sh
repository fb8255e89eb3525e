# Sourced (bash) by spec/run and the campaigns, behind spec/setup.sh: how quick this machine is, before anything starts.
# Nothing that a test promises is measured against a clock alone: limits are for what hangs, and grow with SPEC_SLOW.

# What spec/support/machine.c measures on a quiet machine for which the limits in the specs were written, as many at
# once as spec files run at once: microseconds of a fork, nanoseconds of a page fault, microseconds of a PING.
MACHINE_FORK=1000 MACHINE_FAULT=2500 MACHINE_PING=100

# machine_measure FOLDER COPIES: prints a line, and exports SPEC_SLOW: how many times slower it is, at least 1. A
# SPEC_SLOW that was set before stays.
machine_measure() {
    local dir=$1 redis numbers slow
    cc -O1 -o "$dir/machine" spec/support/machine.c || return 1
    setpriv --pdeathsig KILL redis-server --port 0 --unixsocket "$dir/machine.sock" --save '' --dir "$dir" \
        >"$dir/machine.log" 2>&1 &
    redis=$!
    until redis-cli -s "$dir/machine.sock" ping >/dev/null 2>&1; do
        kill -0 "$redis" 2>/dev/null || { cat "$dir/machine.log" >&2; return 1; }
        sleep 0.02
    done
    numbers=$(machine_copies "$dir" "$2")
    kill "$redis"
    wait "$redis" 2>/dev/null || true
    slow=$(machine_slow <<<"$numbers")
    export SPEC_SLOW=${SPEC_SLOW:-$slow}
    machine_line <<<"$numbers"
}

# The largest of what each of so many copies found, at the same time.
machine_copies() {
    local copy pids=()
    for copy in $(seq "$2"); do
        "$1/machine" "$1/machine.sock" >"$1/machine.$copy" &
        pids+=($!)
    done
    wait "${pids[@]}"
    cat "$1"/machine.[0-9]* | LC_ALL=C awk '{ for (i = 1; i <= 3; i++) if ($i > most[i]) most[i] = $i }
        END { print most[1], most[2], most[3] }'
}

machine_slow() {
    LC_ALL=C awk -v fork=$MACHINE_FORK -v fault=$MACHINE_FAULT -v ping=$MACHINE_PING '{
        slow = 1
        if ($1 / fork > slow) slow = $1 / fork
        if ($2 / fault > slow) slow = $2 / fault
        if ($3 / ping > slow) slow = $3 / ping
        printf "%.1f\n", slow }'
}

machine_line() {
    LC_ALL=C awk -v kernel="$(uname -sr)" -v cpus="$(nproc)" -v slow="$SPEC_SLOW" '{
        printf "machine: %s, %d processors, fork %.2f ms, page fault %.1f us, PING %.2f ms; limits x %s\n",
            kernel, cpus, $1 / 1000, $2 / 1000, $3 / 1000, slow }'
}

machine_times() { # machine_times N: SPEC_SLOW for what takes N times as long
    LC_ALL=C awk -v slow="${SPEC_SLOW:-1}" -v n="$1" 'BEGIN { print slow * n }'
}
