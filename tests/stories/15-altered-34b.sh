#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "A returning officer who alters a 34B"
report 01010101 200 150 20 3
report 01010102 100 250 30 5
tell "The returning officer of BANDARI collates her constituency. The program proposes the table from the"
tell "stations' own records; each row names the record that it rests on."
r=$(ro 0101)
collate president 0101 "$r"
ok "the honest table is logged" said "durable and sequenced"
collation=$(ls collation-president-0101.rows)
tell "The returning officer of MIKOKO wants thirty votes more for asha at one station. He changes the row"
tell "and the sum, and signs."
report 01020101 200 150 20 3
report 01020102 100 250 30 5
r=$(ro 0102)
settled
h collate "$url" --contest president --unit 0102 --key "$r" --out honest.note
sed 's/200,150,20\]/230,150,20]/; s/,370,\[/,400,[/' collation-president-0102.rows > altered.rows
old=$(sha256sum < collation-president-0102.rows | cut -d' ' -f1); new=$(sha256sum < altered.rows | cut -d' ' -f1)
awk 'BEGIN { RS = "\n\n" } NR == 1 { printf "%s\n", $0 }' honest.note | sed "s/$old/$new/; s/\"size\":$(stat -c %s collation-president-0102.rows)/\"size\":$(stat -c %s altered.rows)/" > altered
"$hesabu" sign altered --key "$r" --out altered.note --quiet > /dev/null
refused E_ALTERED "a table that alters a station's figure is not taken" submit altered.note --object altered.rows --url "$url" --wait receipt
tell "So he writes it on paper and signs that. A signed paper form is always logged: what was signed is a fact."
{
    echo code,registered,rejected,valid,asha,baraka,chausiku
    echo 01020101,470,3,400,230,150,20
    echo 01020102,530,5,380,100,250,30
    echo TOTAL,1000,8,780,330,400,50
} > paper.csv
h collate "$url" --contest president --unit 0102 --paper paper.csv --form "$(form 34B)" --key "$r" --send "$url" --wait receipt
ok "the paper form is on record" said "durable and sequenced"
settled
h findings "$url" --json
ok "and the cell that differs from the station's form is an error, by name and amount" said F_ROW_ALTERED
ok "the gate counts the unit" [ "$(gate_item G_ALTERED)" -ge 1 ]
ok "the total of the stations' forms is what it was" [ "$(total transmitted asha 0102)" = 300 ]
the_end
