#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "A declaration attempted with forms missing, and the override"
for c in 01 02 03; do for k in 01 02; do
    report "$c${k}0101" 300 100 20 3
    collate president "$c$k" "$(ro "$c$k")"
done; done
tell "Half the stations have reported, one in each ward. Nobody has read the forms, nobody has compared them."
n_=$(chair)
collate president MF "$n_"
ok "a national table can be made: it says what is missing" said "durable and sequenced"
ok "six stations are missing, says the gate" [ "$(gate_item G_MISSING)" = 6 ]
settled
h declare "$url" --contest president --key "$n_" --send "$url" --wait receipt
ok "the chairperson cannot declare: the gate is shut" sh -c "[ $got -ne 0 ] && grep -q -e E_GATE -e G_MISSING out err"
ok "and every item is named" said G_NOT_TRANSCRIBED
tell "The chairperson declares all the same, and answers for it: an override with the legal basis, which lists"
tell "each open item with its count. It stands on every page, for ever."
echo "The law asks for a declaration by the seventh day." > basis
settled
h declare "$url" --contest president --key "$n_" --override basis --send "$url" --wait receipt
ok "declared, by override" said "durable and sequenced"
settled
cp e/public/results/president/1/gate.json gate.json
ok "the override's items are published beside the declaration" sh -c 'grep -q override gate.json && grep -q G_MISSING gate.json'
ok "the status says declared" sh -c 'jq -r .status e/public/results/president/1/MF.json | grep -q "^declared"'
tell "A commissioner has not seen the forms and does not put her name to it."
h dissent "$url" --contest president --key com.2.key --send "$url" --wait receipt
ok "her dissent stands beside it" said "durable and sequenced"
keep_anchor
verify
ok "the log is valid: the declaration was possible in law, and everything that was open is on record" [ "$verdict" = valid ]
the_end
