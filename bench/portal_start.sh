#!/bin/bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# How long a start of `hesabu serve` takes until an election's portal is whole again: with its public tree as it
# was left, after a kill -9 in the middle of publishing, and from no results and pages at all.
#   bench/portal_start.sh BUILD ELECTION-FOLDER
set -eu
cd "$(dirname "$0")/.."
build=$1 election=$2 dir=$(mktemp -d) server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null; wait; rm -rf "$dir"' EXIT
now() { date +%s.%N; }
since() { echo "$(now) - $1" | bc; }
begin() {
    touch "$dir/mark"
    start=$(now)
    "$build/hesabu" serve --dir "$election" --listen 127.0.0.1:0 --exempt 127.0.0.0/8 --data-every 0 --quiet \
        --unconfirmed bench > "$dir/out" 2>&1 & server=$!
    for _ in $(seq 3000); do grep -q 'http://' "$dir/out" && break; sleep 0.02; done
    url=$(grep -o 'http://127.0.0.1:[0-9]*' "$dir/out" | head -n 1)
}
due() { curl -s "$url/metrics" | sed -n 's/^hesabu_pages_due //p'; }
whole() { # whole WORDS: until every page was looked at
    answers=$(since "$start") overview=
    size=$(curl -s "$url/healthz" | jq .size)
    while :; do
        if [ -z "$overview" ] && [ "$(curl -s "$url/" | grep -o 'data-size="[0-9]*"')" = "data-size=\"$size\"" ] &&
            [ "$(curl -s "$url/head.json" | jq .size)" = "$size" ]; then overview=$(since "$start"); fi
        [ -n "$overview" ] && [ "$(due)" = 0 ] && break
        sleep 0.1
    done
    seconds=$(since "$start")
    written=$(find "$election/public" -type f -newer "$dir/mark" | wc -l)
    awk -v w="$1" -v a="$answers" -v o="$overview" -v s="$seconds" -v n="$written" -v c="$(awk '{ print ($14 + $15) / 100 }' "/proc/$server/stat")" \
        -v m="$(awk '/VmHWM/ { print $2 / 1000 }' "/proc/$server/status")" 'BEGIN {
        printf "%-28s answers after %.1f s, overview of all records after %.1f s, every page looked at after %.1f s; files written %d; processor %.1f s, memory %.0f MB\n", w, a, o, s, n, c, m }'
}
finish() {
    from=$(now)
    kill "$server"; wait "$server" || echo "did not end well: $?"; server=
    printf '%28s stopped in %.1f s\n' "" "$(since "$from")"
}
echo "pages $(find "$election/public/en" "$election/public/sw" -name '*.html' | wc -l)"
begin; whole "as it was left:"; finish
rm -rf "$election/public/en" "$election/public/sw" "$election/public/results"
begin
sleep "${KILL_AFTER:-6}"
kill -9 "$server"; wait "$server" 2> /dev/null || server= # it was killed: no good end
begin; whole "after kill -9 half way:"; finish
