#!/usr/bin/env python3
"""Model folders that were changed at random, against what the reference answered: tests/goldens/folders, which
tests/oracle/folder_parity.py makes."""

import json
import math
import sys
import unittest

import support

sys.path.insert(0, str(support.ROOT / "tests/oracle"))
import folder_changes  # pylint: disable=wrong-import-position

GOLDENS = support.ROOT / "tests/goldens/folders"
GOLDEN = json.loads((GOLDENS / "folders.json").read_text(encoding="utf-8"))
COMPONENT_MAX, SCORE_MAX = 5e-5, 1e-3
COMPUTE = ("--precision", "f32", "--threads", "1")


def content_of(name, stored):
    data = (GOLDENS / stored).read_bytes()
    return json.loads(data) if name.endswith(".json") else data


class FoldersTest(support.CliTest):
    def setUp(self):
        super().setUp()
        self.texts = self.write_jsonl("texts.jsonl", [{"text": text} for text in GOLDEN["texts"]])
        pairs = [{"query": query, "document": document} for query, document in GOLDEN["pairs"]]
        self.pairs = self.write_jsonl("pairs.jsonl", pairs)

    def make(self, index, row):
        files = {name: content_of(name, stored) for name, stored in GOLDEN["bases"][row["base"]].items()}
        for change in row["changes"]:
            self.assertTrue(folder_changes.change_file(files, change["file"], change["path"], change["value"]))
        folder = self.folder / f"model-{index}"
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(folder_changes.bytes_of(name, content))
        return folder

    def test_a_folder_gives_what_the_reference_gives_or_is_refused(self):
        for index, row in enumerate(GOLDEN["folders"]):
            with self.subTest(index=index, base=row["base"], changes=row["changes"]):
                self.check(row, self.make(index, row))

    def check(self, row, folder):
        is_cross = "cross" in row["base"]
        options = ("--model", folder, "--offline")
        inputs = ("--pair", "--input", self.pairs) if is_cross else ("--input", self.texts)
        command = ("score", "--input", self.pairs) if is_cross else ("embed", "--input", self.texts)
        result = self.run_tandem(*command, *options, *COMPUTE)
        if row.get("refused") or row.get("or_refused") and result.returncode:
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertRegex(result.stderr, r"^tandem: .+\n$")
            return
        self.assertEqual(result.returncode, 0, result.stderr)
        self.check_values(row["values"], result.stdout.splitlines(), SCORE_MAX if is_cross else COMPONENT_MAX)
        self.check_tokens(row["tokens"], self.succeed("tokenize", *inputs, *options).splitlines())

    def check_values(self, wanted, lines, limit):
        for index, values in wanted.items():
            line = lines[int(index)]
            found = json.loads(line) if line.startswith("[") else [float(word) for word in line.split("\t")]
            self.assertEqual(len(values), len(found))
            scale = max(1.0, *map(abs, values)) if line.startswith("[") else 1.0
            worst = max(math.fabs(value - other) for value, other in zip(values, found))
            self.assertLessEqual(worst, limit * scale, f"input {index}")

    def check_tokens(self, wanted, lines):
        self.assertEqual(len(wanted), len(lines))
        for tokens, line in zip(wanted, lines):
            if tokens is not None:
                found = json.loads(line)
                self.assertEqual(tokens["ids"], found["ids"])
                self.assertEqual(tokens.get("type_ids", [0] * len(found["ids"])), found["type_ids"])


if __name__ == "__main__":
    support.main()
