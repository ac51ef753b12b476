#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "A commission that shows two different logs to two parties"
report 01010101 200 150 20 3
keep_anchor
mirror chui
ok "Chui's mirror has seen this log" [ "$got" = 0 ]
stop "$server"
cp -r e other
tell "With the log's key somebody continues it in two ways: one for Chui, one for Simba."
serve e
report 01010102 300 50 10 1
mirror chui
stop "$server"
mv e first; mv other e
rm -rf outbox
serve e
write_result s 01010102 20 330 10 1 --form "$(form 01010102 s)"
sign s "$(po 01010102 2> /dev/null || echo po.01010102.key)"
h keys enrol po.01010102.key --role presiding-officer --unit 01010102 --election "$where"
h keys grant po.01010102.key.request --key "$(ro 0101)" --yes --send "$url" --wait receipt
send s.note
h keys revoke po.01010102 --reason ended --key "$(ro 0101)" --election "$where" --send "$url" --wait receipt
i=0; until [ "$(entries)" -gt 12 ] || [ $i -gt 40 ]; do report 0201010$((i % 2 + 1)) 1 1 1 0 > /dev/null 2>&1; i=$((i + 1)); done
mirror simba
ok "Simba's mirror sees a log that is consistent in itself" [ "$got" = 0 ]
verify simba
ok "it even verifies: one log alone cannot show what another reader saw" [ "$verdict" = valid ]
tell "The two meet: Chui's mirror asks where Simba's got its records."
mirror chui
ok "the mirror stops: two signed checkpoints contradict each other" sh -c "[ $got = 1 ] && grep -q -e E_FORK -e E_REWIND -e evidence err out"
ok "both signed checkpoints are kept as evidence: the log's own signature proves it" sh -c 'ls chui/evidence/* > /dev/null'
the_end
