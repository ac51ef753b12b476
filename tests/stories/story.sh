# SPDX-License-Identifier: AGPL-3.0-or-later
# What the stories share: a made-up country, its people and their keys, a real daemon, and words for
# telling. A story is a script that is read like a tale and run like a test (TAP):
#
#   story "title"          what it is about; the country begins, with its log and daemon
#   tell "sentence"        for the reader
#   ok "what is so" COMMAND...        a fact that is checked
#   refused CODE "what" COMMAND...    the command must be refused with this code, in words
#   the_end                prints the plan
#
# People are made on first use, each on their own device: po (presiding officer), dpo (deputy), agent,
# ro (returning officer), party ... Nothing is simulated but the country: keys, server, witnesses,
# mirrors and signatures are the real program's.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
hesabu=$(realpath "${HESABU:-$top/build/hesabu}")
tmp=$(mktemp -d) || exit 1
pids=
story_cleanup() {
    for p in $pids; do kill "$p" 2> /dev/null; done
    rm -rf "$tmp"
}
trap story_cleanup EXIT
trap 'exit 1' INT TERM
cd "$tmp" || exit 1
HESABU_OUTBOX=$tmp/outbox HOME=$tmp
export HESABU_OUTBOX HOME
unset HESABU_PASSPHRASE
n=0 bad=0 url= got=0

tell() { printf '# %s\n' "$*"; }
ok() { # ok NAME CONDITION...
    local what=$1
    shift
    n=$((n + 1))
    if "$@" > "$tmp/ok.out" 2>&1; then printf 'ok %d - %s\n' $n "$what"; else
        printf 'not ok %d - %s\n' $n "$what"; bad=1
        sed 's/^/#   /' "$tmp/ok.out" "$tmp/out" "$tmp/err" 2> /dev/null | tail -n 30
    fi
}
h() { # h COMMAND...: the program; its exit code in $got, its words in out and err
    "$hesabu" "$@" > "$tmp/out" 2> "$tmp/err" < /dev/null
    got=$?
    return $got
}
said() { grep -q -e "$1" "$tmp/out" "$tmp/err"; }
refused() { # refused CODE NAME ARGUMENTS...: the program says no, with this code
    local code=$1 what=$2
    shift 2
    h "$@"
    ok "$what ($code)" sh -c "[ $got -ne 0 ] && grep -q '$code' '$tmp/out' '$tmp/err'"
}
the_end() { echo "1..$n"; exit $bad; }
give_up() { tell "cannot go on: $*"; sed 's/^/#   /' "$tmp/out" "$tmp/err" 2> /dev/null; echo "Bail out!"; exit 1; }

# ---- keys and people ----
key() { # key NAME FILE
    [ -e "$2" ] || "$hesabu" keys new "$1" --simulated --out "$2" > /dev/null || give_up "key $1"
}
vkey() { "$hesabu" keys show "$1" --json | sed 's/.*"vkey":"\([^"]*\)".*/\1/'; }
grant() { # grant NAME FILE ROLE UNIT GRANTER-FILE [OPTIONS]: enrol, grant, log
    local who=$1 file=$2 role=$3 unit=$4 by=$5
    shift 5
    key "$who" "$file"
    h keys enrol "$file" --role "$role" --unit "$unit" --election "$where" "$@" || give_up "enrol $who"
    h keys grant "$file.request" --key "$by" --yes --send "$url" --wait receipt || give_up "grant $who"
}
constituency_of() { printf '%.4s' "$1"; }
# Each prints the person's key file, and makes the person where there is none.
ro() { # returning officer of CONSTITUENCY
    [ -e "ro.$1.key" ] || grant "ro.$1" "ro.$1.key" returning-officer "$1" com.1.key > /dev/null
    echo "ro.$1.key"
}
dro() { [ -e "dro.$1.key" ] || grant "dro.$1" "dro.$1.key" deputy-returning-officer "$1" com.1.key > /dev/null; echo "dro.$1.key"; }
po() { # presiding officer of STATION
    local r
    r=$(ro "$(constituency_of "$1")") || exit 1
    [ -e "po.$1.key" ] || grant "po.$1" "po.$1.key" presiding-officer "$1" "$r" > /dev/null
    echo "po.$1.key"
}
dpo() {
    local r
    r=$(ro "$(constituency_of "$1")") || exit 1
    [ -e "dpo.$1.key" ] || grant "dpo.$1" "dpo.$1.key" deputy-presiding-officer "$1" "$r" > /dev/null
    echo "dpo.$1.key"
}
clerk() { # clerk NUMBER CONSTITUENCY
    local r
    r=$(ro "$2") || exit 1
    [ -e "clerk.$1.$2.key" ] || grant "clerk.$1.$2" "clerk.$1.$2.key" clerk "$2" "$r" > /dev/null
    echo "clerk.$1.$2.key"
}
chair() { [ -e chair.key ] || grant chair chair.key national-returning-officer MF com.1.key > /dev/null; echo chair.key; }
party() { [ -e "party.$1.key" ] || grant "party.$1" "party.$1.key" party MF com.1.key --party "$1" > /dev/null; echo "party.$1.key"; }
agent() { # agent PARTY STATION
    local r
    r=$(party "$1") || exit 1
    [ -e "agent.$1.$2.key" ] || grant "agent.$1.$2" "agent.$1.$2.key" agent "$2" "$r" --party "$1" > /dev/null
    echo "agent.$1.$2.key"
}
observer() {
    [ -e "og.key" ] || grant observers og.key observer-group MF com.1.key --party observers > /dev/null
    [ -e "obs.$1.key" ] || grant "obs.$1" "obs.$1.key" observer MF og.key --party observers > /dev/null
    echo "obs.$1.key"
}

