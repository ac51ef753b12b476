#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "Two forms for one station; a stolen key used from two places"
tell "Station 03010101 reports. An hour later a second form comes, under the same officer's key, with"
tell "other figures, and it does not say that it replaces the first."
report 03010101 200 150 20 3
ok "the first is counted" [ "$(total transmitted asha)" = 200 ]
write_result second 03010101 20 330 20 3 --form "$(form 03010101 b)"
sign second "$(po 03010101)"
send second.note
ok "the second is logged, too: nothing that was signed is hidden" said "durable and sequenced"
ok "the first does not win, nor the last: neither is counted" [ "$(total transmitted asha)" = 0 ]
ok "the station is in question" [ "$(state_of 03010101)" = "in question" ]
ok "the fall of the published count has its reason beside it" has_finding 03010101 F_TWO_RESULTS
tell "The second was the thief's. The officer revokes her own key from another phone, with the time from"
tell "which nothing under it should be believed; a decision will say which form is the station's."
h keys revoke po.03010101 --reason stolen --suspect-since "$(date -u +%Y-%m-%dT%H:%M:%SZ -d '-1 minute')" \
    --key "$(po 03010101)" --election "$where" --send "$url" --wait receipt
ok "both carry the finding that the key is in question" has_finding 03010101 F_SUSPECT_KEY
keep_anchor
verify
ok "valid: two contradicting forms are a fact about the election, not about the log" [ "$verdict" = valid ]
the_end
