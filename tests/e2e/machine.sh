#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# The machine's desk with the real daemon: an image of the printed form is read, sealed blind, opened after
# the people's reading; what was sent is held against the image; a picture that is no form is left to
# people. Prints TAP.
. "$(dirname "$0")/commands.sh"

election "nro/1:nro ro/1:ro clerk/1:c1 clerk/2:c2 po/1:po po/2:po2 machine/1:m" --limit 4
serve
station=$(grep '"station"' def/units | sed -n '1s/^\["\([^"]*\)".*/\1/p')
second=$(grep '"station"' def/units | sed -n '2s/^\["\([^"]*\)".*/\1/p')
registered=$(grep '"station"' def/units | sed -n '1s/.*,\([0-9]*\)\]$/\1/p')
constituency=$(grep '"constituency"' def/units | sed -n '1s/^\["\([^"]*\)".*/\1/p')
nation=$(grep '"nation"' def/units | sed -n '1s/^\["\([^"]*\)".*/\1/p')
a=$(grep '"id":"president"' def/contests | grep -o '"id":"[^"]*","name"' | sed -n '1s/"id":"\([^"]*\)".*/\1/p')
grant() { # grant KEY ROLE UNIT GRANTER
    "$hesabu" keys enrol "$1" --role "$2" --unit "$3" --election e > /dev/null &&
        "$hesabu" keys grant "$1.request" --key "$4" --yes --send "$url" > out 2> err || { cat out err; echo "Bail out!"; exit 1; }
}
grant nro.key national-returning-officer "$nation" com.key
grant ro.key returning-officer "$constituency" com.key
grant m.key machine "$nation" nro.key
for k in c1 c2; do grant $k.key clerk "$constituency" ro.key; done
grant po.key presiding-officer "$station" ro.key
grant po2.key presiding-officer "$second" ro.key
published

# ---- an image of the printed form; nobody has written on it ----
does "the station's form" "$hesabu" forms --dir e --contest president --unit "$station" --out form.pdf
does "as a picture" pdftoppm -png -r 150 -l 1 -singlefile form.pdf form
does "figures are sent" "$hesabu" result --contest president --station "$station" --votes "$a=100" --valid 100 \
    --rejected 2 --registered "$registered" --key po.key --send "$url"
does "with the form's image" "$hesabu" image form.png --contest president --station "$station" --key po.key --send "$url"
does "another station sends figures" "$hesabu" result --contest president --station "$second" --votes "$a=1" --valid 1 \
    --rejected 0 --key po2.key --send "$url"
printf 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==' | base64 -d > dot.png
does "and a picture that is no form" "$hesabu" image dot.png --contest president --station "$second" --key po2.key --send "$url"
published
run "$hesabu" scan form.pdf --dir e
ok "an empty form does not confirm what was sent" sh -c "jq -e '.against_log.verdict == \"cannot-tell\" and ([.against_log.fields[] | select(.field == \"valid\")][0].sent == 100)' out > /dev/null"
does "the machine reads what waits" "$hesabu" read e --send "$url" --key m.key --state desk.m --machine
ok "one form, and leaves the other picture to people" grep -q "1 forms sealed by the machine, 1 that it cannot read" err
published
ok "its reading is sealed, not shown" sh -c "! grep -rq no-stamp e/public/results && ls desk.m/closed/*.json > /dev/null"
ok "it says that nothing is written and nobody has signed" sh -c "grep -q 'no-officer-signature' desk.m/closed/*.json && grep -q 'no-stamp' desk.m/closed/*.json && ! grep -q illegible desk.m/closed/*.json"
does "a second run has nothing to seal" "$hesabu" read e --send "$url" --key m.key --state desk.m --machine
ok "and opens nothing before the people" sh -c "grep -q '^0 forms sealed' err && ls desk.m/closed/*.json > /dev/null"
for c in c1 c2; do
    does "clerk $c seals" "$hesabu" read e --send "$url" --key $c.key --state desk.$c --contest president --station "$station" \
        --votes "$a=100" --valid 100 --rejected 2 --registered "$registered"
    published
done
for c in c1 c2; do
    does "clerk $c opens" "$hesabu" read e --send "$url" --key $c.key --state desk.$c --open
    published
done
does "then the machine opens" "$hesabu" read e --send "$url" --key m.key --state desk.m --machine
published
does "and puts away what is open" "$hesabu" read e --send "$url" --key m.key --state desk.m --machine
ok "as a machine's reading in the log" sh -c "ls desk.m/opened/*.json > /dev/null && ! ls desk.m/closed/*.json > /dev/null 2>&1"
ok "that differs from the people's: the image shows an empty form" sh -c "'$hesabu' findings e | grep '$station' | grep -q F_MACHINE_DIFFERS"
run "$hesabu" verify e/public
ok "and everything verifies" [ $got -eq 0 ]

echo "1..$n"
exit $bad
