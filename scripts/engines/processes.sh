#!/usr/bin/env bash
# Sourced by the engine scripts: processes that outlive the script, and their ports.
# Needs $state, a folder: NAME.pid says which process it is, logs/NAME.out what it printed.
#
#   start_process NAME COMMAND…       in the background, in a session of its own
#   running NAME                      whether the process that start_process started is there
#   stop_process NAME                 ends that process, and nothing else
#   wait_for NAME SECONDS COMMAND…    until the command succeeds; says so when time is up or that process has ended
#   wait_for_job_server               until Beam's job server is up; sets job_port
#   free_ports N                      ports of the loopback interface that nobody listens on, one a line
#   listens PORT                      whether somebody does
#   up_on_free_ports                  settle and start_all; with other ports, if one was taken meanwhile
# shellcheck disable=SC2154
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

start_process() (
    name=$1
    shift
    mkdir -p "$state/logs"
    cd "$state" || exit
    : > "logs/$name.out" # now: what an earlier one printed must not be taken for its words
    setsid "$@" >> "$state/logs/$name.out" 2>&1 < /dev/null 9>&- &
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
    local name=$1 seconds=$2
    shift 2
    local end=$((SECONDS + seconds)) why="not ready within $seconds s"
    while [ "$SECONDS" -lt "$end" ]; do
        if ! running "$name"; then
            why="ended:"$'\n'"$(tail -qn 5 "$state/logs/$name."*)"$'\n'
            break
        elif "$@"; then
            return 0
        fi
        sleep 0.2
    done
    echo "$name: $why; logs: $state/logs" >&2
    return 1
}

# Given port 0 it takes a free one, and tells which once it listens there; started again, it gets the same.
wait_for_job_server() {
    job_port=$(wait_for job-server 180 tells_its_port) || return 1
    sed -i "s/^job_port=.*/job_port=$job_port/" "$state/settings.sh"
}

tells_its_port() {
    sed -n 's/.*JobService started on .*:\([0-9][0-9]*\)$/\1/p' "$state/logs/job-server.out" | grep .
}

free_ports() {
    "${PYTHON:-python3}" "$scripts/free_ports.py" "$1"
}

listens() {
    (: < "/dev/tcp/127.0.0.1/$1") 2> /dev/null
}

# Needs names (of all processes), settle (chooses ports if nothing runs), start_all (starts what does not run, and waits).
up_on_free_ports() {
    local name
    settle
    if any_running; then
        start_all
        return
    fi
    for _ in 1 2 3; do
        rm -f "$state/logs/"*.out "$state/logs/"*.log
        if start_all 2> "$state/logs/up.txt"; then return 0; fi
        for name in $(names | tac); do stop_process "$name"; done
        if ! port_was_taken; then
            cat "$state/logs/up.txt" >&2
            return 1
        fi
        echo "a port was taken meanwhile; once more, with others" >&2
        settle
    done
    cat "$state/logs/up.txt" >&2
    return 1
}

any_running() {
    local name
    for name in $(names); do ! running "$name" || return 0; done
    return 1
}

port_was_taken() {
    grep -qiE 'address already in use|BindException|failed to bind' "$state/logs/"*.out "$state/logs/"*.log 2> /dev/null
}
