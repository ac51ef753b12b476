#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "More forms than stations"
tell "JUU has two polling stations. After the count carriers bring three original forms to the tally centre."
report 02010101 120 110 10 2
report 02010102 220 210 10 2
r=$(ro 0201)
for i in 1 2 3; do
    case $i in 3) s=02010102;; *) s=0201010$i;; esac
    p=$(po "$s")
    h custody --unit "$s" --contest president --count 1 --from "po.$s" --to ro.0201 --key "$p" --key "$r" --send "$url" --wait receipt \
        --at "2026-08-11T2$i:00:00Z"
    ok "hand-over $i is signed by who gave and who took" said "durable and sequenced"
done
settled
h findings "$url" --json
ok "three forms for two stations are a finding of the constituency" said F_MORE_FORMS
ok "it names both numbers" said "3"
tell "It does not say which form is one too many; it says where to look, before anybody declares."
ok "the gate counts it" [ "$(( $(gate_item G_IN_QUESTION) + $(gate_item G_WARNINGS) ))" -ge 1 ]
the_end
