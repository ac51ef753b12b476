#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# The client commands with the real binary and a real daemon: keys, signatures, the durable queue,
# results, pictures, exports, and what each refuses. Prints TAP.
. "$(dirname "$0")/commands.sh"
settled() { # until head.json has at least this many entries
    i=0
    until [ "$(sed -n 's/.*"size":\([0-9]*\).*/\1/p' e/public/head.json)" -ge "$1" ] || [ $i -gt 200 ]; do
        sleep 0.1; i=$((i + 1))
    done
}

# ---- an election ----
election "" --limit 4
serve
contest=$(sed -n 's/.*"id":"\([a-z0-9-]*\)","kind".*/\1/p' def/contests | head -n 1)
[ -n "$contest" ] || contest=$(tail -n 1 def/contests | grep -o '"id":"[^"]*"' | tail -n 1 | sed 's/.*:"//; s/"//')
station=$(grep '"station"' def/units | sed -n '1s/^\["\([^"]*\)".*/\1/p')
constituency=$(grep '"constituency"' def/units | sed -n '1s/^\["\([^"]*\)".*/\1/p')
a=$(grep -o '"id":"[^"]*","name"' def/contests | sed -n '1s/"id":"\([^"]*\)".*/\1/p')
b=$(grep -o '"id":"[^"]*","name"' def/contests | sed -n '2s/"id":"\([^"]*\)".*/\1/p')

# ---- keys ----
echo secret > pw; echo wrong > pw2
run "$hesabu" keys new ro/1 --out ro.key --passphrase-file pw
ok "a key under a passphrase" exits 0
ok "its file is its owner's alone" sh -c '[ "$(stat -c %a ro.key)" = 600 ]'
refuses "a key file is never overwritten" 74 E_EXISTS "$hesabu" keys new ro/1 --out ro.key --passphrase-file pw
refuses "a wrong passphrase" 77 E_PASSPHRASE "$hesabu" keys enrol ro.key --role returning-officer \
    --unit "$constituency" --election "$url" --passphrase-file pw2
