#!/usr/bin/env python3
"""What a collection keeps of its vectors: a search goes by it, as if its query had been embedded by hand."""

import json
import math

from support import CHECKPOINTS, CliTest, main

OFFLINE = ("--offline", "--precision", "f32", "--threads", "1")
DOCUMENTS = {"a": "one fast boat is not slow", "b": "the day is one fast model", "c": "this is not what it is"}
QUERY = "a fast boat"


class RecipeTest(CliTest):
    def setUp(self):
        super().setUp()
        variants = json.loads((CHECKPOINTS / "golden.json").read_text())["variants"]
        self.materialise(variants[0]["files"], "model")
        one_label = next(row for row in variants if "1 label" in row["name"] or "one label" in row["name"])
        self.materialise(one_label["files"], "cross")
        (self.folder / "model/1_Pooling").mkdir(exist_ok=True)
        modules = [{"path": "", "type": "sentence_transformers.models.Transformer"},
                   {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
        self.write("model/modules.json", json.dumps(modules))
        self.write("model/1_Pooling/config.json", json.dumps({"pooling_mode": "mean"}))
        self.write_jsonl("corpus.jsonl", [{"_id": key, "text": text} for key, text in DOCUMENTS.items()])

    def declare(self, **members):
        self.write("model/config_sentence_transformers.json", json.dumps(members))

    def embed(self, text):
        printed = self.succeed("embed", "--model", "model", *OFFLINE, "--format", "jsonl",
                               stdin=json.dumps({"text": text}) + "\n")
        return json.loads(printed)

    def index(self, *options):
        self.succeed("index", "c", "corpus.jsonl", "--model", "model", *OFFLINE, *options)

    def hits(self, *options):
        return json.loads(self.succeed("search", "c", QUERY, "--mode", "bi", "--json", *OFFLINE, *options))["results"]

    def expect_distances(self, query_prompt, document_prompt):
        self.declare()
        query = self.embed(query_prompt + QUERY)
        wanted = {key: math.dist(query, self.embed(document_prompt + text)) for key, text in DOCUMENTS.items()}
        for hit in self.hits():
            self.assertAlmostEqual(hit["distance"], wanted[hit["id"]], places=4)

    def test_documents_and_queries_have_prompts_of_their_own(self):
        prompts = {"query": "the day ", "passage": "what it is "}
        for options, query, document in (
                ((), "the day ", ""),
                (("--prompt", "passage"), "the day ", "what it is "),
                (("--document-prompt", "passage", "--query-prompt", "passage"), "what it is ", "what it is "),
                (("--document-prompt", "slow: ", "--query-prompt", ""), "", "slow: ")):
            self.declare(prompts=prompts)
            self.index(*options)
            self.expect_distances(query, document)

    def test_a_misspelt_prompt_is_refused(self):
        self.declare(prompts={"query": "the day "})
        self.refuse("index", "c", "corpus.jsonl", "--model", "model", *OFFLINE, "--document-prompt", "pasage", status=2,
                    names=["no prompt is named 'pasage'", "its prompts are query"])

    def test_vectors_are_compared_as_declared_or_as_asked(self):
        for similarity, options, metric in ((None, (), "l2"), ("dot", (), "inner_product"), ("cosine", (), "cosine"),
                                            ("euclidean", (), "l2"), ("cosine", ("--normalize",), "inner_product"),
                                            ("manhattan", ("--metric", "ip"), "inner_product"),
                                            ("dot", ("--metric", "cosine"), "cosine")):
            self.declare(**({"similarity_fn_name": similarity} if similarity else {}))
            self.index(*options)
            info = json.loads(self.succeed("collection", "info", "c", "--json"))
            self.assertEqual(info["metric"], metric, (similarity, options))
        self.refuse("index", "c", "corpus.jsonl", "--model", "model", *OFFLINE, "--metric", "manhattan", status=2,
                    names=["manhattan"])
        self.declare(similarity_fn_name="manhattan")
        self.refuse("index", "c", "corpus.jsonl", "--model", "model", *OFFLINE,
                    names=["'manhattan' (similarity_fn_name)"])

    def test_cosines_are_those_of_the_vectors(self):
        self.declare(similarity_fn_name="cosine")
        self.index()
        query = self.embed(QUERY)
        for hit in self.hits():
            vector = self.embed(DOCUMENTS[hit["id"]])
            cosine = sum(a * b for a, b in zip(query, vector)) / math.hypot(*query) / math.hypot(*vector)
            self.assertAlmostEqual(hit["retrieval_score"], cosine, places=5)

    def test_a_text_without_words_stands_last(self):
        self.declare()
        self.write_jsonl("corpus.jsonl", [{"_id": key, "text": text} for key, text in
                                          {**DOCUMENTS, "blank": "", "space": " \t ", "mark": "\u200b"}.items()])
        self.index()
        for query in ("boat", "day", "what", "a", "is it slow"):
            for mode in ("hybrid", "cross"):
                printed = self.succeed("search", "c", query, "--mode", mode, "--cross-model", "cross", "--json",
                                       *OFFLINE)
                hits = json.loads(printed)["results"]
                self.assertEqual({hit["id"] for hit in hits[-3:]}, {"blank", "space", "mark"}, (query, mode))
                self.assertLessEqual(hits[-1]["final_score"], min(hit["final_score"] for hit in hits))
            ranked = self.succeed("rerank", "--query", query, "--model", "cross", *OFFLINE,
                                  stdin="one fast boat\n\nthe day\n")
            self.assertEqual(ranked.splitlines()[-1].split("\t")[-1], "", query)


if __name__ == "__main__":
    main()
