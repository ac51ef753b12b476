#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# A risk-limiting audit on a log, from plan to close, through the real daemon: the commitment, the dice,
# rounds, blind counts by two people, a third where they differ, a lost box, a box that a court chose, what
# is refused, and the audit done again by verify, by a transcript's checker and by awk. Prints TAP.
. "$(dirname "$0")/commands.sh"
entries() { sed -n 's/.*"size":\([0-9]*\).*/\1/p' e/public/head.json; }
settled() { # until the tree has the newest entry that a receipt named
    want=$(sed -n 's/.*: entry \([0-9]*\),.*/\1/p' out | sort -n | tail -n 1)
    i=0
    until [ -z "$want" ] || [ "$(entries)" -gt "$want" ] || [ $i -gt 100 ]; do sleep 0.1; i=$((i + 1)); done
}
sends() { does "$@"; settled; }

# ---- a night of 60 stations, SIMULATED; the board and four auditors ----
(cd "$top" && "$hesabu" demo --once --dir "$tmp/e" --limit 60) > "$tmp/out" 2> "$tmp/err" || { cat "$tmp/err"; echo "Bail out!"; exit 1; }
cd "$tmp" || exit 1
k=e/keys
"$hesabu" serve --dir e --listen 127.0.0.1:0 --interval 50 --quiet --exempt 127.0.0.0/8 \
    --unconfirmed 'a test without witnesses' > serve.out 2> serve.err &
pid=$!
i=0
until grep -q listening serve.out 2> /dev/null || [ $i -gt 200 ]; do sleep 0.1; i=$((i + 1)); done
url=$(sed -n 's/.*\(http:[^ ]*[0-9]\).*/\1/p' serve.out | head -n 1)
send="--send $url --wait receipt"
grant() { # grant NAME ROLE KEYS...
    name=$1 role=$2; shift 2
    "$hesabu" keys new "$name" --simulated --out "$name.key" > /dev/null
    "$hesabu" keys enrol "$name.key" --role "$role" --unit KE --election e > /dev/null
    # shellcheck disable=SC2086
    "$hesabu" keys grant "$name.key.request" "$@" --yes $send > out 2> err || { cat out err; echo "Bail out!"; exit 1; }
}
grant board audit-board --key $k/commissioner.1.key --key $k/commissioner.2.key --key $k/commissioner.3.key --key $k/commissioner.4.key
for a in aud1 aud2 aud3 aud4; do grant $a auditor --key board.key; done
settled
audit() { what=$1; shift; "$hesabu" audit "$what" --dir e "$@"; }
board="--key board.key --key aud1.key $send"

# ---- before the dice ----
does "the list comes from the log" audit list --contest president --level constituency --out list.csv
stations=$(($(wc -l < list.csv) - 1))
ok "with every station" [ "$stations" -eq 60 ]
echo "By order of the High Court, 12 August 2017 (SIMULATED)" > order.txt
{
    echo station,delivered,cast,spoilt,unused,seals,custody,eligibility
    tail -n +2 list.csv | awk -F, '{ print $2 "," $3 "," int($3 / 2) ",0," $3 - int($3 / 2) ",ok,ok,ok" }'
} > compliance.csv
head -n 30 compliance.csv > short.csv
law="--contest president --batches list.csv --authority order.txt --risk-limit 0.1"
plan="$law --winners 1" # sixty stations of one county: the law's 24 counties are not there
refuses "a plan without the compliance of every station" 1 "compliance is recorded for each" \
    audit commit $plan --compliance short.csv $board
refuses "a plan that nobody has authorised" 64 "authority" audit commit --contest president --batches list.csv --compliance compliance.csv $board
refuses "what the law asks cannot be claimed of one county" 64 "no jurisdiction of the list" audit commit $law --compliance compliance.csv $board
refuses "an audit board alone" 1 E_THRESHOLD audit commit $plan --compliance compliance.csv --key board.key $send
sed 's/,\([0-9]*\)$/,9999/; 1!s/^\([^,]*,[^,]*\),[0-9]*/\1,5/' list.csv > full.csv
refuses "more votes than ballots" 1 E_AUDIT_BOUND audit commit --contest president --batches full.csv --authority order.txt --compliance compliance.csv $board
early=$(date -u +%Y-%m-%dT%H:%M:%SZ)
sleep 1
sends "the plan is committed" audit commit $plan --compliance compliance.csv $board
dice=06712221796172622814
refuses "dice that were thrown before the plan" 1 E_AUDIT_SEED audit seed --digits $dice --thrown-at "$early" --size 5 $board
refuses "nineteen digits" 1 E_AUDIT_SEED audit seed --digits 0671222179617262281 --thrown-at 2030-01-01T00:00:00Z --size 5 $board
refuses "no count before the dice" 1 E_STATE audit count --station "$(sed -n '2s/^[^,]*,\([^,]*\),.*/\1/p' list.csv)" --lost --key aud1.key $send
sends "the dice are recorded" audit seed --digits $dice --thrown-at 2030-01-01T00:00:00Z --size 4 $board
refuses "a second seed" 1 E_STATE audit seed --digits 83127055619204338791 --thrown-at 2030-01-01T00:00:00Z --size 4 $board

