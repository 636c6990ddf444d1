#!/usr/bin/env bash
# Sourced by the other scripts: makes .venv with the pinned packages, once; later calls only check.
# usage: environment EXTRAS   (e.g. "demo" or "demo,test")
environment() {
    local top extras stamp wanted
    top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    extras=$1
    if [ ! -x "$top/.venv/bin/python" ]; then
        echo "making $top/.venv" >&2
        python3 -m venv "$top/.venv" || {
            echo "cannot make a virtual environment; on Debian or Ubuntu: apt-get install python3-venv" >&2
            return 1
        }
    fi
    # shellcheck disable=SC1091
    . "$top/.venv/bin/activate"
    wanted="$extras $(cat "$top/setup.py" "$top/constraints.txt" | cksum)"
    stamp="$top/.venv/.installed"
    if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
        echo "installing the pinned packages (some minutes the first time)" >&2
        python -m pip install --quiet --disable-pip-version-check -c "$top/constraints.txt" -e "${top}[$extras]" || return 1
        echo "$wanted" > "$stamp"
    fi
}
