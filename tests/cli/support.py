"""What the tests of the command line share: running the program, temporary folders, the real models."""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TANDEM = os.environ.get("TANDEM", str(ROOT / "build/release/bin/tandem"))
MODELS = os.environ.get("TANDEM_TEST_MODELS", "")
DATA = ROOT / "examples/data"
CHECKPOINTS = ROOT / "tests/checkpoints"  # Tiny models with random weights, put together by CliTest.materialise().
SKIPPED = 77  # What ctest shows as "Skipped".


def model(name):
    """The folder of a real model; tests that need one are in modules that call main_with_models()."""
    return str(pathlib.Path(MODELS) / name)


BI = "all-MiniLM-L6-v2"
CROSS = "ms-marco-MiniLM-L-12-v2"
OTHER_BI = "bge-small-en-v1.5"


def encoders(*arguments, bi_encoder=BI):
    """The options that name the encoders of a search with these arguments: those that its mode uses."""
    mode = arguments[arguments.index("--mode") + 1] if "--mode" in arguments else "hybrid"
    return [*(["--model", model(bi_encoder)] if mode != "cross" else []),
            *(["--cross-model", model(CROSS)] if mode != "bi" else [])]


class CliTest(unittest.TestCase):
    """Runs each test in an empty folder, with a model store and a Hugging Face cache that are empty too."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-cli-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = dict(os.environ, TANDEM_HOME=str(self.folder / "home"), HF_HOME=str(self.folder / "hf"))
        self.environment.pop("HF_HUB_CACHE", None)

    def run_tandem(self, *arguments, stdin="", **options):
        """The finished process; its output as text."""
        data = stdin if isinstance(stdin, bytes) else stdin.encode()
        result = subprocess.run([TANDEM, *map(str, arguments)], input=data, capture_output=True, cwd=self.folder,
                                env=self.environment, timeout=600, check=False, **options)
        result.stdout = result.stdout.decode(errors="replace")
        result.stderr = result.stderr.decode(errors="replace")
        return result

    def succeed(self, *arguments, **options):
        """Standard output of a run that must succeed."""
        result = self.run_tandem(*arguments, **options)
        self.assertEqual(result.returncode, 0, f"{arguments}: {result.stderr}")
        return result.stdout

    def refuse(self, *arguments, status=1, names=(), **options):
        """Standard error of a run that must fail with this status and a message that holds all of `names`."""
        result = self.run_tandem(*arguments, **options)
        self.assertEqual(result.returncode, status, f"{arguments}: {result.stdout} {result.stderr}")
        self.assertRegex(result.stderr, r"(^|\n)tandem: .")
        for name in names:
            self.assertIn(name, result.stderr)
        return result.stderr

    def provide_default_models(self):
        """What documented commands name: examples/, and the default models, by folders that stand in for their ids."""
        (self.folder / "examples").symlink_to(ROOT / "examples")
        hub = self.folder / "hf" / "hub"
        for owner, name in (("sentence-transformers", BI), ("cross-encoder", CROSS)):
            snapshot = hub / f"models--{owner}--{name}" / "snapshots" / ("0" * 40)
            snapshot.parent.mkdir(parents=True)
            snapshot.symlink_to(pathlib.Path(model(name)).resolve())
            (snapshot.parent.parent / "refs").mkdir()
            (snapshot.parent.parent / "refs" / "main").write_text("0" * 40)

    def materialise(self, files, folder, model_id=None, source=CHECKPOINTS):
        """Puts a folder together as a golden says; with an id, as the model store keeps it."""
        for name, content in files.items():
            path = self.folder / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if "json" in content:
                path.write_text(json.dumps(content["json"]))
            else:
                shutil.copy(source / content["copy"], path)
        if model_id:
            record = {"format": 1, "id": model_id, "revision": "main", "source": "hub", "version": "0", "files": []}
            (self.folder / folder / "tandem.json").write_text(json.dumps(record))

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def write_jsonl(self, name, rows):
        return self.write(name, "".join(json.dumps(row) + "\n" for row in rows))


def read_npy(path):
    """(shape, rows) of a little-endian float32 .npy file, read as NEP 1 describes it."""
    data = pathlib.Path(path).read_bytes()
    assert data[:8] == b"\x93NUMPY\x01\x00", data[:8]
    (length,) = struct.unpack("<H", data[8:10])
    header = eval(data[10:10 + length].decode(), {"__builtins__": {}})  # pylint: disable=eval-used
    assert (10 + length) % 64 == 0 and data[9 + length:10 + length] == b"\n"
    assert header["descr"] == "<f4" and header["fortran_order"] is False
    rows, columns = header["shape"]
    assert len(data) == 10 + length + 4 * rows * columns
    floats = struct.unpack(f"<{rows * columns}f", data[10 + length:])
    return header["shape"], [floats[row * columns:(row + 1) * columns] for row in range(rows)]


def main():
    if not pathlib.Path(TANDEM).exists():
        sys.exit(f"there is no program {TANDEM}: build it, or set TANDEM")
    unittest.main()


def main_with_models():
    """As main(), but skips the whole module, for ctest to show, when there are no models."""
    missing = [name for name in (BI, CROSS) if not pathlib.Path(MODELS, name, "config.json").exists()]
    if not MODELS or missing:
        print(f"SKIPPED: TANDEM_TEST_MODELS is '{MODELS}', which holds no {' and no '.join(missing or [BI])}")
        sys.exit(SKIPPED)
    main()
