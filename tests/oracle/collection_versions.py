#!/usr/bin/env python3
"""Makes a tiny collection with one version of the program, which later versions have to read.

Usage: collection_versions.py TANDEM N    TANDEM: the program, built at the commit whose format is the golden's;
                                          N: the version of the format that it writes.

The golden goes to tests/goldens/collections/version-N. It is made once, by the program of its time, and never again.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

GOLDENS = pathlib.Path(__file__).resolve().parent.parent / "goldens"


def write_model(folder):
    """The tiny model that golden.json describes."""
    source = GOLDENS / "tiny-bert"
    for name, spec in json.loads((source / "golden.json").read_text(encoding="utf-8"))["files"].items():
        if "copy" in spec:
            shutil.copyfile(source / spec["copy"], folder / name)
        else:
            (folder / name).write_text(json.dumps(spec["json"]), encoding="utf-8")


def main():
    tandem, version = sys.argv[1:]
    target = GOLDENS / "collections" / f"version-{version}"
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "tiny-bert"
        model.mkdir()
        write_model(model)
        subprocess.run(
            [tandem, "index", target, GOLDENS / "collections/documents.jsonl", "--model", model, "--precision", "f32",
             "--title-separator", "[SEP]", "--offline"],
            check=True, env={"TANDEM_HOME": f"{folder}/home"})


if __name__ == "__main__":
    main()
