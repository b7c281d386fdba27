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

    def materialise_variant(self, name, folder="model"):
        variants = json.loads((CHECKPOINTS / "golden.json").read_text())["variants"]
        self.materialise(next(variant for variant in variants if variant["name"].startswith(name))["files"], folder)

    def test_a_folder_without_modules_is_averaged_with_a_word(self):
        self.materialise_variant("bert, no modules.json")
        said = "model has no modules.json"
        for arguments, is_said in (((), True), (("--pooling", "mean"), False), (("--pooling", "cls"), False)):
            result = self.run_tandem("embed", "--model", "model", *arguments, stdin="one\n")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(said in result.stderr, is_said, result.stderr)
        self.materialise_variant("Dense with GELU twice", "whole")
        self.assertNotIn("modules.json", self.run_tandem("embed", "--model", "whole", stdin="one\n").stderr)

    def test_a_partial_folder_is_refused(self):
        self.materialise_variant("Dense with GELU twice")
        weights = self.folder / "model/2_Dense/model.safetensors"
        weights.rename(self.folder / "aside")
        self.refuse("embed", "--model", "model", stdin="one\n", names=["model/2_Dense", "the folder is partial"])
        (self.folder / "aside").rename(weights)
        (self.folder / "model/1_Pooling/config.json").unlink()
        self.refuse("embed", "--model", "model", stdin="one\n",
                    names=["model/1_Pooling/config.json", "model is partial: its modules.json names this module"])

    def test_a_clone_without_its_large_files_is_called_one(self):
        self.materialise_variant("bert, no modules.json")
        pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 90888945\n"
        for name in ("pytorch_model.bin", "tokenizer.json", "config.json"):
            path = self.folder / "model" / name
            content = path.read_bytes()
            path.write_text(pointer)
            self.refuse("embed", "--model", "model", stdin="one\n", names=[f"model/{name}: ", "`git lfs pull`"])
            path.write_bytes(content)

    def test_a_folder_that_has_moved_is_asked_of_nobody(self):
        self.materialise_variant("Dense with GELU twice", "my-secret-model")
        self.write("corpus.jsonl", '{"_id": "1", "text": "one fast boat"}\n')
        self.succeed("index", "collection", "corpus.jsonl", "--model", "my-secret-model")
        self.environment["HF_ENDPOINT"] = "http://127.0.0.1:9"
        self.succeed("search", "collection", "boat", "--mode", "bi")
        (self.folder / "my-secret-model").rename(self.folder / "moved")
        for flags in ((), ("--fetch-named",)):
            message = self.refuse("search", "collection", "boat", "--mode", "bi", *flags,
                                  names=["my-secret-model and is not there any more", "--model says where"])
            self.assertNotIn("127.0.0.1", message)
        self.succeed("search", "collection", "boat", "--mode", "bi", "--model", "moved")

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
