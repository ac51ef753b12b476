#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# Keys on tokens through whole programs (SoftHSM 2): commissioners, the returning officer, the witness and
# the log itself sign with keys that are in no file; the daemon is killed, its token goes away and comes
# back, goes away for good; then verify. Prints TAP.
. "$(dirname "$0")/commands.sh"
unset HESABU_PKCS11
watcher=
trap 'kill $pid $watcher 2> /dev/null; rm -rf "$tmp"' EXIT
module=
for m in /usr/lib/softhsm/libsofthsm2.so /usr/lib64/softhsm/libsofthsm2.so /usr/lib/libsofthsm2.so; do
    [ -r $m ] && module=$m
done
[ -n "$module" ] && command -v softhsm2-util > /dev/null || { echo "Bail out! SoftHSM is not installed"; exit 1; }
cd "$tmp" || exit 1
mkdir tokens
printf 'directories.tokendir = %s/tokens\nlog.level = ERROR\n' "$tmp" > softhsm.conf
SOFTHSM2_CONF=$tmp/softhsm.conf
export SOFTHSM2_CONF
token() { # token LABEL PIN NAME FILE [OPTION...]: a token with a key on it
    label=$1 pin=$2 name=$3 file=$4; shift 4
    softhsm2-util --init-token --free --label "$label" --pin "$pin" --so-pin 87654321 > /dev/null 2>&1
    echo "$pin" > "$file.pin"
    run "$hesabu" keys new "$name" --token "$label" --module $module --passphrase-file "$file.pin" --out "$file.key" "$@"
    [ $got -eq 0 ] || { cat err; echo "Bail out!"; exit 1; }
}
token "Tume 1" 1111 com/1 c1
ok "a key made on a token" said "on the token Tume 1 (serial"
token "Tume 2" 2222 com/2 c2
token "Afisa" 3333 ro/1 ro
token "Daftari" 4444 log.example/test log
token "Shahidi" 5555 observers.example/w1 w1 --cosigner
"$hesabu" keys new po/1 --simulated --out po.key > /dev/null
ok "its file has no secret" sh -c '[ "$(cut -d" " -f1 c1.key | tr "\n" " ")" = "hesabu-key/v1 vkey module token serial id " ]'
run "$hesabu" keys show c1.key --json
ok "show says where it is" sh -c "jq -e '.token == \"Tume 1\" and .module == \"$module\" and .simulated == false' out > /dev/null"
does "with --check it is tried" "$hesabu" keys show c1.key --check --passphrase-file c1.pin
HESABU_PASSPHRASE=1111
export HESABU_PASSPHRASE
does "the PIN from the environment" "$hesabu" keys show c1.key --check
unset HESABU_PASSPHRASE
refuses "a wrong PIN" 77 E_PIN "$hesabu" keys show c1.key --check --passphrase-file c2.pin
refuses "nobody to ask for it" 77 "needs its PIN" "$hesabu" keys show c1.key --check
refuses "a key that is on the token already" 74 "on-token" "$hesabu" keys new com/1 --token "Tume 1" --module $module --passphrase-file c1.pin --out again.key
does "is taken as it is" "$hesabu" keys new com/1 --token "Tume 1" --on-token --module $module --passphrase-file c1.pin --out again.key
ok "and is the same" cmp -s c1.key again.key
refuses "the token of another" 69 'no token "Tume 9" is here' "$hesabu" keys new com/9 --token "Tume 9" --module $module --passphrase-file c1.pin
refuses "a module that is none" 69 "cannot be loaded" "$hesabu" keys new com/9 --token "Tume 1" --module /nowhere.so --passphrase-file c1.pin
refuses "options that do not belong together" 64 E_USAGE "$hesabu" keys new com/9 --token "Tume 1" --module $module --id 00
cp -L $module mine.so
sed "s|^module .*|module $tmp/mine.so|" c1.key > strange.key
chmod 666 mine.so
refuses "a key file does not bring its own library" 69 "not root.s alone" "$hesabu" keys show strange.key --check --passphrase-file c1.pin
HESABU_PKCS11=$module run "$hesabu" keys show strange.key --check --passphrase-file c1.pin
ok "but for one that this person names" exits 0
sed "s|^module .*|module $tmp/no.so|" c1.key > gone.key
refuses "nor one that comes later" 69 "is not there" "$hesabu" keys show gone.key --check --passphrase-file c1.pin
sed "s|^vkey .*|vkey $(vkey c2.key)|" c1.key > lie.key
refuses "a key file with another public key" 77 E_TOKEN_KEY "$hesabu" keys show lie.key --check --passphrase-file c1.pin

