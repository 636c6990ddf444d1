#!/usr/bin/env bash
# One Beam Python worker, as an engine's PROCESS environment (or a worker pool) starts it: Beam's own boot program in an
# environment of its own, a thin one over the packages that are installed. Staged packages land in it, and go with it.
# It does not outlive the process that started it. Set by who writes the command that calls this:
#   FANBEAM_WORKER_BOOT        Beam's boot program
#   FANBEAM_WORKER_PYTHON      the Python whose packages the workers share
#   FANBEAM_WORKER_PACKAGES    its site-packages
#   FANBEAM_WORKERS            a folder for the workers; logs/ in it
#   FANBEAM_WORKER_PYTHONPATH  what else workers may import (optional; a job sets it in the "env" of its PROCESS command)
#   FANBEAM_WORKER_FLINK       host:port of Flink's REST interface (optional): with it a worker ends with its job. Beam forgets
#                              workers whose job ends while they start, and they would wait for work for ever
#   FANBEAM_WORKER_LOOKS       seconds between two looks at it [10]; the second that finds the job over ends the worker
set -euo pipefail

engine=$PPID
home=$(mktemp -d "$FANBEAM_WORKERS/worker-XXXXXX")
mkdir -p "$FANBEAM_WORKERS/logs"
exec > "$FANBEAM_WORKERS/logs/$(date +%H%M%S)-$$.log" 2>&1 < /dev/null
echo "started by $engine: $*"

"$FANBEAM_WORKER_PYTHON" -m venv --without-pip "$home/venv"
for packages in "$home"/venv/lib/python*/site-packages; do
    echo "$FANBEAM_WORKER_PACKAGES" > "$packages/shared.pth" # its editable installs stay out
done
unset PYTHONPATH PYTHONHOME
if [ -n "${FANBEAM_WORKER_PYTHONPATH:-}" ]; then export PYTHONPATH=$FANBEAM_WORKER_PYTHONPATH; fi
export PATH="$home/venv/bin:$PATH" VIRTUAL_ENV="$home/venv" RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
cd "$home" # the boot program writes its options into the current folder

"$FANBEAM_WORKER_BOOT" --semi_persist_dir="$home" "$@" &
worker=$!
trap 'kill -TERM "$worker" 2> /dev/null || true' TERM INT HUP

# job_is_over: Flink answers, and the job whose options Beam's boot program has written here is not one that it works on.
job_is_over() {
    [ -n "${FANBEAM_WORKER_FLINK:-}" ] && [ -f "$home/pipeline_options.json" ] || return 1
    "$FANBEAM_WORKER_PYTHON" -I -S - "$home/pipeline_options.json" "$FANBEAM_WORKER_FLINK" 2> /dev/null << 'PY'
import json, sys, urllib.request
with open(sys.argv[1], encoding="utf-8") as file:
    name = json.load(file)["beam:option:job_name:v1"]
with urllib.request.urlopen(f"http://{sys.argv[2]}/jobs/overview", timeout=10) as answer:
    jobs = json.load(answer)["jobs"]
sys.exit(any(job["name"] == name and job["state"] not in ("FINISHED", "CANCELED", "FAILED") for job in jobs))
PY
}

# Engine or script killed, or the job over: nobody would tell the worker.
(
    trap - TERM INT HUP
    ticks=0 over=0 looks=$((2 * ${FANBEAM_WORKER_LOOKS:-10}))
    while kill -0 "$engine" 2> /dev/null && kill -0 "$$" 2> /dev/null && kill -0 "$worker" 2> /dev/null && [ "$over" -lt 2 ]; do
        sleep 0.5
        ticks=$((ticks + 1))
        [ $((ticks % looks)) -ne 0 ] || { if job_is_over; then over=$((over + 1)); else over=0; fi; }
    done
    kill -TERM "$worker" 2> /dev/null || true
    for _ in $(seq 20); do
        kill -0 "$worker" 2> /dev/null || break
        sleep 0.5
    done
    kill -KILL "$worker" 2> /dev/null || true
    rm -rf "$home"
) &

code=0
while kill -0 "$worker" 2> /dev/null; do wait "$worker" && code=0 || code=$?; done
wait 2> /dev/null || true
exit "$code"
