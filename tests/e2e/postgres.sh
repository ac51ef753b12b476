#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# One election on two machines that share a PostgreSQL database: the first daemon is killed, the standby
# goes on; the first one comes back and takes over in turn, and the second is fenced. In the end the same
# log on SQLite has the same results, byte for byte, and the same verdict. Prints TAP.
. "$(dirname "$0")/commands.sh"

chmod 711 "$tmp"
"$top/tests/postgres-server" start "$tmp/pg" || {
    [ $? -eq 77 ] && { echo "1..0 # SKIP the programs of PostgreSQL's server are not installed"; exit 0; }
    echo "Bail out! no PostgreSQL server"; exit 1
}
second= copy=
trap 'for p in $pid $second $copy; do kill -9 $p 2> /dev/null; done; "$top/tests/postgres-server" stop "$tmp/pg"; rm -rf "$tmp"' EXIT
db="postgresql:///postgres?host=$tmp/pg&user=hesabu"
begin="--store $db"
election "ro/1:ro po/1:po po/2:po2" --limit 3
ok "the folder says where its records are" grep -q "^postgresql:" e/private/store
ok "and only its owner may read that" sh -c "[ \$(stat -c %a e/private/store) = 600 ]"
ok "no records are in the folder itself" [ ! -e e/private/records.db ]
refuses "a password does not belong there" 64 "pgpass" "$hesabu" serve --dir e --store "postgresql://u:opensesame@h/x"
ok "and is not told to anybody" sh -c "! grep -q opensesame err out"
refuses "the choice is made once" 64 "leave --store out" "$hesabu" serve --dir e --store sqlite
serve
station() { sed -n "s/^\[\"\([^\"]*\)\",\"station\".*,\([0-9]*\)\]\$/\1/p" def/units | sed -n "$1p"; }
registered() { sed -n "s/^\[\"\([^\"]*\)\",\"station\".*,\([0-9]*\)\]\$/\2/p" def/units | sed -n "$1p"; }
constituency=$(grep '"constituency"' def/units | sed -n '1s/^\["\([^"]*\)".*/\1/p')
a=$(grep '"id":"president"' def/contests | grep -o '"id":"[^"]*","name"' | sed -n '1s/"id":"\([^"]*\)".*/\1/p')
b=$(grep '"id":"president"' def/contests | grep -o '"id":"[^"]*","name"' | sed -n '2s/"id":"\([^"]*\)".*/\1/p')
grant() { # grant KEY ROLE UNIT GRANTER
    "$hesabu" keys enrol "$1" --role "$2" --unit "$3" --election e > /dev/null &&
        "$hesabu" keys grant "$1.request" --key "$4" --yes --send "$url" > out 2> err || { cat out err; echo "Bail out!"; exit 1; }
}
result() { # result STATION KEY URL OPTION...: of that station
    at=$1 key=$2 to=$3; shift 3
    "$hesabu" result --contest president --station "$(station "$at")" --votes "$a=100,$b=60" --valid 160 --rejected 2 \
        --registered "$(registered "$at")" --key "$key" --send "$to" "$@"
}
size_of() { sed -n 2p "$1/public/checkpoint"; }
reaches() { # reaches FOLDER SIZE: published within some seconds
    i=0
    until [ "$(size_of "$1" 2> /dev/null || echo 0)" -ge "$2" ] || [ $i -gt 200 ]; do sleep 0.1; i=$((i + 1)); done
    [ "$(size_of "$1")" -eq "$2" ]
}
ends() { # ends PID: by itself, within some seconds; its exit status in $got
    i=0
    while kill -0 "$1" 2> /dev/null && [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); done
    kill -0 "$1" 2> /dev/null && { got=running; return 1; }
    wait "$1"; got=$?
}
grant ro.key returning-officer "$constituency" com.key
grant po.key presiding-officer "$(station 1)" ro.key
grant po2.key presiding-officer "$(station 2)" ro.key
printf 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==' | base64 -d > form.png
does "a result is sent" result 1 po.key "$url"
does "and its form" "$hesabu" image form.png --contest president --station "$(station 1)" --key po.key --send "$url"
ok "six entries are published" reaches e 6

