#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "A form's image is swapped later; one paper for two stations"
report 02020101 180 200 10 2
ok "the station is transmitted" [ "$(state_of 02020101)" = transmitted ]
tell "Days later another image of the \"original\" is sent for the same result. The officer and the agents"
tell "had signed the hash of the first picture together with the figures."
send_image 02020101 "$(id_of r.02020101.note)" "$(ro 0202)" other
ok "it is logged, beside the first" said "durable and sequenced"
ok "and shown for what it is: not the image that the signers bound to the figures" has_finding 02020101 F_FORM_MISMATCH
ok "the station is in question" [ "$(state_of 02020101)" = "in question" ]
tell "At the next station somebody saves work and photographs the neighbour's form."
write_result same 02020102 180 200 10 2
sign same "$(po 02020102)"
send same.note
h image "$(form 02020101)" --contest president --station 02020102 --result "$(id_of same.note)" --key "$(po 02020102)" \
    --send "$url" --wait receipt
ok "the same picture for two stations is an error at both" sh -c "[ '$(has_finding 02020101 F_IMAGE_REUSED && has_finding 02020102 F_IMAGE_REUSED && echo yes)' = yes ]"
ok "and so are the same figures, candidate by candidate" has_finding 02020102 F_SAME_FIGURES
tell "Somebody replaces the picture's bytes on the server's disk."
keep_anchor
mirror copy
object=$(station_json 02020101 | jq -r '.results[0].images[0].public')
printf x >> "e/public/objects/$object"
verify e/public
ok "bytes that do not have the hash which was signed: invalid" [ "$verdict" = invalid ]
verify copy
ok "a mirror holds the right ones" [ "$verdict" = valid ]
the_end
