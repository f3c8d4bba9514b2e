#!/usr/bin/env bash
# Lines of src/ that the suite runs (documentation examples do not count). HIVESMITH_COVERAGE_MIN, if set, is a floor.
#   .ci/coverage.sh --html     also writes the pages to look through
source "$(dirname "$0")/corpus.sh"

"$ci/install.sh" coverage
"$ci/tools.sh" cargo-llvm-cov
export LLVM_COV=/usr/bin/llvm-cov-22 LLVM_PROFDATA=/usr/bin/llvm-profdata-22
# These two run the same lines a thousand times, at a third of the speed.
# shellcheck disable=SC2046
cargo llvm-cov --features cli --no-report $(all_tests_but crash rebuild)
cargo llvm-cov report "$@" ${HIVESMITH_COVERAGE_MIN:+--fail-under-lines "$HIVESMITH_COVERAGE_MIN"}
cargo llvm-cov report --json --summary-only | python3 -c '
import json, sys
lines = json.load(sys.stdin)["data"][0]["totals"]["lines"]
print("line coverage: %.1f %% (%d of %d)" % (lines["percent"], lines["covered"], lines["count"]))'
