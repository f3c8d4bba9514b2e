#!/usr/bin/env bash
# What the legs need beyond rustup's toolchains. Quiet, and nothing to do when all is there.
#   .ci/install.sh [GROUP…]    groups: base python coverage windows (default: all)
source "$(dirname "$0")/lib.sh"

# base: a C compiler, and other implementations of the formats to compare with.
base=(gcc libc6-dev pkg-config xz-utils ca-certificates python3 python3-venv
    libhivex-bin libhivex-dev python3-hivex python3-samba reglookup libregf-utils chntpw ntfs-3g attr strace
    fdisk mtools dosfstools)
# coverage: reads the profiles of rustup's compiler, which ships without its llvm-tools here.
coverage=(llvm-22)
# windows: a compiler whose standard library comes as source, a linker for it, and somewhere to run.
windows=(rustc-web cargo-web rust-web-src gcc-mingw-w64-x86-64 wine wine64)

[ $# -gt 0 ] || set -- base python coverage windows
exec 9>"$cache/install.lock"
flock 9

python_venv() {
    local venv=$cache/venv
    if ! cmp -s "$ci/requirements.txt" "$venv/requirements.txt"; then
        rm -rf "$venv"
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$ci/requirements.txt"
        cp "$ci/requirements.txt" "$venv/requirements.txt"
    fi
    say "python: $(tr '\n' ' ' <"$ci/requirements.txt")"
}

packages=() with_python=
for group in "$@"; do
    case $group in
        base) packages+=("${base[@]}") ;;
        coverage) packages+=("${coverage[@]}") ;;
        windows) packages+=("${windows[@]}") ;;
        python) with_python=yes ;;
        *) die "no such group: $group" ;;
    esac
done

missing=()
for package in "${packages[@]}"; do
    dpkg -s "$package" 2>/dev/null | grep -q '^Status: install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    [ "$(id -u)" = 0 ] || die "run as root, or install first: ${missing[*]}"
    say "apt: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}"; } \
        >"$log" 2>&1 </dev/null || { tail -n 40 "$log" >&2; die "apt-get failed"; }
    rm -f "$log"
fi
say "apt: ${#packages[@]} packages there"
if [ -n "$with_python" ]; then python_venv; fi
