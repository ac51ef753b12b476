#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "The server is lost, and rebuilt from a party's mirror"
report 01010101 200 150 20 3
report 02010101 100 250 30 5
keep_anchor
mirror copy
ok "Simba's volunteers have a copy" [ "$got" = 0 ]
root=$(sed -n 3p copy/checkpoint)
stop "$server"
rm -rf e
tell "The server room has burnt down. The log's key was in the commission's safe."
h init --dir e --from-mirror copy --log-key log.key
ok "the log begins again from the party's copy, after everything in it was verified" [ "$got" = 0 ]
serve e
published
ok "with the same root: not one record is missing or changed" [ "$(sed -n 3p e/public/checkpoint)" = "$root" ]
report 03010101 50 60 370 2
ok "and the night goes on" [ "$(total transmitted chausiku)" = 420 ]
verify
ok "valid, under the same anchor" [ "$verdict" = valid ]
mirror copy
ok "the mirror follows: nothing that it had seen was taken back" [ "$got" = 0 ]
the_end
