#!/usr/bin/env bash
# What meets the host, as Windows programs, under Wine; and the other Windows target checked, for want of its linker.
# rustup's compilers have no Windows library here. Debian's comes with the library's source, so that is built too:
# unstable in cargo, hence RUSTC_BOOTSTRAP. That this crate needs nothing unstable is proven by the other legs.
# Wine stands in for Windows' file semantics only: not for access control, hives or alternate streams.
#   .ci/windows.sh [ARGUMENT OF cargo test…]
source "$(dirname "$0")/corpus.sh"

"$ci/install.sh" windows
target=x86_64-pc-windows-gnu
export CARGO_TARGET_DIR=$CARGO_TARGET_DIR/windows
export PATH=/usr/bin:/bin:$PATH RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=1
export WINEPREFIX=$cache/wineprefix WINEDEBUG=-all
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=/usr/lib/wine/wine64
# Those comparisons are made on the Linux side.
unset HIVESMITH_PYTHON

exec 9>"$cache/wine.lock"
flock 9
quiet() { "$@" </dev/null >/dev/null 2>&1 9>&-; }
stop_wine() { quiet wineserver -k || true; quiet wineserver -w || true; }
trap stop_wine EXIT

# Wine 8 lacks a DLL that Rust's library imports.
system32=$WINEPREFIX/drive_c/windows/system32
if [ ! "$system32/bcryptprimitives.dll" -nt "$ci/bcryptprimitives.c" ]; then
    rm -rf "$WINEPREFIX"
    quiet wineboot -i || true
    quiet wineserver -w
    x86_64-w64-mingw32-gcc -shared -O2 -s -o "$system32/bcryptprimitives.dll" "$ci/bcryptprimitives.c" -ladvapi32
fi
# Start the services now, away from this script's output, which they would otherwise hold open for ever.
quiet wineserver -p
quiet "$CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER" cmd /c exit || die "Wine does not start"

/usr/bin/rustc --version
# Drive Z: is the whole file system.
windows_path() { printf 'Z:%s' "${1//\//\\}"; }
for name in HIVESMITH_CORPUS HIVESMITH_EXPECTED HIVESMITH_VECTORS; do
    if [ -n "${!name:-}" ]; then export "$name=$(windows_path "${!name}")"; fi
done
# Unit tests, and those that open files or start the program. What others find out of bytes in memory is the same on
# each host; `.ci/windows.sh` with their names runs them.
[ $# -gt 0 ] || set -- --lib --bins \
    --test bcd --test cli_guards --test cli_hive --test commit --test disk --test files --test guides --test tail
/usr/bin/cargo test --locked -Zbuild-std=std,panic_unwind,panic_abort --target "$target" --features cli --no-fail-fast "$@" 9>&-

log=$(mktemp)
trap 'stop_wine; rm -f "$log"' EXIT
check() { /usr/bin/cargo check --locked -Zbuild-std=std,panic_abort --target x86_64-pc-windows-msvc "$@" 2>&1 | tee -a "$log"; }
check --lib --bins --features cli
# Native calls are unsafe code, which the library forbids where no feature needs it.
check --lib --features volume
if grep -q '^warning: `hivesmith`' "$log"; then die "warnings, see above: on Windows only, unless the lint leg fails too"; fi
