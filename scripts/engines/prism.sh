#!/usr/bin/env bash
# Beam's Prism runner on this machine, built from the Go module proxy.
#
#   bash scripts/engines/prism.sh up [OPTIONS]   starts one that goes on running, prints how to run fanbeam on it
#   bash scripts/engines/prism.sh status         whether it runs; exit code 3 if not
#   bash scripts/engines/prism.sh down           ends it
#   bash scripts/engines/prism.sh fetch          only builds it, and prints where it is: all that `--runner prism` needs
#
#   --dir DIR   where it keeps its ports and logs  [~/.local/state/fanbeam/prism]
#
# The first time it needs Go.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/engines/fetch.sh
. "$here/fetch.sh"
# shellcheck source=scripts/engines/processes.sh
. "$here/processes.sh"

command=${1:-}
[ $# -eq 0 ] || shift
state="${XDG_STATE_HOME:-$HOME/.local/state}/fanbeam/prism"
job_port=0 web_port=0
while [ $# -gt 0 ]; do
    case $1 in
        --dir) state=$2 ;;
        *) command=usage ;;
    esac
    shift $(($# > 1 ? 2 : 1))
done

fetch() {
    beam_prism
}

up() {
    prism=$(beam_prism)
    mkdir -p "$state/logs"
    exec 9> "$state/.lock"
    flock 9
    up_on_free_ports
    cat << TEXT
Prism $BEAM_VERSION is up: http://localhost:$web_port. Logs: $state/logs
  fanbeam run CONFIG --runner prism --job_endpoint localhost:$job_port

without one that goes on running: a run starts its own
  fanbeam run CONFIG --runner prism --prism_location $prism
TEXT
}

names() {
    echo prism
}

settle() {
    running prism || free_ports 2 | paste -d= <(printf '%s_port\n' job web) - > "$state/settings.sh"
    # shellcheck disable=SC1091
    . "$state/settings.sh"
}

start_all() {
    running prism || start_process prism "$prism" --job_port "$job_port" --web_port "$web_port"
    wait_for prism 30 grep -q "Serving JobManagement" "$state/logs/prism.out"
}

status() {
    if running prism; then
        echo "prism runs (process $(cut -d' ' -f1 "$state/prism.pid"))"
    else
        echo "prism does not run"
        return 3
    fi
}

down() {
    stop_process prism
    rm -f "$state/settings.sh"
}

case $command in
    up | down | status | fetch) "$command" ;;
    *)
        sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
        exit 2
        ;;
esac
