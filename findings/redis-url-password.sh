#!/usr/bin/env bash
# Three Redis clients read the password of a redis:// URL in three ways, so the two short forms that each of them
# documents work in no other camp, and the one with an empty user name is refused by Redis's own command line tool.
#
# Seen with redis-cli and redis-server 7.0.15 (Debian 12), npm ioredis 6.0.0 and redis 6.3.1 (Node.js 20), against a
# server with `requirepass`, which is a password for the user `default`:
#
#   URL                        redis-cli     ioredis       redis (node-redis)
#   redis://PASSWORD@host      in            WRONGPASS     NOAUTH: sends none
#   redis://:PASSWORD@host     WRONGPASS     in            in
#   redis://default:PASSWORD@  in            in            in
#
# So the form to write in settings that several programs read is the third one. redis-cli takes what stands alone before
# the @ for the password and sends an empty user name where there is only a colon; ioredis takes it for the user, with
# an empty password; node-redis for the user, and then does not authenticate at all.
#
# Exit 0: as stated. 1: something has changed; the table that was seen is printed. Needs redis-tools, node and npm.
set -euo pipefail

PACKAGES=(ioredis@6.0.0 redis@6.3.1)
PASSWORD=s3cret
EXPECTED='alone redis-cli in
alone ioredis WRONGPASS
alone redis NOAUTH
colon redis-cli WRONGPASS
colon ioredis in
colon redis in
default redis-cli in
default ioredis in
default redis in'

dir=$(mktemp -d "${TMPDIR:-/tmp}/finding.XXXXXX")
server=''
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

# Where only redis-tools is installed the server is there under the name of its file checker.
start_server() {
    ln -s "$(command -v redis-server || command -v redis-check-rdb)" "$dir/redis-server"
    local tries=0
    until [ "$(redis-cli -p "${port:-1}" -a $PASSWORD --no-auth-warning ping 2>/dev/null)" = PONG ]; do
        [ $((tries++)) -lt 600 ] || { echo 'redis-server does not answer' >&2; exit 1; }
        if [ -z "$server" ] || ! kill -0 "$server" 2>/dev/null; then # the port was taken
            port=$((20000 + RANDOM % 10000))
            "$dir/redis-server" --port $port --bind 127.0.0.1 --requirepass $PASSWORD --save '' >"$dir/log" &
            server=$!
        fi
        sleep 0.1
    done
}

cat >"$dir/ping.js" <<'JS'
// node ping.js PACKAGE URL: prints PONG, or how it was refused.
const [name, url] = process.argv.slice(2)
const refused = (error) => { console.log(error.message); process.exit() }
const client = name === 'ioredis'
  ? new (require('ioredis').default)(url, { lazyConnect: true, retryStrategy: () => null })
  : require('redis').createClient({ url, socket: { reconnectStrategy: false } })
client.on('error', refused)
client.connect().then(() => client.ping()).then((pong) => { console.log(pong); process.exit() }).catch(refused)
JS

ask() { # ask CLIENT URL
    if [ "$1" = redis-cli ]; then
        redis-cli --no-auth-warning -u "$2" ping 2>&1
    else
        node "$dir/ping.js" "$1" "$2"
    fi
}

verdict() { # reads what a client said
    case $1 in
    *WRONGPASS*) echo WRONGPASS ;;
    *NOAUTH*) echo NOAUTH ;;
    *PONG*) echo in ;;
    *) echo "? $1" ;;
    esac
}

npm install --silent --no-fund --no-audit --prefix "$dir" "${PACKAGES[@]}" >/dev/null
start_server
printf '%s, %s, node %s\n' "$(redis-cli --version)" "${PACKAGES[*]}" "$(node --version)"
seen=$(for form in alone colon default; do
    case $form in alone) user='' ;; colon) user=: ;; default) user=default: ;; esac
    for client in redis-cli ioredis redis; do
        echo "$form $client $(verdict "$(ask $client "redis://$user$PASSWORD@127.0.0.1:$port")")"
    done
done)
printf '%s\n' "$seen"
[ "$seen" = "$EXPECTED" ] || { echo 'this is not what was found before'; exit 1; }
