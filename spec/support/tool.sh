#!/bin/sh
# Runs a program whose package would start a service, or a timer, if it were installed:
#
#   tool.sh DIR monit|supervisord|logrotate ARGUMENTS...
#
# An installed one is taken; else its packages are downloaded and unpacked below DIR.
set -eu
tools=$1 program=$2
shift 2
case $program in
monit) packages=monit ;;
logrotate) packages='logrotate libpopt0' ;;
supervisord) packages='supervisor python3-pkg-resources' ;;
*) echo "tool.sh: '$program' is not known" >&2; exit 2 ;;
esac
PATH=$PATH:/usr/sbin

download() {
    # shellcheck disable=SC2086
    apt-get -q download $packages
}

unpack() {
    mkdir -p "$tools/new"
    cd "$tools/new"
    download || {
        [ "$(id -u)" -eq 0 ] && apt-get -q update || sudo apt-get -q update # its lists may be old
        download
    }
    for package in *.deb; do
        dpkg-deb -x "$package" "$tools"
    done
    cd /
    rm -rf "$tools/new"
}

command -v "$program" >/dev/null && exec "$program" "$@"
found=$(find "$tools/usr/bin" "$tools/usr/sbin" -name "$program" 2>/dev/null || true)
if [ -z "$found" ]; then
    (unpack) >&2
    found=$(find "$tools/usr/bin" "$tools/usr/sbin" -name "$program" 2>/dev/null || true)
fi
case $program in
logrotate)
    LD_LIBRARY_PATH=$(dirname "$(find "$tools" -name libpopt.so.0)")
    export LD_LIBRARY_PATH
    ;;
supervisord) export PYTHONPATH="$tools/usr/lib/python3/dist-packages" ;;
esac
exec "$found" "$@"
