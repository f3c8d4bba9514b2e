#!/usr/bin/env bash
# deny.toml: every dependency's licence, where it comes from, and no two crates for one job.
# Advisories are left out: their database is a git repository that CI cannot reach.
source "$(dirname "$0")/lib.sh"

"$ci/tools.sh" cargo-deny
cargo deny --locked --all-features check licenses bans sources
