#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# hesabu forensics, compare and quickcount on hostile and on real files. Prints TAP.
# usage: tests/e2e/forensics.sh [HESABU]   real files are read from $HESABU_SHARED (default ../shared).
. "$(dirname "$0")/figures.sh"
refused() { # NAME PATTERN COMMAND...
    name=$1 pattern=$2; shift 2
    "$@" > "$tmp/out" 2> "$tmp/err"
    [ $? -eq 1 ] && [ ! -s "$tmp/out" ] && grep -q "$pattern" "$tmp/err"
    status=$?
    ok $status "$name"
    [ $status -eq 0 ] || sed 's/^/# /' "$tmp/err"
}
fx() { # FILE: the table that hostile files are tried with
    "$H" forensics "$1" --columns registered=n,valid=v,rejected=r,votes=a+b --leader a --json
}
row() { printf '%s\n' "$@"; }

# hostile files: a sentence with line and column, or right numbers
printf '\357\273\277n;v;r;a;b\r\n"1,000";900;10;"500";400\r\n700;"600";0;300;300\r\n' > "$tmp/bom.csv"
is "$(fx "$tmp/bom.csv" | jq -c '[.stations, .methods[0].value, .methods[0].sum_errors]')" '[2,0,0]' \
    "BOM, CRLF, semicolons, quotes and thousands separators are read"
row n,v,r,a,b 100,90,0,50,-40 > "$tmp/negative.csv"
refused "a negative number names line and column" 'line 2, column "b".*negative' fx "$tmp/negative.csv"
row n,v,r,a,b 100,90,0,50,40 100,90,0,50,1000000000000000000 > "$tmp/huge.csv"
refused "10^18 names line and column" 'line 3, column "b".*too large' fx "$tmp/huge.csv"
: > "$tmp/empty.csv"
refused "an empty file is named" 'empty.csv is empty' fx "$tmp/empty.csv"
row n,v,r,a,b > "$tmp/header.csv"
refused "a file without rows is named" 'no stations' fx "$tmp/header.csv"
row n,v,r,a,a 1,2,3,4,5 > "$tmp/same.csv"
refused "duplicate headers are named" 'line 1: columns 4 and 5 have the same name "a"' fx "$tmp/same.csv"
row n,v,r,a,b 1,2,3,4 > "$tmp/short.csv"
refused "a short row is named" 'line 2: 4 fields' fx "$tmp/short.csv"
printf 'n,v,r,a,b\n1,2,3,4,\377\n' > "$tmp/utf8.csv"
refused "invalid UTF-8 names line and field" 'line 2, field 5' fx "$tmp/utf8.csv"
row n,v,,a,b 1,2,3,4,5 > "$tmp/noname.csv"
refused "a column without a name is named" 'line 1, column 3: no name' fx "$tmp/noname.csv"
row n,v,r,a,b 100,90,0,50,40 '"1,00",90,0,50,40' > "$tmp/group.csv"
refused "a wrong thousands separator" 'line 3, column "n": "1,00" is not a whole number' fx "$tmp/group.csv"
row n,v,r,a,b 100,90.5,0,50,40 > "$tmp/fraction.csv"
refused "a fraction" 'line 2, column "v": "90.5" is not a whole number' fx "$tmp/fraction.csv"
row n,v,r,a,b 100,90,0,50,forty > "$tmp/word.csv"
refused "a word" 'line 2, column "b": "forty" is not' fx "$tmp/word.csv"
printf 'n,v,r,a,b,note\n1,1,0,1,0,"two\nlines"\n1,1,0,1,-1,x\n' > "$tmp/lines.csv"
refused "lines are counted through a quoted line break" 'line 4, column "b".*negative' fx "$tmp/lines.csv"
printf 'n,v,r,a,b\n1,1,0,1,"0\n' > "$tmp/open.csv"
refused "a quote that does not end" 'field 5: a quoted field does not end' fx "$tmp/open.csv"
printf 'n,v,r,a,b\n1,1,0,1,\0000\n' > "$tmp/nul.csv"
refused "a NUL byte" 'line 2, field 5: a NUL byte' fx "$tmp/nul.csv"
printf 'n,v,r,a,b\r600,500,0,300,200\r600,500,,300,200' > "$tmp/mac.csv"
is "$(fx "$tmp/mac.csv" | jq -c '[.stations, .methods[0].sum_errors]')" '[2,0]' "CR line ends, no end of the last line"
row n,v,r,a,b 600,500,,300,200 600,,,, > "$tmp/blank.csv"
is "$(fx "$tmp/blank.csv" | jq -c '.methods[0] | [.n, .sum_errors, .blank]')" '[2,0,1]' "an empty cell is blank, not zero"
printf 'n,v,r,a,b\n1 200,1\302\240000,0,600,400\n' > "$tmp/blank.csv"
is "$(fx "$tmp/blank.csv" | jq -c '.methods[0] | [.n, .value]')" '[1,0]' "blanks between thousands"
row n,v,r,a,b 100,90,0,50,41 100,110,0,60,50 > "$tmp/wrong.csv"
is "$(fx "$tmp/wrong.csv" | jq -c '.methods[0] | [.class, .value, .sum_errors, .over_register]')" \
    '["fact",2,1,1]' "wrong sums and a full register are facts"
