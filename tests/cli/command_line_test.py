#!/usr/bin/env python3
"""The command line without any model: usage, help, completion, and what goes wrong before a model is opened."""

import json
import os
import shutil
import subprocess

from support import TANDEM, CliTest, main

COMMANDS = ["pull", "models", "tokenize", "embed", "score", "rerank", "index", "search", "collection", "eval", "bench",
            "demo",
            "completion", "help"]


class Usage(CliTest):
    def test_no_command_is_a_usage_error(self):
        self.refuse(status=2, names=["tandem help"])

    def test_an_unknown_command_is_a_usage_error(self):
        self.refuse("serch", status=2)

    def test_an_unknown_option_is_a_usage_error_that_names_the_command_to_read_about(self):
        self.refuse("embed", "--modle", "x", status=2, names=["--modle", "tandem help embed"])

    def test_options_that_make_no_sense_for_a_command_are_not_offered(self):
        for arguments in (["pull", "x", "--precision", "f32"], ["score", "--normalize"], ["tokenize", "--threads", "2"],
                          ["embed", "--metric", "ip"], ["models", "--offline"], ["embed", "--activation", "none"]):
            self.refuse(*arguments, status=2, names=[arguments[-1] if arguments[-1].startswith("-") else arguments[-2]])

    def test_values_outside_their_range_are_usage_errors(self):
        for arguments in (["--precision", "f64"], ["--threads", "-1"], ["--threads", "many"], ["--max-length", "0"],
                          ["--dimensions", "0"], ["--pooling", "median"], ["--normalize", "--no-normalize"]):
            self.refuse("embed", *arguments, status=2, names=[arguments[0]])
        self.refuse("search", "c", "q", "--alpha", "1.5", status=2, names=["--alpha"])
        self.refuse("search", "c", "q", "--mode", "both", status=2, names=["bi|cross|hybrid"])

    def test_options_without_an_effect_are_usage_errors_that_name_the_mode(self):
        runs = ["eval", "--qrels", "q", "--run", "r"]
        collection = ["eval", "c", "--queries", "q", "--qrels", "q"]
        for command, options, where in (
                (["search", "c", "q", "--mode", "bi"],
                 ("--alpha 1", "--initial-top-k 5", "--rerank-top-n 5", "--cross-model m", "--activation none",
                  "--max-length 9", "--min-probability 0.5"), "with --mode bi"),
                (["search", "c", "q", "--mode", "cross"],
                 ("--alpha 1", "--initial-top-k 5", "--rerank-top-n 5", "--model m", "--fetch-named"),
                 "with --mode cross"),
                (["search", "c", "q"], ("--drop-self",), "without --queries"),
                (["search", "c", "q"], ("--tag t",), "without --format trec"),
                (["search", "c", "q", "--json"], ("--format trec",), "with --json"),
                (["bench", "search", "c", "--mode", "bi"], ("--cross-model m", "--alpha 1"), "with --mode bi"),
                (["bench", "search", "c", "--mode", "cross"], ("--model m",), "with --mode cross"),
                (runs, ("--mode bi", "--alpha 1", "--final-top-k 5", "--min-score 1", "--drop-self", "--model m",
                        "--cross-model m", "--threads 1", "--offline", "--max-length 9", "--tag t"),
                 "without a COLLECTION"),
                (runs, ("--seed 1", "--resamples 9", "--permutations 9", "--confidence 0.9"), "without a second --run"),
                (runs, ("--threshold 1",), "without --pairs"),
                (collection, ("--seed 1", "--confidence 0.9"), "without a second --run"),
                (collection, ("--tag t",), "without --output-run"),
                ([*collection, "--mode", "bi"], ("--cross-model m", "--alpha 1"), "with --mode bi"),
                ([*collection, "--pipelines"],
                 ("--alpha 1", "--final-top-k 5", "--min-score 1", "--permutations 9", "--output-run r"),
                 "with --pipelines"),
                ([*collection, "--pipelines", "--mode", "bi"], ("--alphas 1", "--cross-only"), "with --mode bi"),
                ([*collection, "--pipelines", "--first-stage", "r"], ("--model m",), "without --first-stage bi"),
                (["eval", "--pairs", "p"], ("--tag t", "--alpha 1", "--seed 1", "--metrics map"), "with --pairs"),
                (["eval", "--pairs", "p", "--mode", "cross"], ("--pooling cls", "--model m"), "with --mode cross"),
                (["advise", "c"], ("--min-clicks 2",), "without --clicks"),
                (["advise", "c", "--clicks", "l"], ("--queries-from titles",), "with --clicks"),
                (["advise", "c", "--queries", "q", "--qrels", "q"], ("--queries-from titles",), "with --qrels"),
                (["advise", "c", "--queries", "q", "--qrels", "q", "--first-stage", "r"], ("--model m",),
                 "without --first-stage bi"),
                (["advise", "c", "--cross-model", "none"],
                 ("--alphas 1", "--cross-only", "--no-cross-only", "--activation none", "--max-length 9"),
                 "with --cross-model none"),
                (["advise", "--scenarios"], ("--budget 5s", "--p95-ms 5"), "with --scenarios")):
            for option in options:
                self.refuse(*command, *option.split(), status=2,
                            names=[f"{option.split()[0]} has no effect {where}", f"tandem help {command[0]}"
                                   if command[0] != "bench" else "tandem help"])
        self.refuse("embed", "--fetch-named", "--offline", status=2, names=["--fetch-named", "--offline"])

    def test_a_number_is_not_taken_for_a_word(self):
        self.refuse("embed", "--precision", "1", status=2, names=["auto|f32|bf16|int8"])

    def test_the_version_goes_to_standard_output(self):
        self.assertRegex(self.succeed("--version"), r"^tandem \d+\.\d+\.\d+\n$")

    def test_a_full_disk_is_a_failure_of_help_and_version_too(self):
        for arguments in (["--version"], ["search", "--help"]):
            with open("/dev/full", "wb") as full:
                result = subprocess.run([TANDEM, *arguments], stdout=full, stderr=subprocess.PIPE, check=False)
            self.assertEqual((result.returncode, b"standard output" in result.stderr), (1, True), arguments)

    def test_a_command_that_is_nearly_one_is_guessed(self):
        for word, command in (("serch", "search"), ("emebd", "embed"), ("indx", "index")):
            self.refuse(word, "x", status=2, names=[f"Did you mean `tandem {command}`?"])
        self.assertNotIn("Did you mean", self.refuse("frobnicate", status=2))

    def test_messages_that_nobody_can_read_end_nothing(self):
        for arguments, status in ((["models"], 0), (["serch"], 2), (["collection", "info", "nowhere"], 1)):
            reader, writer = os.pipe()
            os.close(reader)
            for sink in (os.open("/dev/full", os.O_WRONLY), writer):
                result = subprocess.run([TANDEM, *arguments], stdout=subprocess.PIPE, stderr=sink, check=False,
                                        env=self.environment)
                os.close(sink)
                self.assertEqual(result.returncode, status, arguments)


