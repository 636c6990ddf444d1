#!/usr/bin/env bash
# Installs what the tests need and runs all of them: bash scripts/test.sh [pytest arguments]
# The ordinary suite alone: bash scripts/test.sh -m "not slow"
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/environment.sh
. "$here/environment.sh"
export FANBEAM_EXTRAS="${FANBEAM_EXTRAS:-all,demo,test}"
environment "$FANBEAM_EXTRAS"
cd "$here/.."
tests() { # slow tests come last: a process that has none left takes some of another's
    python -m pytest -n "${FANBEAM_TEST_PROCESSES:-2}" --dist worksteal "$@"
}
case "$#:$*" in
    0:) # clusters are slow to answer beside other tests; those of one file share theirs
        tests -m "not cluster"
        tests --dist loadfile -m cluster
        ;;
    *:*"-m cluster"*) tests --dist loadfile "$@" ;;
    *) tests "$@" ;;
esac
