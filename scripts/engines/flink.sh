#!/usr/bin/env bash
# A Flink cluster on this machine, with Beam's job server, out of packages: JobManager, TaskManagers, worker pool.
#
#   bash scripts/engines/flink.sh up [OPTIONS]   starts what does not run, prints how to run fanbeam on it
#   bash scripts/engines/flink.sh status         what runs; exit code 3 if something does not
#   bash scripts/engines/flink.sh down           ends all of it
#
#   --dir DIR            where it keeps ports, logs and workers  [~/.local/state/fanbeam/flink]
#   --taskmanagers N     processes that run tasks; one Python worker each  [2]
#   --slots N            tasks at once in each  [2]
#   --restart STRATEGY   Flink's restart strategy: none, or a number of attempts one second apart  [3]
#   --classes WHOSE      whose copy of Beam a job uses: parent (the cluster's; workers stay from stage to stage), or child (its
#                        own; needed for --flink_submit_uber_jar)  [parent]
#   --python PYTHON      the Python whose packages the workers use  [.venv of this checkout, else python3]
#
# Needs Java 11 or 17; the first time Maven and Go too. Everything listens on the loopback interface only, but Beam's job
# server, which knows no other way than all interfaces: use it behind a firewall.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/engines/fetch.sh
. "$here/fetch.sh"
# shellcheck source=scripts/engines/processes.sh
. "$here/processes.sh"

command=${1:-}
[ $# -eq 0 ] || shift
state="${XDG_STATE_HOME:-$HOME/.local/state}/fanbeam/flink"
top=$(cd "$here/../.." && pwd)
taskmanagers=2 slots=2 restart=3 classes=parent python="" settled=""
rest_port=0 rpc_port=0 blob_port=0 pool_port=0 job_port=0
while [ $# -gt 0 ]; do
    case $1 in
        --dir) state=$2 ;;
        --taskmanagers) taskmanagers=$2 ;;
        --slots) slots=$2 ;;
        --restart) restart=$2 ;;
        --classes) classes=$2 ;;
        --python) python=$2 ;;
        *) command=usage ;;
    esac
    shift $(($# > 1 ? 2 : 1))
done
if [ -z "$python" ]; then
    python=$top/.venv/bin/python
    [ -x "$python" ] || python=$(command -v python3)
fi
export PYTHON=$python

names() {
    echo jobmanager
    seq -f 'taskmanager-%g' "$taskmanagers"
    echo job-server
    echo worker-pool
}

# Options and ports of a cluster stay the same for as long as any of it runs.
settle() {
    local given
    given="taskmanagers=$taskmanagers slots=$slots restart=$restart classes=$classes python=$(printf %q "$python")"
    if [ -f "$state/settings.sh" ]; then
        # shellcheck disable=SC1091
        . "$state/settings.sh"
        if any_running; then
            [ "$given" = "$settled" ] || [ "$command" != up ] || echo "already up, with: $settled" >&2
            return 0
        fi
    fi
    [ "$command" = up ] || return 0
    eval "$given"
    mkdir -p "$state/workers" "$state/logs" "$state/conf" "$state/tmp"
    {
        echo "$given"
        echo "settled=$(printf %q "$given")"
        free_ports 4 | paste -d= <(printf '%s_port\n' rest rpc blob pool) -
        echo job_port=0
    } > "$state/settings.sh"
    # shellcheck disable=SC1091
    . "$state/settings.sh"
}

write_conf() {
    cat > "$state/conf/config.yaml" << CONF
jobmanager: {rpc: {address: localhost, port: $rpc_port}, bind-host: localhost, memory: {process: {size: 1200m}}}
rest: {address: localhost, bind-address: localhost, port: $rest_port}
blob: {server: {port: $blob_port}}
taskmanager: {host: localhost, bind-host: localhost, numberOfTaskSlots: $slots, memory: {process: {size: 1600m}}}
taskmanager.memory.network: {min: 192m, max: 192m}
taskmanager.network.sort-shuffle.min-buffers: 64
parallelism: {default: 1}
heartbeat: {interval: 1000, timeout: 20000}
io: {tmp: {dirs: $state/tmp}}
classloader: {resolve-order: $classes-first, parent-first-patterns: {additional: org.apache.beam.vendor.}}
CONF
    case $restart in
        none | 0) echo "restart-strategy: {type: none}" ;;
        *) echo "restart-strategy: {type: fixed-delay, fixed-delay: {attempts: $restart, delay: 1 s}}" ;;
    esac >> "$state/conf/config.yaml"
    cat > "$state/conf/log4j.properties" << 'CONF'
rootLogger.level = INFO
rootLogger.appenderRef.file.ref = file
appender.file.name = file
appender.file.type = FILE
appender.file.fileName = ${sys:log.file}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{HH:mm:ss,SSS} %-5p %c{2} - %m%n
CONF
}

write_boot() {
    {
        echo '#!/usr/bin/env bash'
        echo "export FANBEAM_WORKER_BOOT=$(printf %q "$boot") FANBEAM_WORKER_PYTHON=$(printf %q "$python")"
        echo "export FANBEAM_WORKER_PACKAGES=$(printf %q "$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')")"
        echo "export FANBEAM_WORKERS=$(printf %q "$state/workers") FANBEAM_WORKER_FLINK=localhost:$rest_port"
        echo "exec bash $(printf %q "$here/worker_boot.sh") \"\$@\""
    } > "$state/boot.sh"
    chmod +x "$state/boot.sh"
}

