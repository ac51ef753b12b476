#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# Proof in the browser: the module and its TypeScript in node over the corpora and a simulated election of
# 2,000 stations, then the pages in Chromium over the daemon. Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
hesabu=${HESABU:-$build/hesabu}
stations=${PROOF_STATIONS:-2000}
skip() { echo "1..0 # SKIP $1"; exit 0; }
command -v node > /dev/null || skip "no node"
[ -d web/node_modules/esbuild ] || skip "npm's packages are not installed (make setup)"
ninja -C "$build" hesabu.wasm > /dev/null 2>&1 || skip "hesabu.wasm cannot be built here (make setup)"
tmp=$(mktemp -d) || exit 1
serve=
cleanup() {
    [ -z "$serve" ] || kill "$serve" 2> /dev/null
    wait
    rm -rf "$tmp"
}
trap cleanup EXIT
web/node_modules/.bin/esbuild web/src/proof/index.ts --bundle --format=esm --platform=neutral \
    --target=es2022 --outfile="$tmp/proof.mjs" --log-level=error || { echo "Bail out! esbuild"; exit 1; }
"$hesabu" demo --once --dir "$tmp/night" --limit "$stations" > "$tmp/demo.txt" 2>&1 ||
    { sed 's/^/# /' "$tmp/demo.txt"; echo "Bail out! demo"; exit 1; }
"$hesabu" verify "$tmp/night/public" --no-objects --json > "$tmp/cli.json"
"$hesabu" serve --dir "$tmp/night" --listen 127.0.0.1:0 --quiet --exempt 127.0.0.0/8 \
    --unconfirmed "a test without witnesses" > "$tmp/serve.txt" 2>&1 &
serve=$!
i=0
until grep -qs '^listening on' "$tmp/serve.txt" || [ $i -ge 300 ]; do sleep 0.1; i=$((i + 1)); done
PROOF_URL=$(sed -n 's/^listening on //p' "$tmp/serve.txt" | head -n 1)
[ -n "$PROOF_URL" ] || { sed 's/^/# /' "$tmp/serve.txt"; echo "Bail out! serve"; exit 1; }
export PROOF_URL PROOF_BUNDLE="$tmp/proof.mjs" PROOF_TREE="$tmp/night/public" PROOF_CLI="$tmp/cli.json"
export PROOF_TMP="$tmp" PROOF_STATIONS="$stations"
case $build in /*) PROOF_WASM=$build/src/wasm/hesabu.wasm ;; *) PROOF_WASM=$PWD/$build/src/wasm/hesabu.wasm ;; esac
export PROOF_WASM
node tests/e2e/proof.mjs
