#!/usr/bin/env python3
"""Turns the output of `apt-cache dumpavail` (standard input) into documents for `tandem index` (standard output).

Takes programs that people use (debtags' role::program) before other packages, spread evenly over the alphabet, so that
the same package list always gives the same documents.
"""

import argparse
import json
import sys


def read_packages(lines):
    """Yields (name, description, is_program) for each package stanza."""
    fields, key = {}, None
    for line in lines:
        line = line.rstrip("\n")
        if not line:
            if fields:
                yield fields
            fields, key = {}, None
        elif line[0] in " \t":
            if key:
                fields[key] += "\n" + line.strip()
        else:
            key, _, value = line.partition(":")
            fields[key] = value.strip()
    if fields:
        yield fields


def to_document(fields):
    """The package as a document, or None where it has no description. A lone "." stands for a blank line."""
    text = fields.get("Description") or fields.get("Description-en") or ""
    lines = ["" if line == "." else line for line in text.split("\n")]
    if "Package" not in fields or not lines[0]:
        return None
    metadata = {"section": fields.get("Section", ""), "homepage": fields.get("Homepage", "")}
    return {"_id": fields["Package"], "title": fields["Package"], "text": "\n".join(lines), "metadata": metadata}


def spread(items, count):
    """`count` of the items at even distances, or all of them."""
    if len(items) <= count:
        return items
    return [items[index * len(items) // count] for index in range(count)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000, help="how many documents to write")
    count = parser.parse_args().count

    programs, others, seen = [], [], set()
    for fields in read_packages(sys.stdin):
        document = to_document(fields)
        if document and document["_id"] not in seen:
            seen.add(document["_id"])
            (programs if "role::program" in fields.get("Tag", "") else others).append(document)
    programs = spread(programs, count)
    chosen = programs + spread(others, count - len(programs))
    if not chosen:
        sys.exit("packages_to_jsonl: no package with a description on standard input")
    for document in chosen:
        print(json.dumps(document, ensure_ascii=False))


if __name__ == "__main__":
    main()
