#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# An election's public tree as a whole: results recomputed from the records, every page against its results,
# every export against the published schemas and read back to the same totals.
#   bench/whole.sh BUILD ELECTION-FOLDER
# Schemas that are not this project's are read from $HESABU_SHARED (../shared) when they are there.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$1 public=$2/public shared=${HESABU_SHARED:-../shared}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
bad=0
timed() { # timed NAME COMMAND...: its time, and whether it went well
    name=$1 start=$(date +%s.%N); shift
    if "$@" > "$tmp/said" 2>&1; then state=ok; else state='NOT OK'; bad=1; fi
    took=$(echo "$(date +%s.%N) - $start" | bc)
    printf '%-34s %6.1f s  %s\n' "$name" "$took" "$state"
    case $name in pages*|read*|re-import*) sed 's/^/    /' "$tmp/said" ;; *) [ "$state" = ok ] || head -n 5 "$tmp/said" | sed 's/^/    /' ;; esac
}
timed 'results against the records' sh -c "'$build/hesabu' verify '$public' --no-objects --json | jq -e '.verdict == \"valid\" and .results.compared'"
timed 'pages against the results' python3 bench/whole.py "$public"
timed 'export of every format' "$build/hesabu" export "$public" --dir "$tmp/x"
export_took=$took
mkdir "$tmp/y"
copy() { for f in "$tmp/x"/*; do dd if="$f" of="$tmp/y/${f##*/}" bs=1M conv=fsync status=none || return; done; }
timed 'the same bytes, copied and synced' copy
ls -l "$tmp/x" | awk -v t="$export_took" -v c="$took" \
    'NR > 1 { n += $5 } END { printf "    %.0f MB in %d files: export %.1f MB/s with the replay of the records, %.1f x copying\n", n / 1e6, NR - 1, n / 1e6 / t, t / c }'
rm -rf "$tmp/y"
nist=$shared/vectors/nist-err
if [ -d "$nist" ]; then
    timed 'NIST 1500-100 v2, XML' xmllint --noout --huge --schema "$nist/NIST_V2_election_results_reporting.xsd" "$tmp/x/err.xml"
fi
timed 'EML 510' xmllint --noout --huge --schema spec/schemas/eml510.xsd "$tmp/x/eml510.xml"
# the program's own reader, every figure; then other readers, and the JSON schema of NIST 1500-100 v2
timed 're-import: every figure' "$build/hesabu" export "$public" --check "$tmp/x/err.json" --check "$tmp/x/err.xml" \
    --check "$tmp/x/eml510.xml" --check "$tmp/x/stations.csv" --check "$tmp/x/results.json" \
    --check "$tmp/x/units.geojson" --check "$tmp/x/election.sqlite"
python=python3 # one that has the validator for large files
python3 -c 'import fastjsonschema' 2> /dev/null || python=/usr/bin/python3
timed 'read back: the same totals' $python tests/e2e/export_check.py "$public" "$tmp/x" "$shared"
exit $bad
