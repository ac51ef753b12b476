#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "Commissioners who resign; a returning officer who is murdered"
tell "Three commissioners, of whom two must sign. Officers and agents have their keys; the poll is over."
r=$(ro 0201); d=$(dro 0201); p=$(po 02010101); q=$(po 02010102); a_=$(agent chui 02010101); b_=$(agent simba 02010101)
for s in 02010102; do agent chui $s > agents; agent simba $s > agents; done
amend --threshold 2
ok "two must sign from now on" said "durable and sequenced"
tell "Two of the three leave in the night, and revoke their own keys."
h keys revoke com/3 --reason resigned --key com.3.key --election "$where" --send "$url" --wait receipt
h keys revoke com/2 --reason resigned --key com.2.key --election "$where" --send "$url" --wait receipt
ok "that is on record" said "durable and sequenced"
settled
h amend "$url" --area president:0302=postponed --key com.1.key --send "$url" --wait receipt
ok "the one who is left changes nothing alone" sh -c "[ $got -ne 0 ] && grep -q E_THRESHOLD out err"
tell "What needs the commission stands still until the law fills the vacancies. Nothing that the stations do"
tell "waits for it."
report 02010101 200 150 20 3
report 02010102 100 250 30 5
ok "results come in and are counted" [ "$(total transmitted asha 0201)" = 300 ]
tell "The returning officer of JUU is murdered. Her deputy says that he acts for her, and why."
h keys acting ro.0201 --reason died --unit 0201 --key "$d" --election "$where" --send "$url" --wait receipt
ok "he needs nobody's leave: the law named him before the poll" said "durable and sequenced"
collate president 0201 "$d"
ok "he makes the constituency's table" said "durable and sequenced"
keep_anchor
verify
ok "valid: the count did not stop" [ "$verdict" = valid ]
the_end
