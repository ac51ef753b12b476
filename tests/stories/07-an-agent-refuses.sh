#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "An agent who refuses to sign"
tell "At 01020101 the agent of Simba refuses to sign the paper and writes why. His phone holds a key; he"
tell "does not sign the record with it either."
write_result r 01020101 210 190 15 4 --form "$(form 01020101)" --agents-present 2 --agents-signed 1 --agents-refused 1
sign r "$(po 01020101)" "$(agent chui 01020101)"
a=$(agent simba 01020101)
send r.note
send_image 01020101 "$(id_of r.note)" "$(po 01020101)"
ok "the refusal does not void the form: it is counted" [ "$(state_of 01020101)" = transmitted ]
ok "the count of refusals stands in the record" [ "$(station_json 01020101 | jq '.results[0].agents.refused')" = 1 ]
tell "He can say more than nothing: that he saw this, and objects, and why. His words are kept, but not"
tell "published; their hash is in the log."
echo "the count was stopped for twenty minutes in the dark" > why
h countersign "$(id_of r.note)" --object-because why --key "$a" --election "$where" --send "$url" --wait receipt
ok "the objection is a public record" said "durable and sequenced"
ok "everybody sees that one countersigner objects" has_finding 01020101 F_AGENT_OBJECTS
ok "his words are not public" sh -c '[ ! -e "e/public/objects/$(sha256sum < why | cut -d" " -f1)" ]'
tell "An agent without a key signs the paper, and that is counted as such: a missing key is never shown as"
tell "a missing agent."
ok "signed on paper: one, signed on a device: one" [ "$(station_json 01020101 | jq -c '[.results[0].agents.signed_on_paper, .results[0].agents.signed_on_device]')" = "[1,1]" ]
the_end
