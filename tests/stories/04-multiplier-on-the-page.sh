#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "A multiplier applied to the published totals"
report 01010101 200 150 20 3
report 01010102 100 250 30 5
keep_anchor
published
tell "The forms give 300 for asha. A copy of the public files is changed: all her votes times 1.1."
cp -r e/public shown
f=shown/results/president/1/MF.json
jq -c '.totals.transmitted.votes.asha = (.totals.transmitted.votes.asha * 11 / 10 | floor)' "$f" > changed && cp changed "$f"
ok "the page now says 330" [ "$(jq .totals.transmitted.votes.asha "$f")" = 330 ]
verify shown
ok "whoever recomputes sees it: invalid" [ "$verdict" = invalid ]
ok "and which file differs from what the records give" said 'results/president/1/MF.json'
ok "the records themselves are consistent: the code is of the results" said E_RESULTS
tell "Journalists take the totals from the records, whatever the page says."
h results shown --contest president --json --anchor anchor
ok "recomputed from the signed forms: 300" [ "$(json '[.. | .votes? // empty | objects | .asha? // empty] | max')" = 300 ]
the_end
