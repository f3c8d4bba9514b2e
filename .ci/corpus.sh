#!/usr/bin/env bash
# Lays out the test data, and tells the tests where it is. Legs source this.
#   .ci/corpus.sh [COMMAND…]    by hand: unpacks, then runs the command with the variables set
# Tests look nowhere but in HIVESMITH_CORPUS (a folder of unpacked files), HIVESMITH_EXPECTED (the table of what an
# independent parser makes of them) and HIVESMITH_VECTORS (a folder of JSON).
# The packed data is in HIVESMITH_TESTDATA, by default the folder `shared` beside the checkout.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

HIVESMITH_TESTDATA=${HIVESMITH_TESTDATA:-$root/../shared}
if [ -x "$HIVESMITH_TESTDATA/corpus/unpack.sh" ] && [ -d "$HIVESMITH_TESTDATA/vectors" ]; then
    have xz || "$ci/install.sh" base
    HIVESMITH_CORPUS=${HIVESMITH_CORPUS:-$cache/corpus}
    HIVESMITH_VECTORS=${HIVESMITH_VECTORS:-$(cd "$HIVESMITH_TESTDATA/vectors" && pwd)}
    say "corpus: $(sh "$HIVESMITH_TESTDATA/corpus/unpack.sh" "$HIVESMITH_CORPUS")"
    HIVESMITH_EXPECTED=${HIVESMITH_EXPECTED:-$(cd "$HIVESMITH_TESTDATA/corpus" && pwd)/EXPECTED.tsv}
    export HIVESMITH_CORPUS HIVESMITH_EXPECTED HIVESMITH_VECTORS
elif [ "${CI:-}" = true ]; then
    die "no test data in $HIVESMITH_TESTDATA: set HIVESMITH_TESTDATA"
else
    say "WARNING: no test data in $HIVESMITH_TESTDATA (set HIVESMITH_TESTDATA): tests on real hives do nothing"
    unset HIVESMITH_CORPUS HIVESMITH_EXPECTED HIVESMITH_VECTORS
    if [ "${BASH_SOURCE[0]}" = "$0" ]; then exit 77; fi
fi
if [ "${BASH_SOURCE[0]}" = "$0" ] && [ $# -gt 0 ]; then exec "$@"; fi