is "$(fx "$tmp/wrong.csv" | jq -r '[.methods[] | select(.method and .statistic and (.n != null) and
    has("value") and has("p") and has("excess") and .class and .sentence)] | length')" 12 \
    "twelve methods, each with the fields of the contract"

# a large file streams in bounded memory: 3 million stations, refused past 4 million
mib=$( (ulimit -v 4000000; { row n,v,r,a,b; yes 500,400,0,200,200 | head -n 4000001; } |
    fx - > "$tmp/out" 2> "$tmp/err"); echo $?)
is "$mib" 1 "more stations than there can be are refused within 4 GB of address space"
grep -q 'line 4000002: more than 4000000 stations' "$tmp/err"; ok $? "... naming the line"

# 100 MB of which one row in eight is wanted: memory follows the stations, not the file
stream() { awk 'BEGIN { print "contest,n,v,r,a,b,note"; for (i = 0; i < 400000; i++)
    print (i % 8 ? "other" : "president") ",700," 500 + i % 50 ",0,300," 200 + i % 50 ",\"" pad "\"" }' pad="$(printf '%0200d' 0)"; }
got=$( (ulimit -v 300000; stream | "$H" forensics - --columns registered=n,valid=v,rejected=r,votes=a+b --leader a \
    --where contest=president --no-resampling --json) | jq -c '[.stations, .methods[0].value]')
is "$got" '[50000,0]' "a long stream gives right numbers within 300 MB of address space"

# compare
row u,x,y 1,100,5 2,200,6 3,300,7 > "$tmp/a.csv"
row u,x,y 1,100,5 2,210,6 4,400,8 > "$tmp/b.csv"
is "$("$H" compare "$tmp/a.csv" "$tmp/b.csv" --key u --json |
    jq -c '[.equal, .differs, .only_a, .only_b, .totals.x.a, .totals.x.b, .totals.x.decomposition.missing_units,
        .totals.x.decomposition.differing_units, (.verdict | type)]')" \
    '[1,1,1,1,600,710,-100,-10,"string"]' "classes, totals and their decomposition"
"$H" compare "$tmp/a.csv" "$tmp/b.csv" --key nothing > /dev/null 2> "$tmp/err"
is $? 1 "a missing key column is refused"
row u,x 1,a1 > "$tmp/c.csv"
"$H" compare "$tmp/a.csv" "$tmp/c.csv" --key u > /dev/null 2> "$tmp/err"
is $? 64 "no column of numbers in common"
awk 'BEGIN { print "u,x"; for (i = 1; i <= 40; i++) print i "," int((90 + 13 * i) * 1.1) }' > "$tmp/m.csv"
awk 'BEGIN { print "u,x"; for (i = 1; i <= 40; i++) print i "," 90 + 13 * i }' > "$tmp/p.csv"
is "$("$H" compare "$tmp/m.csv" "$tmp/p.csv" --key u --json | jq -r '.fields[0].shape')" \
    constant-factor "a constant factor is recognised"

# quick count: plan, draw, add, estimate
awk 'BEGIN { print "code,area,reg"; for (i = 1; i <= 600; i++) print 1000 + i ",s" i % 7 ",500" }' > "$tmp/frame.csv"
"$H" quickcount plan "$tmp/frame.csv" --columns unit=code,area=area,registered=reg --margin 4 > "$tmp/plan"
size=$(jq .size "$tmp/plan")
"$H" quickcount draw "$tmp/frame.csv" --columns unit=code,area=area,registered=reg --size "$size" \
    --seed "3 1 4 1 5" > "$tmp/sample.csv"
