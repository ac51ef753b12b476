#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# The tally desk with the real daemon and the commands that clerks and officers use: two people read a
# form, a third where they differ, the originals are compared, decisions; then verify does it all again.
# Prints TAP.
. "$(dirname "$0")/commands.sh"

election "ro/1:ro dro/1:dro clerk/1:c1 clerk/2:c2 clerk/3:c3 po/1:po" --limit 4
serve
station=$(grep '"station"' def/units | sed -n '1s/^\["\([^"]*\)".*/\1/p')
registered=$(grep '"station"' def/units | sed -n '1s/.*,\([0-9]*\)\]$/\1/p')
constituency=$(grep '"constituency"' def/units | sed -n '1s/^\["\([^"]*\)".*/\1/p')
a=$(grep '"id":"president"' def/contests | grep -o '"id":"[^"]*","name"' | sed -n '1s/"id":"\([^"]*\)".*/\1/p')
b=$(grep '"id":"president"' def/contests | grep -o '"id":"[^"]*","name"' | sed -n '2s/"id":"\([^"]*\)".*/\1/p')
contest=president
page=results/$contest/1/$(grep '"station"' def/units | sed -n '1s/^\["[^"]*","station","[^"]*","\([^"]*\)".*/\1/p').json
grep -q '"id":"president"' def/contests || { echo "Bail out! no president"; exit 1; }
grant() { # grant KEY ROLE UNIT GRANTER
    "$hesabu" keys enrol "$1" --role "$2" --unit "$3" --election e > /dev/null &&
        "$hesabu" keys grant "$1.request" --key "$4" --yes --send "$url" > out 2> err || { cat out err; echo "Bail out!"; exit 1; }
}
grant ro.key returning-officer "$constituency" com.key
grant dro.key deputy-returning-officer "$constituency" com.key
for k in c1 c2 c3; do grant $k.key clerk "$constituency" ro.key; done
grant po.key presiding-officer "$station" ro.key
cp "$top"/tests/data/form.png form.png 2> /dev/null ||
    printf 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==' | base64 -d > form.png
does "the presiding officer sends the figures" "$hesabu" result --contest $contest --station "$station" \
    --votes "$a=100,$b=60" --valid 160 --rejected 2 --registered "$registered" --key po.key --send "$url"
does "and the form" "$hesabu" image form.png --contest $contest --station "$station" --key po.key --send "$url"
published

