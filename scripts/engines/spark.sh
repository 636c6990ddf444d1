#!/usr/bin/env bash
# A standalone Spark cluster on this machine, with Beam's job server, out of packages: master, workers, job server.
#
#   bash scripts/engines/spark.sh up [OPTIONS]   starts what does not run, prints how to run fanbeam on it
#   bash scripts/engines/spark.sh status         what runs; exit code 3 if something does not
#   bash scripts/engines/spark.sh down           ends all of it
#
#   --dir DIR            where it keeps ports, logs and workers  [~/.local/state/fanbeam/spark]
#   --workers N          Spark workers; one executor, so one Python worker, in each  [2]
#   --cores N            tasks at once in each  [1]
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
state="${XDG_STATE_HOME:-$HOME/.local/state}/fanbeam/spark"
top=$(cd "$here/../.." && pwd)
workers=2 cores=1 python="" settled=""
master_port=0 ui_port=0 job_port=0
while [ $# -gt 0 ]; do
    case $1 in
        --dir) state=$2 ;;
        --workers) workers=$2 ;;
        --cores) cores=$2 ;;
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
    echo master
    seq -f 'worker-%g' "$workers"
    echo job-server
}

# Options and ports of a cluster stay the same for as long as any of it runs.
settle() {
    local given
    given="workers=$workers cores=$cores python=$(printf %q "$python")"
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
    master_port=$(free_ports 1)
    {
        echo "$given"
        echo "settled=$(printf %q "$given")"
        printf '%s\n' "master_port=$master_port" "ui_port=$(port_of_the_page "$master_port")" job_port=0
    } > "$state/settings.sh"
    # shellcheck disable=SC1091
    . "$state/settings.sh"
}

# Spark's own ports are 7077 and 8080; the same distance lets fanbeam find the page from the master's address.
port_of_the_page() {
    local wanted=$(($1 + 1003))
    if listens "$wanted"; then free_ports 1; else echo "$wanted"; fi
}

write_conf() {
    cat > "$state/conf/log4j2.properties" << 'CONF'
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss,SSS} %-5p %c{1} - %m%n
CONF
    {
        sed 's/^rootLogger.level = info/rootLogger.level = warn/' "$state/conf/log4j2.properties"
        echo "logger.server.name = org.apache.beam.runners.jobsubmission.JobServerDriver"
        echo "logger.server.level = info"
    } > "$state/conf/job-server.properties"
}

write_boot() {
    {
        echo '#!/usr/bin/env bash'
        echo "export FANBEAM_WORKER_BOOT=$(printf %q "$boot") FANBEAM_WORKER_PYTHON=$(printf %q "$python")"
        echo "export FANBEAM_WORKER_PACKAGES=$(printf %q "$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')")"
        echo "export FANBEAM_WORKERS=$(printf %q "$state/workers")"
        echo "exec bash $(printf %q "$here/worker_boot.sh") \"\$@\""
    } > "$state/boot.sh"
    chmod +x "$state/boot.sh"
}

# spark_process NAME CLASS ARGUMENTS…
spark_process() {
    local name=$1
    shift
    running "$name" || start_process "$name" java -Xmx512m "${opens[@]}" -cp "$state/conf:$spark/jars/*" "$@"
}

# A port that answers may be somebody else's.
leads() {
    grep -q "elected leader" "$state/logs/master.out"
}

workers_registered() {
    "$python" - "$ui_port" "$workers" << 'PY' 2> /dev/null
import json, sys, urllib.request
with urllib.request.urlopen(f"http://localhost:{sys.argv[1]}/json/", timeout=5) as answer:
    sys.exit(json.load(answer)["aliveworkers"] < int(sys.argv[2]))
PY
}

up() {
    jar=$(job_server_jar spark)
    spark=$(spark_home)
    boot=$(beam_boot)
    mapfile -t opens < <(java_opens)
    mkdir -p "$state"
    exec 9> "$state/.lock"
    flock 9
    up_on_free_ports
    how_to
}

start_all() {
    local name number=0
    write_conf
    write_boot
    export SPARK_HOME=$spark SPARK_SCALA_VERSION=2.12 SPARK_CONF_DIR="$state/conf"
    export SPARK_LOCAL_IP=127.0.0.1 SPARK_LOCAL_HOSTNAME=localhost SPARK_PUBLIC_DNS=localhost
    spark_process master -Dspark.port.maxRetries=0 org.apache.spark.deploy.master.Master \
        --host localhost --port "$master_port" --webui-port "$ui_port"
    wait_for master 180 leads || return 1
    for name in $(names | grep worker); do
        number=$((number + 1))
        spark_process "$name" org.apache.spark.deploy.worker.Worker --host localhost --webui-port 0 \
            --cores "$cores" --memory 1500m --work-dir "$state/tmp/worker-$number" "spark://localhost:$master_port"
    done
    wait_for master 180 workers_registered || return 1
    # The jar on the executors' class path: else each job sends it to each of them, 280 MB.
    running job-server || start_process job-server java "${opens[@]}" -Dspark.driver.host=localhost \
        -Dspark.driver.bindAddress=127.0.0.1 -Dspark.ui.enabled=false "-Dspark.executor.extraClassPath=$jar" \
        "-Dspark.local.dir=$state/tmp" "-Dlog4j2.configurationFile=file:$state/conf/job-server.properties" \
        -jar "$jar" "--spark-master-url=spark://localhost:$master_port" \
        --job-host=localhost "--job-port=$job_port" --artifact-port=0 --expansion-port=-1 \
        "--artifacts-dir=$state/tmp/artifacts" --clean-artifacts-per-job
    wait_for_job_server
}

how_to() {
    local package="--setup_file=$top/setup.py"
    cat << TEXT
Spark $SPARK_VERSION is up: http://localhost:$ui_port, $workers workers with $cores cores each. Logs: $state/logs, $state/workers/logs

PROCESS: each executor starts its own Python worker, which installs fanbeam as staged from here
  fanbeam run CONFIG --runner spark --job_endpoint localhost:$job_port --spark_master_url spark://localhost:$master_port \\
    --environment_type PROCESS --environment_config '{"command": "$state/boot.sh"}' $package

the same with a job server started for the run
  fanbeam run CONFIG --runner spark --spark_master_url spark://localhost:$master_port --spark_job_server_jar $jar \\
    --environment_type PROCESS --environment_config '{"command": "$state/boot.sh"}' $package

LOOPBACK: the submitting process renders, Spark only schedules (for trials)
  fanbeam run CONFIG --runner spark --spark_master_url spark://localhost:$master_port --spark_job_server_jar $jar

without any cluster, inside the job server
  fanbeam run CONFIG --runner spark --spark_job_server_jar $jar
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
