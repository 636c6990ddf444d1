#!/usr/bin/env bash
# Sourced by the engine scripts: processes that outlive the script, and their ports.
# Needs $state, a folder: NAME.pid says which process it is, logs/NAME.out what it printed.
#
#   start_process NAME COMMAND…       in the background, in a session of its own
#   running NAME                      whether the process that start_process started is there
#   stop_process NAME                 ends that process, and nothing else
#   wait_for WHAT SECONDS COMMAND…    until the command succeeds; says so when time is up
#   free_port                         a port of the loopback interface that nobody listens on
#   listens PORT                      whether somebody does
# shellcheck disable=SC2154

start_process() (
    name=$1
    shift
    mkdir -p "$state/logs"
    cd "$state" || exit
    setsid "$@" > "$state/logs/$name.out" 2>&1 < /dev/null 9>&- &
    echo "$! $(began "$!")" > "$state/$name.pid"
)

# When a process began: with its number this names a process, even after numbers are given again.
began() {
    ps -o lstart= -p "$1" 2> /dev/null || true
}

running() {
    local pid when
    [ -f "$state/$1.pid" ] || return 1
    read -r pid when < "$state/$1.pid"
    [ -n "$when" ] && [ "$(began "$pid" | xargs)" = "$(echo "$when" | xargs)" ] && ! is_zombie "$pid"
}

is_zombie() {
    case $(ps -o stat= -p "$1" 2> /dev/null) in Z*) return 0 ;; *) return 1 ;; esac
}

stop_process() {
    local name=$1 pid
    if running "$name"; then
        read -r pid _ < "$state/$name.pid"
        kill -TERM "$pid" 2> /dev/null || true
        for _ in $(seq 100); do
            running "$name" || break
            sleep 0.1
        done
        if running "$name"; then kill -KILL "$pid" 2> /dev/null || true; fi
    fi
    rm -f "$state/$name.pid"
}

wait_for() {
    local what=$1 seconds=$2
    shift 2
    local end=$((SECONDS + seconds))
    while [ "$SECONDS" -lt "$end" ]; do
        if "$@"; then return 0; fi
        sleep 0.2
    done
    echo "$what: not ready within $seconds s; logs: $state/logs" >&2
    return 1
}

free_port() {
    "${PYTHON:-python3}" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

listens() {
    (: < "/dev/tcp/127.0.0.1/$1") 2> /dev/null
}
