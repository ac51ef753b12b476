#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "A genuine result, signed before he died, that arrives after"
tell "The officer of 02010102 counts, signs with the agents, and has no network. On the way home he dies;"
tell "his key is revoked in the morning. Then somebody finds his phone, and it sends what it holds."
write_result r 02010102 301 222 11 6 --form "$(form 02010102)"
sign r "$(po 02010102)" "$(agent chui 02010102)"
h keys revoke po.02010102 --reason died --key "$(ro 0201)" --election "$where" --send "$url" --wait receipt
refused E_REVOKED "the log cannot know when it was signed: refused" submit r.note --url "$url" --wait receipt
ok "what was refused is kept by the phone, with the reason" sh -c 'ls outbox/refused/*/refusal > /dev/null'
keep_anchor
stop "$server" # what waits is written at a stop, else within ten minutes
h incidents e/public --anchor anchor --json
ok "and by the server, as an object that the incident names: the desk can read it" said '"note":'
serve e
tell "The paper decides. The returning officer has the signed form; she and a clerk adopt it from paper,"
tell "with its image. The figures are the form's own; nobody may write others."
write_result p 02010102 301 222 11 6 --basis paper --form "$(form 02010102)"
sign p "$(ro 0201)"
refused E_THRESHOLD "one officer alone cannot" submit p.note --url "$url" --wait receipt
sign p "$(clerk 1 0201)"
send p.note
ok "two can" said "durable and sequenced"
send_image 02010102 "$(id_of p.note)" "$(ro 0201)"
ok "it is counted, and its basis is said: paper" sh -c "[ '$(station_json 02010102 | jq -r '.results[0].basis')' = paper ]"
ok "the total" [ "$(total transmitted asha)" = 301 ]
verify
ok "valid" [ "$verdict" = valid ]
the_end
