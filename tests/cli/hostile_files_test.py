#!/usr/bin/env python3
"""Files that mean harm: collections, models, caches and texts that somebody else made, with tiny checkpoints."""

import json
import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import time

from support import CHECKPOINTS, ROOT, TANDEM, CliTest, main

OFFLINE = ("--offline", "--precision", "f32", "--threads", "2")
ESCAPES = ("\x1b[2J", "\x9b31m", "\u202e", "\x07", "\r")
TEXTS = "one fast boat\na slow model\n"


class HostileTest(CliTest):
    def setUp(self):
        super().setUp()
        self.variants = json.loads((CHECKPOINTS / "golden.json").read_text())["variants"]
        self.materialise(self.variants[0]["files"], "model")

    def cross_model(self):
        variant = next(row for row in self.variants if row["name"] == "distilbert, 3 labels, softmax")
        self.materialise(variant["files"], "cross")
        return self.folder / "cross"

    def edit_json(self, name, **members):
        path = self.folder / name
        path.write_text(json.dumps({**json.loads(path.read_text()), **members}))

    def index(self, rows=({"_id": "1", "text": "one fast boat"}, {"_id": "2", "text": "day"})):
        """A collection, and the path of its documents."""
        self.write_jsonl("corpus.jsonl", rows)
        self.succeed("index", "c", "corpus.jsonl", "--model", "model", *OFFLINE)
        return self.folder / "c/generation-000001/documents.sqlite"

    def search(self, *arguments, refused=(), **options):
        command = ("search", "c", "boat", "--mode", "bi", *OFFLINE, *arguments)
        if refused:
            return self.refuse(*command, names=refused, **options)
        return self.succeed(*command, **options)

    def write_texts(self):
        """texts.jsonl, of which `tandem advise` can make a test."""
        rows = [{"_id": str(i), "title": "one fast boat",
                 "text": f"one fast boat is not slow {i}. the day is one fast model {i}. this is not what it is {i}."}
                for i in range(12)]
        self.write_jsonl("texts.jsonl", rows)

    def assert_shows_nothing_unseen(self, text):
        for escape in ESCAPES:
            self.assertNotIn(escape, text)


