#!/usr/bin/env python3
"""tandem advise with real models: every kind of test, what is said of the settings, and the page."""

import json
import os
import pathlib
import re
import shlex

from support import BI, CROSS, DATA, OTHER_BI, CliTest, main_with_models, model

CORPUS = [DATA / "corpus.jsonl", DATA / "faq.jsonl"]
JUDGED = [*CORPUS, "--queries", DATA / "queries.jsonl", "--qrels", DATA / "qrels.tsv"]
MODELS = ["--model", model(BI), "--cross-model", model(CROSS)]
SMALL = [*MODELS, "--depths", "10,5", "--alphas", "1"]


class Advise(CliTest):
    def advise(self, *arguments):
        return json.loads(self.succeed("advise", *arguments, *SMALL, "--json"))

    def many_judged(self):
        """A judged test of enough queries to recommend something, and the run of another system for it."""
        faq = [json.loads(line) for line in (DATA / "faq.jsonl").read_text().splitlines()]
        queries = self.write_jsonl("many.jsonl", [{"_id": f"t{row['_id']}", "text": row["title"]} for row in faq])
        qrels = self.write("many.qrels", "".join(f"t{row['_id']} 0 {row['_id']} 1\n" for row in faq))
        run = self.write("other.trec", "".join(f"t{row['_id']} Q0 {found['_id']} {rank} {-rank} other\n"
                                               for row in faq for rank, found in enumerate(faq, 1)))
        return [*CORPUS, "--queries", queries, "--qrels", qrels], run

    def test_from_few_queries_nothing_is_recommended(self):
        recommendation = self.advise(*JUDGED)["recommendation"]
        self.assertEqual((recommendation["setting"], recommendation["best"], recommendation["commands"]),
                         (None, None, []))
        self.assertFalse(recommendation["meets_goal"])
        self.assertEqual(recommendation["caveat"], "only 3 queries were measured")
        self.assertTrue(any("Only 3 queries" in reason for reason in recommendation["reasons"]))
        text = self.succeed("advise", *JUDGED, *SMALL, "--report", "few.html")
        self.assertIn("\nNo recommendation: only 3 queries were measured\n", text)
        self.assertNotIn("tandem index advised.tandem", text)
        self.assertTrue("<h1>No recommendation: only 3 queries were measured</h1>" in
                        (self.folder / "few.html").read_text())

    def test_a_test_that_finds_nothing_recommends_nothing(self):
        faq = [json.loads(line) for line in (DATA / "faq.jsonl").read_text().splitlines()]
        queries = self.write_jsonl("q.jsonl", [{"_id": str(number), "text": "gravity"} for number in range(8)])
        qrels = self.write("qrels", "".join(f"{number} 0 {faq[0]['_id']} 1\n" for number in range(8)))
        result = self.run_tandem("advise", *CORPUS, "--queries", queries, "--qrels", qrels, "--model", model(BI),
                                 "--cross-model", "none", "--metric", "precision@1", "--report", "page.html",
                                 "--svg", "charts")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("\nNo recommendation: precision@1 is 0 everywhere\n", result.stdout)
        self.assertTrue("<h1>No recommendation: precision@1 is 0 everywhere</h1>" in
                        (self.folder / "page.html").read_text())
        chart = (self.folder / "charts/quality-and-time.svg").read_text()
        self.assertNotRegex(chart, r">[-−]\d")
        for tick in ("0", "0.2", "0.8", "1"):
            self.assertIn(f">{tick}<", chart)

    def test_every_setting_is_measured_and_one_is_recommended(self):
        advice = self.advise(*self.many_judged()[0])
        settings = {setting["name"]: setting for setting in advice["settings"]}
        self.assertEqual(set(settings), {"bi", "bi + cross, top 10, alpha 1", "bi + cross, top 5, alpha 1",
                                         "cross over all"})
        self.assertEqual((advice["test"], advice["queries"], advice["documents"]), ("judged", 10, 25))
        for setting in settings.values():
            quality = setting["metrics"]["ndcg@10"]
            self.assertLessEqual(quality["interval"][0], quality["mean"])
            self.assertLessEqual(quality["mean"], quality["interval"][1])
            self.assertEqual(setting["found"] + setting["lost_in_retrieval"] + setting["lost_in_ranking"], 10)
            self.assertAlmostEqual(setting["cost_per_1000"], setting["times"]["total"]["mean_ms"] / 3600)
            self.assertEqual(setting["on_frontier"], setting["dominated_by"] is None)
            if not setting["on_frontier"]:
                other = settings[setting["dominated_by"]]
                self.assertTrue(other["on_frontier"])
                self.assertGreaterEqual(other["metrics"]["ndcg@10"]["mean"], quality["mean"])
        recommendation = advice["recommendation"]
        self.assertIn(recommendation["setting"], settings)
        self.assertTrue(recommendation["meets_goal"])
        self.assertEqual(recommendation["caveat"], "only 10 queries were measured")
        self.assertTrue(any("Only 10 queries" in reason for reason in recommendation["reasons"]))
        self.assertTrue(any("10 queries with a relevant document" in loss for loss in recommendation["losses"]))
        for name, setting in settings.items():
            self.assertEqual("difference" in setting, name != recommendation["best"])
            if "difference" in setting:
                low, high = setting["difference"]["interval"]
                self.assertTrue(low <= setting["difference"]["mean"] <= high)
        # Each of 25 documents and 10 queries once; each query with each document once.
        counts = advice["counts"]
        self.assertEqual((counts["texts_computed"], counts["pairs_computed"]), (35, 250))

    def test_the_recommended_command_runs(self):
        advice = self.advise(*self.many_judged()[0])
        self.assertTrue(advice["recommendation"]["commands"])
        for command in advice["recommendation"]["commands"]:
            words = shlex.split(command)
            self.assertEqual(words[0], "tandem")
            if words[1] == "index" or "cross" not in words:
                self.assertIn(model(BI), words, "a folder is not found by the name that a collection remembers")
            if words[1] == "search" and "--cross-model" not in words and "bi" not in words:
                words += ["--cross-model", model(CROSS)]
            self.succeed(*words[1:])

    def test_the_commands_have_the_options_that_were_measured(self):
        options = ("--activation", "sigmoid", "--max-length", "64")
        judged, run = self.many_judged()
        search = self.advise(*judged, *options, "--first-stage", "bi")["recommendation"]["commands"][-1]
        if "--mode bi" not in search:
            self.assertIn(" ".join(options), search)
        rerank = json.loads(self.succeed("advise", *judged, *options, "--first-stage", run, "--no-cross-only",
                                         "--cross-model", model(CROSS), "--depths", "10,5", "--alphas", "1", "--json"))
        self.assertIn(" ".join(options), rerank["recommendation"]["commands"][-1])

    def test_results_are_as_many_as_people_see(self):
        advice = json.loads(self.succeed("advise", *self.many_judged()[0], "--model", model(BI), "--cross-model",
                                         "none", "--depths", "1", "--min-recall", "0.8", "--json"))
        self.assertTrue(advice["recommendation"]["meets_goal"])

    def test_judged_queries_without_a_text_are_remarked(self):
        queries = self.write("q.jsonl", (DATA / "queries.jsonl").read_text().splitlines()[0] + "\n")
        advice = self.advise(*CORPUS, "--queries", queries, "--qrels", DATA / "qrels.tsv")
        self.assertTrue(any("2 judged queries are not among the queries" in text for text in advice["remarks"]))

    def test_the_text_says_how_far_the_test_can_be_trusted(self):
        text = self.succeed("advise", *CORPUS, *SMALL)
        for part in ("Nobody judged this test", "ndcg@10", "95 % interval", "on the frontier", "Recommended: ",
                     "Lost answers", "tandem index advised.tandem", "texts encoded"):
            self.assertIn(part, text)

    def test_a_goal_that_nothing_meets_is_said_with_the_nearest(self):
        judged, _ = self.many_judged()
        advice = self.advise(*judged, "--p95-ms", "0.0001")["recommendation"]
        self.assertFalse(advice["meets_goal"])
        self.assertRegex(advice["reasons"][0], r"^None of the 4 settings meets the goal\. The nearest is .* a p95 of")
        self.assertIn("Nothing meets the goal", self.succeed("advise", *judged, *SMALL, "--p95-ms", "0.0001"))

    def test_a_price_makes_costs(self):
        advice = self.advise(*JUDGED, "--price-per-hour", "7200", "--max-cost", "1000000")
        for setting in advice["settings"]:
            self.assertAlmostEqual(setting["cost_per_1000"], 2 * setting["times"]["total"]["mean_ms"])
            self.assertEqual(setting["lacks"], [])

    def test_clicks_are_a_test(self):
        advice = self.advise(*CORPUS, "--clicks", DATA / "clicks.tsv", "--min-clicks", "2")
        self.assertEqual((advice["test"], advice["queries"]), ("clicks", 5))
        self.assertTrue(any("People click on what they are shown" in sentence for sentence in advice["trust"]))

    def test_sentences_and_titles_make_tests(self):
        titles = self.advise(*CORPUS, "--queries-from", "titles")
        sentences = self.advise(*CORPUS, "--queries-from", "sentences", "--sample", "6")
        self.assertEqual((titles["test"], sentences["test"]), ("self-made", "self-made"))
        self.assertEqual(sentences["queries"], 6)
        self.assertGreater(titles["queries"], 6)

    def test_several_first_stages_are_compared(self):
        names = {setting["name"] for setting in self.advise(*JUDGED, "--model", model(OTHER_BI), "--first-stage", "bi",
                                                            "--first-stage", DATA / "keyword.trec")["settings"]}
        for name in (BI, OTHER_BI, "keyword", f"{OTHER_BI} + cross, top 5, alpha 1"):
            self.assertIn(name, names)

    def test_models_of_one_name_are_told_apart(self):
        copy = self.folder / "copy" / BI
        copy.parent.mkdir()
        copy.symlink_to(pathlib.Path(model(BI)).resolve())
        advice = json.loads(self.succeed("advise", *JUDGED, "--model", model(BI), "--model", copy, "--cross-model",
                                         "none", "--json"))
        self.assertEqual([setting["name"] for setting in advice["settings"]], [model(BI), str(copy)])

    def test_a_run_alone_needs_no_bi_encoder(self):
        result = self.run_tandem("advise", *JUDGED, "--first-stage", DATA / "keyword.trec", "--offline",
                                 "--cross-model", model(CROSS), "--depths", "5", "--alphas", "1")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("keyword + cross, top 5, alpha 1", result.stdout)

    def test_without_a_cross_encoder_the_first_stage_is_measured(self):
        advice = json.loads(self.succeed("advise", *JUDGED, "--model", model(BI), "--cross-model", "none", "--json"))
        self.assertEqual([setting["name"] for setting in advice["settings"]], ["bi"])
        self.assertIsNone(advice["cross_model"])

    def test_nothing_is_computed_twice_with_a_cache(self):
        self.advise(*JUDGED, "--cache", "scores.cache")
        counts = self.advise(*JUDGED, "--cache", "scores.cache")["counts"]
        self.assertEqual((counts["texts_computed"], counts["pairs_computed"]), (0, 0))

    def test_the_page_holds_everything_and_needs_no_network(self):
        self.succeed("advise", *JUDGED, *SMALL, "--report", "advice.html", "--svg", "charts")
        page = (self.folder / "advice.html").read_text(encoding="utf-8")
        for part in ("bi + cross, top 5, alpha 1", "Lost answers", "100 ms", "extrapolated", "Legal and medical"):
            self.assertIn(part, page)
        self.assertNotRegex(page, r"(src|href)=.?https?:")
        self.assertEqual(sorted(os.listdir(self.folder / "charts")),
                         ["cost-and-size.svg", "quality-and-time.svg", "time-and-size.svg", "time-per-stage.svg"])

    def test_a_budget_ends_the_measuring(self):
        def text(number):
            words = " ".join(f"word{number}x{word}" for word in range(60))
            return f"{words}. What number {number} says stands in no other text."

        rows = [{"_id": str(number), "text": text(number)} for number in range(400)]
        corpus = self.write_jsonl("many.jsonl", rows)
        advice = json.loads(self.succeed("advise", corpus, *MODELS, "--queries-from", "sentences", "--budget", "2s",
                                         "--json"))
        self.assertLess(advice["seconds"], 60)
        self.assertTrue(advice["remarks"], "what was left out is said")


class ScenarioCommands(CliTest):
    def test_they_run(self):
        self.provide_default_models()
        for scenario in json.loads(self.succeed("advise", "--scenarios", "--json"))["scenarios"]:
            with self.subTest(scenario["scenario"]):
                self.assertTrue(re.search(r"\d", self.succeed(*shlex.split(scenario["command"])[1:])))


if __name__ == "__main__":
    main_with_models()
