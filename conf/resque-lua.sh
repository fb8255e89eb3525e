#!/bin/sh
# Starts and stops workers where neither systemd nor supervisord does; monit may call it.
#
#   resque-lua.sh start|stop|restart|reload|status NAME
#
# NAME stands for a file of settings, /etc/resque-lua/NAME.env (example.env shows all there are);
# nothing else of the environment reaches the workers. Their pid is in /run/resque-lua/NAME.pid,
# their log is /var/log/resque-lua/NAME.log. `stop` lets running jobs finish (QUIT); those that
# still run after 90 seconds are ended and recorded as failed (TERM). `reload` checks APP_INCLUDE
# and opens the log again (HUP). Exit codes are LSB's: 0 fine, 1 not, 2 wrong use; `status`: 0
# running, 3 not, 1 not but a PID file is there.
#
# The places and times can be changed by these variables:
RESQUE_LUA=${RESQUE_LUA:-/usr/local/bin/resque-lua}
CONF_DIR=${CONF_DIR:-/etc/resque-lua}
RUN_DIR=${RUN_DIR:-/run/resque-lua}
LOG_DIR=${LOG_DIR:-/var/log/resque-lua}
STOP_SECONDS=${STOP_SECONDS:-90}
RUN_AS=${RUN_AS:-} # the user the workers run as, if this script is run by root; empty: who runs it

say() {
    echo "resque-lua $name: $*"
}

fail() {
    code=$1
    shift
    say "$@" >&2
    exit "$code"
}

# The manager holds a lock on its PID file while it lives.
locked() {
    flock -n -s -E 75 9 2>/dev/null 9<"$pidfile"
    [ $? -eq 75 ]
}

# The manager's pid, if it lives: its title tells it from a process that has the number now. Where
# /proc does not show that (hidepid), its lock does.
running() {
    pid=$(cat "$pidfile" 2>/dev/null) && [ -n "$pid" ] || return 1
    if [ -r "/proc/$pid/cmdline" ]; then
        tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q 'resque-[0-9]'
    else
        locked
    fi
}

as_user() {
    if [ -n "$RUN_AS" ] && [ "$(id -u)" -eq 0 ]; then
        runuser -u "$RUN_AS" -- "$@"
    else
        "$@"
    fi
}

make_dir() { # make_dir DIR
    [ -d "$1" ] || mkdir -p "$1" || fail 1 "cannot make $1"
    [ -z "$RUN_AS" ] || [ "$(id -u)" -ne 0 ] || chown "$RUN_AS" "$1"
}

not_started() { # not_started CODE: tells what this start has logged
    [ ! -e "$log" ] || tail -c "+$((${size:-0} + 1))" "$log" >&2
    fail 1 "did not start (exit code $1); its log is $log"
}

start() {
    running && { say "is running already, pid $pid"; return; }
    [ -r "$settings" ] ||
        fail 1 "cannot read its settings, $settings (hint: begin with example.env)"
    make_dir "$RUN_DIR"
    make_dir "$LOG_DIR"
    size=$(wc -c 2>/dev/null <"$log")
    as_user env -i PATH="$PATH" LANG="${LANG:-C.UTF-8}" \
        "$RESQUE_LUA" --env-file "$settings" --pidfile "$pidfile" --logfile "$log" --daemon ||
        not_started $?
    running || fail 1 "started, but has ended already; its log is $log"
    say "started, pid $pid"
}

# gone SECONDS: waits that long for the manager to end.
gone() {
    left=$(($1 * 5))
    while running; do
        [ $left -gt 0 ] || return 1
        left=$((left - 1))
        sleep 0.2
    done
}

stop() {
    running || { say "is not running"; return; }
    kill -QUIT "$pid" || fail 1 "cannot send QUIT to process $pid"
    if ! gone "$STOP_SECONDS"; then
        say "jobs still run after $STOP_SECONDS seconds: ending them"
        running && kill -TERM "$pid"
        gone 30 || fail 1 "process $pid does not end"
    fi
    say stopped
}

reload() {
    running || fail 1 "is not running"
    kill -HUP "$pid" && say "told to load anew"
}

status() {
    running && { say "is running, pid $pid"; return; }
    [ ! -e "$pidfile" ] || fail 1 "is not running, but left $pidfile"
    say "is not running"
    exit 3
}

name=${2-}
case $name in
'' | */*)
    echo "usage: $0 start|stop|restart|reload|status NAME" >&2
    echo "hint: NAME stands for $CONF_DIR/NAME.env" >&2
    exit 2
    ;;
esac
settings=$CONF_DIR/$name.env pidfile=$RUN_DIR/$name.pid log=$LOG_DIR/$name.log

case $1 in
start | stop | reload | status) "$1" ;;
restart) stop && start ;;
*) fail 2 "there is no command '$1' (hint: start, stop, restart, reload, status)" ;;
esac
