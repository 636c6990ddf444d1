#!/usr/bin/env bash
# Sourced by s3.sh, gcs.sh and azure.sh: one server on the loopback interface that outlives the script.
# They define kind, default, usage and, for each choice, three functions:
#
#   install_CHOICE            makes the server in the folder given, out of a package registry (once; see `once`)
#   start_CHOICE              calls `start COMMAND…`; has $home (its folder) and $port
#   and `variables`, which prints NAME=VALUE lines: what a client needs in its environment; `bucket_url`
# shellcheck disable=SC2034,SC2154

BUCKET=${FANBEAM_STORE_BUCKET:-fanbeam}
# Keys of a server that only this machine reaches; whoever wants others sets them before `up`.
KEY=${FANBEAM_STORE_KEY:-fanbeam}
SECRET=${FANBEAM_STORE_SECRET:-fanbeam-secret-key}

stores_cache() {
    local cache="${XDG_CACHE_HOME:-$HOME/.cache}/fanbeam/stores"
    mkdir -p "$cache"
    echo "$cache"
}

# once NAME MAKER: the cached folder of that name. MAKER fills the folder given; it is made beside, then renamed.
once() {
    local name=$1 maker=$2 cache
    cache=$(stores_cache)
    if [ ! -e "$cache/$name" ]; then
        (
            flock 9
            [ ! -e "$cache/$name" ] || exit 0
            work=$(mktemp -d "$cache/.making-XXXXXX")
            trap 'rm -rf "$work"' EXIT
            echo "fetching $name (once; kept in $cache)" >&2
            mkdir "$work/made"
            "$maker" "$work/made" > "$work/log" 2>&1 || {
                tail -n 30 "$work/log" >&2
                echo "cannot fetch $name; the log is above" >&2
                exit 1
            }
            mv "$work/made" "$cache/$name"
        ) 9> "$cache/.$name.lock" || return 1
    fi
    echo "$cache/$name"
}

from_pypi() {
    "$python" -m pip install --quiet --disable-pip-version-check --target "$1" "${@:2}"
}

from_npm() {
    needs npm "apt-get install npm"
    npm install --silent --no-audit --no-fund --no-update-notifier --prefix "$1" "${@:2}"
}

needs() {
    command -v "$1" > /dev/null || {
        echo "$1 is needed: $2" >&2
        return 1
    }
}

# free_ports N: N ports of the loopback interface that nobody listens on, one a line.
free_ports() {
    "$python" "$here/../free_ports.py" "$1"
}

# When a process began: with its number this names a process, even after numbers are given again.
began() {
    ps -o lstart= -p "$1" 2> /dev/null | xargs
}

start() {
    TMPDIR="$home/tmp" setsid "$@" >> "$home/log" 2>&1 < /dev/null 9>&- &
    echo "$! $(began "$!")" > "$home/pid"
}

running() {
    local pid when
    [ -f "$home/pid" ] || return 1
    read -r pid when < "$home/pid"
    case $(ps -o stat= -p "$pid" 2> /dev/null) in "" | Z*) return 1 ;; esac
    [ "$(began "$pid")" = "$when" ]
}

stop() {
    local pid
    if running; then
        read -r pid _ < "$home/pid"
        kill -TERM "$pid" 2> /dev/null || true
        for _ in $(seq 100); do
            running || break
            sleep 0.1
        done
        if running; then kill -KILL "$pid" 2> /dev/null || true; fi
    fi
    rm -f "$home/pid"
}

exports() {
    (
        variables
        echo "FANBEAM_STORE=$(bucket_url)"
    ) | while IFS='=' read -r name value; do printf 'export %s=%q\n' "$name" "$value"; done
}

up() {
    if running; then
        echo "$server already runs (port $port)" >&2
    else
        mkdir -p "$home/data" "$home/tmp"
        [ -n "$port" ] || port=$(free_ports 1)
        : > "$home/log"
        "start_$server"
        printf 'server=%q\nport=%q\n' "$server" "$port" > "$home/settings"
    fi
    # shellcheck disable=SC1091
    if ! exports > "$home/environment" || ! (. "$home/environment" && "$python" "$here/bucket.py" "$kind" "$BUCKET"); then
        echo "$server is not ready; its log: $home/log" >&2
        tail -n 5 "$home/log" >&2
        stop
        return 1
    fi
    echo "$server is ready at http://127.0.0.1:$port; log: $home/log" >&2
    cat "$home/environment"
}

status() {
    if running; then
        echo "$server runs at http://127.0.0.1:$port" >&2
        cat "$home/environment"
    else
        echo "$kind: no server runs ($home)" >&2
        return 3
    fi
}

down() {
    stop
    rm -rf "$home/data" "$home/tmp" "$home/settings" "$home/environment"
}

main() {
    local command=${1:-} given="" wanted_port=""
    [ $# -eq 0 ] || shift
    home="${XDG_STATE_HOME:-$HOME/.local/state}/fanbeam/stores/$kind"
    python=${FANBEAM_PYTHON:-python3}
    while [ $# -gt 0 ]; do
        case $1 in
            --server) given=${2:?} ;;
            --port) wanted_port=${2:?} ;;
            --dir) home=${2:?} ;;
            *) command=usage ;;
        esac
        shift $(($# > 1 ? 2 : 1))
    done
    mkdir -p "$home"
    home=$(cd "$home" && pwd)
    server=${given:-$default} port=$wanted_port
    if running; then
        # shellcheck disable=SC1091
        . "$home/settings"
        if [ -n "$given" ] && [ "$given" != "$server" ]; then
            echo "$server runs in $home; end it first: $0 down" >&2
            return 2
        fi
    fi
    declare -F "start_$server" > /dev/null || command=usage
    case $command in
        up | down | status) "$command" ;;
        *)
            sed -n '/^#!/d; /^#/!q; s/^# \{0,1\}//p' "$0" >&2
            return 2
            ;;
    esac
}
