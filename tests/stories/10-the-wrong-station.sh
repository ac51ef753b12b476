#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "A result sent by the wrong station; a record of the rehearsal; a flood"
tell "The officer of 03020101 sends figures for the station next door."
write_result wrong 03020102 10 400 10 1
sign wrong "$(po 03020101)"
refused E_SCOPE "a key speaks for its own station only" submit wrong.note --url "$url" --wait receipt
tell "A clerk's key does not make a station's result."
write_result clerks 03020101 10 400 10 1
sign clerks "$(clerk 1 0302)"
refused E_ROLE "nor may every role sign everything" submit clerks.note --url "$url" --wait receipt
tell "Last week's rehearsal had the same officers with the same keys, and figures. Somebody replays them."
h result --contest president --station 03020101 --votes "$(votes 300 100 5)" --valid 405 --rejected 0 \
    --election "$(printf %064d 7)" --out rehearsal
sign rehearsal "$(po 03020101)"
refused E_ELECTION "every record names the manifest of its own election" submit rehearsal.note --url "$url" --wait receipt
tell "A stolen key floods the log. Each key has a quota, and the log is permanent."
for i in 1 2 3 4 5 6; do
    write_result "f$i" 03020101 "$i" 400 10 1 --signed-at "2026-08-11T18:00:0${i}Z"
    sign "f$i" "$(po 03020101)"
    send "f$i.note"
done
write_result f7 03020101 7 400 10 1
sign f7 "$(po 03020101)"
refused E_QUOTA "after six results nothing more is taken from this key" submit f7.note --url "$url" --wait receipt
ok "six unlinked results: the station is in question and nothing of it is counted" [ "$(state_of 03020101)" = "in question" ]
ok "no vote of it" [ "$(total transmitted baraka)" = 0 ]
keep_anchor
verify
ok "the log is valid" [ "$verdict" = valid ]
the_end
