#!/usr/bin/env bash
# The editor against a model: thousands of random edit sequences, in the build that the suite uses.
#   HIVESMITH_CASES, by default 2500, says how many on new hives; real hives and long lists get their share of that
source "$(dirname "$0")/corpus.sh"

HIVESMITH_CASES=${HIVESMITH_CASES:-2500} cargo test --features cli --test model
