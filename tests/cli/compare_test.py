#!/usr/bin/env python3
"""tandem bench compare with real models: the figures in its three forms, and what it leaves behind."""

import json
import os
import pathlib
import signal
import subprocess
import time
import xml.etree.ElementTree

from support import BI, CROSS, DATA, TANDEM, CliTest, main_with_models, model

WAYS = ("bi_encoder", "cross_encoder", "two_stage")


class Compare(CliTest):
    def setUp(self):
        super().setUp()
        self.temporary = self.folder / "temporary"
        self.temporary.mkdir()
        self.environment["TMPDIR"] = str(self.temporary)
        self.command = ("bench", "compare", "--model", model(BI), "--cross-model", model(CROSS))

    def compare(self, *arguments):
        text = self.succeed(*self.command, "--json", *arguments)
        self.assertEqual(list(self.temporary.iterdir()), [], "its collections stay behind")
        return json.loads(text)

    def test_measured_and_extrapolated_figures_are_told_apart(self):
        found = self.compare("--sizes", "10,20,1000", "--cross-pairs-max", "40", "--repeat", "2")
        self.assertEqual(found["documents"], 20)
        self.assertEqual(found["truncation"]["texts"], 20)  # Each document was encoded once.
        small, all_of_them, copies = found["sizes"]
        self.assertEqual([size["documents"] for size in found["sizes"]], [10, 20, 1000])
        self.assertEqual([size["copies"] for size in found["sizes"]], [False, False, True])
        self.assertEqual(small["bi_encoder"]["total"]["runs"], 2 * 4)
        self.assertEqual(small["cross_encoder"]["total"]["runs"], 4)
        # 40 pairs are two queries over 20 documents.
        self.assertEqual(all_of_them["cross_encoder"]["total"]["runs"], 2)
        self.assertEqual([copies[way]["measured"] for way in WAYS], [True, False, False])
        self.assertNotIn("total", copies["cross_encoder"])
        pair_ms = all_of_them["cross_encoder"]["mean_ms"] / 20
        self.assertAlmostEqual(copies["cross_encoder"]["mean_ms"], pair_ms * 1000, delta=1e-6 * pair_ms * 1000)
        self.assertEqual([beyond["documents"] for beyond in found["extrapolated"]], [10_000, 100_000, 1_000_000])
        times = [beyond["bi_encoder"]["mean_ms"] for beyond in found["extrapolated"]]
        self.assertEqual(times, sorted(times))

    def test_every_figure_is_there(self):
        found = self.compare("--sizes", "5", "--repeat", "3", "--price-per-hour", "2")
        (size,) = found["sizes"]
        self.assertGreater(size["index"]["size_bytes"], 5 * 384 * 4)
        self.assertGreater(size["memory_peak_bytes"], 10_000_000)
        self.assertGreater(size["encoding"]["per_document_ms"], 0)
        for way in WAYS:
            cost = size[way]
            total = cost["total"]
            self.assertLessEqual(total["min_ms"], total["p50_ms"])
            self.assertLessEqual(total["p50_ms"], total["p95_ms"])
            self.assertLessEqual(total["p95_ms"], total["p99_ms"])
            self.assertTrue(0 < cost["cpu_share"] < 1.5, cost)
            self.assertAlmostEqual(cost["queries_per_second"] * cost["mean_ms"], 1000, places=5)
            self.assertAlmostEqual(cost["cost_per_1000_queries"], cost["mean_ms"] / 3600 * 2, places=9)
        self.assertEqual(size["bi_encoder"]["times_the_bi_encoder"], 1)
        self.assertGreater(size["two_stage"]["stage_means"]["rerank_ms"], 0)
        self.assertGreater(found["machine"]["processors"], 0)
        for key in ("compute", "cross_compute"):
            self.assertGreaterEqual(set(found[key]), {"precision", "isa", "threads"})

    def test_a_bound_below_the_smallest_size_still_gives_an_estimate(self):
        found = self.compare("--sizes", "20", "--cross-pairs-max", "7", "--repeat", "1")
        cost = found["sizes"][0]["cross_encoder"]
        self.assertFalse(cost["measured"])
        self.assertGreater(cost["mean_ms"], 0)

    def test_a_corpus_smaller_than_every_size_is_copied(self):
        corpus = self.write_jsonl("corpus.jsonl", [{"_id": "same", "text": text} for text in ("the moon", "the sun")])
        queries = self.write("queries.txt", "what shines at night?\n")
        found = self.compare("--input", corpus, "--queries", queries, "--sizes", "7", "--repeat", "1")
        self.assertTrue(found["sizes"][0]["copies"])
        self.assertEqual((found["documents"], found["queries"]), (2, 1))

    def test_the_table_names_what_it_marks(self):
        text = self.succeed(*self.command, "--sizes", "5,1000", "--repeat", "1")
        self.assertIn("two stages", text)
        self.assertIn("1,000*", text)
        self.assertIn("* filled up with copies of the 5 documents", text)
        self.assertIn("~ extrapolated", text)
        self.assertNotIn("cost", text)
        text = self.succeed(*self.command, "--sizes", "5", "--repeat", "1", "--price-per-hour", "1")
        self.assertIn("cost/1,000", text)

    def test_the_page_and_the_charts_are_written(self):
        self.succeed(*self.command, "--sizes", "5,100", "--repeat", "1", "--price-per-hour", "0.4",
                     "--report", "compare.html", "--svg", "new/charts")
        page = (self.folder / "compare.html").read_text(encoding="utf-8")
        self.assertEqual(page.count("<canvas"), 4)
        self.assertIn("cross-encoder, extrapolated", page)
        self.assertNotIn(str(pathlib.Path(model(BI)).parent), page)
        names = sorted(path.name for path in (self.folder / "new/charts").iterdir())
        self.assertEqual(names, ["bi_encoder_stages.svg", "query_cost.svg", "query_time.svg", "two_stage_stages.svg"])
        for name in names:
            xml.etree.ElementTree.parse(self.folder / "new/charts" / name)

    def test_a_report_that_cannot_be_written_is_refused_before_the_work(self):
        begun = time.monotonic()
        self.refuse(*self.command, "--report", "missing/compare.html", names=["missing"])
        self.assertLess(time.monotonic() - begun, 10)

    def test_nonsense_is_refused(self):
        self.refuse(*self.command, "--sizes", "0", status=2)
        self.refuse(*self.command, "--sizes", "ten", status=2)
        self.refuse(*self.command, "--price-per-hour", "-1", status=2)
        self.refuse(*self.command, "--price-per-hour", "nan", status=2)
        self.refuse(*self.command, "--queries", self.write("queries.txt", "moon\n\n"), status=2, names=["query 2"])
        self.refuse(*self.command, "--input", self.write("corpus.jsonl", ""), names=["corpus.jsonl"])
        self.refuse(*self.command, "--queries", self.write("none.txt", ""), names=["none.txt"])

    def test_an_interrupt_leaves_nothing(self):
        text = (DATA / "corpus.jsonl").read_text(encoding="utf-8")
        corpus = self.write("corpus.jsonl", "\n".join(line for line in text.splitlines() for _ in range(2000)))
        process = subprocess.Popen(
            [TANDEM, *self.command, "--input", corpus, "--sizes", "20000", "--report", "c.html"], cwd=self.folder,
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while not any(self.temporary.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assertEqual(output, b"")
        self.assertEqual(os.listdir(self.temporary), [])
        self.assertEqual(os.listdir(self.folder).count("c.html"), 0)
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith((".c.html", "c.html"))], [])


if __name__ == "__main__":
    main_with_models()
