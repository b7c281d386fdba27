#!/usr/bin/env python3
"""Files of texts as people have them, made at random: each is read as what it is, or refused by its name.

What a file holds is what Python's csv, json and gzip read in it. As a program: --files N --seed S tries N files.
"""

import argparse
import bz2
import collections
import contextlib
import csv
import gzip
import io
import json
import lzma
import pathlib
import random
import sqlite3
import sys
import unittest
import zipfile
import zlib

from support import CHECKPOINTS, CliTest, main

OFFLINE = ("--offline", "--precision", "f32", "--threads", "1")
FILES_OF_MAKE_TEST = 300
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
WORDS = ("one fast boat", "Grüße aus Köln", "naïve café", 'they say "hi"', "a, b; c", "x | y", "tail ", "it's",
         "{curly} braces", "[1] a note", "#hash", "0", "null", "a  b", "é", "day", '"quoted" first', '"open')
WIDE_WORDS = ("日本語 テキスト", "émoji 😀", "Ω and ω")
BROKEN_WORDS = ("line\nbreak", "line\r\nbreak", "carriage\rreturn", "tab\there", "\ttab before")


class Recipe:
    """What a file is made of, chosen by a seed."""

    def __init__(self, seed):
        self.seed = seed
        pick = random.Random(seed)
        self.use = pick.choice(("documents", "documents", "queries", "texts"))
        self.format = pick.choice(("jsonl", "csv", "csv", "tsv", "lines", "lines"))
        # Few things are strange about one file, so that most things are found out.
        strange = set(pick.sample(("format", "encoding", "line_end", "compression", "damage", "header", "separator",
                                   "name", "words"), pick.choice((0, 1, 1, 1, 2, 2, 3))))

        def choose(what, common, rare):
            return pick.choice(rare if what in strange else common)

        self.format = choose("format", (self.format,), (self.format, "json"))
        self.encoding = choose("encoding", ("utf-8",), ("utf-8-sig", "latin-1", "utf-16", "utf-16-le", "utf-32"))
        self.line_end = choose("line_end", ("\n", "\r\n"), ("\r",))
        self.ends_with_line_end = pick.random() < 0.7
        self.compression = choose("compression", ("none", "none", "gzip", "members"), ("bz2", "xz", "zstd", "zip"))
        self.damage = choose("damage", ("none",), ("cut", "flip", "flip", "garbage", "nul"))
        self.header = choose("header", ("id,text", "_id,title,text", "text", "TEXT,ID,price"),
                             ("none", "none", "qid,query", "question,answer", "id,body", "id,text,text"))
        self.separator = choose("separator", (",",), (";", "\t", "|")) if self.format == "csv" else "\t"
        self.says_separator = pick.choice(("sep=", "option", "no"))
        self.quoting = pick.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
        self.maps_columns = pick.random() < 0.6
        self.name = choose("name", ("right", "right", "upper"), ("unknown", "stdin", "wrong"))
        self.is_named_gz = pick.random() < 0.7
        self.says_format = pick.random() < 0.25
        if self.format == "csv" and self.header == "none":  # Nothing in such a file says that it is a table.
            self.says_format = True
            self.says_separator = "option"
        if self.damage in ("cut", "flip") and self.header == "text":
            self.header = "id,text"  # What is left of the only name is a text.
        if self.damage in ("cut", "flip") and self.name not in ("right", "upper"):
            # What is left of such a file may be nothing but a line of text.
            self.says_format = True
            self.name = "right" if self.format == "json" else self.name
        words = WORDS + (() if self.encoding == "latin-1" else WIDE_WORDS)
        if self.format in ("jsonl", "json", "csv"):
            words += BROKEN_WORDS if "words" in strange else ()
        self.rows = [(f"d{i}" if pick.random() < 0.8 else str(1000 + i), pick.choice(("", "a title", "fast, boat")),
                      " ".join(pick.choice(words) for _ in range(pick.randint(1, 3))))
                     for i in range(pick.randint(1, 5))]
        self.pick = pick

    def __str__(self):
        return ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if name != "pick")

    @property
    def columns(self):
        return None if self.header == "none" else self.header.split(",")

    @property
    def wants_mapping(self):
        return self.is_table and self.columns and "text" not in self.header.lower()

    @property
    def is_table(self):
        return self.format in ("csv", "tsv")

    # ------------------------------------------------------------------------------------------------------- the file

    def text(self):
        """The content, and what it is written by is Python."""
        out = io.StringIO(newline="")
        if self.format == "jsonl":
            for row_id, title, text in self.rows:
                members = {"_id": row_id, "title": title, "text": text}
                out.write(json.dumps(members, ensure_ascii=self.pick.random() < 0.5) + self.line_end)
        elif self.format == "json":
            rows = [{"_id": row_id, "text": text} for row_id, _, text in self.rows]
            out.write(json.dumps(rows, indent=self.pick.choice((None, 2))) + self.line_end)
        elif self.format == "lines":
            out.write("".join(text + self.line_end for _, _, text in self.rows))
        else:
            self.write_table(out)
        text = out.getvalue()
        return text if self.ends_with_line_end else text.removesuffix(self.line_end)

    def write_table(self, out):
        if self.format == "csv" and self.says_separator == "sep=":
            out.write("sep=" + self.separator + self.line_end)
        rows = [self.columns] if self.columns else []
        for row_id, title, text in self.rows:
            cells = {"id": row_id, "_id": row_id, "qid": row_id, "question": row_id, "title": title, "price": "3"}
            rows.append([cells.get(name.lower(), text) for name in self.columns or ("id", "text")])
        if self.format == "tsv":
            out.write("".join("\t".join(cells) + self.line_end for cells in rows))
        else:
            writer = csv.writer(out, delimiter=self.separator, quoting=self.quoting, lineterminator=self.line_end)
            writer.writerows(rows)

    def content(self):
        plain = self.text().encode(self.encoding)
        if self.damage == "nul":
            at = self.pick.randint(0, len(plain))
            plain = plain[:at] + b"\0" + plain[at:]
        data = self.compressed(plain)
        whole_magic = 3 if self.compression == "none" else 12
        if self.damage == "cut" and len(data) > whole_magic:
            data = data[:self.pick.randint(whole_magic, len(data) - 1)]
        elif self.damage == "flip" and data:
            at = self.pick.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ 1 << self.pick.randrange(8)]) + data[at + 1:]
        elif self.damage == "garbage":
            data += self.pick.choice((b"garbage", b"\x00\x01\x02", b"\n", b"\x1f\x8b"))
        return data

    def compressed(self, plain):
        if self.compression == "gzip":
            return gzip.compress(plain, mtime=self.pick.randrange(2**31))
        if self.compression == "members":
            half = self.pick.randint(0, len(plain))
            return b"".join(gzip.compress(part) for part in (plain[:half], plain[half:]))
        if self.compression == "zip":
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w") as file:
                file.writestr("file.jsonl", plain)
            return archive.getvalue()
        packed = {"none": lambda data: data, "bz2": bz2.compress, "xz": lzma.compress,
                  "zstd": lambda data: b"\x28\xb5\x2f\xfd\x00\x58" + data}
        return packed[self.compression](plain)

    @property
    def is_gzip(self):
        return self.compression in ("gzip", "members")

    def file_name(self):
        ending = {"jsonl": ".jsonl", "json": ".json", "csv": ".csv", "tsv": ".tsv", "lines": ".txt"}[self.format]
        if self.name == "wrong":
            others = {".jsonl", ".json", ".csv", ".tsv", ".txt"} - {ending}
            if self.header == "text":
                others -= {".csv", ".tsv"}  # Such a table of one column is of either format.
            ending = self.pick.choice(sorted(others))
        if self.name == "unknown":
            ending = self.pick.choice(("", ".dat", ".log"))
        name = "texts" + ending + (".gz" if self.is_gzip and self.is_named_gz else "")
        return name.upper() if self.name == "upper" else name

    def options(self):
        """Those that say how the file is read."""
        prefix = "--queries-" if self.use == "queries" else "--"
        options = []
        if self.says_format and self.format != "json":
            options += [prefix + "format", self.format]
        if self.format == "csv" and self.separator != "," and self.says_separator == "option":
            options += [prefix + "separator", SEPARATORS[self.separator]]
        if self.wants_mapping and self.maps_columns:
            text = self.columns[-1]
            names = f"text={text}" if self.use == "texts" else f"text={text},id={self.columns[0]}"
            options += [prefix + "columns", names]
        elif self.is_table and not self.columns and self.maps_columns:
            options += [prefix + "no-header"]
        return options

    # ----------------------------------------------------------------------------------------------- what is expected

    def must_be_read(self):
        """Whether nothing is wrong or uncertain: then it is a fault to refuse the file."""
        is_known = self.says_format or self.name in ("right", "upper")
        if self.format == "jsonl":
            is_known = is_known or self.name in ("unknown", "stdin")
        if self.format == "lines":
            is_known = self.name != "wrong" or self.says_format
        if self.damage != "none" or self.format == "json" or not is_known:
            return False
        if self.encoding not in ("utf-8", "utf-8-sig") and (self.encoding != "latin-1" or self.format == "jsonl"):
            return False
        if self.line_end == "\r" or not (self.is_gzip or self.compression == "none"):
            return False
        if not self.is_table:
            return True
        if self.format == "csv" and self.separator != "," and self.says_separator == "no":
            return False
        if any("\r" in text for _, _, text in self.rows) and self.quoting == csv.QUOTE_MINIMAL:
            return False  # Python's csv writes it without quotes, and reads a line's end.
        if self.wants_mapping:
            return self.maps_columns
        if not self.columns:
            return self.maps_columns or self.format == "tsv"
        return self.header.lower().count("text") == 1

    def expected(self, data):
        """The rows (id, title or None, text) that Python finds in the file; None where there are none to find."""
        try:
            plain = gzip.decompress(data) if self.is_gzip else data
        except (EOFError, OSError, zlib.error):
            return None
        if not self.is_gzip and self.compression != "none":
            return None
        encoding = "utf-8-sig" if self.encoding in ("utf-8", "latin-1") else self.encoding
        try:
            text = plain.decode(encoding, "strict" if self.format in ("jsonl", "json") else "replace")
        except UnicodeDecodeError:
            return None
        if "\0" in text:
            return None
        read = {"jsonl": self.read_jsonl, "json": self.read_json, "lines": self.read_lines}
        return read.get(self.format, self.read_table)(text)

    def numbered(self, rows):
        return [(row_id or str(number), title, text) for number, (row_id, title, text) in enumerate(rows, 1)]

    def read_jsonl(self, text):
        rows = []
        lines = text.split(self.line_end if self.line_end == "\r" else "\n")
        if lines[-1] == "":
            lines.pop()
        for line in lines:
            if self.use == "documents" and not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError:
                return None
            if not isinstance(row, dict) or not isinstance(row.get("text"), str):
                return None
            row_id = row.get("_id", row.get("id"))
            if not isinstance(row_id, (str, type(None))) or not isinstance(row.get("title"), (str, type(None))):
                return None
            rows.append((row_id or "", row.get("title"), row["text"]))
        return self.numbered(rows)

    def read_json(self, text):
        try:
            return self.numbered([(row["_id"], None, row["text"]) for row in json.loads(text)])
        except (ValueError, TypeError, KeyError):
            return None

    def read_lines(self, text):
        lines = text.split(self.line_end if self.line_end == "\r" else "\n")
        if lines[-1] == "":
            lines.pop()
        lines = [line.removesuffix("\r") for line in lines]
        return self.numbered([("", None, line) for line in lines if self.use != "documents" or line.strip()])

    def read_table(self, text):
        if self.format == "tsv":
            rows = [line.removesuffix("\r").split("\t")
                    for line in text.split("\r" if self.line_end == "\r" else "\n") if line.strip()]
        else:
            if self.says_separator == "sep=":
                text = text.split(self.line_end, 1)[-1]
            try:
                rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=self.separator, strict=True)
                        if "".join(row).strip()]
            except csv.Error:
                return None
        if not rows or len({len(row) for row in rows}) > 1:
            return None if rows else []
        names = [name.strip().lower() for name in rows.pop(0)] if self.columns else ["id", "text"][-len(rows[0]):]
        if self.wants_mapping:
            names = ["id", "text"] if names == [name.lower() for name in self.columns] else []
        if names.count("text") != 1:
            return None
        places = {name: names.index(name) for name in ("id", "_id", "title", "text") if name in names}

        def cell(row, name):
            return row[places[name]] if name in places else None

        return self.numbered([(cell(row, "id") or cell(row, "_id"), cell(row, "title"), cell(row, "text"))
                              for row in rows])


