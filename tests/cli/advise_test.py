#!/usr/bin/env python3
"""tandem advise as far as it goes without a model: what it refuses, and the table of scenarios."""

import json
import re
import shlex

from support import DATA, ROOT, CliTest, main

CORPUS = DATA / "corpus.jsonl"
QRELS = DATA / "qrels.tsv"
QUERIES = DATA / "queries.jsonl"
JUDGED = [CORPUS, "--queries", QUERIES, "--qrels", QRELS]
NO_MODEL = ["--model", "nobody/nothing", "--offline"]


class Usage(CliTest):
    def test_what_makes_no_sense_is_a_usage_error(self):
        for arguments, name in (([], "CORPUS"), ([CORPUS, "--queries", QUERIES], "--qrels"),
                                ([CORPUS, "--qrels", QRELS], "--queries"),
                                ([*JUDGED, "--clicks", "c.tsv"], "--clicks"),
                                ([CORPUS, "--first-stage", "run.trec"], "--first-stage"),
                                ([CORPUS, "--max-cost", "1"], "--price-per-hour"),
                                ([CORPUS, "--budget", "soon"], "'soon'"), ([CORPUS, "--budget", "0s"], "'0s'"),
                                ([CORPUS, "--metric", "ndgc"], "'ndgc'"), ([CORPUS, "--depths", "0"], "--depths"),
                                ([CORPUS, "--alphas", "2"], "--alphas"),
                                ([CORPUS, "--min-recall", "1.5"], "--min-recall"),
                                ([CORPUS, "--queries-from", "air"], "'air'")):
            self.refuse("advise", *arguments, status=2, names=[name])

    def test_goals_must_be_numbers_above_zero(self):
        for goal in ("--p95-ms", "--max-cost", "--min-recall", "--price-per-hour"):
            for value in ("0", "-1", "nan", "inf", "fast"):
                self.refuse("advise", CORPUS, f"{goal}={value}", status=2, names=[goal])

    def test_files_are_checked_before_any_model_is_looked_for(self):
        twice = self.write_jsonl("twice.jsonl", [{"_id": "a", "text": "one"}, {"_id": "a", "text": "two"}])
        short = self.write_jsonl("short.jsonl", [{"_id": "a", "text": "Too short."}])
        strange = self.write("strange.tsv", "query-id\tcorpus-id\tscore\nq1\tnowhere\t1\n")
        nothing = self.write("nothing.tsv", "query-id\tcorpus-id\tscore\nq1\twal\t0\n")
        others = self.write("others.tsv", "query-id\tcorpus-id\tscore\nx9\twal\t1\n")
        clicks = self.write("clicks.tsv", "a query\tnowhere\t3\n")
        empty = self.write("empty.jsonl", "")
        error = self.refuse("advise", empty, *NO_MODEL, names=["empty.jsonl: holds no document"])
        self.assertNotIn("nobody/nothing", error)
        for arguments, names in (([twice], ["'a'"]),
                                 ([short], ["no test can be made of 1 document"]),
                                 (["missing.jsonl"], ["missing.jsonl"]),
                                 ([CORPUS, "--clicks", clicks], ["'nowhere'"]),
                                 ([CORPUS, "--clicks", "missing.tsv"], ["missing.tsv"]),
                                 ([CORPUS, "--queries", QUERIES, "--qrels", strange], ["'nowhere'"]),
                                 ([CORPUS, "--queries", QUERIES, "--qrels", nothing], ["relevant to any query"]),
                                 ([CORPUS, "--queries", QUERIES, "--qrels", others], ["none of its 4 queries", "'x9'"]),
                                 ([CORPUS, "--report", "no/such/page.html"], ["no/such/page.html"]),
                                 ([*JUDGED, "--first-stage", "bi", "--first-stage", "missing.trec"],
                                  ["missing.trec"])):
            result = self.run_tandem("advise", *arguments, *NO_MODEL)
            self.assertNotEqual(result.returncode, 0)
            for name in names:
                self.assertIn(name, result.stderr)
            self.assertNotIn("nobody/nothing", result.stderr)

    def test_nothing_that_is_read_is_replaced(self):
        (self.folder / "docs").mkdir()
        page = self.write("docs/page.md", "A page of some words.")
        drawing = self.write("quality-and-time.svg", "One text. Another text.")
        queries, judged = self.write("q.jsonl", ""), self.write("qrels", "")
        for arguments, name in ((["docs", "--report", page], "lies in docs"),
                                (["docs", "--report", "new.cache", "--cache", "new.cache"], "this file is read"),
                                (["docs", "--report", judged, "--queries", queries, "--qrels", judged], "is read"),
                                ([drawing, "--svg", "."], "quality-and-time.svg")):
            self.refuse("advise", *arguments, *NO_MODEL, status=2, names=[name])
        self.assertEqual((self.folder / "docs/page.md").read_text(), "A page of some words.")
        self.assertEqual((self.folder / "quality-and-time.svg").read_text(), "One text. Another text.")

    def test_lines_of_clicks_are_named(self):
        clicks = self.write("clicks.jsonl", '{"query": "a", "clicked": ["wal"]}\n{"query": "b"}\n')
        self.refuse("advise", CORPUS, "--clicks", clicks, *NO_MODEL, names=["clicks.jsonl:2: ", "document_id"])


class Scenarios(CliTest):
    def setUp(self):
        super().setUp()
        self.scenarios = json.loads(self.succeed("advise", "--scenarios", "--json"))["scenarios"]

    def test_there_are_fourteen_with_a_recommendation_and_a_reason(self):
        self.assertEqual(len(self.scenarios), 14)
        recommended = [scenario["recommended"] for scenario in self.scenarios]
        self.assertEqual({name: recommended.count(name) for name in set(recommended)},
                         {"bi-encoder": 6, "cross-encoder": 7, "hybrid": 1})
        for scenario in self.scenarios:
            self.assertRegex(scenario["reason"], r"^[A-Z].*\.$")

    def test_the_text_and_the_documentation_have_the_same_table(self):
        text = self.succeed("advise", "--scenarios")
        page = (ROOT / "docs/advise.md").read_text(encoding="utf-8")
        for scenario in self.scenarios:
            for part in scenario.values():
                self.assertIn(part, text)
                self.assertIn(part, page)

    def test_the_commands_name_commands_and_files_that_exist(self):
        for scenario in self.scenarios:
            words = shlex.split(scenario["command"])
            self.assertEqual(words[0], "tandem")
            self.succeed("help", words[1])
            for word in words:
                if word.startswith("examples/"):
                    self.assertTrue((ROOT / word).exists(), word)
            options = [word for word in words if re.match(r"--\w", word)]
            usage = self.succeed("help", *(words[1:3] if words[1] in ("bench", "demo") else words[1:2]))
            for option in options:
                self.assertIn(option, usage)


if __name__ == "__main__":
    main()
