#!/usr/bin/env python3
"""Every command of the contract with real models. Figures come from the models' cards or from sentence-transformers."""

import json
import math
import os
import pathlib
import re
import resource
import shutil
import signal
import struct
import subprocess
import time

from support import BI, CROSS, DATA, OTHER_BI, TANDEM, CliTest, encoders, main_with_models, model, read_npy

LONG_TEXT = "word " * 1000


class Tokenize(CliTest):
    def tokenize(self, *arguments, **options):
        text = self.succeed("tokenize", "--model", model(BI), *arguments, **options)
        return [json.loads(line) for line in text.splitlines()]

    def test_special_tokens_are_added(self):
        (line,) = self.tokenize(stdin="hello world\n")
        # The first ids that every user of bert-base-uncased's vocabulary knows.
        self.assertEqual(line, {"ids": [101, 7592, 2088, 102], "type_ids": [0] * 4,
                                "tokens": ["[CLS]", "hello", "world", "[SEP]"]})

    def test_a_pair_has_two_types(self):
        (line,) = self.tokenize("--pair", stdin="hello\tworld\n")
        self.assertEqual(line["tokens"], ["[CLS]", "hello", "[SEP]", "world", "[SEP]"])
        self.assertEqual(line["type_ids"], [0, 0, 0, 1, 1])

    def test_texts_are_cut_as_the_model_cuts_them(self):
        result = self.run_tandem("tokenize", "--model", model(BI), stdin=LONG_TEXT)
        self.assertEqual(len(json.loads(result.stdout)["ids"]), 256)
        self.assertIn("1 of 1 text truncated: 746 tokens dropped", result.stderr)

    def test_an_empty_line_is_an_empty_text(self):
        self.assertEqual([line["ids"] for line in self.tokenize(stdin="\n\n")], [[101, 102]] * 2)


class Embed(CliTest):
    def embed(self, *arguments, **options):
        text = self.succeed("embed", "--model", model(BI), "--precision", "f32", *arguments, **options)
        return [json.loads(line) for line in text.splitlines()]

    def test_each_line_becomes_a_vector_of_length_one(self):
        vectors = self.embed(stdin="one\n\ntwo\n")
        self.assertEqual([len(vector) for vector in vectors], [384] * 3)
        for vector in vectors:
            self.assertAlmostEqual(math.hypot(*vector), 1, places=5)

    def test_a_npy_file_holds_the_same_numbers(self):
        output = self.folder / "v.npy"
        result = self.run_tandem("embed", "--model", model(BI), "--precision", "f32", "--output", output,
                                 stdin="one\ntwo\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("none of 2 texts truncated", result.stderr)
        shape, rows = read_npy(output)
        self.assertEqual(shape, (2, 384))
        self.assertEqual([list(row) for row in rows], [[_f32(x) for x in v] for v in self.embed(stdin="one\ntwo\n")])

    def test_no_text_gives_an_empty_matrix(self):
        self.succeed("embed", "--model", model(BI), "--output", "v.npy")
        self.assertEqual(read_npy(self.folder / "v.npy")[0], (0, 384))

    def test_json_lines_may_hold_line_breaks_and_titles(self):
        path = self.write_jsonl("in.jsonl", [{"text": "two\nlines"}, {"title": "A", "text": "b"}])
        self.assertEqual(self.embed("--input", path), self.embed(stdin="two lines\nA b\n"))

    def test_json_reports_truncation_beside_the_vectors(self):
        report = json.loads(self.succeed("embed", "--model", model(BI), "--json", stdin=f"one\n{LONG_TEXT}\n"))
        self.assertEqual(len(report["embeddings"]), 2)
        self.assertEqual(report["truncation"], {"texts": 2, "texts_truncated": 1, "tokens_dropped": 746})

    def test_options_change_the_vectors_as_they_say(self):
        (short,) = self.embed("--dimensions", "8", "--normalize", stdin="one\n")
        (full,) = self.embed(stdin="one\n")
        self.assertEqual(len(short), 8)
        length = math.hypot(*full[:8])
        for got, want in zip(short, full):
            self.assertAlmostEqual(got, want / length, places=5)
        (raw,) = self.embed("--no-normalize", stdin="one\n")
        self.assertGreater(abs(math.hypot(*raw) - 1), 0.01)
        self.assertNotEqual(self.embed("--pooling", "cls", stdin="one\n"), self.embed(stdin="one\n"))

    def test_bytes_that_are_not_utf8_are_read_as_replacement_characters(self):
        self.assertEqual(self.embed(stdin=b"a \xff b\n"), self.embed(stdin="a \ufffd b\n"))

    def test_a_bad_line_leaves_the_old_output_and_nothing_beside_it(self):
        self.write("v.npy", "old")
        path = self.write("in.jsonl", '{"text": "a"}\nnot json\n')
        self.refuse("embed", "--model", model(BI), "--input", path, "--output", "v.npy", names=["in.jsonl:2"])
        self.assertEqual((self.folder / "v.npy").read_text(), "old")
        self.assertEqual(sorted(os.listdir(self.folder)), ["in.jsonl", "v.npy"])

    def test_an_output_that_cannot_be_written_is_an_error(self):
        self.refuse("embed", "--model", model(BI), "--output", "no/such/v.npy", stdin="a\n", names=["no/such/v.npy"])
        self.refuse("embed", "--model", model(BI), "--output", "/dev/full", stdin="a\n", status=2, names=["/dev/full"])

    def test_a_file_that_may_not_grow_is_an_error_and_leaves_nothing(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

        self.refuse("embed", "--model", model(BI), "--output", "v.npy", stdin="a\n" * 100, preexec_fn=limit)
        self.assertEqual(os.listdir(self.folder), [])

    def test_an_interrupt_leaves_nothing_behind(self):
        path = self.write("in.txt", "a few words of text\n" * 100_000)
        process = subprocess.Popen([TANDEM, "embed", "--model", model(BI), "--input", path, "--output", "v.npy"],
                                   cwd=self.folder, env=self.environment, stderr=subprocess.DEVNULL)
        _wait_until(lambda: len(os.listdir(self.folder)) > 1)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=120), -signal.SIGINT)
        self.assertEqual(os.listdir(self.folder), ["in.txt"])


