#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "A rival's signature is stripped on the way"
write_result r 01010102 240 230 30 6 --form "$(form 01010102)"
sign r "$(po 01010102)" "$(agent chui 01010102)" "$(agent simba 01010102)"
cp r.note whole.note
tell "Between the station and the server somebody takes the line of Simba's agent out."
grep -v "^— agent.simba" r.note > stripped.note
cp stripped.note r.note
send r.note
ok "the record is valid without it, and is logged" said "durable and sequenced"
ok "one agent's key stands under it" [ "$(station_json 01010102 | jq '.results[0].agents.signed_on_device')" = 1 ]
tell "Simba's agent has the note on her own phone. She sends it from home."
rm -rf outbox
send whole.note
ok "the same record, the same place in the log" said "durable and sequenced"
published; sleep 0.3
ok "and her line is appended by the log: both agents have signed" [ "$(station_json 01010102 | jq '.results[0].agents.signed_on_device')" = 2 ]
keep_anchor
verify
ok "the late line is verified over the original text" [ "$verdict" = valid ]
the_end
