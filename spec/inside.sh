#!/usr/bin/env bash
# What a run leaves in the file system is in one folder, and goes with it when the run ends, however it ends, together
# with the processes that belong to it. Sourced by spec/run, the campaigns and demo/run:
#
#   inside "$0" "$@"     runs that script again with such a folder as TMPDIR, and exits as it does; inside it returns
#
# The folder's lock is held while anybody of the run lives: what a machine left that went down, the next run clears.

# folder_open NAME: makes $folder, locked, once those are gone whose runs have ended.
folder_open() {
    local dead
    for dead in "${TMPDIR:-/tmp}/resque-$1".*; do
        folder_is_dead "$dead" && folder_clear "$dead"
    done
    folder=$(mktemp -d "${TMPDIR:-/tmp}/resque-$1.XXXXXX") || exit 1
    chmod 711 "$folder" # jobs of other users have files in it
    exec {folder_lock}>"$folder/lock.new"
    flock "$folder_lock" && mv "$folder/lock.new" "$folder/lock" # it is never there and free
}

# Whether nobody holds its lock. One that has none is just being made, but for an hour old one.
folder_is_dead() {
    [ -d "$1" ] && [ -O "$1" ] || return 1
    [ -e "$1/lock" ] || { [ -n "$(find "$1" -maxdepth 0 -mmin +60)" ]; return; }
    flock --nonblock "$1/lock" true
}

# The processes of a run: its folder is in their environment, or they write to a file in it. Jobs end with their
# workers.
folder_pids() {
    { grep -lsF -- "$1" /proc/[0-9]*/environ
      find /proc/[0-9]*/fd/[12] -maxdepth 0 -lname "$1/*" 2>/dev/null; } |
        cut -d / -f 3 | sort -u | grep -vxF "$(printf '%s\n' $$ "$BASHPID" ${folder_watch-})"
}

# folder_clear FOLDER: ends its processes, then removes it, unless SPEC_KEEP says that it stays.
folder_clear() {
    local pids tries=50
    while pids=$(folder_pids "$1") && [ $tries -gt 0 ]; do
        kill -KILL $pids 2>/dev/null || true
        tries=$((tries - 1))
        sleep 0.05
    done
    [ -n "${SPEC_KEEP-}" ] || rm -rf "$1"
}

inside() {
    [ -z "${SPEC_INSIDE-}" ] || return 0
    folder_open run
    setsid bash spec/inside.sh $$ "$folder" >/dev/null 2>&1 </dev/null &
    folder_watch=$!
    trap 'folder_clear "$folder"; kill "$folder_watch" || true' EXIT
    trap 'exit 143' TERM
    trap 'exit 130' INT
    trap 'exit 129' HUP
    SPEC_INSIDE=$folder TMPDIR=$folder env --default-signal=INT,QUIT "$@" <&0 &
    wait $!
    exit
}

# Run as a program: inside.sh PID FOLDER waits for the end of that process, and clears up if it did not do so itself.
if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    tail --pid="$1" --sleep-interval=0.5 -f /dev/null
    [ ! -d "$2" ] || folder_clear "$2"
fi
