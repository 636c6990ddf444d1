#!/usr/bin/env bash
# One dataset version per interval, from cron: run, verify, print the version's folder.
#
#   cron.sh CONFIG INPUT OUTPUT [options of `fanbeam run`]
#
# INPUT may hold {{ ds }}, the first day of the interval. Settings are environment variables:
#   FANBEAM=fanbeam        the program; cron's PATH is short
#   FANBEAM_DAYS_AGO=1     when the interval began; or FANBEAM_DAY=YYYY-MM-DD
#   FANBEAM_WAIT=0         seconds to wait for another run with this output; after them exit 75
#   FANBEAM_LOGS=~/.local/state/fanbeam/cron
#
# Exit codes are fanbeam's. A crontab line: Mondays at 3, the week before; mail comes only if something is wrong:
#   0 3 * * 1  FANBEAM_DAYS_AGO=7 /opt/fanbeam/scripts/schedule/cron.sh /data/birds.yaml '/data/{{ ds }}/*.parquet' /data/out > /dev/null
set -euo pipefail

if [ $# -lt 3 ]; then
    sed -n '/^#!/d; /^#/!q; s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
config=$1 input=$2 output=$3
shift 3
program=${FANBEAM:-fanbeam}
day=${FANBEAM_DAY:-$(date -u -d "${FANBEAM_DAYS_AGO:-1} days ago" +%F)}
logs=${FANBEAM_LOGS:-${XDG_STATE_HOME:-$HOME/.local/state}/fanbeam/cron}
name=$(basename "$output")-$(cksum <<< "$output" | cut -d' ' -f1)
log=$logs/$name-$day.log
mkdir -p "$logs"

exec 9> "$logs/$name.lock" # fanbeam inherits it: the lock holds as long as it runs, even without this script
if ! flock --wait "${FANBEAM_WAIT:-0}" 9; then
    echo "another run writes to $output; nothing was done (FANBEAM_WAIT=SECONDS waits for it)" >&2
    exit 75
fi
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# call COMMAND ARGUMENTS…: its JSON object goes to $answer and the log. What ends this script ends fanbeam first.
call() {
    local code=0 child
    echo "$(date -u +%FT%TZ) fanbeam $*" >> "$log"
    "$program" "$@" --json > "$answer" 2>> "$log" &
    child=$!
    trap 'kill -TERM "$child" 2> /dev/null || true' TERM HUP INT
    wait "$child" || code=$?
    while kill -0 "$child" 2> /dev/null; do # a signal interrupts `wait`
        code=0
        wait "$child" || code=$?
    done
    trap - TERM HUP INT
    cat "$answer" >> "$log"
    if [ "$code" -ne 0 ]; then
        cat "$answer" >&2
        echo "fanbeam $1: exit code $code; log: $log" >&2
        exit "$code"
    fi
}

# quoted TEXT: the text as a value of YAML, whatever it holds: `a: b`, `[x`, ` #`
quoted() {
    printf "'%s'" "${1//\'/\'\'}"
}

call run "$config" --set "input.path=$(quoted "${input//"{{ ds }}"/$day}")" --set "output.path=$(quoted "$output")" "$@"
path=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["path"])' < "$answer")
call verify "$path"
echo "$path"
