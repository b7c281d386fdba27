#!/usr/bin/env python3
"""tandem collection: what a collection says of itself, and damage that is found. No model is needed for either."""

import json
import shutil

from support import ROOT, CliTest, main

GOLDENS = ROOT / "tests/goldens/collections"


class CollectionTest(CliTest):
    def copy_of(self, version):
        folder = self.folder / f"version-{version}"
        shutil.copytree(GOLDENS / folder.name, folder)
        return folder

    def test_info_says_how_the_vectors_were_made(self):
        collection = self.copy_of(2)
        info = json.loads(self.succeed("collection", "info", collection, "--json"))
        self.assertEqual((info["documents"], info["segments"], info["metric"]), (5, 1, "l2"))
        recipe = info["recipe"]
        self.assertEqual((recipe["model"], recipe["dimensions"], recipe["precision"]), ("tiny-bert", 64, "f32"))
        self.assertEqual((recipe["title_separator"], recipe["query_prompt"]), ("[SEP]", ""))
        self.assertEqual(info["not_recorded"], [])
        lines = self.succeed("collection", "info", collection)
        self.assertIn("title separator  '[SEP]'\n", lines)
        self.assertIn("documents        5 in 1 segment\n", lines)

    def test_info_says_what_an_old_collection_did_not_record(self):
        collection = self.copy_of(1)
        info = json.loads(self.succeed("collection", "info", collection, "--json"))
        self.assertIn("title separator: a blank", info["not_recorded"])
        self.assertIn("not recorded     title separator: a blank\n", self.succeed("collection", "info", collection))

    def test_verify_finds_one_bit(self):
        collection = self.copy_of(2)
        report = json.loads(self.succeed("collection", "verify", collection, "--json"))
        self.assertEqual((report["documents"], report["checksums"]), (5, True))
        vectors = collection / "generation-000001/vectors.f32"
        content = bytearray(vectors.read_bytes())
        content[700] ^= 1
        vectors.write_bytes(content)
        self.refuse("collection", "verify", collection, names=["vectors.f32", "block 1 of 1", "checksum"])

    def test_verify_reads_every_document(self):
        collection = self.copy_of(2)
        documents = collection / "generation-000001/documents.sqlite"
        content = documents.read_bytes()
        documents.write_bytes(content.replace(b'{"price":3.5', b'{"price":3.}'))
        self.refuse("collection", "verify", collection, names=["documents.sqlite", "document 0"])

    def test_verify_says_where_there_is_nothing_to_check_by(self):
        result = self.run_tandem("collection", "verify", self.copy_of(1))
        self.assertEqual(result.returncode, 0)
        self.assertIn("no checksums", result.stderr)

    def test_a_long_title_separator_is_refused(self):
        collection = self.copy_of(2)
        manifest = collection / "generation-000001/manifest.json"
        content = json.loads(manifest.read_text())
        content["recipe"]["title_separator"] = ". " * 1000
        manifest.write_text(json.dumps(content))
        self.refuse("collection", "info", collection, names=["title_separator has 2000 bytes, want at most 1024"])

    def test_no_collection_is_an_error(self):
        for command in ("info", "verify"):
            self.refuse("collection", command, self.folder / "none", names=["there is no such collection"])


if __name__ == "__main__":
    main()
