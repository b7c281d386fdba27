#!/usr/bin/env python3
"""Installs the build into a temporary prefix, and uses it there as other people's projects do."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("TANDEM_BUILD", ROOT / "build/release"))
MODELS = pathlib.Path(os.environ.get("TANDEM_TEST_MODELS", "."))
BI = MODELS / "all-MiniLM-L6-v2"
CROSS = MODELS / "ms-marco-MiniLM-L-12-v2"


def run(*command, **options):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    if result.returncode:
        raise AssertionError(f"{command}:\n{result.stdout}\n{result.stderr}")
    return result.stdout


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-install-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.prefix = cls.folder / "prefix"
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)
        run("cmake", "-S", ROOT / "examples", "-B", cls.folder / "build", f"-DCMAKE_PREFIX_PATH={cls.prefix}")
        run("cmake", "--build", cls.folder / "build")
        cls.search = cls.folder / "build" / "search"

    def test_a_project_that_finds_the_package_builds_and_runs(self):
        result = subprocess.run([self.search], capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stderr[:6]), (2, "usage:"))
        missing = subprocess.run([self.search, "nobody/nothing", "x", "y", "z"], capture_output=True, text=True,
                                 check=False, env=dict(os.environ, TANDEM_HOME=str(self.folder),
                                                       HF_HOME=str(self.folder), HF_ENDPOINT="http://127.0.0.1:9"))
        self.assertEqual(missing.returncode, 1)
        self.assertIn("nobody/nothing", missing.stderr)

    def test_the_example_program_finds_the_answer(self):
        if not BI.exists() or not CROSS.exists():
            self.skipTest(f"TANDEM_TEST_MODELS names no folder with {BI.name} and {CROSS.name}")
        text = run(self.search, BI.resolve(), CROSS.resolve(), ROOT / "examples/data/corpus.jsonl",
                   "How do I replace a file without risk of losing it in a crash?", cwd=self.folder)
        self.assertRegex(text, r"^1  \d+\.\d+  atomic-rename: ")

    def test_pkg_config_says_how_to_build(self):
        (pc,) = self.prefix.rglob("tandem.pc")
        environment = dict(os.environ, PKG_CONFIG_PATH=str(pc.parent))
        flags = run("pkg-config", "--cflags", "--libs", "tandem", env=environment).split()
        run("c++", "-std=c++20", ROOT / "examples/search.cc", *flags, "-o", self.folder / "search_pc")

    def test_every_header_can_be_included_alone(self):
        for header in sorted((self.prefix / "include/tandem").glob("*.h")):
            run("c++", "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c++", "-include", header,
                "/dev/null", f"-I{self.prefix / 'include'}")

    def test_the_library_shows_only_the_public_names(self):
        library = next(self.prefix.rglob("libtandem.so"))
        names = run("nm", "-DC", "--defined-only", library).splitlines()
        self.assertGreater(len(names), 30)
        types = [name for header in (self.prefix / "include/tandem").glob("*.h") for name in
                 re.findall(r"^(?:class|struct) TANDEM_EXPORT (\w+)", header.read_text(encoding="utf-8"), flags=re.M)]
        self.assertIn("Retriever", types)
        for line in names:
            self.assertRegex(line, rf" tandem::({'|'.join(types)})::| tandem::\w+(\[abi:\w+\])?\(")

    def test_the_library_shows_every_public_function(self):
        names = run("nm", "-DC", "--defined-only", next(self.prefix.rglob("libtandem.so")))
        functions = [name for header in (self.prefix / "include/tandem").glob("*.h") for name in
                     re.findall(r"^(?:TANDEM_EXPORT )?[\w:]+(?:<[^;{]*>)? (\w+)\(", header.read_text(encoding="utf-8"),
                                flags=re.M)]
        self.assertIn("fuse_scores", functions)
        for function in functions:
            self.assertIn(f" tandem::{function}", names, "its declaration has no TANDEM_EXPORT")

    def test_the_installed_program_finds_its_sample_data(self):
        program = self.prefix / "bin/tandem"
        self.assertRegex(run(program, "--version"), r"^tandem ")
        empty = dict(os.environ, TANDEM_HOME=str(self.folder), HF_HOME=str(self.folder))
        empty.pop("TANDEM_EXAMPLES", None)
        result = subprocess.run([program, "demo", "legal", "--offline", "--cross-model", "nobody/nothing"],
                                capture_output=True, text=True, check=False, env=empty, cwd=self.folder)
        self.assertIn("nobody/nothing", result.stderr, "the model is looked for after the sample data was found")

    def test_completions_come_along(self):
        for path in ("bash-completion/completions/tandem", "zsh/site-functions/_tandem",
                     "fish/vendor_completions.d/tandem.fish"):
            self.assertIn("embed", (self.prefix / "share" / path).read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
