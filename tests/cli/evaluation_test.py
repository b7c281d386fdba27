#!/usr/bin/env python3
"""tandem eval, without any model: runs against judgements."""

import json

from support import CliTest, main

QRELS = "q1 0 a 2\nq1 0 b 1\nq2 0 a 1\nq3 0 c 1\n"
FIRST = "q1 Q0 b 1 3 x\nq1 Q0 a 2 2 x\nq2 Q0 b 1 2 x\nq2 Q0 a 2 1 x\nq3 Q0 c 1 1 x\n"
SECOND = "q1 Q0 a 1 3 y\nq1 Q0 b 2 2 y\nq2 Q0 a 1 2 y\nq3 Q0 b 1 2 y\nq3 Q0 c 2 1 y\n"


class Evaluation(CliTest):
    def setUp(self):
        super().setUp()
        self.qrels = self.write("qrels", QRELS)
        self.first = self.write("first.trec", FIRST)
        self.second = self.write("second.trec", SECOND)

    def report(self, *arguments):
        return json.loads(self.succeed("eval", "--qrels", self.qrels, *arguments, "--json"))

    def test_a_table_has_a_column_for_each_metric(self):
        lines = self.succeed("eval", "--qrels", self.qrels, "--run", self.first, "--metrics", "mrr,P_1").splitlines()
        self.assertEqual([line.split() for line in lines],
                         [["mrr", "precision@1"], ["first.trec", "0.8333", "0.6667"]])

    def test_json_has_means_and_every_query(self):
        (run,) = self.report("--run", self.first, "--metrics", "mrr", "--per-query")["runs"]
        self.assertAlmostEqual(run["metrics"]["mrr"], 2.5 / 3)
        self.assertEqual(run["per_query"], {"q1": {"mrr": 1}, "q2": {"mrr": 0.5}, "q3": {"mrr": 1}})

    def test_every_query_has_a_line(self):
        text = self.succeed("eval", "--qrels", self.qrels, "--run", self.first, "--metrics", "mrr", "--per-query")
        self.assertIn(f"{self.first}\tq2\tmrr\t0.500000\n", text)

    def test_later_runs_are_compared_with_the_first(self):
        first, second = self.report("--run", self.first, "--run", self.second, "--metrics", "mrr")["runs"]
        self.assertNotIn("against_first", first)
        comparison = second["against_first"]["mrr"]
        self.assertEqual([comparison[key] for key in ("difference", "wins", "losses", "ties")], [0, 1, 1, 1])
        self.assertEqual((comparison["permutation_p"], comparison["permutation_exhaustive"]), (1, True))
        table = self.succeed("eval", "--qrels", self.qrels, "--run", self.first, "--run", self.second)
        for row in ("difference", "95 % interval", "p, t-test", "p, permutation", "won/lost/tied"):
            self.assertIn(row, table)

    def test_the_seed_makes_it_repeatable(self):
        runs = ["--run", self.first, "--run", self.second, "--resamples", "50", "--metrics", "ndcg"]
        once, again = (self.report(*runs, "--seed", 5)["runs"][1]["against_first"] for _ in range(2))
        self.assertEqual(once, again)
        self.assertLess(*once["ndcg"]["interval"])

    def test_what_is_missing_is_said_and_counts_as_zero(self):
        run = self.write("part.trec", "q1 Q0 a 1 1 x\nq9 Q0 a 1 1 x\nq1 Q0 z 1 0 x\n")
        result = self.run_tandem("eval", "--qrels", self.qrels, "--run", run, "--metrics", "mrr")
        self.assertIn("0.3333", result.stdout)
        self.assertIn("2 queries of the qrels without results", result.stderr)
        self.assertIn("1 query not in the qrels", result.stderr)
        self.assertIn("1 of 2 results not judged", result.stderr)
        (answered,) = self.report("--run", run, "--metrics", "mrr", "--answered-only")["runs"]
        self.assertEqual((answered["metrics"]["mrr"], answered["queries"]), (1, 1))

    def test_document_ids_with_blanks_are_refused_by_their_line(self):
        run = self.write("blank.trec", "q1 Q0 alpha one 1 9.0 r\nq1 Q0 beta two 2 8.0 r\n")
        self.refuse("eval", "--qrels", self.qrels, "--run", run, names=["blank.trec:1: ", "blank"])

    def test_bad_lines_are_named(self):
        for name, text in (("nan.trec", "q1 Q0 a 1 1 x\nq1 Q0 b 2 nan x\n"), ("short.trec", "q1 Q0 a 1 1 x\nq1 Q0\n"),
                           ("twice.trec", "q1 Q0 a 1 1 x\nq1 Q0 a 2 1 x\n")):
            self.refuse("eval", "--qrels", self.qrels, "--run", self.write(name, text), names=[f"{name}:2: "])
        self.refuse("eval", "--qrels", self.write("bad", "q1 0 a one\n"), "--run", self.first, names=["bad:1: "])

    def test_files_that_hold_nothing_are_refused(self):
        empty = self.write("empty", "")
        self.refuse("eval", "--qrels", empty, "--run", self.first, names=["holds no judgement"])
        self.refuse("eval", "--qrels", self.qrels, "--run", empty, names=["holds no result"])
        self.refuse("eval", "--qrels", self.qrels, "--run", "missing.trec", names=["missing.trec"])

    def test_runs_of_other_queries_are_refused(self):
        run = self.write("other.trec", "101 Q0 a 1 1 x\n")
        self.refuse("eval", "--qrels", self.qrels, "--run", run, names=["other.trec", "'101'", "'q1'"])

    def test_what_makes_no_sense_is_a_usage_error(self):
        given = ["--qrels", self.qrels, "--run", self.first]
        for arguments, name in ((["--run", self.first], "--qrels"), (["--qrels", self.qrels], "--run"),
                                ([*given, "--metrics", "ndgc@10"], "'ndgc@10'"), ([*given, "c.tandem"], "COLLECTION"),
                                ([*given, "--queries", "q"], "COLLECTION"), ([*given, "--pairs", "p"], "--pairs"),
                                ([*given, "--output-run", "r"], "COLLECTION"),
                                ([*given, "--confidence", "2"], "--confidence"),
                                ([*given, "--relevance-level", "0"], "--relevance-level"),
                                ([*given, "--run", self.second, "--answered-only"], "--answered-only"),
                                ([*given, "--pooling", "cls"], "--pairs"),
                                ([*given, "--confidence", "nan"], "--confidence"),
                                ([*given, "--tag", "two words"], "--tag"),
                                (["--pairs", "p.jsonl", "--metrics", "map"], "--metrics"),
                                (["--pairs", "p.jsonl", "--output-run", "r"], "--output-run"),
                                ([*given, "--dimensions", "2"], "--pairs")):
            self.refuse("eval", *arguments, status=2, names=[name])

    def test_labelled_pairs_are_checked_before_any_model_is_looked_for(self):
        pair = {"text_a": "one", "text_b": "two"}
        for name, rows, message in (("none", [], "no pair"), ("bare", [pair], "neither"),
                                    ("three", [pair | {"label": 3}], "expected true, false, 1 or 0"),
                                    ("half", [pair | {"score": 2}, pair | {"label": True}], "1 of 2 pairs")):
            path = self.write_jsonl(f"{name}.jsonl", rows)
            self.refuse("eval", "--pairs", path, "--model", "nobody/nothing", names=[f"{name}.jsonl", message])
        self.refuse("eval", "--pairs", self.write("pairs.txt", "a\tb\n"), status=2, names=["JSON lines"])


if __name__ == "__main__":
    main()
