#!/usr/bin/env bash
# Cargo's helpers, into the cache and not into the user's own ~/.cargo/bin. One already on PATH is taken as it is.
# Built without optimisation: each runs for seconds, and builds three times faster so.
#   .ci/tools.sh [TOOL…]       tools: cargo-deny cargo-fuzz cargo-llvm-cov (default: all)
source "$(dirname "$0")/lib.sh"

declare -A version=([cargo-fuzz]=0.13.2 [cargo-llvm-cov]=0.9.1 [cargo-deny]=0.20.2)
[ $# -gt 0 ] || set -- cargo-deny cargo-fuzz cargo-llvm-cov
exec 9>"$cache/tools.lock"
flock 9
for tool in "$@"; do
    [ -n "${version[$tool]:-}" ] || die "no such tool: $tool"
    have "$tool" || CARGO_TARGET_DIR=$cache/tools-build \
        cargo install --quiet --locked --debug --root "$cache/tools" --version "${version[$tool]}" "$tool"
    say "$tool: $(command -v "$tool")"
done
rm -rf "$cache/tools-build"
