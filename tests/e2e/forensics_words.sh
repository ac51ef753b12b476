#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# No output of forensics, compare and quickcount, in either language, says what no figure can support:
# text, JSON, HTML, SVG, the text of the PDF, the live watch. Prints TAP.
# usage: tests/e2e/forensics_words.sh [HESABU]
. "$(dirname "$0")/figures.sh"
# Beginnings of words are enough; "hujaribiwa" (is tested) is kept out with the rest: nothing is lost by it.
never='fraud|rigg|stolen|steal|theft|cheat|crim[ei]|culprit|guilt|tamper|forger|forged|election valid|valid election|winner|benford|r\^2|proves that|proof that|falsif|fake|bogus|udanganyifu|ulaghai|wizi|wizwa|ibiwa|kuiba|chakachu|mshindi|mwizi|hatia ya|ghushi|bandia|uchaguzi halali|uchaguzi safi|jinai|mhalifu|yameibwa|zimeibwa|mkosaji'
clean() { # NAME FILE: the file has something in it, and none of the words
    [ -s "$2" ] && ! grep -qiE "$never" "$2"
    ok $? "$1"
    grep -oiE ".{40}($never).{20}" "$2" | head -3 | sed 's/^/# /'
}
has_pdftotext=$(command -v pdftotext)

# Stations that make everything stand out: a factor, equal results, wrong sums, whole percentages, a
# stream that is too even, round totals.
awk 'BEGIN { srand(7); print "code,county,ward,reg,valid,rej,a,b,time"
    for (i = 0; i < 6000; i++) {
        reg = 400 + int(rand() * 300); turnout = 50 + int(rand() * 45); all = int(reg * turnout / 100)
        a = int(int(all * (.3 + .4 * rand())) * 1.1); if (a > all) a = all
        if (i % 40 == 1) { reg = preg; all = pall; a = pa }
        v = all; if (i % 300 == 0) v = all + 7; if (i % 500 == 3) { v = reg + 1 }
        printf "%05d,c%d,w%d,%d,%d,0,%d,%d,2022-08-09T%02d:%02d:%02d\n", i, int(i / 1000), int(i / 50), reg, v, a, all - a,
            int(i / 3600), int(i / 60) % 60, i % 60
        preg = reg; pall = all; pa = a
    } }' > "$tmp/odd.csv"
printf '{"features":[{"properties":{"name":"c1"},"geometry":{"coordinates":[[[36,-1],[37,-1],[37,-2],[36,-1]]]}}]}' > "$tmp/map.json"
for lang in en sw; do
    for form in text json; do
        flag=; [ $form = json ] && flag=--json
        # shellcheck disable=SC2086
        "$H" forensics "$tmp/odd.csv" --columns registered=reg,valid=valid,rejected=rej,votes=a+b,unit=code,area=county+ward,time=time \
            --leader a --resamples 24 --lang $lang --html "$tmp/page" --pictures "$tmp" --pdf "$tmp/report.pdf" --map "$tmp/map.json" \
            $flag > "$tmp/out" || echo "# forensics failed"
        clean "forensics, $lang, $form" "$tmp/out"
    done
    clean "forensics, $lang, page" "$tmp/page"
    cat "$tmp"/*.svg > "$tmp/pictures"
    clean "forensics, $lang, pictures" "$tmp/pictures"
    if [ -n "$has_pdftotext" ]; then
        pdftotext "$tmp/report.pdf" "$tmp/pdf.txt"
        clean "forensics, $lang, PDF" "$tmp/pdf.txt"
    fi
    awk -F, -v OFS=, 'NR == 1 { print; next } NR % 9 == 0 { next } NR % 5 == 0 { $7 = int($7 * 1.1) } { print }' "$tmp/odd.csv" > "$tmp/theirs.csv"
    "$H" compare "$tmp/theirs.csv" "$tmp/odd.csv" --key code --lang $lang --html "$tmp/page" --printed-a a=5 --check-a 'valid<=reg' > "$tmp/out"
    clean "compare, $lang, text" "$tmp/out"
    clean "compare, $lang, page" "$tmp/page"
    "$H" compare "$tmp/theirs.csv" "$tmp/odd.csv" --key code --lang $lang --json --pdf "$tmp/c.pdf" --pictures "$tmp/ratio" > "$tmp/out"
    cat "$tmp"/ratio/*.svg > "$tmp/pictures"
    clean "compare, $lang, pictures" "$tmp/pictures"
    if [ -n "$has_pdftotext" ]; then
        pdftotext "$tmp/c.pdf" "$tmp/pdf.txt"
        clean "compare, $lang, PDF" "$tmp/pdf.txt"
    fi
    clean "compare, $lang, json" "$tmp/out"
    "$H" quickcount draw "$tmp/odd.csv" --columns unit=code,area=county,registered=reg --size 300 --seed 1 > "$tmp/sample"
    awk -F, 'NR == FNR { s[$1]; next } FNR == 1 || $1 in s' "$tmp/sample" "$tmp/odd.csv" > "$tmp/reports"
    { "$H" quickcount estimate "$tmp/sample" "$tmp/reports" --columns unit=code,votes=a+b --official a=9,b=1 --lang $lang
      head -60 "$tmp/reports" > "$tmp/some"
      "$H" quickcount estimate "$tmp/sample" "$tmp/some" --columns unit=code,votes=a+b,time=time --lang $lang --json
      "$H" quickcount estimate "$tmp/sample" "$tmp/some" --columns unit=code,votes=a+b,time=time --lang $lang --at-random --pictures "$tmp/quick"
      cat "$tmp"/quick/*.svg; } > "$tmp/out"
    clean "quickcount, $lang" "$tmp/out"
done
"$H" forensics "$tmp/odd.csv" --columns registered=reg,valid=valid,rejected=rej,votes=a+b,unit=code,area=county+ward,time=time \
    --leader a --no-resampling --json > "$tmp/out"
[ "$(jq '[.methods[] | select(.class == "anomaly" or .class == "fact")] | length' "$tmp/out")" -ge 4 ]
ok $? "the stations were odd enough: facts and anomalies were there to be spoken of"

# a log: comparison with its forms, the live watch
D=$tmp/night
if "$H" demo --once --dir "$D" --limit 600 > "$tmp/demo.out" 2>&1; then
    "$H" export "$D" --csv "$tmp/x.csv" 2> /dev/null
    awk -F, -v OFS=, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; print "code,kenyatta,odinga"; next }
        $at["counted"] == "yes" { k = $at["votes:kenyatta"]; t += k; print $at["station"], NR % 3 ? k : k + 9, $at["votes:odinga"] }
        END { print "KE", t - 1000, 1; print "nowhere", 1, 1 }' "$tmp/x.csv" > "$tmp/theirs.csv"
    for lang in en sw; do
        { "$H" compare "$tmp/theirs.csv" --dir "$D" --key code --lang $lang; "$H" compare "$tmp/theirs.csv" --dir "$D" --key code --lang $lang --json
          "$H" forensics --dir "$D" --leader odinga --no-resampling --lang $lang; } > "$tmp/out"
        clean "a log, $lang" "$tmp/out"
        { "$H" forensics --watch "$D" --leader odinga --once --lang $lang; "$H" forensics --watch "$D" --leader odinga --once --lang $lang --json; } > "$tmp/out"
        clean "the live watch, $lang" "$tmp/out"
    done
else
    ok 1 "a log to look at"
fi
for c in forensics compare quickcount; do "$H" $c --help; done > "$tmp/out"
clean "the help" "$tmp/out"
echo "1..$n"
[ "$bad" -eq 0 ]
