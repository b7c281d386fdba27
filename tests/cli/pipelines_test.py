#!/usr/bin/env python3
"""tandem eval --pipelines with real models, on the sample data."""

import json

from support import BI, CROSS, DATA, OTHER_BI, CliTest, encoders, main_with_models, model


class Pipelines(CliTest):
    QUERIES = DATA / "queries.jsonl"
    QRELS = DATA / "qrels.tsv"

    def setUp(self):
        super().setUp()
        self.succeed("index", "c.tandem", DATA / "corpus.jsonl", DATA / "faq.jsonl", "--model", model(BI))

    def arguments(self, *more, bi_encoder=BI):
        has_bi = "--first-stage" not in more or "bi" in more
        models = encoders(*more, bi_encoder=bi_encoder) if has_bi else ["--cross-model", model(CROSS)]
        return ["eval", "c.tandem", "--queries", self.QUERIES, "--qrels", self.QRELS, *models, "--pipelines",
                "--metrics", "ndcg@10,map", *more]

    def report(self, *more):
        return json.loads(self.succeed(*self.arguments("--json", *more)))

    def test_every_setting_has_the_values_of_its_search(self):
        report = self.report("--depths", "20,5", "--alphas", "1,0.5")
        self.assertEqual([setting["name"] for setting in report["settings"]],
                         ["bi"] + [f"bi + cross, top {depth}, alpha {alpha}"
                                     for depth in (20, 5) for alpha in (1, 0.5)])
        for setting in report["settings"]:
            results = setting.get("candidates", 20)
            search = ["--mode", "bi", "--final-top-k", results]
            if "alpha" in setting:
                search = ["--alpha", setting["alpha"], "--initial-top-k", results, "--final-top-k", results]
            (run,) = json.loads(self.succeed(
                "eval", "c.tandem", "--queries", self.QUERIES, "--qrels", self.QRELS, *encoders(*search),
                "--metrics", "ndcg@10,map", "--json", *search))["runs"]
            for metric, value in run["metrics"].items():
                self.assertAlmostEqual(setting["metrics"][metric]["mean"], value, places=12)
                low, high = setting["metrics"][metric]["interval"]
                self.assertTrue(low <= value <= high)
            self.assertEqual(sum(setting[key] for key in ("found", "lost_in_retrieval", "lost_in_ranking")),
                             report["queries"])
        self.assertEqual(report["counts"]["texts_computed"], report["queries"], "the vectors are the collection's")
        self.assertEqual(report["counts"]["pairs_computed"], 20 * report["queries"])

    def test_a_cache_spares_all_work_the_second_time(self):
        first = self.report("--depths", "10", "--cache", "values.cache", "--per-query")
        again = self.report("--depths", "10", "--cache", "values.cache", "--per-query")
        self.assertEqual((again["counts"]["texts_computed"], again["counts"]["pairs_computed"]), (0, 0))
        self.assertGreater(first["counts"]["pairs_computed"], 0)
        for one, other in zip(first["settings"], again["settings"]):
            self.assertEqual(one["metrics"], other["metrics"])
            self.assertEqual(one["times"]["rerank"], other["times"]["rerank"])
            self.assertEqual(list(one["per_query"]), list(other["per_query"]))
        other = self.write("other", "x" * 100)
        self.refuse(*self.arguments("--cache", other), names=["other", "not a file of computed"])

    def test_a_run_is_a_first_stage_too(self):
        report = self.report("--first-stage", "bi", "--first-stage", DATA / "keyword.trec", "--depths", "10",
                             "--alphas", "1")
        self.assertEqual([setting["name"] for setting in report["settings"]],
                         ["bi", "bi + cross, top 10, alpha 1", "keyword", "keyword + cross, top 10, alpha 1"])
        self.assertTrue(any("keyword: its results come from a run" in remark for remark in report["remarks"]))
        alone = json.loads(self.succeed("eval", "--qrels", self.QRELS, "--run", DATA / "keyword.trec", "--metrics",
                                        "ndcg@10", "--json"))["runs"][0]
        self.assertAlmostEqual(report["settings"][2]["metrics"]["ndcg@10"]["mean"], alone["metrics"]["ndcg@10"])
        self.assertNotIn("model", self.report("--first-stage", DATA / "keyword.trec", "--depths", "5"))

    def test_tables_show_quality_times_losses_and_ceilings(self):
        result = self.run_tandem(*self.arguments("--depths", "10", "--alphas", "1", "--cross-only", "--sample", "2"))
        self.assertEqual(result.returncode, 0, result.stderr)
        for text in ("ndcg@10", "±", "ms, p50/p95", "lost in retrieval", "cross over all", "bi, top 10", "recall",
                     "none twice"):
            self.assertIn(text, result.stdout)
        self.assertIn("2 of 3 judged queries were drawn with seed 0", result.stderr)
        self.assertIn("half of the 95 % interval", result.stderr)
        lines = self.succeed(*self.arguments("--mode", "bi", "--per-query")).splitlines()
        self.assertEqual(len([line for line in lines if line.startswith("bi\t")]), 3 * 2)
        self.assertFalse(any("cross" in line for line in lines))

    def test_a_budget_ends_it(self):
        report = self.report("--budget", "0.001", "--depths", "1")
        self.assertEqual(report["queries"], 3, "fewer than five are always answered")
        self.assertTrue(any("over all" in remark for remark in report["remarks"]), report["remarks"])

    def test_queries_without_judgements_and_judgements_without_queries_are_left_out_as_in_a_search(self):
        queries = self.write_jsonl("q.jsonl", [{"_id": "1", "text": "returning an order"}, {"_id": "new", "text": "a"},
                                               {"_id": "2", "text": "a forgotten password"}])
        qrels = self.write("qrels", "1 0 faq-return 1\n2 0 faq-password 1\n2 0 faq-refund 1\n" +
                           "".join(f"other{number} 0 faq-return 1\n" for number in range(8)))
        command = ["eval", "c.tandem", "--queries", queries, "--qrels", qrels, "--mode", "bi", "--model", model(BI),
                   "--metrics", "ndcg@10,mrr", "--json"]
        search, sweep = self.run_tandem(*command), self.run_tandem(*command, "--pipelines")
        for result in (search, sweep):
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("1 query has no judgement: left out", result.stderr)
            self.assertIn("8 judged queries are not among the queries: left out", result.stderr)
        report = json.loads(search.stdout)
        (run,) = report["runs"]
        (setting,) = json.loads(sweep.stdout)["settings"]
        self.assertEqual((run["queries"], report["queries_not_judged"], report["queries_not_asked"]), (2, 1, 8))
        for metric, value in run["metrics"].items():
            self.assertAlmostEqual(setting["metrics"][metric]["mean"], value, places=12)
            self.assertGreater(value, 0.5)

    def test_documents_as_queries_do_not_find_themselves(self):
        qrels = self.write("qrels", "faq-return 0 faq-refund 1\nfaq-refund 0 faq-return 1\n")
        command = ["eval", "c.tandem", "--queries", DATA / "faq.jsonl", "--qrels", qrels, "--mode", "bi", "--model",
                   model(BI), "--metrics", "mrr", "--json", "--drop-self"]
        (run,) = json.loads(self.succeed(*command))["runs"]
        (setting,) = json.loads(self.succeed(*command, "--pipelines"))["settings"]
        self.assertEqual((run["metrics"]["mrr"], setting["metrics"]["mrr"]["mean"]), (1, 1))
        (run,) = json.loads(self.succeed(*command[:-1]))["runs"]
        self.assertLess(run["metrics"]["mrr"], 1)

    def test_what_makes_no_sense_is_refused(self):
        for more, name in ((["--run", "r"], "--run"), (["--alpha", "0.5"], "--alpha"), (["--depths", "0"], "--depths"),
                           (["--alphas", "2"], "--alphas"), (["--budget", "0"], "--budget"),
                           (["--mode", "cross"], "--mode"), (["--cross-only", "--no-cross-only"], "--cross-only")):
            self.refuse(*self.arguments(*more), status=2, names=[name])
        self.refuse("eval", "c.tandem", "--queries", self.QUERIES, "--qrels", self.QRELS, "--depths", "5", status=2,
                    names=["--pipelines"])
        self.refuse("eval", "--qrels", self.QRELS, "--pipelines", status=2, names=["COLLECTION"])
        self.refuse(*self.arguments("--first-stage", "missing.trec"), names=["missing.trec"])
        self.refuse(*self.arguments(bi_encoder=OTHER_BI), names=["made by another encoder"])


if __name__ == "__main__":
    main_with_models()
