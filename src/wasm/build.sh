#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# The pure layers as one WebAssembly module.  usage: src/wasm/build.sh OUT LIBSODIUM TOP [DEPFILE]
set -eu
out=$1 sodium=$2 top=$3 depfile=${4:-}
case $out in /*) ;; *) out=$PWD/$out ;; esac
case $depfile in "" | /*) ;; *) depfile=$PWD/$depfile ;; esac
sh "$top/tools/libsodium-source" "$sodium"
s=$sodium/libsodium
cd "$top"
base="arena bytes err json_out text vec"
tlog="checkpoint cosignature merkle policy proof tile tile_view"
files="src/crypto/hash_text.c src/crypto/note.c"
for f in $base; do files="$files src/base/$f.c"; done
for f in $tlog; do files="$files src/tlog/$f.c"; done
files="$files $(ls src/election/*.c src/wasm/*.c)"
theirs="$s/crypto_sign/ed25519/ref10/open.c $s/crypto_sign/ed25519/ref10/sign.c
    $s/crypto_core/ed25519/ref10/ed25519_ref10.c $s/crypto_hash/sha512/cp/hash_sha512_cp.c
    $s/crypto_hash/sha256/cp/hash_sha256_cp.c $s/crypto_verify/sodium/verify.c"
flags="--target=wasm32-wasi -Os -flto -std=gnu17 -Isrc -D_GNU_SOURCE -DNDEBUG -fno-strict-aliasing
    -mbulk-memory -ffunction-sections -fdata-sections -Wall -Wextra
    -fno-ident -ffile-prefix-map=$top=. -ffile-prefix-map=$sodium=libsodium"
sodium_flags="-DCONFIGURED=1 -DNATIVE_LITTLE_ENDIAN=1 -I$s/include -I$s/include/sodium"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
objects=
for f in $files; do
    o=$work/$(echo "$f" | tr / _).o
    # shellcheck disable=SC2086
    clang-14 $flags -Wconversion -Werror -Wno-error=shorten-64-to-32 $sodium_flags -MMD -MT "$out" -MF "$o.d" -c "$f" -o "$o"
    objects="$objects $o"
done
for f in $theirs; do
    o=$work/sodium_$(basename "$f").o
    # shellcheck disable=SC2086
    clang-14 $flags -O3 -w $sodium_flags -c "$f" -o "$o"
    objects="$objects $o"
done
# shellcheck disable=SC2086
clang-14 --target=wasm32-wasi -O2 -flto -fuse-ld=/usr/bin/wasm-ld-14 -mexec-model=reactor $objects -o "$work/out.wasm" \
    -Wl,--gc-sections -Wl,--strip-all -Wl,-z,stack-size=1048576 -Wl,--max-memory=2147483648 -Wl,--stack-first
[ -z "$depfile" ] || cat "$work"/*.d | sed -E "s#(^| )src/#\1$top/src/#g" > "$depfile"
mv "$work/out.wasm" "$out"
