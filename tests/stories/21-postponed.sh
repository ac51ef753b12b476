#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "A constituency where the poll is postponed"
report 03010101 200 150 20 3
tell "In MTO there is no safety. The commissioners postpone the poll there."
amend --area president:0302=postponed
ok "from this entry on" said "durable and sequenced"
ok "its stations say so" [ "$(state_of 03020101)" = postponed ]
write_result r 03020101 400 50 10 1
sign r "$(po 03020101)"
refused E_STATE "a result from there is not taken" submit r.note --url "$url" --wait receipt
settled
h gate "$url" --contest president --json
ok "the gate asks whether these stations can still change the outcome: they can" [ "$(gate_item G_POSTPONED)" -ge 1 ]
ok "in a sentence that names nobody" sh -c '! "$0" gate "$1" --contest president | grep -i "could still" | grep -q -e Asha -e Baraka -e Chausiku' "$hesabu" "$url"
tell "A week later the poll is held."
amend --area president:0302=open
h result --contest president --station 03020101 --definition 3 --votes "$(votes 100 300 20)" --valid 420 --rejected 1 --election "$where" \
    --form "$(form 03020101)" --out later
sign later "$(po 03020101)"
send later.note
ok "and the result counts" said "durable and sequenced"
send_image 03020101 "$(id_of later.note)" "$(po 03020101)"
ok "with the image it is transmitted" [ "$(state_of 03020101)" = transmitted ]
the_end
