#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# hesabu demo and import: a small night from beginning to end, read again by an independent program
# (log_check.py) and by hesabu verify; what must go wrong does; interruptions; real stations. TAP.
. "$(dirname "$0")/commands.sh"
shared=${HESABU_SHARED:-../shared}
is() { # is FILE JQ-FILTER
    [ "$(jq "$2" "$1")" = true ]
}
same() { # same JQ-FILTER FILE JQ-FILTER FILE
    [ "$(jq -S "$1" "$2")" = "$(jq -S "$3" "$4")" ]
}
check() { # check DIR OUT: an independent reading
    python3 tests/e2e/log_check.py "$1/public" > "$2"
}
sound() { # sound CHECKED: everything that must hold of any tree
    is "$1" '.root_right and .tiles_right and .ids_unique and .times_rise and .one_election
             and .objects_right and .simulated'
}
verify() { # verify DIR OUT
    "$hesabu" verify "$1/public" --anchor "$1/public/anchor" --json > "$2"
}
night() { "$hesabu" demo --once "$@" > "$tmp/stdout" 2> "$tmp/stderr"; }

# ---- a night ----
d=$tmp/night
ok 'a night of 60 stations ends well' night --dir "$d" --limit 60
cp "$tmp/stdout" "$tmp/night.out"
for f in checkpoint log.vkey anchor head.json index.html results/index.json tile/0 tile/entries objects; do
    ok "the tree has $f" [ -e "$d/public/$f" ]
done
ok 'an independent program reads it' check "$d" "$tmp/night.json"
ok 'root, tiles, ids, times, objects hold' sound "$tmp/night.json"
ok 'published results are the sums of the signed records' \
    same '.totals.president' "$tmp/night.json" '.contests[0].totals.transmitted.votes' "$d/public/results/index.json"
ok 'all 60 stations are in the totals' is "$tmp/night.json" '.stations.president == 60'
ok 'the summary says that the totals were checked' grep -q '^Checked: the transmitted totals' "$tmp/night.out"
ok 'each result has its image, and only the public version is public' \
    is "$tmp/night.json" '.types.image == .types.result and .objects >= .types.image'
ok 'originals stay restricted' [ "$(ls "$d/private/restricted" | wc -l)" -ge 60 ]

# ---- what went wrong on the way ----
ok 'an uncorrected sum stands in the log, superseded' is "$tmp/night.json" '.sums_wrong == 1 and .types.result == 63'
ok 'refusals by known keys are proven' is "$tmp/night.json" \
    '.refusals | .E_SCOPE == 1 and .E_REVOKED == 1 and .E_ELECTION == 1 and .E_QUOTA == 12'
ok 'a forged signature proves nothing about its name' is "$tmp/night.json" '.refusals["E_SIGNATURE claimed"] == 1'
ok 'lost signature lines were added' is "$tmp/night.json" '.types.signatures == 1'
ok 'a deputy acted for an officer whose key is revoked' is "$tmp/night.json" '.types.acting == 1 and .types.revoke == 1'
for words in 'figures were sent under another' 'sent again -> 200' 'revoked key was used -> E_REVOKED' \
    'forged -> E_SIGNATURE' 'rehearsal was sent to the election -> E_ELECTION' 'flood -> E_QUOTA' \
    'missing image arrived' 'a second form, not linked' 'replaces both: the figures count' 'comes last of all' 'the log adds the missing lines -> 200' 'corrected form'; do
    ok "its log says: $words" grep -q "$words" "$d/demo-log.txt"
done
ok 'what nobody corrected stays a finding' is "$d/public/results/index.json" \
    '.findings.F_OVER_VOTERS == 1 and .findings.F_AGENT_OBJECTS == 1 and (.findings | has("F_SUM") or has("F_TWO_RESULTS") | not)'

# ---- everything says what it is ----
says() { grep -q SIMULATED "$1"; }
for f in "$tmp/night.out" "$d/demo-log.txt" "$d/public/index.html" "$d/public/head.json" \
    "$d/public/results/index.json" "$d/keys/SIMULATED-secret"; do
    ok "$(basename "$f") says SIMULATED" says "$f"