class Output(HostileTest):
    """What is printed is what was meant: nothing that a file holds steers a terminal or forges a line."""

    def test_metadata_that_is_no_object_is_refused(self):
        documents = self.index()
        for metadata in ('{}, "final_score": 9', '{"a": 1}\n{"query_id": "2"}', "[1]", "x"):
            with sqlite3.connect(documents) as database:
                database.execute("UPDATE documents SET metadata = ?", (metadata,))
            self.search("--format", "json", refused=["documents.sqlite", ": document ", "metadata"])

    def test_metadata_of_several_lines_is_printed_on_one(self):
        documents = self.index()
        with sqlite3.connect(documents) as database:
            database.execute("UPDATE documents SET metadata = ?", ('{"a":\n "\u202e\x9b"}',))
        output = self.search("--format", "json")
        self.assertEqual(output.count("\n"), 1)
        self.assert_shows_nothing_unseen(output)
        self.assertEqual(json.loads(output)["results"][0]["metadata"], {"a": "\u202e\x9b"})

    def test_an_id_with_control_characters_is_refused_where_it_is_read(self):
        documents = self.index()
        with sqlite3.connect(documents) as database:
            database.execute("UPDATE documents SET id = ? WHERE ordinal = 0", ("1\n2 Q0 x 1 9 y",))
        for form in ("table", "json", "trec"):
            self.search("--format", form, refused=["document id", "U+000A"])
        self.write_jsonl("bad.jsonl", [{"_id": "a\x1b[2J", "text": "x"}])
        self.refuse("index", "d", "bad.jsonl", "--model", "model", *OFFLINE, names=["bad.jsonl:1", "U+001B"])
        self.write("bad.tsv", "a\u0085b\tx\n")
        self.refuse("index", "d", "bad.tsv", "--model", "model", *OFFLINE, names=["bad.tsv:1", "U+0085"])
        (self.folder / "texts").mkdir()
        self.write("texts/a\nb.txt", "x\n")
        self.refuse("index", "d", "texts", "--model", "model", *OFFLINE, names=["texts", "U+000A"])
        self.write_jsonl("queries.jsonl", [{"_id": "q\t1", "text": "boat"}])
        self.refuse("search", "c", "--queries", "queries.jsonl", "--mode", "bi", names=["queries.jsonl:1", "U+0009"])
        self.write("qrels", "q\x1b 0 a 1\n")
        self.write("run", "q Q0 a\x07 1 2 x\n")
        self.refuse("eval", "--qrels", "qrels", "--run", "run", names=["qrels:1", "U+001B"])
        self.write("qrels", "q 0 a 1\n")
        self.refuse("eval", "--qrels", "qrels", "--run", "run", names=["run:1", "U+0007"])
        self.refuse("search", "c", "boat", "--format", "trec", "--tag", "a\x1bb", status=2, names=["--tag"])

    def test_json_lines_are_known_by_a_name_of_any_case(self):
        self.index([{"_id": "1", "text": "one fast boat"}])
        queries = self.write("Q.JSONL", '{"_id": "q", "text": "boat"}\n{"_id": 7, "text": "ship"}\n')
        printed = self.succeed("search", "c", "--queries", queries, "--mode", "bi", "--model", "model", *OFFLINE,
                               "--json")
        self.assertEqual([json.loads(line)["query_id"] for line in printed.splitlines()], ["q", "7"])
        self.write("Q.JSONL", '{"_id": 18446744073709551617, "text": "boat"}\n')
        self.refuse("search", "c", "--queries", queries, "--mode", "bi", "--model", "model", *OFFLINE,
                    names=["Q.JSONL:1", "in quotes"])

    def test_arguments_in_brackets_are_taken_as_they_are(self):
        self.index([{"_id": "1", "text": "one fast boat"}])
        asked = ["[a,b]", "[SEP]", "[1, 2, 3]", "[]", "plain"]
        for separator in ([], ["--"]):
            printed = self.succeed("search", "c", "--mode", "bi", "--model", "model", *OFFLINE, "--json", *separator,
                                   *asked)
            self.assertEqual([json.loads(line)["query"] for line in printed.splitlines()], asked)
        self.refuse("search", "[x]", "boat", "--mode", "bi", names=["[x]"])
        self.refuse("pull", "[a]", "[b]", status=2, names=["[b]"])

    def test_ids_that_a_run_cannot_hold_are_refused(self):
        self.index([{"_id": "1", "text": "one fast boat"}])
        self.write_jsonl("queries.jsonl", [{"_id": "#1", "text": "boat"}])
        self.refuse("search", "c", "--queries", "queries.jsonl", "--mode", "bi", "--format", "trec", *OFFLINE,
                    names=["TREC", "#1"])

    def test_ids_that_print_alike_or_have_white_space_of_any_kind_are_in_no_run(self):
        documents = self.index()
        for hostile in ("x\u3000Q0\u3000evil", "x\u00a0y", "ok\u202eid"):
            with sqlite3.connect(documents) as database:
                database.execute("UPDATE documents SET id = ? WHERE ordinal = 0", (hostile,))
            self.search("--format", "trec", refused=["a TREC run cannot hold", "--format json can"])
            self.search("--format", "json")
        with sqlite3.connect(documents) as database:
            database.execute("UPDATE documents SET id = ? WHERE ordinal = 0", (r"ok\u{202e}id",))
        self.assertIn(r" ok\u{202e}id ", self.search("--format", "trec"))

    def test_messages_show_what_would_steer_a_terminal(self):
        hostile = "x\x1b]0;title\x07\x9b2J\u202e\r"
        self.edit_json("model/config.json", model_type=hostile)
        message = self.refuse("embed", "--model", "model", *OFFLINE, stdin=TEXTS)
        self.assert_shows_nothing_unseen(message)
        self.assertIn(r"x\x1b]0;title\x07\u{9b}2J\u{202e}\x0d", message)
        for arguments in (("embed", "--model", hostile), ("pull", "a/" + hostile), (hostile,), ("embed", hostile)):
            result = self.run_tandem(*arguments, *(OFFLINE if arguments[0] == "embed" else ()))
            self.assertNotEqual(result.returncode, 0)
            self.assert_shows_nothing_unseen(result.stderr)
        raw = subprocess.run([TANDEM.encode(), b"embed", b"--input", b"\xff\x9b"], capture_output=True, check=False)
        self.assertIn(rb"\xff\x9b", raw.stderr)

    def test_a_message_cannot_look_like_two(self):
        self.edit_json("model/config.json", model_type="x\ntandem: success")
        message = self.refuse("embed", "--model", "model", *OFFLINE, stdin=TEXTS)
        self.assertIn("x\n  tandem: success", message)

    def test_texts_show_what_would_steer_a_terminal(self):
        hostile = "boat \x1b[2J\x07 \x9b \u202e"
        self.index([{"_id": "\u202e1", "title": hostile, "text": hostile}])
        output = self.search()
        self.assert_shows_nothing_unseen(output)
        self.assertIn(r"\u{202e}1: boat \x1b[2J\x07 \u{9b} \u{202e}", output)
        output = self.search("--format", "json")
        self.assert_shows_nothing_unseen(output)
        self.assertEqual(json.loads(output)["results"][0]["text"], hostile)

    def test_every_script_and_joiner_is_shown_as_it_is(self):
        text = "日本語 العربية עברית 👩‍🔬 naïve ﷽"
        self.index([{"_id": "文書", "text": text}])
        self.assertIn(f"文書: {text}\n", self.search())
        self.assertIn(text, self.search("--format", "json"))
        self.assertIn(text, self.refuse("embed", "--input", text, names=[]))

    def test_labels_and_prompt_names_with_control_characters_are_refused(self):
        cross = self.cross_model()
        self.edit_json("cross/config.json", id2label={"0": "a\nb", "1": "b", "2": "c"})
        self.refuse("score", "--model", cross, *OFFLINE, stdin="a\tb\n", names=["config.json", "id2label", "U+000A"])
        modules = [{"path": "", "type": "sentence_transformers.models.Transformer"},
                   {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
        self.write("model/modules.json", json.dumps(modules))
        (self.folder / "model/1_Pooling").mkdir()
        self.write("model/1_Pooling/config.json", json.dumps({"pooling_mode": "mean"}))
        self.write("model/config_sentence_transformers.json", json.dumps({"prompts": {"q\x1b": "x"}}))
        self.refuse("embed", "--model", "model", *OFFLINE, stdin=TEXTS, names=["prompt name", "U+001B"])

    def test_a_models_name_with_control_characters_is_refused(self):
        self.write("model/tandem.json", json.dumps({"id": "org/name\nwrote \x1b[2J"}))
        self.write_jsonl("corpus.jsonl", [{"_id": "1", "text": "boat"}])
        self.refuse("index", "c", "corpus.jsonl", "--model", "model", *OFFLINE, names=["model name", "U+000A"])
        (self.folder / "model/tandem.json").unlink()
        documents = self.index()
        manifest = documents.parent / "manifest.json"
        content = json.loads(manifest.read_text())
        content["recipe"]["model"] = "org/name\u2028x"
        manifest.write_text(json.dumps(content))
        self.search("--model", "model", refused=["manifest.json", "U+2028"])

    def test_a_store_of_models_is_one_line_each(self):
        self.materialise(self.variants[0]["files"], "home/models/org--name", "org/na\x1b[2J\nme\tx")
        output = self.succeed("models")
        self.assertEqual([line.count("\t") for line in output.splitlines()], [3] * output.count("\n"))
        self.assert_shows_nothing_unseen(output)


class Defaults(HostileTest):
    """A model that the user did not name is not chosen by the folder in which Tandem is started."""

    def plant(self, model):
        (self.folder / model).parent.mkdir()
        (self.folder / "model").rename(self.folder / model)

    def test_a_planted_folder_is_not_the_default_bi_encoder(self):
        planted = "sentence-transformers/all-MiniLM-L6-v2"
        self.plant(planted)
        self.write_texts()
        for command in (["tokenize"], ["embed"], ["index", "c", "texts.jsonl"], ["bench", "embed"], ["demo", "speed"],
                        ["advise", "texts.jsonl", "--cross-model", "none"]):
            self.refuse(*command, "--offline", stdin=TEXTS, names=[planted, "offline"])
        self.succeed("embed", "--model", planted, *OFFLINE, stdin=TEXTS)
        self.succeed("embed", "--model", f"./{planted}", *OFFLINE, stdin=TEXTS)

    def test_a_planted_folder_is_not_the_default_cross_encoder(self):
        planted = "cross-encoder/ms-marco-MiniLM-L-12-v2"
        self.plant(planted)
        self.refuse("score", "--offline", stdin="a\tb\n", names=[planted, "offline"])
        self.refuse("rerank", "--query", "a", "--offline", stdin=TEXTS, names=[planted, "offline"])


class Databases(HostileTest):
    """A database is only ever a table: whatever else it would do is not done."""

    FOREVER = "(WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c)"

    def advise(self):
        self.write_texts()
        return ("advise", "texts.jsonl", "--model", "model", "--cross-model", "none", "--offline", "--cache",
                "cache.sqlite", "--budget", "5s", "--sample", "5")

    def test_a_cache_that_does_more_than_hold_values_is_refused(self):
        command = self.advise()
        self.succeed(*command)
        for trigger in (f"SELECT {self.FOREVER}", "DELETE FROM computed",
                        "INSERT INTO computed VALUES (new.key || 'x', zeroblob(100000000), 1)"):
            with sqlite3.connect(self.folder / "cache.sqlite") as database:
                database.execute(f"CREATE TRIGGER t AFTER INSERT ON computed BEGIN {trigger}; END")
            database.close()
            self.refuse(*command, names=["cache.sqlite", "not a file of computed values"])
            with sqlite3.connect(self.folder / "cache.sqlite") as database:
                database.execute("DROP TRIGGER t")
            database.close()
        self.succeed(*command)

    def test_a_journal_beside_the_target_of_a_linked_cache_is_refused(self):
        command = self.advise()
        (self.folder / "cache.sqlite").symlink_to("real.sqlite")
        self.succeed(*command)
        self.write("real.sqlite-journal", "would make SQLite remove the file that it names")
        self.refuse(*command, names=["cache.sqlite", "real.sqlite-journal"])

    def test_a_collection_that_holds_more_than_documents_is_refused(self):
        documents = self.index()
        with sqlite3.connect(documents) as database:
            database.execute(f"CREATE VIEW v AS SELECT {self.FOREVER}")
        database.close()
        self.search(refused=["documents.sqlite", "not a document file"])


class Files(HostileTest):
    """Whatever lies in the place of a file, the program ends, and says which file it was."""

    def put_in_place_of(self, path):
        """Each thing that could lie there instead, one after the other."""
        content = path.read_bytes()
        path.unlink()
        for make in (os.mkfifo, lambda name: name.symlink_to("/dev/zero"), lambda name: name.mkdir()):
            make(path)
            yield
            path.rmdir() if path.is_dir() else path.unlink()
        path.write_bytes(content)

    def test_files_of_a_model_that_are_none_are_refused(self):
        for path in list((self.folder / "model").iterdir()):
            for _ in self.put_in_place_of(path):
                self.refuse("embed", "--model", "model", *OFFLINE, stdin=TEXTS, status=2,
                            names=[path.name, "not a regular file"])
        self.succeed("embed", "--model", "model", *OFFLINE, stdin=TEXTS)

    def test_files_of_a_collection_that_are_none_are_refused(self):
        version = self.index().parent
        for path in (version.parent / "CURRENT", version / "manifest.json", version / "vectors.f32",
                     version / "documents.sqlite"):
            for _ in self.put_in_place_of(path):
                self.search(refused=[path.name, "not a regular file"], status=2)
        self.search()

    def test_links_in_a_collection_are_refused(self):
        version = self.index().parent
        for path in (version.parent / "CURRENT", version / "manifest.json", version / "vectors.f32",
                     version / "documents.sqlite", version):
            path.rename(self.folder / "elsewhere")
            path.symlink_to(self.folder / "elsewhere")
            self.search(refused=[path.name, "a link"], status=2)
            path.unlink()
            (self.folder / "elsewhere").rename(path)
        self.search()

    def test_vectors_that_are_not_finite_name_their_collection(self):
        # Of a version that has no checksums, which would show it first.
        source = ROOT / "tests/goldens/tiny-bert"
        self.materialise(json.loads((source / "golden.json").read_text())["files"], "tiny-bert", source=source)
        shutil.copytree(ROOT / "tests/goldens/collections/version-1", self.folder / "c")
        vectors = self.folder / "c/generation-000001/vectors.f32"
        header = vectors.read_bytes()[:64]
        vectors.write_bytes(header + b"\xff" * (vectors.stat().st_size - 64))
        self.search("--model", "tiny-bert", refused=["c: ", "not finite"])
        self.refuse("eval", "c", "--queries", self.write("q.txt", "boat\n"), "--qrels",
                    self.write("qrels.tsv", "1\t1\t1\n"), "--pipelines", "--mode", "bi", "--model", "tiny-bert",
                    *OFFLINE, names=["c: ", "not finite"])

    def test_a_folder_of_texts_is_read_without_what_is_no_file(self):
        (self.folder / "texts").mkdir()
        self.write("texts/a.txt", "one fast boat\n")
        os.mkfifo(self.folder / "texts/b.txt")
        (self.folder / "texts/c.md").symlink_to("/dev/zero")
        output = self.succeed("index", "c", "texts", "--model", "model", "--json", *OFFLINE)
        self.assertEqual(json.loads(output)["documents"], 1)

    def test_a_folder_of_texts_brings_in_no_file_from_outside(self):
        self.write("secret", "slow day\n")
        (self.folder / "texts").mkdir()
        self.write("texts/a.txt", "one fast boat\n")
        (self.folder / "texts/b.txt").symlink_to(self.folder / "secret")
        self.write("texts/inside", "fast\n")
        (self.folder / "texts/c.txt").symlink_to("inside")
        output = self.succeed("index", "c", "texts", "--model", "model", "--json", *OFFLINE)
        self.assertEqual(json.loads(output)["documents"], 2)
        self.assertNotIn("slow", self.search())

    def test_what_the_user_names_may_be_a_pipe(self):
        command = f"{TANDEM} embed --model model {' '.join(OFFLINE)} --input "
        wanted = self.succeed("embed", "--model", "model", *OFFLINE, stdin=TEXTS)
        for given in ("<(printf '%s' \"$TEXTS\")", "/dev/stdin <<< \"${TEXTS%?}\"",
                      "fifo & printf '%s' \"$TEXTS\" > fifo; wait"):
            if "fifo" in given:
                os.mkfifo(self.folder / "fifo")
            result = subprocess.run(["bash", "-c", command + given], cwd=self.folder, capture_output=True, text=True,
                                    env={**self.environment, "TEXTS": TEXTS}, timeout=60, check=False)
            self.assertEqual(result.stdout, wanted, result.stderr)
        result = subprocess.run(["bash", "-c", f"{TANDEM} index c <(echo 'one fast boat') --model model --json "
                                 + " ".join(OFFLINE)], cwd=self.folder, capture_output=True, text=True, timeout=60,
                                env=self.environment, check=False)
        self.assertEqual(json.loads(result.stdout)["documents"], 1, result.stderr)

    def test_charts_go_where_no_link_leads(self):
        self.write_texts()
        (self.folder / "charts").mkdir()
        self.write("private", "mine")
        (self.folder / "charts/quality-and-time.svg").symlink_to("../private")
        self.refuse("advise", "texts.jsonl", "--model", "model", "--cross-model", "none", "--svg", "charts", *OFFLINE,
                    status=2, names=["charts/quality-and-time.svg", "is a link"])
        self.assertEqual((self.folder / "private").read_text(), "mine")

    def test_files_of_the_model_are_no_output(self):
        before = (self.folder / "model/config.json").read_text()
        self.refuse("embed", "--model", "model", "--output", "model/config.json", *OFFLINE, stdin=TEXTS, status=2,
                    names=["--output model/config.json", "may not be replaced"])
        self.assertEqual((self.folder / "model/config.json").read_text(), before)

    def test_the_texts_of_many_results_are_not_held_at_once(self):
        self.index([{"_id": "long", "text": "boat " * 200_000}])
        self.write("queries.txt", "boat\n" * 2_000)
        with open(self.folder / "run.trec", "wb") as run, \
             subprocess.Popen([TANDEM, "search", "c", "--queries", "queries.txt", "--mode", "bi", "--format", "trec",
                               *OFFLINE], cwd=self.folder, env=self.environment, stdout=run) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        self.assertLess(usage.ru_maxrss, 1 << 20, "KiB; all texts together take twice as much")
        lines = (self.folder / "run.trec").read_text()
        self.assertEqual([line.split()[:3] for line in lines.split("\n")[:-1]],
                         [[str(number), "Q0", "long"] for number in range(1, 2_001)])

    def test_a_batch_is_smaller_the_wider_its_vectors_are(self):
        width = 1 << 16
        types = ("Transformer", "Pooling", "Dense", "Dense")
        for number, (inputs, outputs) in {2: (32, 1), 3: (1, width)}.items():
            (self.folder / f"model/{number}").mkdir()
            self.write(f"model/{number}/config.json",
                       json.dumps({"in_features": inputs, "out_features": outputs, "bias": False}))
            size = 4 * inputs * outputs
            tensor = {"dtype": "F32", "shape": [outputs, inputs], "data_offsets": [0, size]}
            header = json.dumps({"linear.weight": tensor}).encode()
            self.write(f"model/{number}/model.safetensors", struct.pack("<Q", len(header)) + header + bytes(size))
        (self.folder / "model/1").mkdir()
        self.write("model/1/config.json", json.dumps({"pooling_mode": "mean"}))
        self.write("model/modules.json", json.dumps(
            [{"path": str(i) if i else "", "type": "sentence_transformers.models." + types[i]} for i in range(4)]))
        with subprocess.Popen([TANDEM, "embed", "--model", "model", *OFFLINE, "--output", "o.npy"], cwd=self.folder,
                              env=self.environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdin.write(b"one fast boat\n" * 256)
            process.stdin.flush()
            deadline = time.monotonic() + 60
            while sum(path.stat().st_size for path in self.folder.glob("o.npy*")) < 256 * 4 * width:
                self.assertLess(time.monotonic(), deadline, "64 MiB of vectors are a batch")
                time.sleep(0.05)
            process.communicate(b"a slow model\n")
        self.assertEqual(process.returncode, 0)
        self.assertGreaterEqual((self.folder / "o.npy").stat().st_size, 257 * 4 * width)

    def test_a_private_output_stays_private(self):
        output = self.folder / "o.npy"
        for before, after in ((None, 0o644), (0o600, 0o600), (0o640, 0o640)):
            output.unlink(missing_ok=True)
            if before:
                output.touch()
                output.chmod(before)
            self.succeed("embed", "--model", "model", *OFFLINE, "--output", "o.npy", stdin=TEXTS, umask=0o022)
            self.assertEqual(output.stat().st_mode & 0o777, after)

    def test_weights_that_are_lost_while_texts_come_in_are_an_error(self):
        weights = next(path for path in (self.folder / "model").iterdir() if path.suffix in (".bin", ".safetensors"))
        whole = weights.read_bytes()
        for left in (0, len(whole) // 2 + 5):
            weights.write_bytes(whole)
            with subprocess.Popen([TANDEM, "embed", "--model", "model", *OFFLINE], cwd=self.folder,
                                  env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE) as process:
                # A batch of texts, so that its vectors show when the model has been opened.
                process.stdin.write(b"one fast boat\n" * 4096)
                process.stdin.flush()
                process.stdout.readline()
                os.truncate(weights, left)
                output, errors = process.communicate(b"a slow model\n" * 10)
            self.assertEqual(process.returncode, 1, errors)
            self.assertIn(weights.name.encode(), errors)
            self.assertLess(output.count(b"\n"), 4096)

    def test_a_file_that_is_lost_elsewhere_ends_the_run_with_a_word(self):
        with subprocess.Popen([TANDEM, "embed", "--model", "model", *OFFLINE], cwd=self.folder, env=self.environment,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdin.write(b"one fast boat\n" * 4096)
            process.stdin.flush()
            process.stdout.readline()
            process.send_signal(signal.SIGBUS)  # As the system would where SQLite maps a file.
            _, errors = process.communicate()
        self.assertEqual(process.returncode, -signal.SIGBUS)
        self.assertIn(b"shortened a file", errors)


if __name__ == "__main__":
    main()
