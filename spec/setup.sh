# Shared by spec/run, the campaigns and demo/run (bash, sourced): installs what spec/packages lists and is missing.
# It starts nothing and leaves no service behind: redis-server comes out of redis-tools, which has no service.

# setup_missing WHO...: prints the packages that these need and that are not there, by name.
setup_missing() {
    setup_lacks "$@" | cut -d ' ' -f 1 | sort -u
}

# Prints `PACKAGE WHAT FOR` for each line of spec/packages that is for one of these and whose proof fails.
setup_lacks() {
    local line_is_for package proof why who
    while read -r line_is_for package proof why; do
        for who in "$@"; do
            case ,$line_is_for, in
            *",$who,"*)
                setup_proof "$proof" || setup_no_such "$package" || printf '%s %s\n' "${package#\?}" "$why"
                break
                ;;
            esac
        done
    done < <(grep '^[a-z]' "$(dirname "${BASH_SOURCE[0]}")/packages")
}

# Whether a package that not every Debian has (?NAME) is not to be had here.
setup_no_such() {
    case $1 in
    \?*) ! apt-cache show "${1#\?}" >/dev/null 2>&1 ;;
    *) return 1 ;;
    esac
}

# A proof is a command, a file (* allowed), pkg:NAME for pkg-config or lua:MODULE for Lua 5.4.
setup_proof() {
    case $1 in
    pkg:*) pkg-config --exists "${1#pkg:}" 2>/dev/null ;;
    lua:*) lua5.4 -e "require '${1#lua:}'" >/dev/null 2>&1 ;;
    /*) compgen -G "$1" >/dev/null ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

# setup_install WHO...: installs what is missing, as root or through sudo, and says first what, and what for. Not 0 when
# something still is missing.
setup_install() {
    local missing package why root=()
    missing=$(setup_missing "$@")
    if [ -n "$missing" ]; then
        if [ "$(id -u)" -ne 0 ]; then
            if ! command -v sudo >/dev/null 2>&1; then
                echo "missing: $(echo $missing); this user is not root and there is no sudo" >&2
                echo "hint: as root: apt-get install $(echo $missing)" >&2
                return 1
            fi
            root=(sudo)
        fi
        "${root[@]}" apt-get -q update >&2 || return 1
        missing=$(setup_missing "$@") # with what apt knows only now
        echo 'installing with apt-get:' >&2
        setup_lacks "$@" | sort -u | while read -r package why; do printf '  %-18s %s\n' "$package" "$why"; done >&2
        echo 'with all that these need:' >&2
        # shellcheck disable=SC2086
        { LC_ALL=C apt-get install --assume-no --no-install-recommends $missing 2>/dev/null || true; } |
            sed -nE 's/^([0-9]+ upgraded, |Need to get |After this operation, )/  &/p' >&2
        # shellcheck disable=SC2086
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get -q install -y --no-install-recommends $missing >&2 || return 1
        missing=$(setup_missing "$@")
    fi
    if [ -n "$missing" ]; then
        echo "still missing after the installation: $(echo $missing)" >&2
        return 1
    fi
}

# setup_redis DIR: makes `redis-server` callable, and `valkey-server` where Valkey is, through a link in DIR when only
# redis-tools is installed (redis-check-rdb is the server under another name).
setup_redis() {
    local name
    mkdir -p "$1"
    for name in redis valkey; do
        command -v "$name-server" || ! command -v "$name-check-rdb" ||
            ln -sf "$(command -v "$name-check-rdb")" "$1/$name-server"
    done >/dev/null
    PATH=$1:$PATH
}

# setup_settings NAMES ARGUMENT...: exports arguments such as SEED=1 whose name is one of NAMES, or BUILD; on any other
# says so and exits.
setup_settings() {
    local names=$1 setting
    shift
    for setting in "$@"; do
        if [[ $setting != *=* || " $names BUILD " != *" ${setting%%=*} "* ]]; then
            echo "$0: what is '$setting'? hint: NAME=value, with one of $names" >&2
            exit 2
        fi
        export "${setting?}"
    done
}
