#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# From the stations' figures to a declaration, through the real daemon and the commands that officers use:
# collations of a constituency and the nation, the gate, an override, the declaration, a commissioner's
# dissent; then verify does it all again. Prints TAP.
. "$(dirname "$0")/commands.sh"

election "nro/1:nro ro/1:ro clerk/1:cl" --limit 3 --image-optional
serve
stations=$(sed -n 's/^\["\([^"]*\)","station".*/\1/p' def/units)
constituency=$(sed -n 's/^\["\([^"]*\)","constituency".*/\1/p' def/units | head -n 1)
root=$(sed -n '2s/^\["\([^"]*\)".*/\1/p' def/units)
grant() { # grant KEY ROLE UNIT
    "$hesabu" keys enrol "$1" --role "$2" --unit "$3" --election e > /dev/null &&
        "$hesabu" keys grant "$1.request" --key "$4" --yes --send "$url" > out 2> err || { cat out err; echo "Bail out!"; exit 1; }
}
grant nro.key national-returning-officer "$root" com.key
grant ro.key returning-officer "$constituency" com.key
grant cl.key clerk "$constituency" ro.key
echo "a picture of a form" > form.jpg
echo "because" > why.txt
first=$(echo "$stations" | head -n 1)
votes=kenyatta=150,odinga=90,aukot=1,dida=1,jirongo=1,kaluyu=1,mwaura=1,nyagah=1
result() { # result STATION
    "$hesabu" result --contest president --station "$1" --votes $votes --valid 246 --rejected 3 --basis paper \
        --form form.jpg --key ro.key --key cl.key --send "$url"
}
for s in $(echo "$stations" | head -n 2); do result "$s" > out 2> err || { cat out err; echo "Bail out!"; exit 1; }; done
gate=results/president/1/gate.json
ok "the gate is published, and shut" shows $gate '"open":false'
ok "it counts the station that is missing" shows $gate '"code":"G_MISSING","count":1'
ok "nobody is named" sh -c "! grep -q 'kenyatta\\|odinga' e/public/$gate"

# ---- the constituency ----
does "what is missing is said, and the form printed" "$hesabu" collate e --contest president --unit "$constituency" --list --print 34b.pdf
ok "by name" grep -q "missing: figures of" err
ok "as a PDF" sh -c 'head -c 5 34b.pdf | grep -q "%PDF-"'
refuses "a clerk does not collate" 1 E_ROLE "$hesabu" collate e --contest president --unit "$constituency" --key cl.key --send "$url"
does "the returning officer does" "$hesabu" collate e --contest president --unit "$constituency" --key ro.key --send "$url"
published
ok "its sums are published" shows $gate '"basis":"electronic".*"valid":492'
refuses "nobody declares without the nation's table" 1 "no collation of the contest" "$hesabu" declare e --contest president --key nro.key --send "$url"
sed 's/,246,/,247,/' "collation-president-$constituency.rows" > altered.rows
"$hesabu" collate e --contest president --unit "$constituency" --reason why.txt --key ro.key --rows x.rows --out x.note > out 2> err
cp x.rows y.rows
sed -i 's/,246,/,247,/' y.rows
h=$(sha256sum < x.rows | cut -d' ' -f1) g=$(sha256sum < y.rows | cut -d' ' -f1)
sed -n '1,2p' x.note | sed "s/$h/$g/" > y.text
"$hesabu" sign y.text --key ro.key --out y.note --quiet > /dev/null 2>&1 || "$hesabu" sign y.text --key ro.key --quiet > /dev/null
[ -f y.note ] || cp y.text y.note
refuses "a table that alters a station's form is refused" 1 E_ALTERED "$hesabu" submit y.note --object y.rows --url "$url"
result "$(echo "$stations" | tail -n 1)" > out 2> err
published # results are written before the tree that collate reads
ok "a further result makes the table stale" shows $gate '"code":"G_COLLATION_STALE","count":1'
refuses "a second table needs a reason" 64 "reason FILE" "$hesabu" collate e --contest president --unit "$constituency" --key ro.key --send "$url"
does "with it, it replaces the first" "$hesabu" collate e --contest president --unit "$constituency" --reason why.txt --handed 4 --key ro.key --send "$url"
ok "four forms for three stations are a finding" shows results/president/1/findings.json F_HANDED_OVER
ok "and the earlier one stays on record" shows $gate '"superseded_by"'

# ---- the nation, the gate, the declaration ----
does "the national table" "$hesabu" collate e --contest president --key nro.key --send "$url"
shows $gate '"level":"nation"' > /dev/null
does "the gate in words" "$hesabu" gate e --contest president
ok "says what was not transcribed" grep -q "G_NOT_TRANSCRIBED" out
ok "and that courts weigh more than arithmetic" grep -q "Courts also weigh" out
ok "and how much time is left" grep -q "to declare" out
ok "and names nobody" sh -c "! grep -qi 'kenyatta\\|odinga' out"
does "the table for a court" "$hesabu" gate e --contest president --court court.csv
ok "is for the court" grep -q "FOR THE COURT ONLY" court.csv
refuses "a shut gate forbids it" 1 E_GATE "$hesabu" declare e --contest president --key nro.key --send "$url"
echo "Article 138 and an order of the court" > basis.txt
refuses "another's key does not declare" 1 E_SCOPE "$hesabu" declare e --contest president --override basis.txt --key ro.key --send "$url"
does "an override lists what is open, and it is declared" "$hesabu" declare e --contest president --override basis.txt --key nro.key --send "$url"
published
ok "with its outcome" shows $gate '"outcome":{"kind":"elected","choices":\["kenyatta"\]}'
ok "every page says so" sh -c "grep -q '\"status\":\"declared\",\"declared\":' e/public/results/president/1/$constituency.json e/public/results/index.json"
ok "with the declared totals" grep -q '"declared":{"registered"' "e/public/results/president/1/$root.json"
ok "the override stands beside it" grep -q '"overrides":\[{.*G_NOT_TRANSCRIBED' e/public/$gate
refuses "once" 1 "declared already" "$hesabu" declare e --contest president --key nro.key --send "$url"
refuses "no table after it" 1 "E_STATE" "$hesabu" collate e --contest president --reason why.txt --key nro.key --send "$url"
does "a commissioner dissents" "$hesabu" dissent e --contest president --reason why.txt --key com.key --send "$url"
published
ok "beside it" shows $gate '"says":"dissents","reason":true'
refuses "once" 1 E_STATE "$hesabu" dissent e --contest president --verified --key com.key --send "$url"

# ---- verify ----
kill "$pid"; wait "$pid" 2> /dev/null; pid=
does "verify recomputes all of it" "$hesabu" verify e/public --json
sed -i 's/"kenyatta"/"odinga"/' e/public/$gate
refuses "and notices a changed declaration" 1 "gate.json" "$hesabu" verify e/public
printf '1..%d\n' $n
exit $bad