class Score(CliTest):
    BERLIN = ("How many people live in Berlin?\tBerlin had a population of 3,520,031 registered inhabitants in an area "
              "of 891.82 square kilometers.\n"
              "How many people live in Berlin?\tBerlin is well known for its museums.\n")

    def score(self, *arguments, **options):
        return [float(line) for line in
                self.succeed("score", "--model", model(CROSS), *arguments, **options).splitlines()]

    def test_scores_are_those_of_sentence_transformers_in_input_order(self):
        # sentence-transformers with the same weights, read back from int8: 9.085 and -3.934; the card,
        # from the f32 weights, prints 9.219 and -4.078.
        for got, want in zip(self.score("--precision", "f32", stdin=self.BERLIN), [9.085, -3.934]):
            self.assertAlmostEqual(got, want, delta=0.01)

    def test_sigmoid_brings_scores_between_zero_and_one(self):
        raw = self.score("--precision", "f32", stdin=self.BERLIN)
        for got, logit in zip(self.score("--precision", "f32", "--activation", "sigmoid", stdin=self.BERLIN), raw):
            self.assertAlmostEqual(got, 1 / (1 + math.exp(-logit)), places=5)

    def test_json_lines_are_pairs_too(self):
        rows = [dict(zip(("query", "document"), line.split("\t"))) for line in self.BERLIN.splitlines()]
        path = self.write_jsonl("in.jsonl", rows)
        report = json.loads(self.succeed("score", "--model", model(CROSS), "--input", path, "--json"))
        self.assertEqual(len(report["scores"]), 2)
        self.assertEqual(report["truncation"]["texts"], 2)

    def test_a_line_without_a_tab_is_named(self):
        self.refuse("score", "--model", model(CROSS), stdin="q\td\nno tab\n", names=["standard input:2", "tab"])


