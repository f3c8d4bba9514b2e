#!/usr/bin/env bash
# The `rust-version` that Cargo.toml promises, with that compiler: Debian's own build of it. Its packages cannot lie
# beside the newer ones that the windows leg installs, so they are unpacked into the cache instead.
source "$(dirname "$0")/corpus.sh"

msrv=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
[ -n "$msrv" ] || die "Cargo.toml has no rust-version"
dir=$cache/rust-$msrv

unpack() {
    local version debs
    [ "$(apt-cache madison rustc-web 2>/dev/null)" ] || apt-get update -qq
    version=$(apt-cache madison rustc-web | awk -v v="$msrv." 'index($3, v) == 1 { print $3; exit }')
    [ -n "$version" ] || return 1
    rm -rf "$dir.part"
    mkdir -p "$dir.part/debs"
    debs=("rustc-web=$version" "cargo-web=$version" "libstd-rust-web-dev=$version" "libstd-rust-web-$msrv=$version")
    # What these need and a bare machine lacks; the compiler names its LLVM itself.
    mapfile -t libs < <(apt-cache depends "${debs[@]}" | sed -n 's/^ *Depends: \(lib[^<>]*\)$/\1/p' |
        grep -v -e '^libstd-rust' -e '^libc6' -e '^libgcc' | sort -u)
    (cd "$dir.part/debs" && apt-get download -qq "${debs[@]}" "${libs[@]}" && for deb in *.deb; do dpkg -x "$deb" ..; done) || return 1
    rm -rf "$dir.part/debs" "$dir"
    mv "$dir.part" "$dir"
}

exec 9>"$cache/msrv.lock"
flock 9
[ -x "$dir/usr/bin/rustc" ] || unpack ||
    skip_unless_ci "Debian has no rustc-web $msrv any more: rust-version = \"$msrv\" is not proven"
flock -u 9

export PATH=$dir/usr/bin:$PATH RUSTC=$dir/usr/bin/rustc RUSTDOC=$dir/usr/bin/rustdoc
export LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu:$dir/lib/x86_64-linux-gnu
export CARGO_TARGET_DIR=$CARGO_TARGET_DIR/msrv
rustc --version
# A promise to those who build it, not about results: the other legs judge those.
say "features: none"
"$dir/usr/bin/cargo" check --locked --lib
say "features: cli"
"$dir/usr/bin/cargo" check --locked --lib --bins --tests --features cli
