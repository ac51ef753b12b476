# SPDX-License-Identifier: AGPL-3.0-or-later
# What the tests of forensics share (sourced): a scratch folder in $tmp, the binary in $H, the folder of
# real data in $shared, and TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
H=${1:-${HESABU:-build/hesabu}}
shared=${HESABU_SHARED:-../shared}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0 bad=0
ok() { # STATUS NAME
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; bad=$((bad + 1)); fi
}
is() { # GOT WANT NAME
    [ "$1" = "$2" ]; ok $? "$3"
    [ "$1" = "$2" ] || echo "# got $1, wanted $2"
}
