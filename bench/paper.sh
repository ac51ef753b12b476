#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# What docs/reading.md is measured with, in one go.  usage: bench/paper.sh BUILD [FORMS]
# Needs the public digit data beside the tree (HESABU_SHARED, default ../shared).
set -u
cd "$(dirname "$0")/.." || exit 1
build=$1 forms=${2:-60} shared=${HESABU_SHARED:-../shared}
[ -r "$shared/data/digits/semeion.data.gz" ] || { echo "no digit data in $shared: reading of forms is not measured"; exit 0; }
ninja -C "$build" hesabu bench/bench_paper > /dev/null || exit 1
bench=$build/bench/bench_paper
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

for seed in 9001 9002 9003; do "$bench" "$shared" phone "$forms" $seed; done
"$bench" "$shared" scanner "$forms" 9101
"$bench" "$shared" bad-phone "$forms" 9201
# these two sources are in the shipped networks' training: the way of an image, not unseen hands
"$bench" "$shared" semeion "$forms" 9301
"$bench" "$shared" optdigits "$forms" 9401
"$bench" "$shared" duplicates 100 1 40000
"$bench" "$shared" mutated 10000
"$bench" "$shared" columns 2000

echo "printing 2,000 forms from a log (40,883 forms take 20.4 times as long; modelled)"
"$build/hesabu" demo --once --dir "$tmp/night" --limit 2000 > /dev/null 2>&1 &&
    "$build/hesabu" forms --dir "$tmp/night" --contest president --out "$tmp/forms"
