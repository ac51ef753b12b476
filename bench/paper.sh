#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# What docs/reading.md is measured with, in one go.  usage: bench/paper.sh BUILD [FORMS]
# Needs the public digit data beside the tree (HESABU_SHARED, default ../shared).
set -u
cd "$(dirname "$0")/.." || exit 1
build=$1 forms=${2:-60} shared=${HESABU_SHARED:-../shared}
[ -r "$shared/data/digits/semeion.data.gz" ] || { echo "no digit data in $shared: reading of forms is not measured"; exit 0; }
ninja -C "$build" hesabu bench/bench_paper bench/bench_evidence > /dev/null || exit 1
bench=$build/bench/bench_paper
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# seeds that nothing was chosen on; docs/reading.md says which were used for what
for seed in 9601 9602 9603; do "$bench" "$shared" phone "$forms" $seed; done
"$bench" "$shared" unsound "$forms" 9611
"$bench" "$shared" scanner "$forms" 9621
"$bench" "$shared" bad-phone "$forms" 9631
# these two sources are in the shipped networks' training: the way of an image, not unseen hands
"$bench" "$shared" semeion "$forms" 9641
"$bench" "$shared" optdigits "$forms" 9651
"$bench" "$shared" columns 2000
for seed in 1 2 3 4; do "$bench" "$shared" mutated 2500 $seed; done
evidence=$build/bench/bench_evidence
"$evidence" "$shared" findings "$forms" 601
"$evidence" "$shared" findings-bad "$forms" 602
"$evidence" "$shared" slips "$forms" 1
"$evidence" "$shared" duplicates 60 1 40000

echo "printing a nation's forms from its definition, one core: one PDF a constituency"
hesabu=$(realpath "$build/hesabu")
vkey() { "$hesabu" keys show "$1" --json 2> /dev/null | jq -r .vkey; }
for k in log.example/test:log com/1:com; do
    "$hesabu" keys new "${k%:*}" --simulated --out "$tmp/${k#*:}.key" > /dev/null || exit 1
done
"$hesabu" define --out "$tmp/def" --origin log.example/test --log "$(vkey "$tmp/log.key")" \
    --commissioner "$(vkey "$tmp/com.key")" --simulated > /dev/null &&
    "$hesabu" sign "$tmp/def/manifest.txt" --key "$tmp/com.key" --quiet > /dev/null &&
    "$hesabu" init --dir "$tmp/e" --define "$tmp/def" --log-key "$tmp/log.key" > /dev/null &&
    "$hesabu" forms --dir "$tmp/e/public" --contest president --out "$tmp/forms"
