#!/usr/bin/env bash
# Every command of README.md runs. Its ```sh blocks are run in order, each line a command that must succeed:
# a block that calls cargo in the root of the repository, the others in one folder that starts empty, with the
# built `hivesmith` first on PATH. Blocks of any other kind (```console, ```sh no-run) are only shown to the reader.
source "$(dirname "$0")/corpus.sh"

[ -f README.md ] || skip_unless_ci "there is no README.md"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/blocks" "$work/here"
awk -v dir="$work/blocks" '
    !inside && /^[ \t]*```/ { inside = 1; run = ($0 ~ /^[ \t]*```sh[ \t]*$/); if (run) file = sprintf("%s/%03d-line-%d", dir, ++n, NR + 1); next }
    inside && /^[ \t]*```[ \t]*$/ { inside = 0; next }
    inside && run { print > file }
' README.md

cargo build --locked --features cli
# `cargo install` in the README must not touch the machine it is tried on.
export CARGO_INSTALL_ROOT=$work/installed
export PATH=$CARGO_TARGET_DIR/debug:$PATH
if [ "${CI:-}" = true ]; then
    # What the commands do is looked at here, not how fast; optimising the release takes as long as the suite's tests.
    export CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_DEBUG=0
fi
count=0
for block in "$work"/blocks/*; do
    [ -e "$block" ] || skip_unless_ci "README.md has no \`\`\`sh block"
    say "--- README.md, ${block##*/}"
    sed 's/^/    /' "$block"
    if grep -Eq '(^|[;&|] *)cargo ' "$block"; then where=$root; else where=$work/here; fi
    (cd "$where" && bash -euo pipefail "$block" </dev/null) || die "README.md, ${block##*/}: exit status $?"
    count=$((count + 1))
done
say "README.md: $count blocks ran"
