#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# The browser's module in node: hashes and signatures a second on one thread, then a whole public tree, folded
# alone and verified with all processors.  usage: bench/wasm.sh BUILD TREE
set -u
cd "$(dirname "$0")/.." || exit 1
build=$1 tree=$2
ninja -C "$build" hesabu.wasm > /dev/null || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
web/node_modules/.bin/esbuild web/src/proof/index.ts --bundle --format=esm --platform=neutral --target=es2022 \
    --outfile="$tmp/proof.mjs" --log-level=error || exit 1
echo "module_bytes $(wc -c < "$build/src/wasm/hesabu.wasm")  gzip $(gzip -9 -c "$build/src/wasm/hesabu.wasm" | wc -c)"
PROOF_BUNDLE="$tmp/proof.mjs" PROOF_WASM="$build/src/wasm/hesabu.wasm" node bench/wasm.mjs "$tree"
