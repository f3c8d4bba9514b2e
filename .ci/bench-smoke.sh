#!/usr/bin/env bash
# Every benchmark is built, as the suite is, and run once, untimed: it must not rot. `.ci/bench` measures.
source "$(dirname "$0")/corpus.sh"

benches=()
for file in benches/*.rs; do
    [ -e "$file" ] || skip "no benchmarks yet"
    benches+=(--bench "$(basename "$file" .rs)")
done
cargo test --features cli "${benches[@]}" -- --test