# ---- the server ----
serve() { # serve DIR [PORT] [OPTIONS]: sets url
    local dir=$1 port=${2:-0} i
    shift; [ $# -gt 0 ] && shift
    : > "$dir.out"
    "$hesabu" serve --dir "$dir" --listen "127.0.0.1:$port" --interval 30 --quiet "$@" > "$dir.out" 2> "$dir.err" &
    server=$!
    pids="$pids $server"
    i=0
    until grep -q listening "$dir.out" || [ $i -gt 200 ]; do sleep 0.05; i=$((i + 1)); done
    url=$(sed -n 's/.*\(http:[^ ]*[0-9]\).*/\1/p' "$dir.out" | head -n 1)
    [ -n "$url" ] || { cat "$dir.err" > "$tmp/err"; give_up "the server does not start"; }
}
stop() { kill "$1" 2> /dev/null; wait "$1" 2> /dev/null; }
entries() { sed -n 's/.*"size":\([0-9]*\).*/\1/p' "${1:-e}/public/head.json"; }
published() { # until everything that was acknowledged is published
    local want last i=0
    want=$(sed -n 2p e/public/checkpoint)
    last=$(grep -ho 'entry [0-9]*' "$tmp/out" 2> /dev/null | tail -n 1 | tr -dc 0-9)
    [ -z "$last" ] || want=$((last + 1))
    until [ "$(entries)" -ge "${want:-1}" ] || [ $i -gt 200 ]; do sleep 0.05; i=$((i + 1)); done
}

# ... and the server's file cache, which may be a second old, shows it to others
settled() { published; sleep 1.2; }
mirror() { settled; h mirror "$url" --dir "$1" --anchor anchor --objects all --once; }

# ---- the country ----
where=e/public/anchor
define_country() { # define_country DIR LOGKEY [OPTIONS]
    local out=$1 log=$2 com i
    shift 2
    com=
    for i in 1 2 3; do key "com/$i" "com.$i.key"; com="$com --commissioner $(vkey com.$i.key)"; done
    # shellcheck disable=SC2086
    h define --preset "$here/mfano" --all-contests --out "$out" --origin "$(sed -n 's/.*"name":"\([^"]*\)".*/\1/p' "$log.show")" \
        --log "$(vkey "$log")" $com --threshold 1 --simulated "$@" || give_up "define"
    for i in 1 2 3; do "$hesabu" sign "$out/manifest.txt" --key "com.$i.key" --quiet > /dev/null 2>&1; done
}
story() { # story TITLE [OPTIONS of define]
    tell "$1"
    shift
    key log.example/mfano log.key
    "$hesabu" keys show log.key --json > log.key.show
    define_country def log.key "$@"
    h init --dir e --define def --log-key log.key || give_up "init"
    serve e
}

# ---- what people do ----
# The four figures of a form, for president: result STATION ASHA BARAKA CHAUSIKU REJECTED FORM KEY... [-- OPTIONS]
votes() { printf 'asha=%s,baraka=%s,chausiku=%s' "$1" "$2" "$3"; }
form() { # form STATION [SALT]: a photograph of the station's form; prints its file
    local f=form.$1${2:-}.png
    [ -e "$f" ] || "$here/picture" "$1 ${2:-}" > "$f"
    echo "$f"
}
write_result() { # write_result FILE STATION A B C REJECTED [OPTIONS]: its text, unsigned
    local file=$1 station=$2 a=$3 b=$4 c=$5 rejected=$6
    shift 6
    h result --contest president --station "$station" --votes "$(votes "$a" "$b" "$c")" \
        --valid $((a + b + c)) --rejected "$rejected" --election "$where" --out "$file" "$@" || give_up "result of $station"
    rm -f "$file.note"
}
sign() { # sign FILE KEY...: into FILE.note
    local file=$1 k in
    shift
    for k in "$@"; do
        if [ -e "$file.note" ]; then in=$file.note; else in=$file; fi
        "$hesabu" sign "$in" --key "$k" --out "$file.new" --quiet > /dev/null 2> "$tmp/err" || give_up "sign $file with $k"
        mv "$file.new" "$file.note"
    done
}
id_of() { # the id of a record: SHA-256 of its text
    awk 'BEGIN { RS = "\n\n" } NR == 1 { printf "%s\n", $0 }' "$1" | sha256sum | cut -d' ' -f1
}
send() { h submit "$1" --url "$url" --wait receipt; }
send_image() { # send_image STATION RESULT-ID KEY [SALT] [OPTIONS]
    local station=$1 id=$2 k=$3 salt=${4:-}
    shift 3; [ $# -gt 0 ] && shift
    h image "$(form "$station" "$salt")" --contest president --station "$station" --result "$id" --key "$k" \
        --send "$url" --wait receipt "$@"
}
report() { # report STATION A B C REJECTED: the ordinary case, whole: result, agents, form
    write_result "r.$1" "$@" --form "$(form "$1")"
    sign "r.$1" "$(po "$1")" "$(agent chui "$1")" "$(agent simba "$1")"
    send "r.$1.note" || give_up "send $1"
    send_image "$1" "$(id_of "r.$1.note")" "$(po "$1")" || give_up "image $1"
}
# Somebody at the desk reads STATION's form: seal only. Figures as in report.
seal() { # seal KEY STATION A B C REJECTED
    h read "$url" --key "$1" --contest president --station "$2" --votes "$(votes "$3" "$4" "$5")" \
        --valid $(($3 + $4 + $5)) --rejected "$6" --state "desk.$1" --send "$url" --wait receipt
}
open_readings() { # open_readings KEY: whatever may be opened
    settled
    h read "$url" --key "$1" --open --state "desk.$1" --send "$url" --wait receipt
}
transcribe() { # transcribe STATION A B C REJECTED: two clerks, alike
    local x
    x=$(constituency_of "$1")
    settled
    seal "$(clerk 1 "$x")" "$@" || give_up "seal 1 of $1"
    settled
    seal "$(clerk 2 "$x")" "$@" || give_up "seal 2 of $1"
    open_readings "$(clerk 1 "$x")"
    open_readings "$(clerk 2 "$x")"
}
compare_same() { # compare_same STATION LEVEL KEY
    settled
    h compared "$url" --contest president --station "$1" --level "$2" --same --key "$3" --send "$url" --wait receipt
}
decide() { # decide ACTION UNIT KEY SECOND [OPTIONS]
    local action=$1 unit=$2 one=$3 two=$4
    shift 4
    settled
    h decide "$action" "$url" --contest president --unit "$unit" --key "$one" --key "$two" --send "$url" --wait receipt "$@"
}
collate() { # collate CONTEST UNIT KEY [OPTIONS]
    local contest=$1 unit=$2 k=$3
    shift 3
    settled
    h collate "$url" --contest "$contest" --unit "$unit" --key "$k" --send "$url" --wait receipt "$@"
}
gate_item() { # gate_item CODE [CONTEST]: its count; 0 when it is settled
    settled
    "$hesabu" gate "$url" --contest "${2:-president}" --json | jq -r ".items[]? | select(.code == \"$1\") | .count" | grep . || echo 0
}
amend() { # amend OPTIONS: two of the three commissioners
    settled
    h amend "$url" --key com.1.key --key com.2.key --send "$url" --wait receipt "$@"
}

# ---- what people see ----
json() { # json FILTER: of what the program said last
    jq -r "$1" < "$tmp/out"
}
unit_file() { cat "e/public/results/president/${2:-1}/$1.json"; }
station_json() { # station_json STATION: its part of its ward's file
    published
    unit_file "$(printf '%.6s' "$1")" | jq -c ".parts[] | select(.unit == \"$1\")"
}
state_of() { station_json "$1" | jq -r .state; }
total() { # total NAME CHOICE [UNIT]: a named total
    published
    unit_file "${3:-MF}" | jq -r ".totals.\"$1\".votes.\"$2\""
}
findings_of() { station_json "$1" | jq -r '.findings[].code' | sort | tr '\n' ' '; }
has_finding() { findings_of "$1" | grep -qw "$2"; }
verify() { # verify [PLACE] [OPTIONS]: its verdict in $verdict
    local place=${1:-e/public}
    [ $# -gt 0 ] && shift
    [ "$place" != e/public ] || published
    h verify "$place" --anchor anchor --json "$@"
    verdict=$(json .verdict)
}
keep_anchor() { published; cp e/public/anchor anchor; }
