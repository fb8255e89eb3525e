#!/bin/sh
# Runs a program whose package would start a service, or a timer, if it were installed:
#
#   tool.sh DIR monit|supervisord|logrotate ARGUMENTS...
#
# An installed one is taken; else its package, and what it needs and is not installed, are downloaded and unpacked
# below DIR.
set -eu
tools=$1 program=$2
shift 2
case $program in
monit | logrotate) package=$program ;;
supervisord) package=supervisor ;;
*) echo "tool.sh: '$program' is not known" >&2; exit 2 ;;
esac
PATH=$PATH:/usr/sbin

download() {
    packages=$(apt-get -s install --no-install-recommends "$package" | sed -n 's/^Inst \([^ ]*\) .*/\1/p')
    # shellcheck disable=SC2086
    [ -n "$packages" ] && apt-get -q download $packages
}

unpack() {
    mkdir -p "$tools/new"
    cd "$tools/new"
    download || {
        [ "$(id -u)" -eq 0 ] && apt-get -q update || sudo apt-get -q update # its lists may be old
        download
    }
    for file in *.deb; do
        dpkg-deb -x "$file" "$tools"
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
LD_LIBRARY_PATH=$(find "$tools" -name 'lib*.so.*' -exec dirname '{}' + | sort -u | tr '\n' ':')
PYTHONPATH=$tools/usr/lib/python3/dist-packages
export LD_LIBRARY_PATH PYTHONPATH
exec "$found" "$@"
