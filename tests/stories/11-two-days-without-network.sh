#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "A station without network for two days"
tell "At 03010102 there is no network. The officer's phone keeps the signed record in a durable queue."
port=${url##*:}
k=$(po 03010102); a=$(agent twiga 03010102)
write_result r 03010102 120 170 200 8 --form "$(form 03010102)" --signed-at "$(date -u -d '-2 days' +%Y-%m-%dT%H:%M:%SZ)"
sign r "$k" "$a"
stop "$server"
h submit r.note --url "$url" --for 1
ok "it stays queued, and says so" sh -c "[ $got = 75 ] && grep -q 'still queued' out err"
h image "$(form 03010102)" --contest president --station 03010102 --result "$(id_of r.note)" --key "$k" --election "$where" \
    --send "$url" --for 1
ok "the image, too" [ "$got" = 75 ]
tell "The battery dies in the middle of the next attempt."
"$hesabu" submit --url "$url" > /dev/null 2>&1 & p=$!
sleep 0.2; kill -9 $p; wait $p 2> /dev/null
tell "Two days later he reaches the town."
serve e "$port"
h submit --url "$url" --wait receipt
ok "everything is sent, in order, with proof" [ "$got" = 0 ]
published; sleep 0.3
ok "the station is transmitted" [ "$(state_of 03010102)" = transmitted ]
ok "the log's time says when it arrived, the officer's when it was signed: two days apart" sh -c \
    "[ '$(station_json 03010102 | jq '(.results[0].ms - .results[0].signed_ms) / 86400000 | floor')' -ge 1 ]"
tell "The agent photographed the slip. He asks a mirror, not the commission, whether the record is there."
keep_anchor
mirror copy
ok "it is in every copy, under the id that the agent can compute from his own note" grep -rq "$(id_of r.note)" copy/results
the_end