class InputFiles(CliTest):
    def setUp(self):
        super().setUp()
        variants = json.loads((CHECKPOINTS / "golden.json").read_text())["variants"]
        self.materialise(variants[0]["files"], "model")
        cross = next(row for row in variants if row["name"] == "bert, 1 labels, none")
        self.materialise(cross["files"], "cross")
        self.write_jsonl("day.jsonl", [{"text": "day"}])
        self.succeed("index", "day", "day.jsonl", "--model", "model", *OFFLINE)

    def read(self, recipe, name, stdin):
        """(exit status, stderr, rows) of the command that a recipe's file is for."""
        path = "-" if recipe.name == "stdin" else name
        if recipe.use == "documents":
            result = self.run_tandem("index", "c", path, "--model", "model", *recipe.options(), *OFFLINE, stdin=stdin)
            return result, self.indexed() if result.returncode == 0 else None
        if recipe.use == "queries":
            result = self.run_tandem("search", "day", "--queries", path, "--mode", "bi", "--format", "json",
                                     "--model", "model", *recipe.options(), *OFFLINE, stdin=stdin)
            found = [json.loads(line) for line in result.stdout.splitlines()]
            return result, [(row["query_id"], "", row["query"]) for row in found]
        result = self.run_tandem("rerank", "--query", "boat", "--input", path, "--json", "--model", "cross",
                                 *recipe.options(), *OFFLINE, stdin=stdin)
        found = json.loads(result.stdout)["results"] if result.returncode == 0 else []
        return result, [("", "", row["text"]) for row in sorted(found, key=lambda row: row["index"])]

    def indexed(self):
        generation = (self.folder / "c/CURRENT").read_text().split()[0]
        path = next(path for path in self.folder.glob("c/*/documents.sqlite") if generation in str(path))
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.text_factory = lambda data: data.decode("utf-8", "replace")
            return database.execute("SELECT id, title, text FROM documents ORDER BY ordinal").fetchall()

    def shown(self, recipe, rows):
        """The rows as the command prints them."""
        if rows is None:
            return None
        if recipe.use == "documents":
            return [(row_id, title or "", text) for row_id, title, text in rows]
        texts = [text if title is None else f"{title} {text}".strip() for _, title, text in rows]
        if recipe.use == "texts":
            return [("", "", text) for text in texts]
        return [(row_id, "", text) for (row_id, _, _), text in zip(rows, texts)]

    def try_file(self, seed):
        """What became of one file, in a word; fails where it was read as something else, or refused without reason."""
        recipe = Recipe(seed)
        data = recipe.content()
        name = recipe.file_name()
        stdin = data if recipe.name == "stdin" else b""
        if recipe.name != "stdin":
            self.write(name, data)
        expected = self.shown(recipe, recipe.expected(data))
        result, rows = self.read(recipe, name, stdin)
        story = f"seed {seed}: {recipe}\n{name}: {data[:300]!r}\n{result.stderr}"
        if result.returncode == 0:
            self.assertIsNotNone(expected, story)
            self.assertEqual([tuple(row) for row in rows], expected, story)
            if "�" in "".join(text for _, _, text in expected) and recipe.encoding == "latin-1":
                self.assertIn("not UTF-8", result.stderr, story)
            return "read"
        self.assertIn(result.returncode, (1, 2), story)
        self.assertIn("standard input" if recipe.name == "stdin" else name, result.stderr, story)
        ids = [row_id for row_id, _, _ in expected or []]
        is_readable = bool(expected) and len(set(ids)) == len(ids) or recipe.use == "texts"
        if recipe.must_be_read() and is_readable:
            self.fail("refused: " + story)
        return "refused"

    def test_each_file_is_read_as_what_it_is_or_refused_by_its_name(self):
        outcomes = collections.Counter(self.try_file(seed) for seed in range(FILES_OF_MAKE_TEST))
        self.assertGreater(min(outcomes["read"], outcomes["refused"]), FILES_OF_MAKE_TEST // 10)

    def test_a_file_without_documents_is_named(self):
        self.refuse("index", "c", self.write("empty.tsv", "id\ttext\n"), "--model", "model", *OFFLINE,
                    names=["empty.tsv: no document to index"])

    def test_texts_of_every_command_come_out_of_gzip_and_tables(self):
        csv_file = self.write("t.csv.gz", gzip.compress(b"id,text\n1,one fast boat\n"))
        plain = self.succeed("tokenize", "--model", "model", stdin="one fast boat\n")
        for options in ((csv_file,), ("-", "--format", "csv")):
            data = pathlib.Path(csv_file).read_bytes() if options[0] == "-" else b""
            self.assertEqual(plain, self.succeed("tokenize", "--model", "model", "--input", *options, stdin=data))
        pairs = self.write("p.csv", "answer,question\nday,one boat\n")
        mapped = ("--columns", "query=question", "--columns", "document=answer")
        self.assertEqual(self.succeed("tokenize", "--pair", "--model", "model", "--input", pairs, *mapped),
                         self.succeed("tokenize", "--pair", "--model", "model", stdin="one boat\tday\n"))
        scores = self.succeed("score", "--model", "cross", *OFFLINE, "--input", pairs, *mapped)
        self.assertEqual(scores, self.succeed("score", "--model", "cross", *OFFLINE, stdin="one boat\tday\n"))
        ranked = self.write("r.csv", "score,text\n3,one\n1,day\n")
        self.succeed("rerank", "--query", "q", "--alpha", "0.5", "--model", "cross", *OFFLINE, "--input", ranked)
        self.refuse("embed", "--model", "model", "--input", pairs, status=2, names=["p.csv:1", "answer, question"])
        self.refuse("bench", "embed", "--model", "model", "--input", pairs, status=2, names=["p.csv:1"])

    def test_queries_in_lines_with_a_tab_are_refused_with_both_ways(self):
        queries = self.write("queries.txt", "2\tone fast boat\n")
        search = ("search", "day", "--queries", queries, "--mode", "bi", "--model", "model", *OFFLINE)
        self.refuse(*search, status=2, names=["queries.txt:1", "--queries-format tsv", "--queries-format lines"])
        run = self.succeed(*search, "--format", "trec", "--queries-format", "tsv")
        self.assertEqual(run.split()[:3], ["2", "Q0", "1"])
        named = self.write("queries.tsv", "2\tone fast boat\n")
        self.write("qrels.tsv", "query-id\tcorpus-id\tscore\n2\t1\t1\n")
        measured = self.succeed("eval", "day", "--queries", named, "--qrels", "qrels.tsv", "--mode", "bi", "--model",
                                "model", "--metrics", "mrr", *OFFLINE)
        self.assertEqual(measured.split()[-1], "1.0000")

    def test_an_index_reports_what_it_did_not_read(self):
        (self.folder / "notes/.git").mkdir(parents=True)
        self.write("notes/a.txt", b"caf\xe9\n")
        self.write("notes/b.md", " \n")
        self.write("notes/c.pdf", "%PDF-1.7\n")
        self.write("notes/d.txt", b"PK\x03\x04")
        self.write("notes/.git/e.txt", "hidden")
        result = self.run_tandem("index", "c", "notes", "--json", "--model", "model", *OFFLINE)
        report = json.loads(result.stdout)
        self.assertEqual([report[key] for key in ("documents", "documents_blank", "documents_not_utf8",
                                                  "files_passed_over")], [2, 1, 1, 3])
        self.assertEqual(sorted(entry.split(":")[0] for entry in report["passed_over"]),
                         ["notes/.git", "notes/c.pdf", "notes/d.txt"])
        for part in ("notes/d.txt: is a zip archive", "1 document with bytes that are not UTF-8",
                     "1 document without text"):
            self.assertIn(part, result.stderr)

    def test_texts_that_are_not_utf8_are_noted(self):
        for command in (["tokenize", "--model", "model"], ["embed", "--model", "model", *OFFLINE],
                        ["rerank", "--model", "cross", "--query", "q", *OFFLINE]):
            result = self.run_tandem(*command, stdin=b"caf\xe9\nday\n")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(result.stderr.count("1 record with bytes that are not UTF-8"), 1, result.stderr)

    def test_json_lines_on_standard_input_are_read_with_a_note(self):
        result = self.run_tandem("tokenize", "--model", "model", stdin='{"text": "day"}\n')
        self.assertEqual(result.stdout, self.succeed("tokenize", "--model", "model", stdin="day\n"))
        self.assertIn("standard input: the first line is a JSON object", result.stderr)
        lines = self.succeed("tokenize", "--model", "model", "--format", "lines", stdin='{"text": "day"}\n')
        self.assertNotEqual(lines, result.stdout)


if __name__ == "__main__":
    if "--files" in sys.argv:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("--files", type=int, required=True)
        parser.add_argument("--seed", type=int, default=0)
        chosen = parser.parse_args()
        test = InputFiles("test_each_file_is_read_as_what_it_is_or_refused_by_its_name")
        test.setUp()
        outcomes = collections.Counter()
        for file_seed in range(chosen.seed, chosen.seed + chosen.files):
            try:
                outcomes[test.try_file(file_seed)] += 1
            except AssertionError as error:
                outcomes["wrong"] += 1
                print(error, file=sys.stderr)
        test.doCleanups()
        print(f"{chosen.files} files from seed {chosen.seed}: {dict(outcomes)}")
        sys.exit(outcomes["wrong"] > 0)
    main()
