# Sourced by every script in .ci/: where things lie, and the few words they share.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
ci=$root/.ci
cache=${XDG_CACHE_HOME:-$HOME/.cache}/hivesmith-ci
mkdir -p "$cache"
cd "$root"

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}
export CARGO_TERM_COLOR=never
export PATH=$cache/tools/bin:$PATH
# Other implementations, in Python, that tests may compare with.
export HIVESMITH_PYTHON=$cache/venv/bin/python
if [ "${CI:-}" = true ]; then
    # A clean clone is built once: what would only speed up the next build is left out.
    export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=line-tables-only
    # Half a minute more for the compiler, a third of the time for the tests.
    export CARGO_PROFILE_DEV_OPT_LEVEL=1
fi

say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# A leg that cannot be run here: exit status 77, which .ci/run reports and never calls a pass.
skip() { printf 'SKIPPED: %s\n' "$*"; exit 77; }

# What must not be missing in CI, but may be on a developer's machine.
skip_unless_ci() {
    if [ "${CI:-}" = true ]; then die "$*"; fi
    skip "$*"
}

# Arguments of cargo test for the library, the program and all test targets but those named.
all_tests_but() {
    local path name
    printf '%s\n' --lib --bins
    for path in tests/*.rs tests/*/main.rs; do
        name=$(basename "${path%/main.rs}" .rs)
        case " $* " in *" $name "*) ;; *) printf '%s\n' --test "$name" ;; esac
    done
}
