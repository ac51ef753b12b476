#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""A made-up election for the audit benchmark: 46,229 stations in 47 counties, the winner with 50.49 % of
the valid votes (diluted margin 0.98 %), as a CSV that `hesabu audit` reads. No real figures.

usage: audit_population.py FILE [STATIONS]"""
import random
import sys

STATIONS = int(sys.argv[2]) if len(sys.argv) > 2 else 46229
random.seed(20220809)
lean = [random.gauss(0.5, 0.24) for _ in range(47)]
rows = []
for g in range(STATIONS):
    county = g * 47 // STATIONS
    ballots = min(700, max(30, int(random.gauss(310, 110))))
    share = min(0.98, max(0.02, random.gauss(lean[county], 0.07)))
    won = round(ballots * share)
    third = round((ballots - won) * 0.02)
    rows.append([county, ballots, won, ballots - won - third, third])
# move votes between the first two until the winner has 50.49 % to the vote
valid = sum(r[1] for r in rows)
gap = round(0.5049 * valid) - sum(r[2] for r in rows)
step = 1 if gap > 0 else -1
while gap:
    r = rows[random.randrange(STATIONS)]
    if r[2] + step >= 0 and r[3] - step >= 0:
        r[2] += step
        r[3] -= step
        gap -= step
with open(sys.argv[1], "w") as f:
    f.write("jurisdiction,batch,ballots,A,B,C\n")
    for g, (county, ballots, a, b, c) in enumerate(rows):
        f.write(f"{county + 1:03d},{g + 1:06d},{ballots},{a},{b},{c}\n")
