#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "An objection that is upheld changes a county"
tell "In MLIMA asha and baraka are close. Simba's agents say that the form of 02010101 was typed wrongly."
report 02010101 250 100 20 3
report 02010102 100 230 20 3
ok "asha leads in the county" sh -c "[ $(total transmitted asha 02) -gt $(total transmitted baraka 02) ]"
echo "the form says 150, not 250" > why
settled
h object --contest president --unit 02010101 --reason why --key "$(party simba)" --send "$url" --wait receipt
o=$(grep -ho '[0-9a-f]\{64\}' out err | head -n 1)
[ -n "$o" ] || o=$(ls outbox/done | sort | tail -n 1 | sed 's/.*-//')
ok "the objection is on record at once" said "durable and sequenced"
ok "it holds nothing up by itself" [ "$(gate_item G_OBJECTION)" = 0 ]
settled
h admit "$o" --key "$(ro 0201)" --election "$where" --send "$url" --wait receipt
ok "the returning officer admits it" said "durable and sequenced"
ok "now it holds the gate" [ "$(gate_item G_OBJECTION)" = 1 ]
ok "and the station is in question" [ "$(state_of 02010101)" = "in question" ]
tell "She opens the envelope with the original. It says 150."
settled
h compared "$url" --contest president --station 02010101 --level constituency --votes "$(votes 150 100 20)" --valid 270 --rejected 3 \
    --key "$(ro 0201)" --send "$url" --wait receipt
ok "what the original says is read into the record" said "durable and sequenced"
h rule "$o" --says upheld --key "$(ro 0201)" --key "$(dro 0201)" --election "$where" --send "$url" --wait receipt
ok "two officers uphold it" said "durable and sequenced"
ok "upheld is not yet decided: the gate waits" [ "$(gate_item G_RULING)" = 1 ]
entry=$(station_json 02010101 | jq '[.compared[].entry] | max')
decide adopt 02010101 "$(ro 0201)" "$(dro 0201)" --record "$entry"
ok "the decision adopts what was read from the original" said "durable and sequenced"
ok "the gate no longer waits" [ "$(gate_item G_RULING)" = 0 ]
collate president 0201 "$(ro 0201)"
ok "the table now has the original's figure" grep -q '150,100,20' collation-president-0201.rows
tell "The transmitted total stays what was transmitted: named totals are never mixed. What is declared rests on"
tell "the table, and in the county baraka now leads."
ok "compared with originals: 150" [ "$(total compared asha 02)" = 150 ]
keep_anchor
verify
ok "valid" [ "$verdict" = valid ]
the_end
