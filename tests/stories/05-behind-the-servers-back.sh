#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
. "$(dirname "$0")/story.sh"
story "A multiplier applied to the database behind the server's back"
report 01010101 200 150 20 3
report 01010102 100 250 30 5
keep_anchor
mirror copy
ok "a party keeps a mirror" [ "$got" = 0 ]
stop "$server"
tell "An administrator with the root password opens the database and changes votes in the stored records."
db=$(ls e/private/*.db e/private/*.sqlite 2> /dev/null | head -n 1)
table=$(sqlite3 "$db" .tables | tr -s ' ' '\n' | grep -i entr | head -n 1)
column=$(sqlite3 "$db" "select name from pragma_table_info('$table') where type = 'BLOB' or name in ('bytes','entry','data') limit 1")
before=$(sqlite3 "$db" "select count(*) from $table where instr(cast($column as text), '\"asha\":200') > 0")
for t in $(sqlite3 "$db" "select name from sqlite_master where type = 'trigger'"); do sqlite3 "$db" "drop trigger $t"; done
sqlite3 "$db" "update $table set $column = cast(replace(cast($column as text), '\"asha\":200', '\"asha\":220') as blob) where instr(cast($column as text), '\"asha\":200') > 0"
ok "one record was changed" [ "$before" = 1 ]
"$hesabu" serve --dir e --listen 127.0.0.1:0 --quiet > out 2> err & p=$!
pids="$pids $p"
i=0
while kill -0 $p 2> /dev/null && [ $i -lt 100 ]; do sleep 0.05; i=$((i + 1)); done
ok "the server does not start: what is stored is not what was signed" sh -c "! kill -0 $p 2> /dev/null && grep -q 'E_' err"
tell "Somebody changes the public copy in the same way, so that pages and files agree with each other."
cp -r e/public forged
for f in $(grep -rl '"asha":200' forged/tile 2> /dev/null); do sed -i 's/"asha":200/"asha":220/' "$f"; done
verify forged
ok "the tree's root no longer holds: invalid" [ "$verdict" = invalid ]
verify copy
ok "the party's copy still verifies" [ "$verdict" = valid ]
h results copy --contest president --json --anchor anchor
ok "and gives the forms' figure, 300" [ "$(json '[.. | .votes? // empty | objects | .asha? // empty] | max')" = 300 ]
the_end
