#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# The interface as spec/api.yaml describes it: every operation of a running server is asked, rightly and wrongly, and
# each answer's status, type, headers and fields are among those described. TAP.
. "$(dirname "$0")/commands.sh"
does 'a night of all contests' "$hesabu" demo --once --limit 15 --all-contests --dir "$tmp/d"
"$hesabu" serve --dir "$tmp/d" --listen 127.0.0.1:0 --exempt 127.0.0.0/8 --watch president=kenyatta --quiet --unconfirmed test > "$tmp/served" 2>&1 &
pid=$!
i=0
until grep -q listening "$tmp/served" || [ $i -gt 200 ]; do sleep 0.1; i=$((i + 1)); done
until [ -s "$tmp/d/public/watch.json" ] || [ $i -gt 400 ]; do sleep 0.1; i=$((i + 1)); done
url=$(sed -n 's/.*\(http:[^ ]*[0-9]\).*/\1/p' "$tmp/served" | head -n 1)
python3 -W ignore tests/e2e/api_check.py "$url" "$tmp/d/public" "$top" > "$tmp/lines" 2> "$tmp/trace"
ended=$?
while IFS= read -r line; do
    n=$((n + 1))
    case $line in
    ok*) echo "ok $n - ${line#ok }" ;;
    *) echo "not ok $n - ${line#not ok }"; bad=1 ;;
    esac
done < "$tmp/lines"
sed 's/^/# /' "$tmp/trace"
ok 'the reader runs to its end, and finds nothing else' [ "$ended" -eq 0 ]
# a field more, or less, than is described is found
mkdir -p "$tmp/tree/spec" "$tmp/tree/tools"
cp tools/api-page "$tmp/tree/tools/"; cp spec/results.md "$tmp/tree/spec/"
sed 's/^        pages_due: {type: integer}$//; s/required: \[code, sentence\]/required: [code, sentence, more]/' spec/api.yaml > "$tmp/tree/spec/api.yaml"
python3 -W ignore tests/e2e/api_check.py "$url" "$tmp/d/public" "$tmp/tree" > "$tmp/lines" 2> "$tmp/trace"
ok 'a field that is not described is found' grep -q "^not ok GET /healthz: there: 200: .*pages_due" "$tmp/lines"
ok 'a described field that is not there is found' grep -q "^not ok POST /records: no note: 400: .*'more' is a required" "$tmp/lines"
kill "$pid"; wait "$pid" 2> /dev/null; pid=
echo "1..$n"
exit $bad
