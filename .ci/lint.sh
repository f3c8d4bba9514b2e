#!/usr/bin/env bash
# Format, lints and documentation, with every warning an error.
source "$(dirname "$0")/lib.sh"

cargo fmt --check
cargo clippy --locked --all-targets --features cli -- -D warnings
cargo clippy --locked --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --features cli
