#!/bin/sh
# What `make install` and `make uninstall` do. Not for people: call make.
#
#   install.sh install|uninstall BUILD DESTDIR PREFIX LUA_SHARE LUA_LIB
#
# Every file and folder that is made is noted in PREFIX/share/resque-lua/installed; uninstalling
# removes those and nothing else, and a folder only while it is empty. Installing over an older
# version keeps its notes.
set -eu
umask 022
cd "$(dirname "$0")/.."

action=$1 build=$2 destdir=$3 prefix=$4 lua_share=$5 lua_lib=$6
bin=$prefix/bin share=$prefix/share/resque-lua man=$prefix/share/man
list=$destdir$share/installed
[ -z "$destdir" ] || mkdir -p "$destdir" # the packager's own

note() {
    grep -qxF "$1" "$list" 2>/dev/null || echo "$1" >>"$list"
}

make_dir() { # make_dir DIR: with those above it
    [ -d "$destdir$1" ] && return
    make_dir "$(dirname "$1")"
    mkdir "$destdir$1"
    folders="$folders$1
"
}

put() { # put MODE SOURCE TARGET
    make_dir "$(dirname "$3")"
    install -m "$1" "$2" "$destdir$3"
    note "$3"
}

put_link() { # put_link TARGET NAME
    ln -sf "$1" "$destdir$2"
    note "$2"
}

# What names our program gets the PREFIX it is installed under.
put_conf() { # put_conf MODE SOURCE
    put "$1" "$2" "$share/$(basename "$2")"
    sed "s|/usr/local|$prefix|g" "$2" >"$destdir$share/$(basename "$2")"
}

put_completions() {
    bash=$prefix/share/bash-completion/completions
    fish=$prefix/share/fish/vendor_completions.d
    put 644 "$build/completions/resque-lua.bash" "$bash/resque-lua"
    put_link resque-lua "$bash/resque-enqueue"
    put 644 "$build/completions/resque-lua.zsh" "$prefix/share/zsh/site-functions/_resque-lua"
    put 644 "$build/completions/resque-lua.fish" "$fish/resque-lua.fish"
    put_link resque-lua.fish "$fish/resque-enqueue.fish"
}

put_all() {
    put 755 "$build/resque-lua" "$bin/resque-lua"
    put_link resque-lua "$bin/resque-enqueue"
    for file in lua/resque.lua lua/resque/*.lua lua/resque/job/*.lua \
        lua/resque/client/*.lua; do
        put 644 "$file" "$lua_share/${file#lua/}"
    done
    for file in "$build"/lib/resque/*.so "$build"/lib/resque/*/*.so; do
        put 644 "$file" "$lua_lib/${file#"$build"/lib/}"
    done
    for page in conf/man/*.[1-9]; do
        put 644 "$page" "$man/man${page##*.}/$(basename "$page")"
    done
    put_completions
    put_conf 755 conf/resque-lua.sh
    for file in conf/example.env conf/logrotate conf/resque.monit conf/supervisord.conf \
        conf/systemd/resque-lua@.service; do
        put_conf 644 "$file"
    done
    for file in jobs/*.lua demo/jobs.lua demo/sample_plugin.lua demo/init.lua demo/queue.lua \
        demo/check_status.lua; do
        put 644 "$file" "$share/$file"
    done
    for file in README.md CHANGELOG.md LICENSE docs/*.md; do
        put 644 "$file" "$prefix/share/doc/resque-lua/$file"
    done
}

install_all() {
    folders=
    make_dir "$share"
    note "$share/installed"
    put_all
    printf '%s' "$folders" | while read -r folder; do
        note "$folder"
    done
}

# Longer names first: what is in a folder goes before it.
uninstall_all() {
    if [ ! -e "$list" ]; then
        echo "nothing is installed in $destdir$prefix" >&2
        return
    fi
    names=$(awk '{ print length, $0 }' "$list" | sort -rn | cut -d' ' -f2-)
    echo "$names" | while read -r name; do
        if [ -d "$destdir$name" ] && [ ! -L "$destdir$name" ]; then
            rmdir "$destdir$name" 2>/dev/null || true
        else
            rm -f "$destdir$name"
        fi
    done
}

"${action}_all"