class Help(CliTest):
    def test_help_lists_every_command(self):
        text = self.succeed("help")
        for command in COMMANDS:
            self.assertRegex(text, rf"\n +{command} ")

    def test_every_command_explains_itself(self):
        for command in COMMANDS:
            self.assertEqual(self.succeed("help", command), self.succeed(command, "--help"))

    def test_help_reaches_commands_below_commands(self):
        self.assertIn("--repeat", self.succeed("help", "bench", "embed"))

    def test_help_for_what_is_not_a_command_is_a_usage_error(self):
        self.refuse("help", "serch", status=2, names=["serch"])


class Completion(CliTest):
    def complete_in_bash(self, *words):
        script = (f'eval "$({TANDEM} completion bash)"; COMP_WORDS=({" ".join(words)}); '
                  f'COMP_CWORD={len(words) - 1}; _tandem; echo "${{COMPREPLY[@]}}"')
        return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split()

    def test_bash_completes_commands_and_options(self):
        self.assertEqual(self.complete_in_bash("tandem", "em"), ["embed"])
        self.assertEqual(self.complete_in_bash("tandem", "embed", "--prec"), ["--precision"])
        self.assertIn("products", self.complete_in_bash("tandem", "demo", "p"))

    def test_other_shells_can_read_their_scripts(self):
        for shell in ("bash", "zsh", "fish"):
            script = self.succeed("completion", shell)
            self.assertIn("embed", script)
            if shutil.which(shell):
                subprocess.run([shell, "-n"], input=script, text=True, check=True)

    def test_an_unknown_shell_is_a_usage_error(self):
        self.refuse("completion", "tcsh", status=2, names=["bash|zsh|fish"])