class Rerank(CliTest):
    DOCUMENTS = "Berlin is well known for its museums.\nBerlin has 3.5 million inhabitants.\nBread needs yeast.\n"

    def test_documents_come_best_first(self):
        text = self.succeed("rerank", "--model", model(CROSS), "--query", "How many people live in Berlin?",
                            "--top-k", "2", stdin=self.DOCUMENTS)
        rows = [line.split("\t") for line in text.splitlines()]
        self.assertEqual([row[0] for row in rows], ["1", "2"])
        self.assertEqual(rows[0][2], "Berlin has 3.5 million inhabitants.")
        self.assertGreater(float(rows[0][1]), float(rows[1][1]))

    def test_alpha_fuses_with_the_scores_of_the_lines(self):
        rows = [{"text": text, "score": score} for text, score in zip(self.DOCUMENTS.splitlines(), (3, 2, 1))]
        report = json.loads(self.succeed("rerank", "--model", model(CROSS), "--query", "museums in Berlin", "--json",
                                         "--alpha", "0.6", "--input", self.write_jsonl("d.jsonl", rows)))
        for result in report["results"]:
            fused = 0.6 * result["cross_encoder_score"] + 0.4 * (result["initial_score"] - 1) / 2
            self.assertAlmostEqual(result["final_score"], fused, places=4)

    def test_alpha_without_scores_is_an_error(self):
        self.refuse("rerank", "--model", model(CROSS), "--query", "q", "--alpha", "0.5", stdin="a\n", status=2,
                    names=["score"])
        path = self.write_jsonl("d.jsonl", [{"text": "a", "score": 1}, {"text": "b"}])
        self.refuse("rerank", "--model", model(CROSS), "--query", "q", "--alpha", "0.5", "--input", path,
                    names=["d.jsonl:2", "score"])


