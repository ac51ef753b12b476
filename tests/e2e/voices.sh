#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# Objections, rulings, notices, observers' reports and the hashes of host logs, through the real daemon and
# the commands that people use; then verify does it all again. Prints TAP.
. "$(dirname "$0")/commands.sh"
last_id() { sed -n 's/^\([0-9a-f]\{16\}\): entry.*/\1/p' out; }
full_id() { basename "$(ls -d box/done/*"$(last_id)"*)" | sed 's/.*\([0-9a-f]\{64\}\)$/\1/'; }

election "ro/1:ro clerk/1:cl party/1:pa og/1:og obs/1:ob" --limit 4
echo "the first line" > host.log
serve --host-log administrator="$tmp/host.log"
station=$(grep '"station"' def/units | sed -n '1s/^\["\([^"]*\)".*/\1/p')
constituency=$(grep '"constituency"' def/units | sed -n '1s/^\["\([^"]*\)".*/\1/p')
root=$(sed -n '2s/^\["\([^"]*\)".*/\1/p' def/units)
a=$(grep -o '"id":"[^"]*","name"' def/contests | sed -n '1s/"id":"\([^"]*\)".*/\1/p')
contest=president
grep -q '"id":"president"' def/contests || { echo "Bail out! no president"; exit 1; }
grant() { # grant KEY ROLE UNIT GRANTER [OPTIONS]
    key=$1 role=$2 unit=$3 by=$4; shift 4
    "$hesabu" keys enrol "$key" --role "$role" --unit "$unit" --election e "$@" > /dev/null &&
        "$hesabu" keys grant "$key.request" --key "$by" --yes --send "$url" > out 2> err || { cat out err; echo "Bail out!"; exit 1; }
}
grant ro.key returning-officer "$constituency" com.key
grant cl.key clerk "$constituency" ro.key
grant pa.key party "$root" com.key --party p1
grant og.key observer-group "$root" com.key --party watch
grant ob.key observer "$root" og.key --party watch

# ---- an objection from filing to ruling ----
echo "the sum on the form was altered" > reason.txt
echo "a photograph" > photo.txt
refuses "an objection gives its reason" 64 "reason FILE" "$hesabu" object --contest $contest --unit "$station" --key pa.key --send "$url"
refuses "an officer does not object" 1 E_ROLE "$hesabu" object --contest $contest --unit "$station" --reason reason.txt --key ro.key --send "$url"
does "a party objects" "$hesabu" object --contest $contest --unit "$station" --reason reason.txt --evidence photo.txt --key pa.key --send "$url"
ob=$(full_id)
ok "its words lie behind a salt, not in public" sh -c "[ \$(stat -c %s reason.txt.salted) -eq $(($(wc -c < reason.txt) + 32)) ] && [ ! -e e/public/objects/\$(sha256sum < reason.txt.salted | cut -d' ' -f1) ]"
ok "on record, and holds nothing up" shows results/objections.json '"state":"filed","holds_gate":false'
refuses "nobody rules on it before it is admitted" 1 E_STATE "$hesabu" rule "$ob" --says upheld --key ro.key --key cl.key --send "$url"
does "the returning officer admits it" "$hesabu" admit "$ob" --answer-by 2099-01-01T00:00:00Z --key ro.key --send "$url"
ok "it holds the gate, with a clock" shows results/objections.json '"holds_gate":true.*"answer_by_ms":4070908800000'
printf 'No figure was altered\n\nThe copy at the entrance says the same.\n' > answer.txt
does "an answer" "$hesabu" notice --kind rebuttal --answers "$ob" --contest $contest --text answer.txt --key ro.key --send "$url"
ok "stops the clock" shows results/objections.json '"answer_ms"'
ok "and can be read by everybody" sh -c 'cmp -s answer.txt e/public/objects/$(sha256sum < answer.txt | cut -d" " -f1)'
refuses "one officer alone does not rule" 1 E_THRESHOLD "$hesabu" rule "$ob" --says dismissed --key ro.key --send "$url"
does "an officer and a second person do" "$hesabu" rule "$ob" --says upheld --key ro.key --key cl.key --send "$url"
ok "it holds the gate no longer; a decision is due" shows results/objections.json '"state":"upheld","holds_gate":false.*"undecided":1'
refuses "a withdrawal comes too late" 1 E_STATE "$hesabu" rule "$ob" --says withdrawn --key pa.key --send "$url"
printf '\nno title\n' > untitled.txt
refuses "a notice has a title" 64 "title" "$hesabu" notice --text untitled.txt --key com.key --send "$url"

# ---- an observer ----
does "an observer reports with the checklist" "$hesabu" observe --station "$station" --contest $contest \
    --items posted=yes,agents-present=4 --votes "$a=12" --checklist "$top/data/kenya-2017/checklist.csv" --key ob.key --send "$url"
ok "what was left out is told" grep -q "not answered: recounts" err
refuses "a slip is caught by the checklist" 64 "not on the checklist" "$hesabu" observe --station "$station" \
    --items postd=yes --checklist "$top/data/kenya-2017/checklist.csv" --key ob.key --send "$url"
ok "summed by unit" shows results/observations.json '"agents-present":{"figures":1,"sum":4'

second=$(grep '"station"' def/units | sed -n '2s/^\["\([^"]*\)".*/\1/p')
all=$(grep '"id":"president"' def/contests | grep -o '"id":"[^"]*","name"' | sed 's/"id":"\([^"]*\)".*/\1=10/' | tr '\n' ',' | sed 's/,$//')
does "an observer counts a whole station" "$hesabu" observe --station "$second" --contest $contest --votes "$all" \
    --valid "$(($(echo "$all" | tr ',' '\n' | wc -l) * 10))" --rejected 1 --key ob.key --send "$url"
published
"$hesabu" quickcount draw --dir e --contest $contest --areas constituency --size 4 --seed "6 1 5" > drawn.csv
run "$hesabu" quickcount estimate drawn.csv --dir e --contest $contest --leader "$a" --json
cp out quick.json
now=$(date +%s)
ok "a quick count takes that report and not the half one, at the time of its record" jq -e --argjson now "$now" \
    '.estimates[0].reported == 1 and [.over_time[].estimates[0].reported] == [0, 1] and
     all(.over_time[]; .until_ms > ($now - 600) * 1000 and .until_ms < ($now + 1) * 1000)' quick.json

# ---- the host's log ----
ok "hashes of the host's log are in the log" shows results/hosts.json '"kind":"administrator"'
does "what is produced later is what was there" "$hesabu" hostlog --check host.log --dir e
echo "the second line" >> host.log
run "$hesabu" hostlog --check host.log --dir e
ok "what follows the last hash is told apart" sh -c "[ $got -eq 0 ] && grep -q 'nothing vouches' out"
sed 's/first/FIRST/' host.log > forged.log
refuses "a changed one is not" 2 "no hash in the log" "$hesabu" hostlog --check forged.log --dir e

# ---- verify, and a change to what was published ----
kill "$pid"; wait "$pid" 2> /dev/null; pid=
does "verify recomputes all of it" "$hesabu" verify e/public --json
sed -i 's/"upheld"/"dismissed"/' e/public/results/objections.json
refuses "and notices a changed page" 1 "objections.json" "$hesabu" verify e/public
printf '1..%d\n' $n
exit $bad
