#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""A second reader of spec/: framing, canonical JSON, order of lines, ids, duplicates and schemas of the
record corpora, written from spec/records.md alone. No signatures. Prints TAP."""
import base64
import hashlib
import json
import os
import re
import struct
import sys

SPEC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "spec")
FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Bad(Exception):
    pass


def need(condition, why):
    if not condition:
        raise Bad(why)


def read(*path):
    with open(os.path.join(SPEC, *path), "rb") as f:
        return f.read()


def bounds():
    rows = re.findall(r"^\| ([a-z-]+) \| (\d+) \|$", read("records.md").decode(), re.M)
    return {name: int(size) for name, size in rows}


def no_doubles(pairs):
    keys = [k for k, _ in pairs]
    need(keys == sorted(set(keys)), "keys out of order or twice")
    return dict(pairs)


def canonical(text):
    value = json.loads(text, object_pairs_hook=no_doubles)
    again = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    need(again == text, "not canonical")
    walk(value)
    return value


def walk(value, depth=0):
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int):
        need(0 <= value < 2**53, "integer out of range")
    elif isinstance(value, str):
        need(not FORBIDDEN.search(value), "forbidden character")
    elif isinstance(value, (list, dict)):
        need(depth < 15, "too deep")
        for x in value.values() if isinstance(value, dict) else value:
            walk(x, depth + 1)
        if isinstance(value, dict):
            need(all(k.isascii() for k in value), "key not ASCII")
    else:
        raise Bad("not a value of records")


def note(raw):
    """(type, value, id) of a well-formed note."""
    text, lines = raw.decode().rsplit("\n\n", 1)
    text += "\n"
    need(lines.endswith("\n"), "no line feed at the end")
    lines = lines[:-1].split("\n")
    keys = set()
    for line in lines:
        found = re.fullmatch("\u2014 ([^ +]+) ([A-Za-z0-9+/]+=*)", line)
        need(found, "signature line")
        raw_sig = base64.b64decode(found[2], validate=True)
        need(base64.b64encode(raw_sig).decode() == found[2], "base64")
        keys.add((found[1], raw_sig[:4]))
    encoded = [line.encode() for line in lines]
    need(encoded == sorted(encoded), "lines not sorted")
    need(len(keys) == len(lines), "a key signs twice")
    head, body, rest = text.split("\n")
    need(rest == "" and head.startswith("hesabu/v1 "), "text is not two lines")
    kind = head[len("hesabu/v1 "):]
    need(kind in BOUNDS, "unknown type")
    need(len(raw) <= BOUNDS[kind], "too large")
    return kind, canonical(body), hashlib.sha256(text.encode()).hexdigest()


def entry(raw):
    head, rest = raw.split(b"\n", 1)
    found = re.fullmatch(rb"hesabu/entry/v1 (0|[1-9][0-9]*)", head)
    need(found and int(found[1]) < 2**53 and len(raw) <= 65535, "entry")
    return int(found[1]), rest


def conforms(value, schema, where="$"):
    """The part of JSON Schema that spec/schemas uses."""
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "null": type(None)}
    if "type" in schema:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        fits = [t for t in types if isinstance(value, kinds[t]) and (t == "boolean" or not isinstance(value, bool))]
        need(fits, f"{where}: not {types}")
    if "const" in schema:
        need(value == schema["const"], f"{where}: not {schema['const']}")
    if "enum" in schema:
        need(value in schema["enum"], f"{where}: {value} not one of the words")
    if "oneOf" in schema:
        good = 0
        for option in schema["oneOf"]:
            try:
                conforms(value, option, where)
                good += 1
            except Bad:
                pass
        need(good == 1, f"{where}: fits {good} of the forms")
    if isinstance(value, int) and not isinstance(value, bool):
        need(schema.get("minimum", value) <= value <= schema.get("maximum", value), f"{where}: {value} out of range")
    if isinstance(value, str):
        need(re.search(schema.get("pattern", ""), value), f"{where}: {value} does not match")
        need(schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)), f"{where}: length")
    if isinstance(value, list):
        need(schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)), f"{where}: items")
        for i, x in enumerate(value):
            conforms(x, schema.get("items", {}), f"{where}[{i}]")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        need(all(k in value for k in schema.get("required", [])), f"{where}: a field is missing")
        for k, x in value.items():
            conforms(k, schema.get("propertyNames", {}), f"{where} name {k}")
            more = schema.get("additionalProperties", {})
            need(k in known or more is not False, f"{where}: unknown field {k}")
            conforms(x, known.get(k, more), f"{where}.{k}")


def check_note(raw):
    kind, value, ident = note(raw)
    conforms(value, SCHEMAS[kind])
    return kind, value, ident


# Refusals that a reader of bytes alone can see too.
BY_SIGHT = {"E_ENTRY", "E_NOTE", "E_BASE64", "E_UTF8", "E_TYPE", "E_SIZE", "E_LINES", "E_JSON", "E_CANONICAL"}
# ... except lines that are wrong by what they say, not by their form.
BY_MEANING = {"log-and-other", "countersign-other", "countersign-two", "units-bidi", "units-space",
              "key-contest-order", "collation-rows-space", "override-twice", "override-order",
              "declaration-checkpoint", "dissent-two", "dissent-for-another", "supersede-order", "supersede-twice", "objection-two", "objection-order",
              "objection-same", "audit-seal-two", "audit-open-other-key", "seal-two-keys", "seal-anothers-key", "open-two", "open-illegible-order",
              "open-mark-order", "custody-alone", "custody-other", "accept-order",
              "observation-other-key", "observation-two-keys"}


def base_log():
    raw, at, last, seen = read("vectors", "base.log"), 0, 0, {}
    while at < len(raw):
        size = struct.unpack(">H", raw[at:at + 2])[0]
        ms, whole = entry(raw[at + 2:at + 2 + size])
        at += 2 + size
        need(ms >= last, "time goes back")
        last = ms
        kind, value, ident = check_note(whole)
        need(ident not in seen, "a record stands twice")
        need((kind == "manifest") == (not seen), "the manifest is not the first")
        if seen:
            need(value["election"] == ELECTION[0], "another election")
        else:
            ELECTION.append(ident)
        seen[ident] = kind
    need(at == len(raw) and len(seen) > 40, "the bundle is cut")
    return seen


def objects():
    names = os.listdir(os.path.join(SPEC, "vectors", "objects"))
    for name in names:
        need(hashlib.sha256(read("vectors", "objects", name)).hexdigest() == name, name)
    need(len(names) > 10, "few objects")


def accepted(path, seen):
    kind, value, ident = check_note(read(path))
    need(ident not in seen, "a duplicate")
    if kind != "manifest":
        need(value["election"] == ELECTION[0], "another election")


def refused(path, name, code):
    raw = read(path)
    try:
        check_note(entry(raw)[1] if path.endswith(".entry") else raw)
    except (Bad, ValueError):
        return
    need(code not in BY_SIGHT or name in BY_MEANING, "nothing is wrong with it to a reader of bytes")


def main():
    tests, failed = [], 0
    seen = {}
    tests.append(("objects have their hashes", objects))
    tests.append(("base.log", lambda: seen.update(base_log())))
    for line in read("vectors", "index.tsv").decode().splitlines()[1:]:
        path, before, _, code = line.split("\t")
        name = os.path.basename(path).rsplit(".", 1)[0]
        if code == "OK":
            there = seen if before == "base.log" else {}
            tests.append((path, lambda path=path, there=there: accepted(path, there)))
        else:
            short = name[len(code) + 1:]
            tests.append((path, lambda path=path, short=short, code=code: refused(path, short, code)))
    for i, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f"ok {i} - {name}")
        except Exception as why:  # a test that breaks has failed
            failed += 1
            print(f"not ok {i} - {name}: {why!r}")
    print(f"1..{len(tests)}")
    return 1 if failed else 0


ELECTION = []
BOUNDS = bounds()
SCHEMAS = {kind: json.loads(read("schemas", kind + ".json")) for kind in BOUNDS}
sys.exit(main())
