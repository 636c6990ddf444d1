#!/usr/bin/env bash
# From a fresh machine with Python 3.11 to an augmented dataset of real photos: bash scripts/demo.sh [DIR]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/environment.sh
. "$here/environment.sh"
environment "${FANBEAM_EXTRAS:-demo}"
exec fanbeam demo "${1:-demo}"