# ---- the commissioners define, the log begins ----
printf 'witness w1 %s\nquorum w1\n' "$(vkey w1.key)" > policy
(cd "$top" && "$hesabu" define --out "$tmp/def" --origin log.example/test --log "$(vkey "$tmp/log.key")" --threshold 2 --simulated \
    --commissioner "$(vkey "$tmp/c1.key")" --commissioner "$(vkey "$tmp/c2.key")" --limit 3 --image-optional --policy "$tmp/policy") > out 2> err
"$hesabu" sign def/manifest.txt --key c1.key --passphrase-file c1.pin --out m1.note --quiet > /dev/null
"$hesabu" sign def/manifest.txt --key c2.key --passphrase-file c2.pin --out m2.note --quiet > /dev/null
run "$hesabu" merge m1.note m2.note --out def/manifest.note
ok "two commissioners sign the manifest" exits 0
refuses "no log without its token" 77 E_PIN "$hesabu" init --dir e --define def --log-key log.key --passphrase-file c1.pin
does "the log begins" "$hesabu" init --dir e --define def --log-key log.key --passphrase-file log.pin
"$hesabu" witness --dir w1 --key w1.key --passphrase-file w1.pin --log "$(vkey log.key)" --listen 127.0.0.1:0 --quiet > witness.out 2> witness.err &
watcher=$!
go() { serve --passphrase-file log.pin --witness "w1=$(address_in witness.out)"; }
go
stations=$(sed -n 's/^\["\([^"]*\)","station".*/\1/p' def/units)
constituency=$(sed -n 's/^\["\([^"]*\)","constituency".*/\1/p' def/units | head -n 1)
"$hesabu" keys enrol ro.key --role returning-officer --unit "$constituency" --election e --passphrase-file ro.pin > out 2> err
"$hesabu" keys grant ro.key.request --key c1.key --passphrase-file c1.pin --yes > out 2> err
does "both grant the returning officer" "$hesabu" keys grant ro.key.request --key c2.key --passphrase-file c2.pin --yes --send "$url"
at() { echo "$stations" | sed -n "$1p"; }
po() { # po N: a presiding officer of the Nth station, granted by the returning officer's token
    "$hesabu" keys new "po/$1" --simulated --out "po$1.key" > /dev/null
    "$hesabu" keys enrol "po$1.key" --role presiding-officer --unit "$(at "$1")" --election e > /dev/null
    run "$hesabu" keys grant "po$1.key.request" --key ro.key --passphrase-file ro.pin --yes --send "$url"
}
result() { # result N [OPTION...]
    k=$1; shift
    run "$hesabu" result --contest president --station "$(at "$k")" --valid 246 --rejected 3 --key "po$k.key" --send "$url" \
        --votes kenyatta=150,odinga=90,aukot=1,dida=1,jirongo=1,kaluyu=1,mwaura=1,nyagah=1 "$@"
}
po 1
ok "who grants a presiding officer" exits 0
result 1
ok "whose figures are logged and witnessed" said "witnessed"

# ---- kill -9, and the token goes away ----
kill -9 "$pid"; wait "$pid" 2> /dev/null
go
po 2
ok "killed and started again, it signs" exits 0
mv tokens away
(sleep 1; mv away tokens) &
result 2
ok "a token that is away for a second costs only that" said "entry 5, witnessed"
po 3
mv tokens away
result 3 --wait receipt --for 1
ok "without its token the log acknowledges nothing" exits 75
i=0
while kill -0 "$pid" 2> /dev/null && [ $i -lt 150 ]; do sleep 0.1; i=$((i + 1)); done
kill "$pid" 2> /dev/null
wait "$pid"
ok "and ends, as after any doubt" [ $? -eq 74 ]
ok "saying why" grep -q "the sequencer stops: .*token" serve.err
pid=
refuses "it does not start without the token" 69 E_TOKEN "$hesabu" serve --dir e --listen 127.0.0.1:0 --passphrase-file log.pin
mv away tokens
refuses "nor with a wrong PIN" 77 E_PIN "$hesabu" serve --dir e --listen 127.0.0.1:0 --passphrase-file c1.pin
go
run "$hesabu" submit --url "$url"
ok "with it, it goes on, and takes what was queued meanwhile" said "entry 7, witnessed"
published
kill -INT "$pid"; wait "$pid"; pid=
run "$hesabu" verify e/public --anchor e/public/anchor
ok "the log is valid" said "verdict: VALID"
ok "its checkpoint is signed by the key on the token" grep -q "^— log.example/test " e/public/checkpoint
ok "and cosigned by the witness's" grep -rq "^— observers.example/w1 " e/public/witnessed
ok "no PIN in what the programs wrote" sh -c '! grep -rqE "1111|2222|3333|4444|5555" *.err e/private/log.key witness.out'
echo "1..$n"
exit "$bad"
