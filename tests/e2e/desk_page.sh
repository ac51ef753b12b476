#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# The tally desk as a page: a real daemon, clerks who each run 'hesabu read --page' and read in Chromium.
# desk_page.mjs has the cases. Prints TAP.
[ -z "${DESK_FORM:-}" ] || DESK_FORM=$(realpath "$DESK_FORM")
skip() { echo "1..0 # SKIP $1"; exit 0; }
command -v node > /dev/null || skip "no node"
[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || skip "no Chromium (make setup)"
[ -d "$(dirname "$0")/../../web/node_modules/playwright-core" ] || skip "npm's packages are not installed (make setup)"
. "$(dirname "$0")/commands.sh"
election "ro/1:ro clerk/1:c1 clerk/2:c2 clerk/3:c3 clerk/4:c4 po/1:po po/2:po2 po/3:po3" --limit 4
serve --rate 1000 --burst 2000
constituency=$(grep '"constituency"' def/units | sed -n '1s/^\["\([^"]*\)".*/\1/p')
choices=$(grep '"id":"president"' def/contests | grep -o '"id":"[^"]*","name"' | sed 's/"id":"\([^"]*\)".*/\1/' | tr '\n' ' ')
a=${choices%% *} b=$(echo "$choices" | cut -d' ' -f2)
grant() { # grant KEY ROLE UNIT GRANTER
    "$hesabu" keys enrol "$1" --role "$2" --unit "$3" --election e > /dev/null &&
        "$hesabu" keys grant "$1.request" --key "$4" --yes --send "$url" > out 2> err || { cat out err; echo "Bail out!"; exit 1; }
}
grant ro.key returning-officer "$constituency" com.key
for k in c1 c2 c3 c4; do grant $k.key clerk "$constituency" ro.key; done
# DESK_FORM: another picture, to look at; DESK_OUT: a folder for a picture of the page, with the first figures
# of DESK_TYPED ("0 2 0") typed
cp "${DESK_FORM:-none}" form.png 2> /dev/null ||
    printf 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==' | base64 -d > form.png
i=0
for k in po po2 po3; do
    i=$((i + 1))
    station=$(grep '"station"' def/units | sed -n "${i}s/^\[\"\([^\"]*\)\".*/\1/p")
    registered=$(grep '"station"' def/units | sed -n "${i}s/.*,\([0-9]*\)\]\$/\1/p")
    grant $k.key presiding-officer "$station" ro.key
    # figures that stand nowhere else: no answer may hold them before a seal does
    "$hesabu" result --contest president --station "$station" --votes "$a=31${i}7403,$b=16${i}9208" --valid "48${i}6611" \
        --rejected 2 --registered "$registered" --key $k.key --send "$url" > out 2> err || { cat out err; echo "Bail out!"; exit 1; }
    "$hesabu" image form.png --contest president --station "$station" --key $k.key --send "$url" > out 2> err ||
        { cat out err; echo "Bail out!"; exit 1; }
    echo "$station:$registered" >> stations
done
published
DESK_URL=$url DESK_DIR=$tmp HESABU=$hesabu DESK_A=$a DESK_B=$b DESK_STATIONS=$(tr '\n' ' ' < stations)
export DESK_URL DESK_DIR HESABU DESK_A DESK_B DESK_STATIONS
node "$top/tests/e2e/desk_page.mjs"
