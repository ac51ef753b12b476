#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Derives this preset's CSV files from the published data named in SOURCES.md.

usage: make.py [FOLDER]        FOLDER holds the source files (default: $HESABU_SHARED/data/kenya2017)

The outputs are committed; this script documents how they came about and repeats it. It copies
figures and corrects none: a blank stays blank, and where two sources disagree it prints the
difference, which SOURCES.md lists.
"""
import csv
import os
import sys
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
CANDIDATES = ["aukot", "dida", "jirongo", "kaluyu", "kenyatta", "mwaura", "nyagah", "odinga"]


def read(folder, name):
    with open(os.path.join(folder, name), newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(name, header, rows):
    with open(os.path.join(HERE, name), "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)
    print(f"{name}: {len(rows)} rows")


def tidy(name):
    """One blank between words: two names of the list have a stray one at an end or in the middle."""
    return " ".join(name.split())


def main():
    shared = os.environ.get("HESABU_SHARED") or os.path.join(HERE, "..", "..", "..", "shared")
    source = sys.argv[1] if len(sys.argv) > 1 else os.path.join(shared, "data", "kenya2017")

    counties = read(source, "counties.csv")
    write("counties.csv", ["code", "name"], [(r["county"], tidy(r["name"])) for r in counties])

    constituencies = read(source, "constituencies.csv")
    write("constituencies.csv", ["code", "name", "county"],
          [(r["id"], tidy(r["name"]), r["county"]) for r in constituencies])

    # Codes and names come from the commission's list of units, voters and the number of stations
    # from its register.
    register = {r["county_code"] + r["const_code"] + r["ward_code"]: r
                for r in read(source, "register_2017_by_ward.csv")}
    wards = read(source, "wards.csv")
    assert {r["id"] for r in wards} == set(register), "the two sources list different wards"
    write("wards.csv", ["code", "name", "constituency", "registered", "stations"],
          [(r["id"], tidy(r["name"]), r["id"][:6], register[r["id"]]["voters"],
            register[r["id"]]["polling_stations"]) for r in wards])

    form = read(source, "form34c_2017.csv")
    write("form34c.csv", ["code", "name", "registered", *CANDIDATES, "valid", "rejected"],
          [(r["county"] + r["constituency"], tidy(r["constituency_name"]), r["registered"],
            *(r[c] for c in CANDIDATES), r["valid"], r["rejected"]) for r in form])

    # What does not agree, for SOURCES.md.
    voters = Counter()
    for code, row in register.items():
        voters[code[:6]] += int(row["voters"])
    differing = [r for r in form
                 if int(r["registered"]) != voters[r["county"] + r["constituency"]]]
    print(f"registered differs between form and register in {len(differing)} constituencies: "
          f"{sum(int(r['registered']) for r in form)} against {sum(voters.values())}, "
          f"with the prisons' {voters['049292']}")
    for r in form:
        blank = [c for c in CANDIDATES + ["valid", "rejected"] if r[c] == ""]
        if blank:
            print(f"blank in {r['constituency_name']}: {', '.join(blank)}")
            continue
        total = sum(int(r[c]) for c in CANDIDATES)
        if total != int(r["valid"]):
            print(f"{r['constituency_name']}: candidates {total}, valid {r['valid']}")
        if int(r["valid"]) + int(r["rejected"]) > int(r["registered"]):
            print(f"{r['constituency_name']}: {r['valid']} valid and {r['rejected']} rejected "
                  f"of {r['registered']} registered")


if __name__ == "__main__":
    main()