refuses "an unknown role" 64 "these are:" "$hesabu" keys enrol ro.key --role king --unit KE --election "$url" --passphrase-file pw
run "$hesabu" keys enrol ro.key --role returning-officer --unit "$constituency" --election "$url" --passphrase-file pw
ok "a request with proof of possession" exits 0
sed 's/returning-officer/commissioner/' ro.key.request > forged.request
refuses "a request that was changed" 1 E_SIGNATURE "$hesabu" keys grant forged.request --key com.key --yes
refuses "a grant asks first" 64 confirm "$hesabu" keys grant ro.key.request --key com.key
run "$hesabu" keys grant ro.key.request --key com.key --yes --send "$url"
ok "granted and logged" said "entry 1"
for k in po/1:po agent/1:ag party/1:pa; do "$hesabu" keys new "${k%:*}" --simulated --out "${k#*:}.key" > /dev/null; done
grant() { # grant KEY ROLE UNIT GRANTER [OPTIONS]
    key=$1 role=$2 unit=$3 by=$4; shift 4
    "$hesabu" keys enrol "$key" --role "$role" --unit "$unit" --election e "$@" > /dev/null &&
        run "$hesabu" keys grant "$key.request" --key "$by" --passphrase-file pw --yes --send "$url"
}
grant po.key presiding-officer "$station" ro.key
ok "the returning officer grants inside the own unit" exits 0
grant pa.key party "$(sed -n '2s/^\["\([^"]*\)".*/\1/p' def/units)" com.key --party p1
grant ag.key agent "$station" pa.key --party p1
ok "a party grants its agent" exits 0

# ---- a result, signed by two on two devices ----
run "$hesabu" result --contest "$contest" --station "$station" --votes "$a=200,$b=301" --valid 502 \
    --rejected 3 --registered 100 --election "$url"
cp out result.txt
ok "a result's text, with a warning about its sum" sh -c 'grep -q "add up to 501, the form says 502" err && head -n 1 result.txt | grep -qx "hesabu/v1 result"'
refuses "--strict stops there" 64 "do not add up" "$hesabu" result --contest "$contest" --station "$station" \
    --votes "$a=200,$b=301" --valid 502 --strict --election "$url"
"$hesabu" sign result.txt --key po.key --out r1.note --quiet > /dev/null
"$hesabu" sign result.txt --key ag.key --out r2.note --quiet > /dev/null
run "$hesabu" merge r1.note r2.note --out r.note
ok "two signatures in one note" sh -c '[ "$(grep -c "^— " r.note)" -eq 2 ]'
sed 's/"rejected":3/"rejected":4/' r2.note > other.note
refuses "signatures of two texts are not put together" 1 E_NOTE "$hesabu" merge r1.note other.note
refuses "a record that nobody signed" 1 E_UNSIGNED "$hesabu" submit result.txt --url "$url"

# ---- the queue: no server, a killed sender, a restarted server ----
port=${url##*:}
kill "$pid"; wait "$pid" 2> /dev/null; pid=
run "$hesabu" submit r.note --url "$url" --for 1
ok "without a server the record stays queued" exits 75
ok "and it says so" said "still queued"
"$hesabu" submit --url "$url" > /dev/null 2>&1 & sender=$!
sleep 0.5; kill -9 $sender; wait $sender 2> /dev/null
serve --listen "127.0.0.1:$port"
run "$hesabu" submit --url "$url"
ok "a killed sender goes on where it was" said "durable and sequenced"
run "$hesabu" submit r.note --url "$url"
ok "sending again finds the same entry" sh -c 'grep -q "entry 5" out'
id=$(sha256sum < result.txt | cut -d' ' -f1)
receipt=$(ls -d box/done/*"$id")/receipt
ok "the receipt is kept" sh -c "head -n 1 '$receipt' | grep -q '^hesabu/receipt/v1 5 '"
refuses "a record of another election" 1 E_ELECTION "$hesabu" keys revoke po/1 --reason lost --key po.key \
    --election "$(printf '%064d' 7)" --send "$url"
refuses "another anchor than the pinned one" 1 E_ANCHOR sh -c "sed 's/^manifest ..../manifest 0000/' e/public/anchor > a2; '$hesabu' submit --anchor a2 --url $url"
run "$hesabu" result --contest "$contest" --station "$station" --votes "$a=1" --key ag.key --send "$url"
ok "a refusal is kept with its reason" sh -c 'grep -q REFUSED out && ls box/refused/*/refusal > /dev/null'

# ---- countersign, image ----
echo "I counted otherwise" > why.txt
run "$hesabu" countersign "$id" --key ag.key --object-because why.txt --send "$url"
ok "an objection with its reason" exits 0
ok "whose words are not public" sh -c '[ ! -e e/public/objects/$(sha256sum < why.txt | cut -d" " -f1) ]'
cp "$top/tests/fuzz/corpus/metadata/comment.png" form.png
refuses "what must be a rectangle" 64 E_USAGE "$hesabu" image form.png --contest "$contest" \
    --station "$station" --mask 1,2,3 --election e
run "$hesabu" image form.png --contest "$contest" --station "$station" --mask 1,1,2,2 --key po.key --election e --public-out masked.jpg --out m.note
ok "a rectangle is painted over by the program" sh -c 'grep -q "\"masked\":\[\[1,1,2,2\]\]" m.note && head -c 3 masked.jpg | od -An -tx1 | grep -q "ff d8 ff"'
run "$hesabu" image form.png --contest "$contest" --station "$station" --result "$id" --key po.key --send "$url"
ok "a form's picture" exits 0
ok "the public version has no words in it" sh -c '! grep -q Author form.png.public'
ok "and is public" test -e "e/public/objects/$(sha256sum < form.png.public | cut -d' ' -f1)"
ok "the original is not" test ! -e "e/public/objects/$(sha256sum < form.png | cut -d' ' -f1)"
"$hesabu" seal form.png --to "$(vkey com.key)" > /dev/null
run "$hesabu" image form.png --sealed form.png.sealed --contest "$contest" --station "$station" --kind carbon --key po.key --send "$url"
ok "a sealed original is kept as it is sealed" test -e "e/private/restricted/$(sha256sum < form.png.sealed | cut -d' ' -f1)"
refuses "what is no picture" 1 E_IMAGE "$hesabu" image why.txt --contest "$contest" --station "$station" --election e
settled 8

# ---- what holds ----
for where in e "$url"; do
    run "$hesabu" results "$where" --contest "$contest"
    ok "results of ${where%%:*}" sh -c 'grep -q "total \"transmitted\", of 1 stations" out && grep -q "SIMULATED" out && grep -q "provisional, not declared" out'
done
run "$hesabu" results e --anchor e/public/anchor --json
ok "as JSON" sh -c "jq -e '.contests[0].totals.transmitted.votes[\"$b\"] == 301' out > /dev/null"
run "$hesabu" findings e
ok "findings" said "F_SUM: the candidates' votes add up to 501, the form says 502"
run "$hesabu" export e --csv t.csv --sqlite t.db
ok "exports" sh -c '[ "$(wc -l < t.csv)" -eq 5 ] && grep -q "in question,yes" t.csv'
ok "the database says the same" sh -c '[ "$(sqlite3 t.db "select sum(votes) from vote")" = 501 ]'
"$hesabu" export e --csv - > again.csv 2> /dev/null
ok "an export can be made again, byte for byte" cmp -s t.csv again.csv
kill "$pid"; wait "$pid" 2> /dev/null; pid= # its last act: what was refused goes into the log
run "$hesabu" incidents e --json
ok "the refusal is on record, proven" sh -c "jq -e '.proven >= 1 and .inadmissible_accepted == false' out > /dev/null"
cp -r e e2
for f in $(find e2/public/tile/entries -type f); do
    printf 'X' | dd of="$f" bs=1 seek=900 conv=notrunc 2> /dev/null
done
run "$hesabu" incidents e2
ok "of a tree with a changed byte nothing is claimed" sh -c "[ $got -ne 0 ] && ! grep -q 'no inadmissible' out"
for c in keys sign merge submit result countersign image results findings incidents export; do
    refuses "$c: a wrong option" 64 option sh -c "'$hesabu' $c $([ $c = keys ] && echo new x) --nonsense"
    run "$hesabu" $c --help
    ok "$c --help" exits 0
done
echo "1..$n"
exit $bad