# ---- boxes, sheets, counts ----
does "boxes to fetch, and sheets" audit sheets --csv boxes.csv --out sheets.pdf
ok "four boxes" [ "$(wc -l < boxes.csv)" -eq 5 ]
ok "a sheet shows no reported figure" sh -c '! pdftotext sheets.pdf - 2> /dev/null | grep -q "$(sed -n "2s/.*,//p" list.csv)[0-9]\{3\}"'
drawn() { sed -n "$(($1 + 1))p" e/public/objects/"$(sha256sum < draws.txt | cut -d' ' -f1)"; }
first=$(drawn 1) second=$(drawn 2) third=$(drawn 3) fourth=$(drawn 4) fifth=$(drawn 5)
header=$(head -n 1 list.csv)
votes() { # votes STATION [CHANGE]: "a=1,b=2"; the change is added to the largest figure
    grep ",$1," list.csv | awk -F, -v head="$header" -v d="${2:-0}" '{
        n = split(head, name, ",")
        for (i = most = 4; i <= n; i++) if ($i + 0 > $most + 0) most = i
        for (i = 4; i <= n; i++) { printf "%s%s=%d", comma, name[i], $i + (i == most ? d : 0); comma = "," } }'
}
count() { # count AUDITOR STATION VOTES
    audit count --station "$2" --votes "$3" --keep "kept.$1" --key "$1.key" $send
}
opens() { audit count --open --keep "kept.$1" --key "$1.key" $send; }
refuses "a station that the dice did not draw" 1 E_AUDIT_DRAW count aud1 "$fifth" "$(votes "$fifth")"
refuses "a choice left blank" 64 "figure for every choice" count aud1 "$first" "$(votes "$first" | sed 's/,[^,]*$//')"
for s in $first $second $third $fourth; do sends "$s is sealed by one" count aud1 "$s" "$(votes "$s")"; done
refuses "nobody counts a box twice" 1 E_AUDIT_COUNT count aud1 "$first" "$(votes "$first")"
run opens aud1
ok "alone nothing is opened" grep -q "wait until a second person" err
ok "what was sealed is not public" sh -c "! grep -rq '\"counts\"' e/public/tile"
sends "the second person agrees at the first" count aud2 "$first" "$(votes "$first")"
sends "finds five votes fewer at the second" count aud2 "$second" "$(votes "$second" -5)"
sends "says that there is no box at the third" audit count --station "$third" --lost --keep kept.aud2 --key aud2.key $send
sends "and agrees at the fourth" count aud2 "$fourth" "$(votes "$fourth")"
sends "counts are opened" opens aud1
sends "by both" opens aud2
does "the state of the audit" audit status --json
cp out status.json
ok "two are counted, two wait for a third person" sh -c 'grep -q "\"counted\":2,\"waiting\":2,\"counts_differ\":2" status.json'
ok "a plurality is not all that the president's law asks, and that is said" grep -q '"leaves_out":"the assertions are not all' status.json
sends "who agrees with the second" count aud3 "$second" "$(votes "$second" -5)"
sends "and finds no box either" audit count --station "$third" --lost --keep kept.aud3 --key aud3.key $send
sends "opened" opens aud3
does "the differences" audit status
ok "name the station, the figures and its form" sh -c "grep -q '$second.*->.*objects/' out && grep -q '$third: lost' out"
refuses "two have counted alike: it is done" 1 E_STATE count aud4 "$second" "$(votes "$second")"

# ---- a box that a court chose; further rounds to the end ----
sends "a court's box is counted as targeted" audit count --targeted --station "$fifth" --votes "$(votes "$fifth")" --keep kept.aud4 --key aud4.key $send
does "it is outside the test" audit status --json
ok "and said so" grep -q '"targeted":1' out
refuses "not closed before the counts decide" 1 E_STATE audit close $board
round=1
while [ $round -lt 12 ]; do
    run audit status --json
    grep -q '"confirmed":true' out && break
    round=$((round + 1))
    run audit next --size $((4 + 8 * (round - 1))) $board
    settled
    [ $got -eq 0 ] || break
    audit sheets --csv boxes.csv > /dev/null 2>&1
    { # a whole session in one file
        echo "$header" | cut -d, -f2,4- | sed 's/^batch/station/'
        for s in $(tail -n +2 boxes.csv | cut -d, -f2); do grep ",$s," list.csv | cut -d, -f2,4-; done
    } > session.csv
    for a in aud1 aud2; do run audit count --counts session.csv --keep kept.$a --key $a.key $send; done
    settled
    run opens aud1; run opens aud2; settled
done
ok "later rounds confirm the outcome" grep -q '"confirmed":true' out
ok "by the test, before everything was counted" grep -q '"full_count":false' out
sends "the audit is closed" audit close --transcript t.txt $board
refuses "no count after the close" 1 E_STATE count aud4 "$first" "$(votes "$first")"

# ---- done again ----
does "the transcript holds" "$hesabu" audit check t.txt
ok "awk, sha256sum and bc say the same" sh -c "awk -f '$top/tools/audit-check.awk' t.txt | grep -q '^holds.*confirmed'"
does "a report for people" audit report --out report.html --pdf report.pdf
ok "says what may be said, and what may not" sh -c 'grep -q "at least 90" report.html && grep -q "may not be said" report.html && [ "$(head -c 4 report.pdf)" = %PDF ]'
kill "$pid"; wait "$pid" 2> /dev/null; pid=
run "$hesabu" verify e/public --no-objects # the night's witnesses have gone home: 2, could not tell
ok "verify does the audit again from the records" sh -c "[ $got -eq 2 ] && grep -q 'audits: 1 of 1 hold' out"
run "$hesabu" verify e/public --no-objects --json
ok "in JSON too" sh -c 'jq -e ".audits[0].gives == \"confirmed\" and .audits[0].holds" out > /dev/null'
object=e/public/objects/$(sha256sum < list.csv | cut -d' ' -f1)
sed -i '2s/,\([0-9]*\)$/,1\1/' "$object"
run "$hesabu" verify e/public --no-objects
ok "and sees a list that was changed after the commitment" grep -q "does* NOT give\|changed\|NOT give" out
printf '1..%d\n' $n
exit $bad
