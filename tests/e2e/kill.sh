#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# kill -9 of the daemon 200 times at random points and at the steps between commit and publication;
# then the command line's own verdict. usage: tests/e2e/kill.sh [BUILD] (KILLS=200)
set -u
build=${1:-${BUILD:-build}}
case $build in /*) ;; *) build=$PWD/$build ;; esac
hesabu=$build/hesabu
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
"$build/tests/feeder" "$dir" "$hesabu" "${KILLS:-200}" > "$dir/tap"
status=$?
grep -v '^1\.\.' "$dir/tap"
n=$(grep -cE '^(not )?ok ' "$dir/tap")
if "$hesabu" verify "$dir/public" --anchor "$dir/public/anchor" --json > "$dir/verdict" &&
    grep -q '"verdict":"valid"' "$dir/verdict"; then
    echo "ok $((n + 1)) - hesabu verify says valid"
else
    echo "not ok $((n + 1)) - hesabu verify says valid"
    head -c 2000 "$dir/verdict" | sed 's/^/# /'
    status=1
fi
echo "1..$((n + 1))"
exit $status
