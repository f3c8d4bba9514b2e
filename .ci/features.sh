#!/usr/bin/env bash
# The library by itself under every set of features a user can ask for: nothing unused, nothing missing.
# Clippy is `cargo check` with a stricter end, and shares its builds with the lint leg.
source "$(dirname "$0")/lib.sh"

for features in "" mmap volume mmap,volume cli; do
    say "features: ${features:-none}"
    cargo clippy --locked --quiet --no-default-features --features "$features" -- -D warnings
done
