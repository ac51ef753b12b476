#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "A second round, after a tie for the second place"
for c in 01 02 03; do for k in 01 02; do
    report "$c${k}0101" 160 100 100 2
    collate president "$c$k" "$(ro "$c$k")"
done; done
n_=$(chair)
collate president MF "$n_"
echo "for the story: what is open is listed" > basis
tell "asha has 960 of 2,160 votes, under a half; baraka and chausiku have 600 each. The law: the first, and all"
tell "who are tied for the second place."
settled
h declare "$url" --contest president --key "$n_" --override basis --send "$url" --wait receipt
ok "the declaration says so: a further round" said "durable and sequenced"
settled
ok "of the first and both of the second, who are tied" [ "$(jq '.declaration.outcome.choices | length' e/public/results/president/1/gate.json)" = 3 ]
amend --next-round president:2=asha,baraka,chausiku
ok "the commissioners open the second round" said "durable and sequenced"
ok "results of the first stay as they are" [ "$(total transmitted asha)" = 960 ]
h result --contest president --station 01010101 --round 2 --definition 2 --votes "$(votes 10 200 170)" --valid 380 --rejected 2 \
    --election "$where" --out second --form "$(form 01010101 second)"
sign second "$(po 01010101)" "$(agent simba 01010101)"
send second.note
h image "$(form 01010101 second)" --contest president --round 2 --station 01010101 --result "$(id_of second.note)" --key "$(po 01010101)" \
    --send "$url" --wait receipt
settled
ok "the second round is counted apart" [ "$(jq .totals.transmitted.votes.baraka e/public/results/president/2/MF.json)" = 200 ]
write_result late 01020102 1 2 3 0
sign late "$(po 01020102)"
refused E_ROUND "a result of the first round comes too late: the round is closed" submit late.note --url "$url" --wait receipt
keep_anchor
verify
ok "valid" [ "$verdict" = valid ]
the_end