is "$(($(wc -l < "$tmp/sample.csv") - 1))" "$(jq .sample "$tmp/plan")" "as many stations are drawn as planned"
echo unit,a,b > "$tmp/reports.csv"
tail -n +2 "$tmp/sample.csv" | cut -d, -f1 | awk '{ print $1 "," 200 + $1 % 50 "," 150 - $1 % 30 }' >> "$tmp/all.csv"
head -n 30 "$tmp/all.csv" >> "$tmp/reports.csv"
est() { "$H" quickcount estimate "$tmp/sample.csv" "$tmp/reports.csv" --columns unit=unit,votes=a+b --json "$@"; }
is "$(est | jq -c '.estimates[0] | [.complete, .share, .bound_low_99 < .bound_high_99]')" \
    '[false,null,true]' "before the sample is complete there are only bounds"
next=$(sed -n 31p "$tmp/all.csv" | cut -d, -f1)
"$H" quickcount add "$tmp/sample.csv" "$tmp/reports.csv" "$next" --figures a=210,b=140 > /dev/null
ok $? "a report is added"
"$H" quickcount add "$tmp/sample.csv" "$tmp/reports.csv" "$next" --figures a=210,b=140 > /dev/null 2>&1
[ $? -ne 0 ]; ok $? "a second report of one station is refused"
"$H" quickcount add "$tmp/sample.csv" "$tmp/reports.csv" 99 --figures a=1,b=1 > /dev/null 2>&1
[ $? -ne 0 ]; ok $? "a station that was not drawn is refused"
{ echo unit,a,b; cat "$tmp/all.csv"; } > "$tmp/reports.csv"
is "$(est --official a=5,b=95 | jq -c '.estimates[0] | [.complete, .low_99 < .share, (.sentence | test("lies outside"))]')" \
    '[true,true,true]' "a complete sample has intervals, and contradicts a wrong total"

# intervals as the reports arrive: they hold whatever is missing, shrink, and end as those of the sample
awk 'BEGIN { print "unit,a,b,time" } { printf "%s,2022-08-09T%02d:%02d:00\n", $0, 17 + NR / 60, NR % 60 }' "$tmp/all.csv" > "$tmp/reports.csv"
est() { "$H" quickcount estimate "$tmp/sample.csv" "$tmp/reports.csv" --columns unit=unit,votes=a+b,time=time "$@"; }
est --json --at-random --pictures "$tmp/q1" > "$tmp/q"
is "$(jq -c '[.over_time | length, (map(.estimates | map(.of)) | unique)]' "$tmp/q")" '[20,[["a","b","turnout"]]]' \
    "twenty moments, of every share and the turnout"
is "$(jq -c '[.over_time[].estimates[0]] | [.[:-1][].share] | unique' "$tmp/q")" '[null]' "no share before the sample is complete"
is "$(jq -c '[.over_time[].estimates[0]] | [range(1; length) as $i | .[$i].bound_low_95 >= .[$i - 1].bound_low_95 and
    .[$i].bound_high_95 <= .[$i - 1].bound_high_95 and .[$i].bound_low_99 <= .[$i].bound_low_95] | all' "$tmp/q")" true \
    "every report narrows them, 99 % around 95 %"
is "$(jq -c '.estimates[0] as $e | .over_time[-1].estimates[0] | [.complete, .low_95 == $e.low_95, .bound_low_95 == $e.low_95,
    .bound_high_99 == $e.high_99]' "$tmp/q")" '[true,true,true,true]' "the last ones are those of the whole sample"
is "$(jq -c '[.over_time[].estimates[0].only_if_missing_at_random != null] | [.[10], .[-1]]' "$tmp/q")" '[true,false]' \
    "what holds only at random stands apart, and when asked for"
est --json | jq -e '[.. | objects | has("only_if_missing_at_random")] | any | not' > /dev/null; ok $? "and not otherwise"
est --json --pictures "$tmp/q2" > /dev/null; est --at-random --json --pictures "$tmp/q3" > /dev/null
cmp -s "$tmp/q1/quickcount-1.svg" "$tmp/q3/quickcount-1.svg" && ! cmp -s "$tmp/q1/quickcount-1.svg" "$tmp/q2/quickcount-1.svg" &&
    [ -s "$tmp/q1/quickcount-turnout.svg" ]; ok $? "pictures, the same bytes each time"