class WithoutModels(CliTest):
    def test_an_empty_store_is_an_empty_list(self):
        self.assertEqual(json.loads(self.succeed("models", "--json")), [])

    def test_a_model_that_is_not_here_is_named_when_offline(self):
        self.refuse("embed", "--model", "nobody/nothing", "--offline", names=["nobody/nothing"])

    def test_a_missing_input_is_named_before_any_model_is_looked_for(self):
        for command in ("embed", "score", "tokenize"):
            self.refuse(command, "--input", "missing.txt", "--model", "nobody/nothing", names=["missing.txt"])
        self.refuse("rerank", "--query", "q", "--input", "missing.txt", names=["missing.txt"])
        self.refuse("index", "c", "missing.jsonl", names=["missing.jsonl"])

    def test_a_folder_is_no_input(self):
        self.refuse("embed", "--input", ".", status=2, names=["folder"])

    def test_an_input_without_permission_is_named(self):
        path = self.write("secret.txt", "a\n")
        os.chmod(path, 0)
        os.chmod(self.folder, 0o755)
        nobody = {"user": 65534, "group": 65534} if os.getuid() == 0 else {}  # Root may read everything.
        try:
            self.refuse("embed", "--input", path, names=["secret.txt", "ermission"], **nobody)
        except PermissionError:
            self.skipTest(f"nobody but root may run {TANDEM}")

    def test_an_empty_query_is_a_usage_error(self):
        for query in ("", "  \t"):
            self.refuse("rerank", "--query", query, status=2, names=["empty"])
            self.refuse("search", "c", query, status=2, names=["empty"])
        self.refuse("search", "c", "--queries", self.write("q.txt", "good\n\n"), status=2, names=["query 2", "empty"])

    def test_searching_for_nothing_is_a_usage_error(self):
        self.refuse("search", "c", status=2, names=["--queries"])

    def test_a_collection_that_is_not_there_is_named(self):
        self.refuse("search", "nowhere.tandem", "q", names=["nowhere.tandem"])

    def test_a_line_that_is_not_json_is_named_by_number(self):
        path = self.write("bad.jsonl", '{"text": "one"}\n{"text": \n')
        self.refuse("rerank", "--query", "q", "--input", path, names=["bad.jsonl:2"])

    def test_a_line_of_the_wrong_type_is_named_by_number_and_member(self):
        path = self.write("bad.jsonl", '{"text": "one"}\n{"text": 2}\n')
        self.refuse("rerank", "--query", "q", "--input", path, names=["bad.jsonl:2", "text"])


class Output(CliTest):
    def test_a_full_disk_is_an_error(self):
        with open("/dev/full", "wb") as full:
            result = subprocess.run([TANDEM, "help"], stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"standard output", result.stderr)

    def test_a_reader_that_goes_away_ends_the_program_quietly(self):
        reader, writer = os.pipe()
        os.close(reader)
        result = subprocess.run([TANDEM, "help"], stdout=writer, stderr=subprocess.PIPE, check=False)
        os.close(writer)
        self.assertEqual((result.returncode, result.stderr), (-13, b""))


if __name__ == "__main__":
    main()