# ---- two people read the form ----
read_it() { # read_it CLERK VOTES VALID [OPTIONS]
    who=$1 votes=$2 valid=$3; shift 3
    "$hesabu" read e --send "$url" --key "$who.key" --state "desk.$who" --contest $contest --station "$station" \
        --votes "$votes" --valid "$valid" --rejected 2 --registered "$registered" "$@"
}
does "the form waits for a clerk" "$hesabu" read e --send "$url" --key c1.key --state desk.c1 --list
ok "at this station" grep -q "$station" out
ok "and the list shows no figure" sh -c "! grep -q -e 160 -e '$a' out"
does "its image is fetched" "$hesabu" read "$url" --key c1.key --state desk.c1 --contest $contest --next
ok "as the log names it" cmp -s desk.c1/images/*.png form.png.public
refuses "the presiding officer reads no form" 2 "no form waits" "$hesabu" read e --send "$url" --key po.key --state desk.po
does "the first clerk seals" read_it c1 "$a=100,$b=60" 160
published
ok "the log has no figure of it" sh -c "! grep -rq '\"reading\"' e/public/results"
ok "the reading is on the clerk's own disk" sh -c "ls desk.c1/closed/*.json > /dev/null && [ \$(stat -c %a desk.c1/closed/*.json) = 600 ]"
refuses "who has read it does not read it again" 2 "reads no form of that station" read_it c1 "$a=100,$b=60" 160
does "opening too early does nothing" "$hesabu" read e --send "$url" --key c1.key --state desk.c1 --open
ok "and says that the other is missing" grep -q "0 opened, 1 wait" err
refuses "nothing is shown to who has not sealed" 1 "E_STATE" "$hesabu" read e --send "$url" --key c2.key --state desk.c2 --show --contest $contest --station "$station"
does "the second clerk seals, reading 61" read_it c2 "$a=100,$b=61" 161
published
refuses "a third is not asked for yet" 2 "reads no form" read_it c3 "$a=100,$b=60" 160
does "the first clerk opens" "$hesabu" read e --send "$url" --key c1.key --state desk.c1 --open
published
does "the second clerk opens" "$hesabu" read e --send "$url" --key c2.key --state desk.c2 --open
published
ok "both readings are public" shows "$page" '"state":"open".*"state":"open"'
does "what is open is put away" "$hesabu" read e --send "$url" --key c1.key --state desk.c1 --open
ok "out of the closed ones" sh -c "ls desk.c1/opened/*.json > /dev/null && ! ls desk.c1/closed/*.json > /dev/null 2>&1"

# ---- a third ----
does "now a third person is asked for" "$hesabu" read e --send "$url" --key c3.key --state desk.c3 --list
ok "and told why" grep -q "readings differ" out
does "the third seals" read_it c3 "$a=100,$b=61" 161 --mark no-stamp
published
does "and opens" "$hesabu" read e --send "$url" --key c3.key --state desk.c3 --open
published
does "and now sees the others" "$hesabu" read e --send "$url" --key c3.key --state desk.c3 --show --contest $contest --station "$station"
ok "all three" sh -c "[ \$(grep -c ': open' out) -eq 3 ]"
ok "two read other figures than were sent: in question" shows "$page" '"state":"in question".*F_READING_DIFFERS'
ok "field by field" grep -q '"fields":\["ballots.valid","votes.' "e/public/$page"

# ---- decisions ----
opened=$(grep -o '"opened":[0-9]*' "e/public/$page" | sed -n '2s/.*://p')
refuses "one officer alone does not decide" 1 E_THRESHOLD "$hesabu" decide adopt e --send "$url" --contest $contest \
    --unit "$station" --record "$opened" --key ro.key --key ro.key
run "$hesabu" decide adopt e --send "$url" --contest $contest --unit "$station" --record "$opened" --key ro.key --out one.note
ok "with one key it is written out for the second" sh -c "[ $got -eq 0 ] && grep -q '^. ro/1' one.note"
does "the officers adopt what was read" "$hesabu" decide adopt e --send "$url" --contest $contest --unit "$station" \
    --record "$opened" --key ro.key --key dro.key
ok "seeing what is open there" grep -q "F_READING_DIFFERS" err
published
ok "the station is transcribed" shows "$page" '"state":"transcribed"'
does "the original is compared" "$hesabu" compared e --send "$url" --contest $contest --station "$station" --level constituency \
    --same --irregularity no-stamp --key ro.key
published
ok "the station is compared" shows "$page" '"state":"compared"'
ok "the totals are kept apart" sh -c "grep -q '\"transmitted\":{\"stations\":1,\"registered\":[0-9]*,\"valid\":160,' e/public/results/index.json && grep -q '\"compared\":{\"stations\":1,\"registered\":[0-9]*,\"valid\":161,' e/public/results/index.json"
echo "seen with both agents" > why.txt
refuses "an error is accepted with a reason only" 1 "reason or an order" "$hesabu" decide accept e --send "$url" --contest $contest --unit "$station" \
    --code F_SUM --key ro.key --key dro.key
does "a warning is accepted" "$hesabu" decide accept e --send "$url" --contest $contest --unit "$station" --code F_IRREGULAR \
    --code F_TURNOUT_LOW --reason why.txt --key ro.key --key dro.key
published
ok "by name" shows "$page" 'F_IRREGULAR.*"accepted":'
does "forms are handed over" "$hesabu" custody --contest $contest --unit "$station" --count 2 --from po/1 --to ro/1 \
    --key po.key --key ro.key --send "$url"
published
ok "two originals of one station are a finding" shows "$page" 'F_MORE_FORMS'

# ---- the desk's numbers, and the verifier ----
does "the desk's numbers" "$hesabu" desk e --json
ok "one of the clerks was overruled" grep -q '"key":"clerk/1","machine":false,"sealed":1,"opened":1,"waiting":0,"lapsed":0,"agreed":0,"overruled":1,"fields_wrong":2' out
kill "$pid"; wait "$pid" 2> /dev/null; pid=
does "verify recomputes all of it" "$hesabu" verify e/public --json
sed -i 's/"says":"same"/"says":"differs"/' "e/public/$page"
refuses "and notices a changed page" 1 "$(basename "$page")" "$hesabu" verify e/public
printf '1..%d\n' $n
exit $bad
