# Shared by spec/run, the campaigns and demo/run (bash, sourced): installs what spec/packages lists and is missing.
# It starts nothing and leaves no service behind: redis-server comes out of redis-tools, which has no service.

# Prints the packages of the given groups whose proof fails.
setup_missing() {
    local group package proof groups=" $* "
    while read -r group package proof; do
        case $group in '' | \#*) continue ;; esac
        case $groups in *" $group "*) ;; *) continue ;; esac
        setup_proof "$proof" || printf '%s\n' "$package"
    done <"$(dirname "${BASH_SOURCE[0]}")/packages"
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

# setup_install GROUP...: installs what is missing, as root or through sudo. Not 0 when something still is.
setup_install() {
    local missing root=()
    missing=$(setup_missing "$@" | sort -u)
    if [ -n "$missing" ]; then
        if [ "$(id -u)" -ne 0 ]; then
            if ! command -v sudo >/dev/null 2>&1; then
                echo "missing: $(echo $missing); this user is not root and there is no sudo" >&2
                echo "hint: as root: apt-get install $(echo $missing)" >&2
                return 1
            fi
            root=(sudo)
        fi
        echo "installing with apt: $(echo $missing)" >&2
        "${root[@]}" apt-get -q update >&2 || return 1
        # shellcheck disable=SC2086
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get -q install -y --no-install-recommends $missing >&2 || return 1
        missing=$(setup_missing "$@" | sort -u)
    fi
    if [ -n "$missing" ]; then
        echo "still missing after the installation: $(echo $missing)" >&2
        return 1
    fi
}

# setup_redis DIR: makes `redis-server` callable, through a link in DIR when only redis-tools is installed
# (redis-check-rdb is the server under another name).
setup_redis() {
    command -v redis-server >/dev/null 2>&1 && return 0
    mkdir -p "$1"
    ln -sf "$(command -v redis-check-rdb)" "$1/redis-server"
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
