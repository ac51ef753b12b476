#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""An independent reading of a published tree, standard library only: the tree's root from its tiles,
every record's text, the totals of the signed results. Prints one JSON object.

usage: log_check.py PUBLIC"""
import base64
import hashlib
import json
import os
import sys

PREFIX = b"hesabu/entry/v1 "


def tile_path(kind, n):
    parts = []
    while True:
        parts.append("%03d" % (n % 1000))
        n //= 1000
        if not n:
            break
    return "tile/%s/%s" % (kind, "/".join(["x" + p for p in parts[:0:-1]] + parts[:1]))


def read(root, path):
    with open(os.path.join(root, path), "rb") as f:
        return f.read()


def read_entries(root, size):
    """All entries, from the entry bundles: each a 16-bit length and its bytes."""
    out = []
    for n in range((size + 255) // 256):
        width = min(256, size - n * 256)
        path = tile_path("entries", n)
        data = read(root, path if width == 256 else "%s.p/%d" % (path, width))
        at = 0
        for _ in range(width):
            length = int.from_bytes(data[at:at + 2], "big")
            out.append(data[at + 2:at + 2 + length])
            at += 2 + length
        assert at == len(data), "bundle %d has bytes left over" % n
    return out


def tile_hashes(root, size):
    out = []
    for n in range((size + 255) // 256):
        width = min(256, size - n * 256)
        path = tile_path("0", n)
        data = read(root, path if width == 256 else "%s.p/%d" % (path, width))
        out += [data[i:i + 32] for i in range(0, len(data), 32)]
    return out


def tree_root(leaves):
    """RFC 6962: the largest power of two less than n goes left."""
    stack = []  # (height, hash)
    for leaf in leaves:
        height, value = 0, leaf
        while stack and stack[-1][0] == height:
            value = hashlib.sha256(b"\1" + stack.pop()[1] + value).digest()
            height += 1
        stack.append((height, value))
    value = stack.pop()[1]
    while stack:
        value = hashlib.sha256(b"\1" + stack.pop()[1] + value).digest()
    return value


def unique(pairs):
    keys = [k for k, _ in pairs]
    assert len(keys) == len(set(keys)), "a key stands twice"
    return dict(pairs)


def parse(entry):
    assert entry.startswith(PREFIX), "not an entry"
    head, note = entry.split(b"\n", 1)
    ms = int(head[len(PREFIX):])
    text, signatures = note.rsplit(b"\n\n", 1)
    text += b"\n"
    kind, body, rest = text.split(b"\n", 2)
    assert rest == b"" and kind.startswith(b"hesabu/v1 "), "not a record"
    record = json.loads(body, object_pairs_hook=unique)
    canonical = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical.encode() == body, "not canonical"
    return {"ms": ms, "type": kind[10:].decode(), "id": hashlib.sha256(text).hexdigest(),
            "json": record, "lines": signatures.decode().splitlines()}


def totals(records):
    """Votes by contest and choice: stations with one result that stands, and an image of it."""
    by_id, results, superseded, imaged = {}, {}, set(), set()
    required = records[0]["json"]["image"] == "required"
    for r in records:
        if r["type"] == "result":
            key = (r["json"]["contest"], r["json"]["station"])
            results.setdefault(key, []).append(r)
            by_id[r["id"]] = r
            superseded.update(r["json"].get("supersedes", []))
        elif r["type"] == "image":
            imaged.add(r["json"].get("result", (r["json"]["contest"], r["json"]["station"])))
    out, stations = {}, {}
    for (contest, station), all_of in results.items():
        standing = [r for r in all_of if r["id"] not in superseded]
        if len(standing) != 1:
            continue
        if required and standing[0]["id"] not in imaged and (contest, station) not in imaged:
            continue
        stations[contest] = stations.get(contest, 0) + 1
        for choice, votes in standing[0]["json"]["votes"].items():
            out.setdefault(contest, {}).setdefault(choice, 0)
            out[contest][choice] += votes
    return out, stations


def objects_hold(root):
    names = os.listdir(os.path.join(root, "objects"))
    return len(names), all(hashlib.sha256(read(root, "objects/" + n)).hexdigest() == n for n in names)


def main():
    root = sys.argv[1]
    origin, size, root_hash = read(root, "checkpoint").decode().split("\n")[:3]
    size = int(size)
    entries = read_entries(root, size)
    leaves = [hashlib.sha256(b"\0" + e).digest() for e in entries]
    records = [parse(e) for e in entries]
    by_type, refusals = {}, {}
    for r in records:
        by_type[r["type"]] = by_type.get(r["type"], 0) + 1
        for row in r["json"].get("rows", []) if r["type"] == "incident" else []:
            refusals[row["code"] + ("" if row["class"] == "proven" else " claimed")] = row["count"]
    sums_wrong = sum(1 for r in records if r["type"] == "result" and
                     sum(r["json"]["votes"].values()) != r["json"]["ballots"].get("valid"))
    election = records[0]["id"]
    sums, stations = totals(records)
    count, objects_right = objects_hold(root)
    print(json.dumps({
        "origin": origin,
        "size": size,
        "root_right": base64.b64encode(tree_root(leaves)).decode() == root_hash,
        "tiles_right": tile_hashes(root, size) == leaves,
        "ids_unique": len({r["id"] for r in records}) == size,
        "times_rise": all(a["ms"] <= b["ms"] for a, b in zip(records, records[1:])),
        "one_election": all(r["json"].get("election", election) == election for r in records),
        "simulated": records[0]["json"].get("simulated", False),
        "title": records[0]["json"]["title"],
        "types": by_type,
        "refusals": refusals,
        "sums_wrong": sums_wrong,
        "totals": sums,
        "stations": stations,
        "cosignatures": read(root, "checkpoint").decode().count("\n— ") - 1,
        "objects": count,
        "objects_right": objects_right,
    }, sort_keys=True))


main()
