#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "A count that would go down"
report 01010101 200 150 20 3
report 01010102 400 100 80 5
tell "At 01010102 the form says 580 valid votes; 510 voters are on the register."
ok "it is counted, and in question from the start" sh -c "[ '$(state_of 01010102)' = 'in question' ] && [ $(total transmitted asha) = 600 ]"
ok "by name and amount" has_finding 01010102 F_OVER_REGISTER
refused_() { decide disregard "$1" "$(ro 0101)" "$(dro 0101)" --ground over-register; [ "$got" -ne 0 ]; }
ok "the law's ground must be true: the neighbour station cannot be disregarded on it" refused_ 01010101
decide disregard 01010102 "$(ro 0101)" "$(dro 0101)" --ground over-register
ok "here it is true: two officers disregard the station, on that ground" said "durable and sequenced"
ok "the station says so" [ "$(state_of 01010102)" = disregarded ]
ok "what was transmitted stays published under its name: the count did not fall unseen" [ "$(total transmitted asha)" = 600 ]
tell "A court orders it back."
echo "Petition 4: the station is to be counted" > order
entry=$(station_json 01010102 | jq '[.decisions[].entry] | max')
decide release 01010102 "$(ro 0101)" "$(dro 0101)" --record "$entry" --order order
ok "the decision is withdrawn by another one that carries the order" said "durable and sequenced"
ok "nothing was edited: both stand in the log" sh -c "[ '$(station_json 01010102 | jq '.decisions | length')' = 2 ]"
the_end
