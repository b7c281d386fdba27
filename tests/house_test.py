#!/usr/bin/env python3
"""The rules of the house, checked on every tracked file: layering, style, links."""

import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINE_COLUMNS_MAX = 120
FILE_LINES_MAX = 800

# How the libraries of ARCHITECTURE.md's table look in an #include, and in a CMakeLists.txt.
LIBRARIES = {
    "expected": (r"tl/", "tl::expected"),
    "fmt": (r"fmt/", "fmt::fmt"),
    "simdjson": (r"simdjson", "simdjson::simdjson"),
    "OpenSSL": (r"openssl/", "OpenSSL::Crypto"),
    "zlib": (r"zlib\.h", "ZLIB::ZLIB"),
    "xxHash": (r"xxhash\.h", "PkgConfig::xxhash"),
    "libcurl": (r"curl/", "CURL::libcurl"),
    "SQLite": (r"sqlite3\.h", "SQLite::SQLite3"),
    "CLI11": (r"CLI/", "CLI11::CLI11"),
}
TEST_HEADERS = r"(gtest/|rapidcheck)"
# Headers with helpers of tests lie in a folder of this name; nothing but tests and other helpers includes them.
TESTING = "testing"
# The standard library and the operating system's.
SYSTEM_HEADERS = r"([a-z_0-9]+(\.h)?|(arpa|sys)/[a-z]+\.h)$"


def tracked_files():
    """Every file of the project: from git, or, in an exported tree without git, from the folders."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode == 0 and listing.stdout:
        names = [name for name in listing.stdout.split("\0") if name]
    else:
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()]
    return [ROOT / name for name in sorted(names)
            if (ROOT / name).is_file() and not name.startswith(("build/", ".venv"))]


FILES = tracked_files()
CODE = [path for path in FILES if path.suffix in (".h", ".cc")]


def relative(path):
    return path.relative_to(ROOT).as_posix()


def lines_of(path):
    return path.read_text(encoding="utf-8").split("\n")


def folder_of(path):
    """The folder of ARCHITECTURE.md's table that a file belongs to: sub-folders are part of it."""
    return "/".join(relative(path).split("/")[:-1][:2])


def is_for_tests(path):
    return (path.parent.name == TESTING or
            bool(re.search(r"_(test|fuzz|benchmark)\.cc$", path.name)))


