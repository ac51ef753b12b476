#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# What may never be said is not said: no string of the program, of the pages or of the documents says
# that an election is valid, that an attack failed, that somebody cheated, or what only a court finds.
# Code words in the sources (names of functions, of error codes) are not sentences and are not read.
set -u
cd "$(dirname "$0")/../.." || exit 1
hesabu=${HESABU:-build/hesabu}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0 bad=0
phrases='fraud|rigged|rigging|stolen votes|votes stolen|election (is|was) valid|valid election|(the )?attack (has )?failed|hack(ed|ing) failed|udanganyifu|uchakachuaji|wizi wa kura|mshindi ni|the winner is|clean election|free and fair'
look() { # look NAME FILE: no phrase stands in it
    n=$((n + 1))
    if grep -n -i -E "$phrases" "$2" > "$tmp/found"; then
        printf 'not ok %d - %s\n' $n "$1"; sed 's/^/# /' "$tmp/found" | cut -c1-200 | head -n 10; bad=1
    else printf 'ok %d - %s\n' $n "$1"; fi
}
strings -d -n 6 "$hesabu" > "$tmp/strings"
n=$((n + 1)) # the check sees what it should
if echo "the winner is known" | grep -q -i -E "$phrases" && [ "$(wc -l < "$tmp/strings")" -gt 1000 ]; then
    echo "ok $n - the check itself finds a phrase, and there are strings to look at"
else echo "not ok $n - the check itself finds a phrase"; bad=1; fi
look "the program's strings" "$tmp/strings"
# the documents may name such words only where they say that they are never used
git ls-files 'docs/*.md' 'README.md' 'data/*.md' | xargs grep -h -v -i -E 'never|not say|may not|forbidden|must not' > "$tmp/docs"
look "the documents" "$tmp/docs"
git ls-files 'web/*.ts' 'web/*.html' 'web/*.json' 'src/*.def' | grep -v package-lock | xargs cat > "$tmp/web"
look "the pages' strings" "$tmp/web"
echo "1..$n"
exit $bad
