#!/usr/bin/env bash
# The whole suite, documentation examples included, as README.md says to run it.
source "$(dirname "$0")/corpus.sh"

cargo test --features cli
