#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# The manual page that is made from the program's help, and the Debian package. Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
hesabu=$(realpath "${HESABU:-build/hesabu}")
build=${BUILD:-build}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0 bad=0
ok() { # ok NAME COMMAND...
    name=$1; shift
    n=$((n + 1))
    if "$@" > "$tmp/out" 2>&1; then echo "ok $n - $name"; else
        echo "not ok $n - $name"; bad=1; head -n 20 "$tmp/out" | sed 's/^/# /'
    fi
}

# ---- the manual page ----
ok "made from the help" tools/man-page "$hesabu" "$tmp/hesabu.1"
ok "mandoc finds nothing wrong" mandoc -Tlint -W warning "$tmp/hesabu.1"
mandoc -Tutf8 -O width=500 "$tmp/hesabu.1" | col -b > "$tmp/page.txt"
"$hesabu" help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' > "$tmp/commands"
ok "there are commands" [ "$(wc -l < "$tmp/commands")" -gt 20 ]
while read -r c; do
    "$hesabu" "$c" --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p' > "$tmp/options"
    missing=
    grep -q "^ *hesabu $c" "$tmp/page.txt" || missing="the command"
    while read -r o; do grep -q -e "^ *$o\b" "$tmp/page.txt" || missing="$missing $o"; done < "$tmp/options"
    ok "the page has $c with its options" [ -z "$missing" ]
done < "$tmp/commands"
ok "SOURCE_DATE_EPOCH is its date" sh -c "SOURCE_DATE_EPOCH=0 tools/man-page '$hesabu' '$tmp/old.1' && grep -q '\"1970-01-01\"' '$tmp/old.1'"

# ---- the package ----
if ! command -v dpkg-deb > /dev/null || [ ! -f "$build/hesabu.1" ]; then
    echo "1..$n"; exit $bad
fi
SOURCE_DATE_EPOCH=1500000000; export SOURCE_DATE_EPOCH
ok "a package" sh -c "tools/deb '$build' '$tmp/a' > '$tmp/path'"
deb=$(cat "$tmp/path")
ok "the same bytes again" sh -c "tools/deb '$build' '$tmp/b' && cmp '$deb' '$tmp'/b/*.deb"
dpkg-deb --info "$deb" > "$tmp/info" 2>&1
dpkg-deb --contents "$deb" > "$tmp/contents" 2>&1
ok "its fields" sh -c "grep -q '^ Package: hesabu' '$tmp/info' && grep -q '^ Depends: .*libsodium23' '$tmp/info'"
ok "the configuration is a conffile" sh -c "[ \"\$(dpkg-deb --ctrl-tarfile '$deb' | tar -xO ./conffiles)\" = /etc/hesabu/hesabu.conf ]"
for f in usr/bin/hesabu usr/share/man/man1/hesabu.1.gz lib/systemd/system/hesabu.service \
    etc/hesabu/hesabu.conf usr/share/hesabu/kenya-2017/preset.json usr/share/doc/hesabu/operating.md; do
    ok "it has $f" grep -q " \./$f\$" "$tmp/contents"
done
ok "all files are root's, none is writable by others" sh -c "! grep -v 'root/root' '$tmp/contents' && ! grep -E '^-.{7}w' '$tmp/contents'"
dpkg-deb -x "$deb" "$tmp/root"
dpkg-deb -e "$deb" "$tmp/root.control"
ok "the sums are right" sh -c "cd '$tmp/root' && md5sum --quiet -c '$tmp/root.control/md5sums'"
ok "the unpacked program runs" "$tmp/root/usr/bin/hesabu" version
ok "and finds its preset" "$tmp/root/usr/bin/hesabu" demo --once --limit 3 --dir "$tmp/night"
ok "the scripts are shell" sh -c "sh -n '$tmp/root.control/postinst' && sh -n '$tmp/root.control/prerm'"
if command -v systemd-analyze > /dev/null; then
    sed "s|^ExecStart=/usr/bin|ExecStart=$tmp/root/usr/bin|" "$tmp/root/lib/systemd/system/hesabu.service" > "$tmp/hesabu.service"
    ok "systemd reads the unit" systemd-analyze verify --man=no "$tmp/hesabu.service"
fi
echo "1..$n"
exit $bad
