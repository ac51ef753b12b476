#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "Clerks who copy from each other"
tell "Two clerks enter each form, and neither sees the figures that were sent, nor the other's entry."
report 01010101 200 150 20 3
report 01010102 210 140 25 3
x=$(clerk 1 0101) y=$(clerk 2 0101)
settled
seal "$x" 01010101 200 150 20 3
ok "the first clerk's reading is sealed: the log knows that, and not what" said "durable and sequenced"
refused E_STATE "one person does not read a form twice" read "$url" --key "$x" --contest president --station 01010101 \
    --votes "$(votes 200 150 20)" --valid 370 --rejected 3 --state "desk.$x" --send "$url" --wait receipt
open_readings "$x"
ok "and cannot open it before the other has sealed" [ "$(state_of 01010101)" = transmitted ]
settled
seal "$y" 01010101 200 150 20 3
open_readings "$x"; open_readings "$y"
ok "both are open, and agree: transcribed" [ "$(state_of 01010101)" = transcribed ]
tell "At the next form they are tired. One reads aloud, the other types after her: both write 120 for 210."
settled; seal "$x" 01010102 120 140 25 3
settled; seal "$y" 01010102 120 140 25 3
open_readings "$x"; open_readings "$y"
ok "they agree with each other and not with what was sent: in question" [ "$(state_of 01010102)" = "in question" ]
ok "by name" has_finding 01010102 F_READING_DIFFERS
tell "The returning officer looks at the paper original. It says what was sent."
entry=$(station_json 01010102 | jq .results[0].entry)
decide adopt 01010102 "$(ro 0101)" "$(dro 0101)" --record "$entry"
ok "two officers adopt the right transcription; no figure of their own" said "durable and sequenced"
compare_same 01010102 constituency "$(ro 0101)"
ok "the original was compared" [ "$(state_of 01010102)" = compared ]
tell "Who shares mistakes with whom can be computed by anybody."
settled
h desk "$url" --json
ok "the two share one mistake" sh -c "jq -e '[.. | objects | select(has(\"shared_errors\") or has(\"shared\") or has(\"copied\"))] | length > 0' out"
the_end
