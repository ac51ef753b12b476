#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "The court orders the servers opened"
report 01010101 200 150 20 3
report 01010102 100 250 30 5
tell "One officer had corrected his form before it was posted; somebody used a revoked key."
write_result first 02010101 10 20 30 1 --form "$(form 02010101 x)"
sign first "$(po 02010101)"
send first.note
write_result second 02010101 10 20 33 1 --form "$(form 02010101)" --supersedes "$(id_of first.note)"
sign second "$(po 02010101)"
send second.note
send_image 02010101 "$(id_of second.note)" "$(po 02010101)"
k=$(po 03010101)
h keys revoke po.03010101 --reason lost --key "$(ro 0301)" --election "$where" --send "$url" --wait receipt
write_result late 03010101 10 20 30 1
sign late "$k"
h submit late.note --url "$url" --wait receipt
keep_anchor
stop "$server"
cat > order << 'END'
# Petition 1 of 2026: order for access
log: the logs of the servers
access-matrix: user access matrix of everybody with rights
refused: all attempts to log in that failed
forms-received: the forms received from each constituency
corrections
penetration-tests: certificates of penetration tests
the minister's telephone bills: from May to August
END
echo "tested by a firm" > pentest.txt
h bundle e --out bundle --anchor anchor --order order --add penetration-tests=pentest.txt --responsible "A. Registrar" \
    --made-at 2026-09-01T08:00:00Z
ok "one command answers it" [ "$got" = 0 ]
ok "item by item: what is here" sh -c '[ "$(jq "[.items[] | select(.present)] | length" bundle/bundle.json)" = 6 ]'
ok "what this system does not keep is absent, with the reason" sh -c 'jq -r ".items[6].answer" bundle/bundle.json | grep -q "^absent:"'
ok "the correction is in the table of corrections" grep -q "this form replaces the one of entry" bundle/tables/corrections.csv
ok "the revoked key's attempt is among the refused" grep -q E_REVOKED bundle/tables/incidents.csv
ok "a judge reads the index on paper, too" sh -c 'pdftotext bundle/index.pdf - | grep -q "Answer to the order"'
ok "the certificate names the responsible person" grep -q "A. Registrar" bundle/certificate.html
tell "The petitioners' expert takes the folder home. She has no network, and the anchor from the gazette."
rm -rf e
verify bundle
ok "everything verifies from the first record: valid" [ "$verdict" = valid ]
ok "the certificate was not left out of what is checked" grep -q "certificate.html" bundle/MANIFEST
echo " " >> bundle/tables/forms.csv
refused E_OBJECT "a table that was changed afterwards is named" verify bundle --anchor anchor
ok "by its name" said "tables/forms.csv"
the_end
