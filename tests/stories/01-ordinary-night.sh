#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "An ordinary night: from the count at one station to a citizen who checks it"
tell "Station 01010101 has counted. The presiding officer writes the figures of the signed paper form"
tell "into a record. Two agents read it, and sign the same record on their own devices."
write_result r 01010101 201 180 19 4 --form "$(form 01010101)"
sign r "$(po 01010101)" "$(agent chui 01010101)" "$(agent simba 01010101)"
ok "three signatures stand under one text" sh -c '[ "$(grep -c "^— " r.note)" = 3 ]'
send r.note
ok "the server answers with a receipt: the place in the log, and the proof" said "durable and sequenced"
ok "figures without the form's image are listed, not counted" [ "$(state_of 01010101)" = "received without image" ]
send_image 01010101 "$(id_of r.note)" "$(po 01010101)"
ok "with the image they count as transmitted" [ "$(state_of 01010101)" = transmitted ]
ok "the total has a name" [ "$(total transmitted asha)" = 201 ]
tell "A citizen has the anchor from the gazette, and a copy of the public files from anybody."
keep_anchor
cp -r e/public copy
verify copy
ok "everything is recomputed from the first record, offline: valid" [ "$verdict" = valid ]
ok "anchored, not self-declared" [ "$(json .trust)" = anchored ]
the_end
