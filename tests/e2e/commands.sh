# SPDX-License-Identifier: AGPL-3.0-or-later
# What the tests of commands share (sourced): a scratch folder, the binary in $hesabu, and TAP.
# Sets top, tmp, pid (of a server to end), n, bad; HOME and the outbox are in the scratch folder.
set -u
cd "$(dirname "$0")/../.." || exit 1
hesabu=$(realpath "${HESABU:-build/hesabu}")
top=$(pwd)
tmp=$(mktemp -d) || exit 1
pid=
trap '[ -z "$pid" ] || kill "$pid" 2> /dev/null; rm -rf "$tmp"' EXIT
HESABU_OUTBOX=$tmp/box HOME=$tmp
export HESABU_OUTBOX HOME
unset HESABU_PASSPHRASE
n=0 bad=0 got=0
ok() { # ok NAME CONDITION...
    name=$1; shift
    n=$((n + 1))
    if "$@"; then printf 'ok %d - %s\n' $n "$name"; else
        printf 'not ok %d - %s\n' $n "$name"; bad=1
        sed 's/^/# /' "$tmp/out" "$tmp/err" 2> /dev/null
    fi
}
run() { # run COMMAND...: its exit code in $got, what it said in out and err
    "$@" > "$tmp/out" 2> "$tmp/err" < /dev/null
    got=$?
}
said() { grep -q -e "$1" "$tmp/out" "$tmp/err"; }
exits() { [ "$got" -eq "$1" ]; }
refuses() { # refuses NAME EXIT WORDS COMMAND...
    name=$1 want=$2 words=$3; shift 3
    run "$@"
    ok "$name" sh -c "[ $got -eq $want ] && grep -q -e '$words' '$tmp/err' '$tmp/out'"
}
refused() { # refused NAME EXIT CODE COMMAND...: this exit code, this error named, nothing on standard output
    name=$1 want=$2 code=$3; shift 3
    run "$@"
    ok "$name" sh -c "[ $got -eq $want ] && grep -q '($code)' '$tmp/err' && [ ! -s '$tmp/out' ]"
}
does() { # does NAME COMMAND...
    name=$1; shift
    run "$@"
    ok "$name" [ $got -eq 0 ]
}
vkey() { "$hesabu" keys show "$1" --json | sed 's/.*"vkey":"\([^"]*\)".*/\1/'; }
entry_of() { sed -n 's/^[0-9a-f]\{16\}: entry \([0-9]*\).*/\1/p' "$tmp/out" | tail -n 1; }
published() { # the tree e/public holds what was said last
    want=$(entry_of) i=0
    until [ "$(sed -n 2p e/public/checkpoint 2> /dev/null || echo 0)" -gt "${want:-0}" ] || [ $i -gt 100 ]; do
        sleep 0.1; i=$((i + 1))
    done
}
shows() { # shows FILE WORDS: published in e within some seconds
    i=0
    until grep -q -e "$2" "e/public/$1" 2> /dev/null || [ $i -gt 100 ]; do sleep 0.1; i=$((i + 1)); done
    published # results are written before the tree that commands read
    grep -q -e "$2" "e/public/$1"
}
election() { # election "NAME:FILE..." OPTION...: FILE.key of each name; an election defined with the options, in e
    names=$1; shift
    cd "$tmp" || exit 1
    for k in log.example/test:log com/1:com $names; do
        "$hesabu" keys new "${k%:*}" --simulated --out "${k#*:}.key" > /dev/null
    done
    (cd "$top" && "$hesabu" define --out "$tmp/def" --origin log.example/test --log "$(vkey "$tmp/log.key")" \
        --commissioner "$(vkey "$tmp/com.key")" --simulated "$@") > out 2> err || { cat out err; echo "Bail out!"; exit 1; }
    "$hesabu" sign def/manifest.txt --key com.key --quiet > /dev/null
    # shellcheck disable=SC2086
    "$hesabu" init --dir e --define def --log-key log.key ${begin:-} > /dev/null || { echo "Bail out!"; exit 1; }
}
address_in() { # address_in FILE: where a server says in it that it listens
    i=0
    until grep -qs http: "$1" || [ $i -gt 200 ]; do sleep 0.1; i=$((i + 1)); done
    sed -n 's/.*\(http:[^ ]*[0-9]\).*/\1/p' "$1" | head -n 1
}
serve() { # serve OPTION...: e, in the background, at $url; $under: what it runs under
    : > serve.out
    ${under:-} "$hesabu" serve --dir e --listen 127.0.0.1:0 --interval 50 --quiet "$@" > serve.out 2> serve.err &
    pid=$!
    url=$(address_in serve.out)
}