done
ok 'the title says SIMULATED' is "$tmp/night.json" '.title | endswith("(SIMULATED)")'
ok 'the summary says that the election was annulled' grep -q 'annulled .* 1 September 2017' "$tmp/night.out"
unmarked() { for k in "$d"/keys/*.key; do grep -qi simulated "$k" || return 0; done; return 1; }
ok 'every key file says SIMULATED' eval '! unmarked'
pictures() { for o in "$d"/public/objects/*; do
    if head -c 4 "$o" | grep -q PNG; then grep -qa SIMULATED "$o" || return 1; fi; done; }
ok 'every image says SIMULATED' pictures

ok 'two of three witnesses or more cosigned the last checkpoint' is "$tmp/night.json" '.cosignatures >= 2'

# ---- hesabu verify agrees; a flipped bit is found ----
ok 'verify: valid and anchored' verify "$d" "$tmp/verify.json"
ok 'verify finds the same totals' same '.totals' "$tmp/night.json" '.contests | map_values(.transmitted)' "$tmp/verify.json"
ok 'verify counts its witnesses' is "$tmp/verify.json" '.witnesses.in_policy == 3 and .witnesses.cosigned >= 2'
ok 'verify refuses nothing' is "$tmp/verify.json" '.verdict == "valid" and .trust == "anchored" and .refused == []'
cp -r "$d/public" "$tmp/flipped"
entries=$(find "$tmp/flipped/tile/entries" -type f | sort | head -n 1)
python3 - "$entries" <<'EOF'
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(5000)
    byte = f.read(1)
    f.seek(5000)
    f.write(bytes([byte[0] ^ 1]))
EOF
refused_flip() { "$hesabu" verify "$tmp/flipped" > /dev/null 2>&1; [ $? -eq 1 ]; }
ok 'verify finds a flipped bit' refused_flip

# ---- again, elsewhere, otherwise ----
size=$(jq .size "$tmp/night.json")
ok 'a finished folder is left as it is' night --dir "$d" --limit 60
check "$d" "$tmp/again.json"
ok 'and has no record more' is "$tmp/again.json" ".size == $size"
refused 'other options for the same folder' 64 E_CONFIG "$hesabu" demo --once --dir "$d" --limit 50
mkdir -p "$tmp/other/private"; : > "$tmp/other/private/guard"
refused 'a folder with another election' 74 E_EXISTS "$hesabu" demo --once --dir "$tmp/other" --limit 10
refused '--fresh of a folder that is no simulation' 74 E_EXISTS "$hesabu" demo --once --fresh --dir "$tmp/other" --limit 10
ok 'the same seed gives the same figures' night --dir "$tmp/twin" --limit 60
check "$tmp/twin" "$tmp/twin.json"
ok 'station by station' same '.totals, .types.result' "$tmp/night.json" '.totals, .types.result' "$tmp/twin.json"
ok '--fresh with another seed' night --dir "$tmp/twin" --fresh --limit 60 --seed 7
check "$tmp/twin" "$tmp/seed.json"
ok 'gives other figures' eval '! same .totals "$tmp/night.json" .totals "$tmp/seed.json"'

# ---- killed, and gone on with ----
k=$tmp/killed
for wait in 0.3 0.9 0.4; do
    "$hesabu" demo --once --dir "$k" --limit 150 > /dev/null 2>&1 &
    pid=$!
    sleep $wait
    kill -9 $pid 2> /dev/null
    wait $pid 2> /dev/null
done
ok 'after three kills the night goes on to its end' night --dir "$k" --limit 150
check "$k" "$tmp/killed.json"
ok 'nothing is lost or doubled' sound "$tmp/killed.json"
ok 'its totals are whole' is "$tmp/killed.json" '.stations.president == 150'
ok 'verify: valid' verify "$k" "$tmp/verify.json"

# ---- several contests ----
ok 'all six kinds of contest' night --dir "$tmp/six" --limit 12 --all-contests
check "$tmp/six" "$tmp/six.json"
ok 'each with its own totals' is "$tmp/six.json" '(.totals | length) >= 6 and .stations.president == 12'

# ---- real stations ----
cat > "$tmp/small.csv" <<'EOF'
area,place,reg,ann,ben,ok,bad
01 North,1 School,100,40,20,60,2
01 North,2 Hall,90,30,31,61,
02 South,1 Church,80,,,,
02 South,2 Barn,70,10,12,23,0
EOF
import_small() {
    "$hesabu" import "$tmp/small.csv" --once --dir "$tmp/small" --id small --columns \
        'area=area,station=place,registered=reg,valid=ok,rejected=bad,votes=ann|ben' > "$tmp/import.out" 2>&1
}
ok 'a small CSV is imported' import_small
check "$tmp/small" "$tmp/small.json"
ok 'its log holds' sound "$tmp/small.json"
ok 'its totals are the sums of the file' is "$tmp/small.json" '.totals.contest == {"ann": 80, "ben": 63}'
ok 'a row without votes stays expected and unsent' is "$tmp/small/public/results/index.json" \
    '.contests[0].stations.expected == 4 and .contests[0].stations.received == 3'
ok 'what does not add up is a finding' is "$tmp/small/public/results/index.json" '.findings.F_SUM == 1'
refused 'columns that are not there' 1 E_CSV "$hesabu" import "$tmp/small.csv" --once --dir "$tmp/x" \
    --columns 'area=area,station=nowhere,votes=ann|ben'
refused 'a wrong --columns' 64 E_USAGE "$hesabu" import "$tmp/small.csv" --columns 'area'
refused 'no --columns' 64 E_USAGE "$hesabu" import "$tmp/small.csv"
if [ -r "$shared/data/uganda2016/stations_2016.csv.xz" ]; then
    uganda() {
        xz -dc "$shared/data/uganda2016/stations_2016.csv.xz" | "$hesabu" import - --once \
            --dir "$tmp/ug" --limit 400 --id uganda-2016 --nation UG=UGANDA --contest president=President \
            --columns 'district=district,constituency=constituency,sub-county=sub_county,parish=parish,station=station,registered=reg_voters,valid=valid_votes,rejected=invalid_votes,votes=abed_bwanika|amama_mbabazi|baryamureeba_venansius|benon_buta_biraaro|kizza_besigye_kifefe|mabirizi_joseph|maureen_faith_kyalya_waluube|yoweri_kaguta_museveni' \
            > "$tmp/ug.out" 2>&1
    }
    ok 'Uganda 2016 from a pipe (its first 400 stations)' uganda
    check "$tmp/ug" "$tmp/ug.json"
    ok 'holds, with all of them in its totals' is "$tmp/ug.json" '.root_right and .stations.president == 400'
fi
if [ -r "$shared/data/kenya2017/stations_2017.csv.xz" ]; then
    kenya() {
        xz -dc "$shared/data/kenya2017/stations_2017.csv.xz" | "$hesabu" import - --once --dir "$tmp/ke" \
            --limit 300 --id kenya-2017 --preset data/kenya-2017 --columns \
            'county=county+county_name,constituency=constituency+constituency_name,ward=ward+ward_name,centre=centre+centre_name,station=stream+' \
            > "$tmp/ke.out" 2>&1
    }
    ok 'Kenya 2017, real station codes (the first 300)' kenya
    check "$tmp/ke" "$tmp/ke.json"
    ok 'hold, with all of them in the totals' is "$tmp/ke.json" '.root_right and .stations.president == 300'
fi

# ---- wrong use ----
unknown() { "$hesabu" demo --nonsense 2> "$tmp/err"; [ $? -eq 64 ] && grep -q 'no option "--nonsense"' "$tmp/err"; }
ok 'an unknown option is refused with a sentence' unknown
refused 'no such preset' 2 E_NOT_FOUND "$hesabu" demo --once --dir "$tmp/x" --preset "$tmp/none"
refused 'a speed that is none' 64 E_USAGE "$hesabu" demo --dir "$tmp/x" --speed fast
refused 'a county that is none' 64 E_CONFIG "$hesabu" demo --once --dir "$tmp/x" --counties 999

echo "1..$n"
exit $bad
