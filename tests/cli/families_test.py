#!/usr/bin/env python3
"""Adapters and heads of several labels from the command line, with the tiny checkpoints of tests/checkpoints."""

import json
import unittest

from support import CHECKPOINTS, CliTest


class Families(CliTest):
    def store_adapter(self):
        variant = json.loads((CHECKPOINTS / "adapters.json").read_text())["variants"][0]
        self.materialise(variant["files"], "home/models/tandem-tests--bert", "tandem-tests/bert")
        self.materialise(variant["adapter_files"], "home/models/org--adapter", "org/adapter")
        text = json.loads((CHECKPOINTS / "adapters.json").read_text())["texts"][0]
        return variant["results"][0], text + "\n"

    def embed(self, text, *arguments):
        return json.loads(self.succeed("embed", "--offline", "--precision", "f32", *arguments, stdin=text))

    def test_the_id_of_an_adapter_brings_its_model(self):
        wanted, text = self.store_adapter()
        for arguments in (("--model", "org/adapter"), ("--model", "tandem-tests/bert", "--adapter", "org/adapter")):
            for found, value in zip(self.embed(text, *arguments), wanted, strict=True):
                self.assertAlmostEqual(found, value, delta=2e-5 * max(1, abs(value)))
        tokens = self.succeed("tokenize", "--offline", "--model", "org/adapter", stdin=text)
        self.assertIn("[SEP]", json.loads(tokens)["tokens"])

    def test_a_collection_finds_its_adapter_again(self):
        self.store_adapter()
        lines = ['{"_id": "1", "text": "one fast boat"}', '{"_id": "2", "text": "day"}']
        (self.folder / "corpus.jsonl").write_text("\n".join(lines))
        self.succeed("index", "collection", "corpus.jsonl", "--offline", "--model", "org/adapter")
        found = self.succeed("search", "collection", "boat", "--offline", "--mode", "bi", "--format", "json")
        self.assertEqual(len(json.loads(found)["results"]), 2)

    def test_adapters_that_cannot_be_run_are_named(self):
        self.store_adapter()
        twice = ("--model", "org/adapter", "--adapter", "org/adapter")
        self.refuse("embed", "--offline", *twice, status=2, names=["--adapter"])
        self.refuse("embed", "--offline", "--model", "tandem-tests/bert", "--adapter", "org/other", names=["org/other"])
        self.refuse("score", "--offline", "--model", "org/adapter", names=["org/adapter is an adapter"])

    def test_token_types_that_the_model_has_not_are_refused(self):
        variant = json.loads((CHECKPOINTS / "golden.json").read_text())["variants"][0]
        self.materialise(variant["files"], "model")
        path = self.folder / "model/tokenizer.json"
        tokenizer = json.loads(path.read_text())
        sequences = [{"Sequence": {"id": name, "type_id": 100}} for name in "AB"]
        tokenizer["post_processor"] = {"type": "TemplateProcessing", "single": sequences[:1], "pair": sequences,
                                       "special_tokens": {}}
        path.write_text(json.dumps(tokenizer))
        self.refuse("embed", "--model", "model", stdin="one\n", names=["model", "texts the token type 100", "2 types"])

    def test_a_table_of_no_token_types_is_refused(self):
        variant = json.loads((CHECKPOINTS / "golden.json").read_text())["variants"][0]
        self.materialise(variant["files"], "model")
        path = self.folder / "model/config.json"
        path.write_text(path.read_text().replace('"type_vocab_size": 2', '"type_vocab_size": 0'))
        self.refuse("embed", "--model", "model", stdin="one\n", names=["type_vocab_size is 0"])

    def test_no_output_replaces_the_input(self):
        variant = json.loads((CHECKPOINTS / "golden.json").read_text())["variants"][0]
        self.materialise(variant["files"], "model")
        path = self.write("texts.txt", "one\n")
        self.refuse("embed", "--model", "model", "--input", path, "--output", path, status=2, names=["--output", path])
        self.refuse("advise", path, "--report", path, status=2, names=["--report", path])
        self.assertEqual((self.folder / "texts.txt").read_text(), "one\n")

    def test_scores_of_several_labels_carry_their_names(self):
        rows = json.loads((CHECKPOINTS / "golden.json").read_text())["variants"]
        variant = next(row for row in rows if row["name"] == "distilbert, 3 labels, softmax")
        self.materialise(variant["files"], "model")
        output = self.succeed("score", "--model", "model", "--json", "--activation", "softmax", "--precision", "f32",
                              stdin="what is it\tthis is a fast model, not a slow one.\n")
        answer = json.loads(output)
        self.assertEqual(answer["labels"], ["entailment", "neutral", "contradiction"])
        for found, wanted in zip(answer["scores"][0], variant["results"][0], strict=True):
            self.assertAlmostEqual(found, wanted, delta=2e-5)


if __name__ == "__main__":
    unittest.main()
