#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "The official whose credentials are used after his death"
tell "The presiding officer of 02010101 has died. His returning officer revokes his key: from the next"
tell "entry of the log on it signs nothing any more."
k=$(po 02010101); d=$(dpo 02010101); r=$(ro 0201)
h keys revoke po.02010101 --reason died --key "$r" --election "$where" --send "$url" --wait receipt
ok "the revocation is a public record" said "durable and sequenced"
tell "At night somebody who has his device sends a result in his name."
write_result thief 02010101 10 350 0 2
sign thief "$k"
refused E_REVOKED "it is refused, and the answer says why" submit thief.note --url "$url" --wait receipt
ok "nothing is counted" [ "$(total transmitted baraka)" = 0 ]
tell "The deputy says that she acts for him, and why; then she reports what was counted."
h keys acting po.02010101 --reason died --unit 02010101 --key "$d" --election "$where" --send "$url" --wait receipt
write_result right 02010101 150 200 20 3 --form "$(form 02010101)"
sign right "$d" "$(agent simba 02010101)"
send right.note
ok "her record is taken" said "durable and sequenced"
send_image 02010101 "$(id_of right.note)" "$d"
ok "and counted" [ "$(total transmitted baraka)" = 200 ]
tell "What was tried is on record: under which key, when, and that the key itself had signed it."
keep_anchor
stop "$server" # what waits is written at a stop, else within ten minutes
h incidents e/public --anchor anchor --json
ok "the attempt is an incident of the class proven: his key had signed it" said '"class":"proven"'
verify
ok "an auditor replays it all: no inadmissible record was accepted" [ "$verdict" = valid ]
the_end