# memory WHICH: JVM options and Flink's own options, one line each, as Flink works them out from its config.
memory() {
    if [ ! -f "$state/conf/$1" ]; then
        java -cp "$flink/bin/bash-java-utils.jar:$flink/lib/*" org.apache.flink.runtime.util.bash.BashJavaUtils \
            "GET_$1_RESOURCE_PARAMS" --configDir "$state/conf" 2>&1 |
            sed -n 's/^BASH_JAVA_UTILS_EXEC_RESULT://p' > "$state/conf/$1.part"
        mv "$state/conf/$1.part" "$state/conf/$1"
    fi
    sed -n "$2p" "$state/conf/$1"
}

# flink_process NAME CLASS JVM_OPTIONS FLINK_OPTIONS
flink_process() {
    local name=$1 class=$2 jvm flink_options
    running "$name" && return 0
    read -ra jvm <<< "$3"
    read -ra flink_options <<< "$4"
    # The job server's jar on every class path: else each job brings its own copy, and the TaskManagers run full.
    FLINK_CONF_DIR="$state/conf" start_process "$name" java "${jvm[@]}" "${opens[@]}" \
        "-Dlog.file=$state/logs/$name.log" "-Dlog4j.configurationFile=file:$state/conf/log4j.properties" \
        -cp "$flink/lib/*:$jar" "$class" --configDir "$state/conf" "${flink_options[@]}"
}

taskmanagers_registered() {
    "$python" - "$rest_port" "$taskmanagers" << 'PY' 2> /dev/null
import json, sys, urllib.request
with urllib.request.urlopen(f"http://localhost:{sys.argv[1]}/overview", timeout=5) as answer:
    sys.exit(json.load(answer)["taskmanagers"] < int(sys.argv[2]))
PY
}

up() {
    jar=$(job_server_jar flink)
    flink=$(flink_home)
    boot=$(beam_boot)
    mapfile -t opens < <(java_opens)
    mkdir -p "$state"
    exec 9> "$state/.lock"
    flock 9
    up_on_free_ports
    how_to
}

start_all() {
    local name
    write_conf
    write_boot
    flink_process jobmanager org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint \
        "$(memory JM 1)" "$(memory JM 2)"
    for name in $(names | grep taskmanager); do
        flink_process "$name" org.apache.flink.runtime.taskexecutor.TaskManagerRunner "$(memory TM 1)" "$(memory TM 2)"
    done
    running worker-pool || PATH="$(dirname "$python"):$PATH" start_process worker-pool "$python" \
        -m apache_beam.runners.worker.worker_pool_main --service_port "$pool_port" --container_executable "$state/boot.sh"
    wait_for jobmanager 180 taskmanagers_registered || return 1
    running job-server || start_process job-server java -jar "$jar" "--flink-master=localhost:$rest_port" \
        --job-host=localhost "--job-port=$job_port" --artifact-port=0 --expansion-port=-1 \
        "--artifacts-dir=$state/tmp/artifacts" --clean-artifacts-per-job
    wait_for_job_server && wait_for worker-pool 180 listens "$pool_port"
}

how_to() {
    local package="--setup_file=$top/setup.py"
    cat << TEXT
Flink $FLINK_VERSION is up: http://localhost:$rest_port, $taskmanagers TaskManagers with $slots slots each. Logs: $state/logs, $state/workers/logs

PROCESS: each TaskManager starts its own Python worker, which installs fanbeam as staged from here
  fanbeam run CONFIG --runner flink --flink_master localhost:$rest_port --flink_job_server_jar $jar \\
    --environment_type PROCESS --environment_config '{"command": "$state/boot.sh"}' $package

the same through the job server that is running already, which saves starting one
  fanbeam run CONFIG --runner flink --job_endpoint localhost:$job_port --flink_master localhost:$rest_port \\
    --environment_type PROCESS --environment_config '{"command": "$state/boot.sh"}' $package

the same as one jar, over Flink's REST interface alone, on a cluster that is up with --classes child: add
    --flink_submit_uber_jar

EXTERNAL: a pool that is running already starts the workers; one pool serves one TaskManager (up --taskmanagers 1)
  fanbeam run CONFIG --runner flink --flink_master localhost:$rest_port --flink_job_server_jar $jar \\
    --environment_type EXTERNAL --environment_config localhost:$pool_port $package

LOOPBACK: the submitting process renders, Flink only schedules (for trials)
  fanbeam run CONFIG --runner flink --flink_master localhost:$rest_port --flink_job_server_jar $jar \\
    --environment_type LOOPBACK
TEXT
}

status() {
    local name code=0
    settle
    for name in $(names); do
        if running "$name"; then
            echo "$name runs (process $(cut -d' ' -f1 "$state/$name.pid"))"
        else
            echo "$name does not run"
            code=3
        fi
    done
    return "$code"
}

down() {
    local name
    settle
    for name in $(names | tac); do stop_process "$name"; done
    rm -rf "$state/conf" "$state/tmp" "$state/settings.sh"
    find "$state/workers" -maxdepth 1 -name 'worker-*' -exec rm -rf {} + 2> /dev/null || true
}

case $command in
    up | down | status) "$command" ;;
    *)
        sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
        exit 2
        ;;
esac