class Layering(unittest.TestCase):
    """Each #include, and what is linked, against the table of ARCHITECTURE.md."""

    @classmethod
    def setUpClass(cls):
        cls.folders = {}
        cls.floors = {}  # Of public headers.
        for line in lines_of(ROOT / "ARCHITECTURE.md"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if line.startswith("| `") and len(cells) == 4:
                uses, libraries = ([word for word in re.split(r", *", cell) if word != "–"] for cell in cells[2:])
                cls.folders[cells[0].strip("`")] = (uses, libraries)
            elif line.startswith("| `src/") and len(cells) == 2:
                cls.floors.update((header, cells[0].strip("`")) for header in re.findall(r"`(\w+\.h)`", cells[1]))

    def test_the_table_names_every_folder(self):
        folders = {folder_of(path) for path in CODE if relative(path).startswith(("src/", "apps/", "include/"))}
        self.assertEqual(folders - set(self.folders), set())

    def test_the_table_has_no_cycle(self):
        def visit(folder, way):
            self.assertNotIn(folder, way, "folders use each other in a circle")
            for used in self.folders[folder][0]:
                visit("src/" + used, [*way, folder])

        for folder in self.folders:
            visit(folder, [])

    def test_every_public_header_has_a_floor(self):
        headers = {path.name for path in CODE if relative(path).startswith("include/tandem/")}
        self.assertEqual(headers, set(self.floors))

    def test_includes_follow_the_table(self):
        self.assertGreater(len(self.folders), 5)
        for path in CODE:
            folder = folder_of(path)
            if folder not in self.folders:
                continue
            for number, line in enumerate(lines_of(path), 1):
                match = re.match(r'\s*#\s*include\s+(["<])([^">]+)', line)
                if match:
                    complaint = self.complaint(path, folder, match[1] == '"', match[2])
                    self.assertIsNone(complaint, f"{relative(path)}:{number}: {complaint}")

    def test_links_follow_the_table(self):
        """A folder can call what it includes nothing of, so its row is also what it is linked with."""
        # Every folder gets these; threads are the system's.
        always = {"tl::expected", "Threads::Threads"}
        for folder, (uses, libraries) in self.folders.items():
            if not folder.startswith("src/"):
                continue
            name = folder.removeprefix("src/")
            text = (ROOT / folder / "CMakeLists.txt").read_text(encoding="utf-8")
            self.assertNotIn(f"target_link_libraries(tandem_{name} ", text, f"{folder}: tandem_folder links")
            words = re.search(r"\btandem_folder\(([^)]*)\)", text)[1]
            linked = set(re.sub(r"SUBFOLDERS +\S+", "", words).split()) - {"USES", "LIBRARIES"}
            row = {name, *uses, *(LIBRARIES[library][1] for library in libraries)}
            self.assertEqual(linked | always, row | always, f"{folder}/CMakeLists.txt and its row of ARCHITECTURE.md")

    def test_what_computes_reaches_no_network(self):
        for folder, (uses, libraries) in self.folders.items():
            if folder != "src/hub":
                self.assertNotIn("hub", uses, folder)
                self.assertNotIn("libcurl", libraries, folder)

    def complaint(self, path, folder, quoted, header):
        uses, libraries = self.folders[folder]
        if quoted:
            place = header.split("/")[0] if "/" in header else folder
            if f"/{TESTING}/" in header and not is_for_tests(path):
                return f"{header} is for tests"
            if place == "tandem":
                return self.complaint_of_floor(path, folder, header.removeprefix("tandem/"))
            if place == folder or "src/" + place == folder or place in uses:
                return None
            return f"{folder} may not include {header}: its row names {', '.join(uses) or 'no folder'}"
        for library, (pattern, _) in LIBRARIES.items():
            if re.match(pattern, header):
                return None if library in libraries else f"{folder} may not use {library} (<{header}>)"
        if re.match(SYSTEM_HEADERS, header) or (re.match(TEST_HEADERS, header) and is_for_tests(path)):
            return None
        return f"<{header}> is of no library that ARCHITECTURE.md names"

    def complaint_of_floor(self, path, folder, header):
        if header not in self.floors or folder in ("apps/cli", "examples"):
            return None
        stands = self.floors[path.name] if folder == "include/tandem" else folder
        floor = self.floors[header]
        if floor == stands or floor.removeprefix("src/") in self.folders[stands][0]:
            return None
        return f"{relative(path)} stands on {stands} and may not include {header}, whose floor is {floor}"

    def test_headers_that_only_tests_include_lie_in_their_folder(self):
        headers = [path for path in CODE if path.suffix == ".h" and relative(path).startswith("src/")]
        included = {header for path in CODE if not is_for_tests(path)
                    for header in re.findall(r'#include "([^"]+)"', path.read_text(encoding="utf-8"))}
        for path in headers:
            if relative(path).removeprefix("src/") not in included:
                self.assertTrue(is_for_tests(path), f"{relative(path)}: only tests include it; want it in {TESTING}/")

    def test_json_has_one_door(self):
        for path in CODE:
            if relative(path) != "src/base/json.cc":
                self.assertNotRegex(path.read_text(encoding="utf-8"), r"#include <(simdjson|nlohmann|rapidjson)",
                                    f"{relative(path)}: JSON comes through base/json.h")


class Style(unittest.TestCase):
    def test_headers_begin_with_their_purpose_and_a_guard(self):
        for path in CODE:
            if path.suffix != ".h":
                continue
            lines = lines_of(path)
            self.assertTrue(lines[0].startswith("// "), f"{relative(path)}:1: want a comment that says what it is for")
            first_code = next(line for line in lines if line and not line.startswith("//"))
            self.assertEqual(first_code, "#pragma once", f"{relative(path)}: want #pragma once before any code")

    def test_nothing_is_left_to_do(self):
        words = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b")
        for path in FILES:
            if path.suffix in (".h", ".cc", ".py", ".sh", ".cmake", ".md") or path.name == "Makefile":
                for number, line in enumerate(lines_of(path), 1):
                    self.assertNotRegex(line, words, f"{relative(path)}:{number}")

    def test_no_file_names_a_machine(self):
        """Paths of somebody's machine work nowhere else."""
        paths = re.compile(r"(?<![\w$}.])/(home|root|work|Users|mnt|media)/\w")
        for path in CODE + [path for path in FILES if path.suffix in (".py", ".sh", ".cmake", ".md")]:
            for number, line in enumerate(lines_of(path), 1):
                self.assertNotRegex(line, paths, f"{relative(path)}:{number}")

    def test_lines_fit(self):
        for path in CODE + [path for path in FILES if path.suffix in (".py", ".sh", ".cmake")]:
            for number, line in enumerate(lines_of(path), 1):
                self.assertLessEqual(len(line), LINE_COLUMNS_MAX, f"{relative(path)}:{number}")

    def test_files_tell_one_story(self):
        for path in CODE + [path for path in FILES if path.suffix in (".py", ".sh")]:
            if "tables" not in path.name:
                self.assertLessEqual(len(lines_of(path)), FILE_LINES_MAX, relative(path))

    def test_text_files_end_with_one_line_feed(self):
        for path in CODE + [path for path in FILES if path.suffix in (".py", ".sh", ".cmake", ".md", ".jsonl")]:
            text = path.read_text(encoding="utf-8")
            self.assertTrue(text.endswith("\n") and not text.endswith("\n\n"), relative(path))

    def test_scripts_can_be_run(self):
        for path in FILES:
            if path.suffix in (".sh", ".py") and path.read_text(encoding="utf-8").startswith("#!"):
                self.assertTrue(path.stat().st_mode & 0o100, f"{relative(path)} is not executable")

    def test_golden_files_stay_small(self):
        for folder, bytes_max in (("tests/goldens/", 800_000), ("tests/checkpoints/", 1_000_000)):
            files = [path for path in FILES if relative(path).startswith(folder)]
            self.assertLessEqual(sum(path.stat().st_size for path in files), bytes_max, folder)

    def test_corpora_and_dictionaries_belong_to_fuzzers(self):
        fuzzers = {path.stem for path in CODE if path.stem.endswith("_fuzz")}
        kept = [path for path in FILES if relative(path).startswith("tests/corpora/") or path.suffix == ".dict"]
        for path in kept:
            self.assertIn(path.name.split(".")[0], fuzzers, relative(path))
            self.assertLessEqual(path.stat().st_size, 200_000, relative(path))


class Links(unittest.TestCase):
    def test_links_between_documents_resolve(self):
        for path in FILES:
            if path.suffix != ".md":
                continue
            text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)
            for target in re.findall(r"\]\(([^)\s]+)\)", text):
                if re.match(r"[a-z]+:", target):
                    continue
                file, _, anchor = target.partition("#")
                linked = (path.parent / file).resolve() if file else path
                self.assertTrue(linked.exists(), f"{relative(path)}: {target} does not exist")
                if anchor and linked.suffix == ".md":
                    self.assertIn(anchor, self.anchors(linked), f"{relative(path)}: {target} has no such heading")

    @staticmethod
    def anchors(path):
        headings = re.findall(r"^#+ +(.*)$", path.read_text(encoding="utf-8"), flags=re.M)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

    def test_paths_in_backticks_exist(self):
        """A document that names a file of the project must name one that is there."""
        names = re.compile(r"`((?:src|apps|include|tests|examples|scripts|cmake|docs|benchmarks)/[\w./-]+)`")
        for path in FILES:
            if path.suffix == ".md" and path.name != "CHANGELOG.md":
                for name in names.findall(path.read_text(encoding="utf-8")):
                    self.assertTrue((ROOT / name).exists(), f"{relative(path)}: `{name}` does not exist")


if __name__ == "__main__":
    unittest.main()