est --leader b --lang sw > "$tmp/sw"; grep -q '^b, kadiri ripoti zilivyofika' "$tmp/sw" && grep -q "$(wc -l < "$tmp/all.csv") / " "$tmp/sw"
ok $? "as a table in Swahili"
est --leader nobody > /dev/null 2>&1; [ $? -ne 0 ]; ok $? "a choice that is not there is refused"
"$H" quickcount estimate "$tmp/sample.csv" "$tmp/reports.csv" --columns unit=unit,votes=a+b --pictures "$tmp/q2" > /dev/null 2> "$tmp/err"
[ $? -eq 64 ] && grep -q "time=COL" "$tmp/err"; ok $? "pictures need times"

# real files
if [ -d "$shared/data" ] && command -v xz > /dev/null; then
    xz -dc "$shared/data/kenya2017/portal_2017_units.csv.xz" > "$tmp/portal.csv"
    "$H" compare "$tmp/portal.csv" "$shared/data/kenya2017/form34c_2017.csv" --key constituency \
        --where-a level=constituency --level-a level --check-a 'valid+rejected<=registered' \
        --check-a 'rejected!=registered' --check-a stations_processed=stations_total \
        --printed-b registered=19611423,odinga=6762224,kenyatta=8203290,valid=15114622 --json > "$tmp/k"
    q() { jq -c "$1" "$tmp/k"; }
    is "$(q '[.totals.rejected.a, .totals.rejected.b]')" '[403319,81685]' "Kenya 2017: rejected"
    is "$(q '.fields[] | select(.column == "rejected") | [.differs, .compared, .blank_b]')" '[278,280,11]' \
        "Kenya 2017: rejected differs in 278 of 280, 11 blank"
    is "$(q '[.fields[] | select(.column == "valid" or .column == "registered") | .differs]')" '[70,250]' \
        "Kenya 2017: registered differs in 70, valid in 250"
    is "$(q '[.fields[] | select(.column == "odinga" or .column == "kenyatta") | .ratio.median, .shape]')" \
        '[1,"scattered",1,"scattered"]' "Kenya 2017: median ratio 1 for both, scattered"
    is "$(q '[.totals | .registered, .odinga, .kenyatta, .valid | .b, .printed_b]')" \
        '[19611457,19611423,6762203,6762224,8203264,8203290,15114574,15114622]' \
        "Kenya 2017: rows against printed totals"
    is "$(q '[.checks[] | select(.check == "valid+rejected<=registered" and (.level == "centre" or .level == "ward")) | .broken]')" \
        '[6,104]' "Kenya 2017: 6 wards and 104 centres above 100 %"
    is "$(q '[.checks[] | select(.check == "rejected!=registered" and .level == "centre") | .broken]')" '[66]' \
        "Kenya 2017: 66 centres with rejected = registered"
    is "$(q '[.checks[] | select(.check == "stations_processed=stations_total" and .level == "constituency") | .amount, .broken]')" \
        '[66,28]' "Kenya 2017: 66 stations missing (27 constituencies and the prisons)"
    xz -dc "$shared/data/uganda2016/stations_2016.csv.xz" > "$tmp/u.csv"
    u() { "$H" forensics "$tmp/u.csv" --columns registered=reg_voters,valid=valid_votes,rejected=invalid_votes,votes=abed_bwanika+amama_mbabazi+baryamureeba_venansius+benon_buta_biraaro+kizza_besigye_kifefe+mabirizi_joseph+maureen_faith_kyalya_waluube+yoweri_kaguta_museveni,unit=order,area=sub_county --leader yoweri_kaguta_museveni --json --resamples 24 "$@"; }
    is "$(u | jq -c '.methods[] | select(.method == "arithmetic") | [.sum_errors, .exactly_100_percent]')" \
        '[0,130]' "Uganda 2016: 0 sum errors, 130 stations at exactly 100 %"
    is "$(u --threads 1 | sha256sum)" "$(u --threads 3 | sha256sum)" "the same bytes with any number of threads"
fi
echo "1..$n"
[ "$bad" -eq 0 ]
