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

    def test_every_setting_is_measured_and_one_is_recommended(self):
        advice = self.advise(*JUDGED)
        settings = {setting["name"]: setting for setting in advice["settings"]}
        self.assertEqual(set(settings), {"bi", "bi + cross, top 10, alpha 1", "bi + cross, top 5, alpha 1",
                                         "cross over all"})
        self.assertEqual((advice["test"], advice["queries"], advice["documents"]), ("judged", 3, 25))
        for setting in settings.values():
            quality = setting["metrics"]["ndcg@10"]
            self.assertLessEqual(quality["interval"][0], quality["mean"])
            self.assertLessEqual(quality["mean"], quality["interval"][1])
            self.assertEqual(setting["found"] + setting["lost_in_retrieval"] + setting["lost_in_ranking"], 3)
            self.assertAlmostEqual(setting["cost_per_1000"], setting["times"]["total"]["mean_ms"] / 3600)
            self.assertEqual(setting["on_frontier"], setting["dominated_by"] is None)
            if not setting["on_frontier"]:
                other = settings[setting["dominated_by"]]
                self.assertTrue(other["on_frontier"])
                self.assertGreaterEqual(other["metrics"]["ndcg@10"]["mean"], quality["mean"])
        recommendation = advice["recommendation"]
        self.assertIn(recommendation["setting"], settings)
        self.assertTrue(recommendation["meets_goal"])
        self.assertTrue(any("Only 3 queries" in reason for reason in recommendation["reasons"]))
        self.assertTrue(any("3 queries with a relevant document" in loss for loss in recommendation["losses"]))
        # Each of 25 documents and 3 queries once; each query with each document once.
        counts = advice["counts"]
        self.assertEqual((counts["texts_computed"], counts["pairs_computed"]), (28, 75))

    def test_the_recommended_command_runs(self):
        advice = self.advise(*JUDGED)
        for command in advice["recommendation"]["commands"]:
            words = shlex.split(command)
            self.assertEqual(words[0], "tandem")
            self.assertIn(model(BI), words, "a folder is not found by the name that a collection remembers")
            if words[1] == "search" and "--cross-model" not in words and "bi" not in words:
                words += ["--cross-model", model(CROSS)]
            self.succeed(*words[1:])

    def test_the_commands_have_the_options_that_were_measured(self):
        options = ("--activation", "sigmoid", "--max-length", "64")
        search = self.advise(*JUDGED, *options, "--first-stage", "bi")["recommendation"]["commands"][-1]
        if "--mode bi" not in search:
            self.assertIn(" ".join(options), search)
        rerank = self.advise(*JUDGED, *options, "--first-stage", DATA / "keyword.trec", "--no-cross-only")
        self.assertIn(" ".join(options), rerank["recommendation"]["commands"][-1])

    def test_results_are_as_many_as_people_see(self):
        advice = json.loads(self.succeed("advise", *JUDGED, "--model", model(BI), "--cross-model", "none", "--depths",
                                         "1", "--min-recall", "0.8", "--json"))
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
        advice = self.advise(*JUDGED, "--p95-ms", "0.0001")["recommendation"]
        self.assertFalse(advice["meets_goal"])
        self.assertRegex(advice["reasons"][0], r"^None of the 4 settings meets the goal\. The nearest is .* a p95 of")
        self.assertIn("Nothing meets the goal", self.succeed("advise", *JUDGED, *SMALL, "--p95-ms", "0.0001"))

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
        result = self.run_tandem("advise", *JUDGED, "--first-stage", DATA / "keyword.trec", "--model", "no/such",
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