# ---- the second machine ----
does "a second machine's folder is made beside the daemon at work" "$hesabu" init --dir f --from-mirror e/public \
    --log-key log.key --store "$db"
does "and once more" "$hesabu" init --dir f --from-mirror e/public --log-key log.key
refuses "it does not start by mistake" 75 "another daemon sequences" "$hesabu" serve --dir f --listen 127.0.0.1:0
"$hesabu" serve --dir f --listen 127.0.0.1:0 --interval 50 --standby > second.out 2> second.err &
second=$!
i=0
until grep -qs "standing by" second.err || [ $i -gt 200 ]; do sleep 0.1; i=$((i + 1)); done
kill -9 $pid
wait $pid 2> /dev/null
url2=$(address_in second.out)
ok "the first one killed, the standby goes on" [ -n "$url2" ]
ok "that had stood by" grep -q "standing by" second.err
ok "and publishes what there was" reaches f 6
does "the second result comes to it" result 2 po2.key "$url2"
ok "and is published there" reaches f 7
refuses "the first one, started again, sees that it is not its turn" 75 "another daemon sequences" \
    "$hesabu" serve --dir e --listen 127.0.0.1:0

# ---- back again: the second is fenced ----
serve --take-over
ok "told to take over, it does" [ -n "$url" ]
ok "and has what the second wrote" reaches e 7
run result 1 po.key "$url2" --supersedes 0000000000000000000000000000000000000000000000000000000000000000 --for 5
run result 2 po2.key "$url2" --votes "$a=101,$b=60" --valid 161 --for 5
ok "the second acknowledges nothing more" [ $got -ne 0 ]
ok "it ends" ends $second
ok "because it is fenced" grep -q "another sequencer took over" second.err
second=
ok "nothing of it is in the log" reaches e 7
does "what the second did not take goes to the first" "$hesabu" submit --url "$url" --for 20
ok "once" reaches e 8
ok "as another result of that station: in question" sh -c "grep -rq 'in question' e/public/results"

# ---- the server dies under the daemon ----
"$top/tests/postgres-server" kill "$tmp/pg"
run result 1 po.key "$url" --votes "$a=99,$b=60" --valid 159 --for 3
ok "without the database nothing is acknowledged" [ $got -ne 0 ]
ok "and the daemon ends" ends $pid
pid=
refuses "it says what it misses" 69 "no connection to PostgreSQL" "$hesabu" serve --dir e --listen 127.0.0.1:0
"$top/tests/postgres-server" start "$tmp/pg" || echo "Bail out!"
serve
does "it is back, and takes it" "$hesabu" submit --url "$url" --for 20
ok "once" reaches e 9

# ---- the same log on SQLite ----
kill $pid
wait $pid
ok "it stops in good order" [ $? -eq 0 ]
pid=
does "the log moves to a file" "$hesabu" init --dir g --from-mirror e/public --log-key log.key
ok "of its own" [ -e g/private/records.db ]
"$hesabu" serve --dir g --listen 127.0.0.1:0 --interval 50 --quiet > copy.out 2> copy.err &
copy=$!
ok "all of it" reaches g 9
kill $copy
wait $copy
copy=
ok "the same results, byte for byte" diff -r e/public/results g/public/results
ok "the same checkpoint" cmp -s e/public/checkpoint g/public/checkpoint
for d in e g; do
    does "hesabu verify $d" "$hesabu" verify $d/public --anchor e/public/anchor --json
    jq -S 'del(.. | .seconds?, .signature_seconds?)' out > $d.verdict
done
ok "says valid of both, with the same words" cmp -s e.verdict g.verdict
ok "and nine records" grep -q '"verdict": "valid"' e.verdict

# ---- whose database ----
does "another log's key" "$hesabu" keys new other.example/test --simulated --out other.key
refuses "begins no log in this one's database" 1 "holds the log log.example/test" "$hesabu" init --dir h --define def \
    --log-key other.key --store "$db"
echo "1..$n"
exit $bad