class IndexAndSearch(CliTest):
    QUESTION = "Can I get my money back?"

    def index(self, *files, **options):
        return self.succeed("index", "c.tandem", *files, "--model", model(BI), **options)

    def search(self, *arguments, **options):
        return self.succeed("search", "c.tandem", *arguments, *encoders(*arguments), **options)

    def search_json(self, *arguments, **options):
        return [json.loads(line) for line in self.search(*arguments, "--format", "json", **options).splitlines()]

    def test_nothing_meant_for_the_terminal_ends_in_a_file_when_standard_descriptors_are_closed(self):
        self.index(DATA / "faq.jsonl")
        for closed in (">&- 2>&-", "<&- 2>&-", "2>&-"):
            again = ["index", "c.tandem", str(DATA / "faq.jsonl"), "--model", str(model(BI))]
            status = subprocess.run(["bash", "-c", f'exec "$0" "$@" {closed}', str(TANDEM), *again],
                                    cwd=self.folder, check=False).returncode
            self.assertEqual(status, 0, closed)
            self.assertEqual(self.search_json(self.QUESTION)[0]["results"][0]["id"], "faq-refund", closed)

    def test_a_file_that_may_not_grow_is_an_error_and_leaves_the_old_collection(self):
        self.index(DATA / "faq.jsonl")
        again = ["index", "c.tandem", str(DATA / "corpus.jsonl"), "--model", str(model(BI))]
        process = subprocess.run(["bash", "-c", 'ulimit -f 4; exec "$0" "$@"', str(TANDEM), *again], cwd=self.folder,
                                 stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(process.returncode, 1, process.stderr)
        self.assertNotEqual(process.stderr, "")
        self.assertEqual(self.search_json(self.QUESTION)[0]["results"][0]["id"], "faq-refund")

    def test_a_line_that_never_ends_is_an_error(self):
        process = subprocess.run([str(TANDEM), "embed", "--input", "/dev/zero", "--model", str(model(BI))],
                                 capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(process.returncode, 1)
        self.assertIn("/dev/zero:1: the line is longer than", process.stderr)

    def test_the_answer_is_found_in_every_mode(self):
        self.index(DATA / "faq.jsonl")
        for mode in ("bi", "cross", "hybrid"):
            (response,) = self.search_json(self.QUESTION, "--mode", mode)
            self.assertIn(response["results"][0]["id"], ("faq-refund", "faq-return"))
            self.assertEqual([hit["rank"] for hit in response["results"]], list(range(1, 11)))
            scores = [hit["final_score"] for hit in response["results"]]
            self.assertEqual(scores, sorted(scores, reverse=True))
            self.assertGreater(response["times"]["total_ms"], 0)
            self.assertIn("truncation", response)

    def test_hybrid_fuses_as_documented_and_drops_what_was_not_reranked(self):
        self.index(DATA / "faq.jsonl")
        (response,) = self.search_json(self.QUESTION, "--initial-top-k", "8", "--rerank-top-n", "5", "--alpha", "0.7",
                                       "--final-top-k", "5")
        hits = response["results"]
        self.assertEqual((response["candidates"], len(hits)), (5, 5))
        initial = [hit["retrieval_score"] for hit in hits]
        low, high = min(initial), max(initial)
        for hit in hits:
            fused = 0.7 * hit["cross_encoder_score"] + 0.3 * (hit["retrieval_score"] - low) / (high - low)
            self.assertAlmostEqual(hit["final_score"], fused, places=4)

    def test_there_are_no_more_results_than_were_reranked(self):
        self.index(DATA / "faq.jsonl")
        (response,) = self.search_json(self.QUESTION, "--rerank-top-n", "3")
        self.assertEqual(len(response["results"]), 3)

    def test_queries_are_told_apart_by_their_ids(self):
        self.index(DATA / "faq.jsonl")
        queries = self.write_jsonl("q.jsonl", [{"_id": "7", "text": "one"}, {"_id": "7", "text": "two"}])
        self.refuse("search", "c.tandem", "--queries", queries, "--model", model(BI), "--mode", "bi",
                    names=["q.jsonl", "'7'", "twice"])

    def test_more_results_than_candidates_to_rerank_is_a_usage_error(self):
        self.index(DATA / "faq.jsonl")
        self.refuse("search", "c.tandem", "q", "--model", model(BI), "--cross-model", model(CROSS), "--rerank-top-n",
                    "3", "--final-top-k", "5", status=2)

    def test_results_below_a_threshold_are_left_out(self):
        self.index(DATA / "faq.jsonl")
        for mode in ("bi", "cross", "hybrid"):
            (everything,) = self.search_json(self.QUESTION, "--mode", mode)
            scores = [hit["final_score"] for hit in everything["results"]]
            (best,) = self.search_json(self.QUESTION, "--mode", mode, "--min-score", repr(scores[2]))
            self.assertEqual([hit["final_score"] for hit in best["results"]], scores[:3])
        queries = self.write_jsonl("q.jsonl", [{"_id": "money", "text": self.QUESTION},
                                               {"_id": "x", "text": "gravity"}])
        money, gravity = self.search_json("--queries", queries, "--min-probability", "0.5")
        self.assertTrue(all(hit["cross_encoder_score"] >= 0 for hit in money["results"]), "logits")
        self.assertIn("faq-refund", [hit["id"] for hit in money["results"]])
        self.assertEqual(gravity["results"], [])
        self.refuse("search", "c.tandem", "q", "--min-score", "nan", *encoders(), status=2, names=["min_score is nan"])

    def test_a_query_that_is_a_document_does_not_find_itself(self):
        self.index(DATA / "faq.jsonl")
        for mode in ("bi", "cross", "hybrid"):
            arguments = ["--queries", DATA / "faq.jsonl", "--mode", mode, "--final-top-k", "4"]
            for response in self.search_json(*arguments, "--drop-self"):
                ids = [hit["id"] for hit in response["results"]]
                self.assertEqual(len(ids), 4)
                self.assertNotIn(response["query_id"], ids)
        self.assertEqual(self.search_json(*arguments)[1]["results"][0]["id"], "faq-refund")

    def test_a_search_and_its_evaluation_have_ties_in_one_order(self):
        self.write_jsonl("same.jsonl", [{"_id": name, "text": "The same text."} for name in ("a", "c", "b")])
        self.index("same.jsonl")
        queries = self.write_jsonl("q.jsonl", [{"_id": "1", "text": "text"}])
        qrels = self.write("qrels.tsv", "1 0 a 1\n")
        for mode in ("bi", "cross", "hybrid"):
            (response,) = self.search_json("--queries", queries, "--mode", mode)
            self.assertEqual([hit["id"] for hit in response["results"]], ["a", "c", "b"])
            arguments = ["eval", "c.tandem", "--queries", queries, "--qrels", qrels, "--metrics", "mrr", "--json"]
            (run,) = json.loads(self.succeed(*arguments, "--mode", mode, *encoders("--mode", mode)))["runs"]
            self.assertEqual(run["metrics"]["mrr"], 1)
        settings = json.loads(self.succeed(*arguments, "--pipelines", *encoders()))["settings"]
        self.assertEqual({setting["metrics"]["mrr"]["mean"] for setting in settings}, {1})

    def test_a_long_id_leaves_room_for_the_text(self):
        long_id = "https://example.org/" + "x" * 300 + "/the-end"
        self.write_jsonl("d.jsonl", [{"_id": long_id, "text": "A text to be seen."}])
        self.index("d.jsonl")
        table = self.search("text", "--mode", "bi")
        self.assertRegex(table, r"https://exa\w*…\w*/the-end: A text to be seen\.")
        self.assertIn(long_id, self.search("text", "--mode", "bi", "--format", "trec"))
        self.assertEqual(self.search_json("text", "--mode", "bi")[0]["results"][0]["id"], long_id)

    def test_a_trec_run_has_six_columns(self):
        self.index(DATA / "faq.jsonl")
        run = self.search("--queries", DATA / "queries.jsonl", "--mode", "bi", "--format", "trec", "--tag", "t",
                          "--final-top-k", "3").splitlines()
        self.assertEqual(len(run), 12)
        for line in run:
            self.assertRegex(line, r"^q[1-4] Q0 faq-[a-z-]+ [123] -?\d+(\.\d+)?(e-?\d+)? t$")

    def test_the_table_shows_scores_and_times(self):
        self.index(DATA / "faq.jsonl")
        table = self.search(self.QUESTION)
        self.assertRegex(table, r"candidates; encode [\d.]+ ms, retrieve [\d.]+ ms, rerank [\d.]+ ms, total [\d.]+ ms")

    def test_long_texts_are_reported(self):
        self.write_jsonl("d.jsonl", [{"text": LONG_TEXT}, {"text": "short"}])
        report = json.loads(self.index("d.jsonl", "--json"))
        self.assertEqual(report["truncation"], {"texts": 2, "texts_truncated": 1, "tokens_dropped": 746})

    def test_every_kind_of_source_is_read(self):
        self.write("a.tsv", "id\ttext\nt1\ttab\n")
        self.write("b.csv", 'id,text\nc1,"comma, quoted"\n')
        self.write("c.txt", "one line\n")
        (self.folder / "notes").mkdir()
        self.write("notes/n.md", "# A note\n")
        report = json.loads(self.index("a.tsv", "b.csv", "c.txt", "notes", "--json"))
        self.assertEqual(report["documents"], 4)

    def test_bad_lines_are_named_or_skipped_and_counted(self):
        self.write("d.jsonl", '{"text": "a"}\nnot json\n{"text": "b"}\n')
        self.refuse("index", "c.tandem", "d.jsonl", "--model", model(BI), names=["d.jsonl", "2"])
        report = json.loads(self.index("d.jsonl", "--skip-bad-lines", "--json"))
        self.assertEqual((report["documents"], report["lines_skipped"]), (2, 1))

    def test_equal_ids_are_refused(self):
        self.write_jsonl("d.jsonl", [{"_id": "x", "text": "a"}, {"_id": "x", "text": "b"}])
        self.refuse("index", "c.tandem", "d.jsonl", "--model", model(BI), names=["x"])

    def test_an_empty_corpus_is_refused_and_leaves_the_old_collection(self):
        self.index(DATA / "faq.jsonl")
        self.assertNotEqual(self.run_tandem("index", "c.tandem", self.write("d.jsonl", ""), "--model",
                                            model(BI)).returncode, 0)
        self.assertEqual(len(self.search_json(self.QUESTION, "--mode", "bi")[0]["results"]), 10)

    def test_another_model_is_refused_with_what_differs(self):
        if not pathlib.Path(model(OTHER_BI)).exists():
            self.skipTest(f"{OTHER_BI} is not here")
        self.index(DATA / "faq.jsonl")
        self.refuse("search", "c.tandem", "q", "--mode", "bi", "--model", model(OTHER_BI), names=["MiniLM", "bge"])

    def test_an_interrupt_or_a_kill_while_encoding_leaves_the_old_collection(self):
        self.index(DATA / "faq.jsonl")
        self.write("big.txt", "".join(f"document number {i}\n" for i in range(200_000)))
        for how in (signal.SIGINT, signal.SIGKILL):
            process = subprocess.Popen([TANDEM, "index", "c.tandem", "big.txt", "--model", model(BI)], cwd=self.folder,
                                       env=self.environment, stderr=subprocess.DEVNULL)
            time.sleep(2)
            process.send_signal(how)
            self.assertEqual(process.wait(timeout=120), -how)
            self.assertEqual(len(self.search_json(self.QUESTION, "--mode", "bi")[0]["results"]), 10)
        self.index(DATA / "corpus.jsonl")
        self.assertEqual(len(self.search_json("q", "--mode", "bi", "--final-top-k", "99")[0]["results"]), 15)

    def test_a_damaged_collection_is_refused(self):
        self.index(DATA / "faq.jsonl")
        for path in (path for path in (self.folder / "c.tandem").rglob("*") if path.is_file()):
            whole = path.read_bytes()
            if len(whole) < 2:
                continue
            path.write_bytes(whole[:len(whole) // 2])
            result = self.run_tandem("search", "c.tandem", "q", "--mode", "bi", "--model", model(BI))
            self.assertIn(result.returncode, (0, 1), f"{path}: {result.stderr}")
            if not result.returncode:
                self.assertIn("lock", path.name, f"half of {path} is enough")
            path.write_bytes(whole)


class DamagedModels(CliTest):
    """A copy of a real model with one thing wrong."""

    def setUp(self):
        super().setUp()
        self.model = self.folder / "model"
        shutil.copytree(model(BI), self.model, symlinks=False)

    def refuse_model(self, *names):
        return self.refuse("embed", "--model", self.model, stdin="a\n", names=names)

    def change_config(self, **changes):
        path = self.model / "config.json"
        config = json.loads(path.read_text())
        config.update(changes)
        path.write_text(json.dumps(config))

    def test_a_folder_without_weights(self):
        (self.model / "model.safetensors").unlink()
        self.refuse_model("model.safetensors")

    def test_truncated_weights(self):
        path = self.model / "model.safetensors"
        os.truncate(path, path.stat().st_size // 2)
        self.refuse_model("model.safetensors")

    def test_a_header_that_claims_more_than_the_file(self):
        path = self.model / "model.safetensors"
        with open(path, "r+b") as file:
            file.write((1 << 62).to_bytes(8, "little"))
        self.refuse_model("model.safetensors")

    def test_a_config_of_the_wrong_type(self):
        self.change_config(hidden_size="wide")
        self.refuse_model("config.json", "hidden_size")

    def test_a_config_that_contradicts_the_weights(self):
        self.change_config(intermediate_size=1000)
        self.refuse_model("1000")

    def test_a_vocabulary_that_disagrees_with_the_embedding(self):
        path = self.model / "tokenizer.json"
        tokenizer = json.loads(path.read_text())
        tokenizer["model"]["vocab"]["beyond-the-embedding"] = 40_000
        path.write_text(json.dumps(tokenizer))
        self.refuse_model("40")

    def test_an_architecture_that_is_not_supported_is_named(self):
        self.change_config(model_type="fnet", architectures=["FNetModel"])
        self.refuse_model("fnet")

    def test_a_module_that_is_not_supported_is_named(self):
        path = self.model / "modules.json"
        modules = json.loads(path.read_text())
        modules.append({"idx": 9, "name": "9", "path": "9_Odd", "type": "sentence_transformers.models.Odd"})
        path.write_text(json.dumps(modules))
        self.refuse_model("Odd")

    def test_json_that_is_cut_off(self):
        path = self.model / "tokenizer.json"
        os.truncate(path, 1000)
        self.refuse_model("tokenizer.json")


class BenchAndDemo(CliTest):
    def test_benchmarks_report_their_figures(self):
        report = json.loads(self.succeed("bench", "embed", "--model", model(BI), "--repeat", "1", "--json"))
        self.assertEqual(report["items"], 25)
        self.assertGreater(report["items_per_second"], 0)
        self.assertGreater(report["tokens"], report["items"])
        report = json.loads(self.succeed("bench", "rerank", "--model", model(CROSS), "--repeat", "1", "--json"))
        self.assertGreater(report["all"]["p50_ms"], 0)
        self.succeed("index", "c.tandem", DATA / "faq.jsonl", "--model", model(BI))
        report = json.loads(self.succeed("bench", "search", "c.tandem", "--model", model(BI), "--cross-model",
                                         model(CROSS), "--repeat", "1", "--json"))
        self.assertGreater(report["rerank"]["p50_ms"], 0)

    def test_speed_says_how_much_dearer_the_cross_encoder_is(self):
        text = self.demo("speed")
        self.assertGreater(int(re.search(r"takes (\d+) times as long", text)[1]), 1)

    def test_legal_puts_the_clause_that_answers_first(self):
        scores = re.findall(r"\n +(-?[\d.]+)   (.*)", self.demo("legal"))
        self.assertEqual(len(scores), 5)
        self.assertIn("liable only for damage", scores[0][1])

    def test_products_narrows_five_hundred_titles_to_five(self):
        text = self.demo("products")
        self.assertEqual(len(re.findall(r"\n +[1-5]  ", text)), 5)
        self.assertIn("20 candidates", text)

    def test_nuance_shows_answers_that_only_the_cross_encoder_puts_first(self):
        for near_miss, block in zip(_read_jsonl(DATA / "near_misses.jsonl"), self.demo("nuance").split("\n\n")):
            first = block.splitlines()[2]
            self.assertTrue(first.endswith(near_miss["documents"][0]), block)
            self.assertNotIn("(1)", first)

    def test_similarity_tells_paraphrases_from_mere_likeness(self):
        rows = re.findall(r"\n(yes|no) +(-?[\d.]+)", self.succeed("demo", "similarity", "--model", model(BI)))
        cosines = {word: [float(cosine) for got, cosine in rows if got == word] for word in ("yes", "no")}
        for similar, dissimilar in zip(cosines["yes"], cosines["no"]):
            self.assertGreater(similar, dissimilar)

    def test_accuracy_shows_both_encoders_on_both_kinds_of_pairs(self):
        rows = re.findall(r", (cosine|score) +(\d+) +([\d.]+)", self.demo("accuracy"))
        self.assertEqual([(how, pairs) for how, pairs, _ in rows],
                         [("cosine", "20"), ("score", "20"), ("cosine", "6"), ("score", "6")])
        self.assertGreater(float(rows[1][2]), 0.9, "the cross-encoder knows answers")

    def test_search_shows_both_stages_side_by_side(self):
        text = self.demo("search")
        self.assertEqual(text.count("| two stages"), 4)
        self.assertIn("moved", text)

    def demo(self, name):
        models = ["--cross-model", model(CROSS)] + ([] if name == "legal" else ["--model", model(BI)])
        return self.succeed("demo", name, *models)


class Evaluation(CliTest):
    QUERIES = DATA / "queries.jsonl"
    QRELS = DATA / "qrels.tsv"

    def test_a_search_is_measured_as_the_run_that_it_writes(self):
        self.succeed("index", "c.tandem", DATA / "corpus.jsonl", DATA / "faq.jsonl", "--model", model(BI))
        metrics = ["--qrels", self.QRELS, "--metrics", "ndcg@10,map,recall@100", "--json"]
        for mode in ("bi", "hybrid"):
            search = ["--mode", mode, *encoders("--mode", mode)]
            measured = json.loads(self.succeed("eval", "c.tandem", "--queries", self.QUERIES, *search, "--output-run",
                                               f"{mode}.trec", *metrics))["runs"][0]
            again = json.loads(self.succeed("eval", "--run", f"{mode}.trec", *metrics))["runs"][0]
            self.assertEqual(measured["metrics"], again["metrics"])
            self.assertGreater(measured["metrics"]["ndcg@10"], 0.8)
            self.assertEqual(measured["metrics"]["recall@100"], 1)
            lines = (self.folder / f"{mode}.trec").read_text().splitlines()
            self.assertEqual(len(lines), 3 * 25, "the query that the qrels do not judge is not searched for")
        keyword = DATA / "keyword.trec"
        compared = json.loads(self.succeed("eval", "--run", keyword, "--run", "bi.trec", *metrics))["runs"][1]
        self.assertGreater(compared["against_first"]["ndcg@10"]["difference"], 0)

    def test_a_search_is_measured_without_writing_its_run(self):
        self.succeed("index", "c.tandem", DATA / "faq.jsonl", "--model", model(BI))
        search = ["eval", "c.tandem", "--queries", self.QUERIES, "--qrels", self.QRELS, "--model", model(BI), "--mode",
                  "bi"]
        self.assertIn("ndcg@10", self.succeed(*search))
        self.refuse(*search, "--output-run", "no/such/run.trec", names=["no/such/run.trec"])
        self.refuse(*search, "--output-run", "c.tandem/CURRENT", status=2, names=["lies in c.tandem"])
        self.succeed(*search)

    def test_queries_that_no_judgement_knows_are_refused(self):
        self.succeed("index", "c.tandem", DATA / "faq.jsonl", "--model", model(BI))
        queries = self.write_jsonl("other.jsonl", [{"_id": "x1", "text": "hello"}])
        self.refuse("eval", "c.tandem", "--queries", queries, "--qrels", self.QRELS, names=["other.jsonl", "'q1'"])
        twice = self.write_jsonl("twice.jsonl", [{"_id": "q1", "text": "hello"}, {"_id": "q1", "text": "again"}])
        self.refuse("eval", "c.tandem", "--queries", twice, "--qrels", self.QRELS, names=["'q1'", "twice"])

    def test_grades_are_correlated(self):
        pairs = [("A cat sleeps.", "A cat is asleep.", 5), ("A cat sleeps.", "A dog sleeps.", 2.5),
                 ("A cat sleeps.", "Shares fell on Monday.", 0)]
        path = self.write_jsonl("sts.jsonl", [{"text_a": a, "text_b": b, "score": score} for a, b, score in pairs])
        (encoder,) = json.loads(self.succeed("eval", "--pairs", path, "--model", model(BI), "--mode", "bi",
                                             "--per-query", "--json"))["encoders"]
        self.assertAlmostEqual(encoder["spearman"], 1)
        self.assertEqual(len(encoder["scores"]), 3)
        self.assertNotIn("roc_auc", encoder)

    def test_pairs_are_measured_with_the_vectors_that_are_asked_for(self):
        path = self.write_jsonl("sts.jsonl", [{"text_a": "A cat sleeps.", "text_b": text, "score": score}
                                              for text, score in (("A cat is asleep.", 5), ("Shares fell.", 0))])

        def scores(*options):
            return json.loads(self.succeed("eval", "--pairs", path, "--model", model(BI), "--mode", "bi", "--per-query",
                                           "--json", *options))["encoders"][0]["scores"]
        vectors = {options: [json.loads(line) for line in self.succeed(
            "embed", "--model", model(BI), *options, stdin="A cat sleeps.\nA cat is asleep.\n").splitlines()]
                   for options in (("--pooling", "cls"), ("--dimensions", "64"), ())}
        for options, (one, other) in vectors.items():
            cosine = sum(a * b for a, b in zip(one, other)) / math.sqrt(
                sum(a * a for a in one) * sum(b * b for b in other))
            self.assertAlmostEqual(scores(*options)[0], cosine, places=4)
        self.assertNotAlmostEqual(scores("--pooling", "cls")[0], scores()[0], places=3)

    def test_one_label_alone_is_an_error_and_no_zero(self):
        path = self.write_jsonl("same.jsonl", [{"text_a": "a", "text_b": "b", "label": 1}] * 2)
        self.refuse("eval", "--pairs", path, "--model", "no/such", "--mode", "bi", names=["same.jsonl", "both labels"])
        path = self.write_jsonl("grades.jsonl", [{"text_a": "a", "text_b": "b", "score": 2.5}] * 2)
        self.refuse("eval", "--pairs", path, "--model", "no/such", "--mode", "bi", names=["grades.jsonl", "differ"])


class Examples(CliTest):
    def test_the_examples_of_every_command_run(self):
        self.provide_default_models()
        (self.folder / "bin").mkdir()
        (self.folder / "bin" / "tandem").symlink_to(TANDEM)
        self.environment["PATH"] = f"{self.folder / 'bin'}:{self.environment['PATH']}"
        ran = 0
        for command in ("models", "tokenize", "embed", "score", "rerank", "index", "search", "eval", "advise", "bench",
                        "demo", "completion"):
            for line in self.succeed("help", command).splitlines():
                if re.match(r"  (tandem|echo|printf|eval) ", line):
                    result = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", line], cwd=self.folder,
                                            env=self.environment, capture_output=True, text=True, check=False)
                    self.assertEqual(result.returncode, 0, f"{line}\n{result.stderr}")
                    ran += 1
        self.assertGreater(ran, 12)


def _read_jsonl(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines()]


def _f32(number):
    """The number as a float32 holds it."""
    return struct.unpack("<f", struct.pack("<f", number))[0]


def _wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)


if __name__ == "__main__":
    main_with_models()
