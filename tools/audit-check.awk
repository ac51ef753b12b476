# SPDX-License-Identifier: AGPL-3.0-or-later
# Does an audit again from its transcript (spec/audit.md), with awk, sha256sum and bc alone:
#     awk -f tools/audit-check.awk TRANSCRIPT
# Numbers stay exact below 2^53. Exit code 0: it holds.
function bad(what) { print "WRONG: " what; failed = 1; exit 1 }
function value(j, b, n, at,   i, v, valid) {        # A of assertion j: b ballots, votes from field at
    for (i = 1; i <= n; i++) { v[i - 1] = $(at + i - 1); valid += v[i - 1] }
    return kb[j] * b + kv[j] * valid + kw[j] * v[won[j]] + kl[j] * v[lost[j]]
}
function hash(i,   cmd, hex, k) {                   # SHA-256(seed "," i) mod total
    cmd = "printf %s " seed "," i " | sha256sum"; cmd | getline hex; close(cmd)
    cmd = "echo 't=" total ";ibase=16;" toupper(substr(hex, 1, 64)) "%t' | bc"
    cmd | getline k; close(cmd); return k
}
function find(k,   low, high, mid) {                # the first batch with k < below
    low = 0; high = batches
    while (low < high) { mid = int((low + high) / 2); if (below[mid] <= k) low = mid + 1; else high = mid }
    return low
}
function step(j, g, a,   k, y, s, m) {              # one draw of the mixture martingale
    if (left[j] < 0 || (left[j] == 0 && a > 0)) zero[j] = 1
    if (left[j] > 0 && !over[j]) {
        y = a / weight[g] * wleft[j] / left[j]
        for (k = 1; k <= 20; k++) {                 # c_k = 1 - 2^(-k/2); logarithms, so nothing overflows
            s = 1 + (1 - exp(-k * log(2) / 2)) * (y - 1)
            lm[j, k] += s > 0 ? log(s) : -1e9
            if (k == 1 || lm[j, k] > m) m = lm[j, k]
        }
        s = 0; for (k = 1; k <= 20; k++) if (lm[j, k] - m > -700) s += exp(lm[j, k] - m)
        m += log(s / 20); if (m > most[j]) most[j] = m
    }
    left[j] -= a; wleft[j] -= weight[g]; bleft[j] -= bound[g]; S[j] += a
    if (left[j] < 0) zero[j] = 1
    if (left[j] > top[j] * bleft[j]) over[j] = 1    # the rest cannot lift the sum above T
}
function met(j) { return p(j) + 1e-6 <= limit / 1e6 / (1 + of_rule(j)) }
function of_rule(j) {                               # one of the regions of a rule that has spare ones
    return area[j] != 0 && (kind[j] == 2 || kind[j] == 3) ? spare + 0 : 0
}
function enough(   j, chosen, held) {               # of them are met
    for (j = 0; j < assertions; j++) if (of_rule(j)) { chosen++; held += met(j) }
    return held >= chosen - spare
}
function p(j) { return zero[j] ? 0 : most[j] > 0 ? exp(-most[j]) : 1 }
function open(g,   j, rule) {                       # an assertion that batch g concerns and is not met
    rule = enough()
    for (j = 0; j < assertions; j++)
        if ((area[j] == 0 || area[j] == region[g]) && !met(j) && !(of_rule(j) && rule)) return 1
    for (j = 0; j < assertions; j++)                # passed over: nothing behind it counts for these
        if (area[j] == 0 || area[j] == region[g]) stopped[j] = 1
    return 0
}
NR == 1 && $0 != "hesabu-audit-transcript v1" { bad("not a transcript") }
$1 ~ /^(method|seed|limit|batches|choices|assertions|spare|total|a|b)$/ {
    if (begun || ($1 ~ /^[ab]$/ ? lines[$1, $2]++ : lines[$1]++)) bad("the head")
    said[$1]++
}
!begun && ($1 == "d" || $1 == "end") {              # the head is whole: nothing in it changes any more
    begun = 1
    if (said["a"] != assertions || said["b"] != batches) bad("assertions or batches")
    for (j = 0; j < assertions; j++) ruled += of_rule(j) > 0
    if (spare && ruled <= spare) bad("spare")
}
$1 == "method" { shared = $2 == "mixture-shared"; if ($2 != "mixture" && !shared) bad("method") }
$1 == "seed" { seed = $2; if (seed !~ /^[0-9]+$/ || length(seed) < 20) bad("seed") }
$1 == "limit" { limit = $2 }
$1 == "batches" { batches = $2 }
$1 == "choices" { choices = $2 }
$1 == "assertions" { assertions = $2 }
$1 == "spare" { spare = $2; if (spare < 1) bad("spare") }
$1 == "total" { total = $2; if (total !~ /^[0-9]+$/) bad("total") }
$1 == "a" {
    j = $2; kind[j] = $3; won[j] = $4; lost[j] = $5; area[j] = $8
    kb[j] = $9; kv[j] = $10; kw[j] = $11; kl[j] = $12; T[j] = left[j] = $13
    scale[j] = 2 * kb[j] > $7 ? 2 * kb[j] : $7      # weights are max of ceil(2^20 R / max(kb, q/2))
    top[j] = kb[j]; n = kb[j] + kv[j]; if (n > top[j]) top[j] = n
    if (n + kw[j] > top[j]) top[j] = n + kw[j]; if (n + kl[j] > top[j]) top[j] = n + kl[j]
}
$1 == "b" {
    g = $2; region[g] = $3; bound[g] = $4; weight[g] = $5; w = 0
    for (j = 0; j < assertions; j++) {
        if (area[j] != 0 && area[j] != $3) continue
        R[j, g] = value(j, $4, choices, 6); N[j] += $4; wleft[j] += $5; bleft[j] += $4
        n = int((2097152 * R[j, g] + scale[j] - 1) / scale[j]); if (n > w) w = n
    }
    if (w != $5 && !shared) bad("the weight of batch " g)
    below[g] = sum += $5
}
$1 == "d" {
    if (!started++) {
        if (sum != total) bad("total")
        for (j = 0; j < assertions; j++)
            if (T[j] != kb[j] * N[j] - (kind[j] == 2 || kind[j] == 4)) bad("T of assertion " j)
    }
    if (pending && open(batch)) bad("draw " at " was passed over and is needed")
    if (expect) bad("draw " at " lacks lines r")
    if ($2 != ++at) bad("draws are numbered from 1")
    while (++i < $3) if (!(find(hash(i)) in drawn)) bad("draw " i " of the seed is left out")
    k = hash(i); batch = find(k)
    if (k != $4 || batch != $5 || (batch in drawn)) bad("draw " at)
    drawn[batch] = 1; pending = 1
}
$1 == "h" {
    if ($2 != batch || !pending) bad("a count of a batch that was not drawn")
    pending = 0; counted++
    for (j = 0; j < assertions; j++) {
        if ((area[j] != 0 && area[j] != region[batch]) || stopped[j]) continue
        a = $3 == 2 ? 0 : value(j, bound[batch], choices, 4)
        if (a < 0) bad("batch " batch " holds more votes than its bound")
        A[j] = a; step(j, batch, a); expect++
    }
}
$1 == "r" {
    j = $3; d = $7 - p(j); expect--
    if ($2 != at || $4 != R[j, batch] || $5 != A[j] || $6 != S[j] || d > 1e-6 || d < -1e-6)
        bad("assertion " j " after draw " at)
}
$1 == "end" {
    if (pending && open(batch)) bad("draw " at " was passed over and is needed")
    all = enough(); for (j = 0; j < assertions; j++) if (!of_rule(j) && !met(j)) all = 0
    if (expect) bad("draw " at " lacks lines r")
    if ($2 != at + 0 || $3 != all) bad("the end")
    ended = 1
    print "holds: " at " draws, " counted + 0 " batches counted, " (all ? "" : "not ") "confirmed"
}
END { if (!failed && !ended) { print "WRONG: cut short"; exit 1 } if (failed) exit 1 }
