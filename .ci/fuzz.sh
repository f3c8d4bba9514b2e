#!/usr/bin/env bash
# Each fuzz target for a short while, under AddressSanitizer, from seeds the project makes itself.
#   .ci/fuzz.sh [TARGET…]      HIVESMITH_FUZZ_SECONDS, by default 20, for each
source "$(dirname "$0")/corpus.sh"

[ -f fuzz/Cargo.toml ] || skip "fuzz/ has no crate yet"
"$ci/tools.sh" cargo-fuzz
export CARGO_TARGET_DIR=$CARGO_TARGET_DIR/fuzz
seconds=${HIVESMITH_FUZZ_SECONDS:-20}

cargo run --quiet --manifest-path fuzz/Cargo.toml --bin seeds -- fuzz/corpus
targets=("$@")
# cargo-fuzz calls every binary of that crate a target, the seeds' generator too.
[ $# -gt 0 ] || mapfile -t targets < <(cargo +nightly fuzz list | grep -vx seeds)
[ ${#targets[@]} -gt 0 ] || die "cargo fuzz lists no targets"
for target in "${targets[@]}"; do
    say "fuzz $target: $(find "fuzz/corpus/$target" -type f 2>/dev/null | wc -l) seeds, $seconds s"
    # What a hostile file may cost at most: ten seconds for one input, 2 GiB of memory.
    cargo +nightly fuzz run "$target" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
done
