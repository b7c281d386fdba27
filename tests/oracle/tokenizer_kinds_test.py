#!/usr/bin/env python3
"""Runs tokenizer_kinds.py as part of `make test`. Skipped, visibly, where the reference could not be installed."""

import os
import pathlib
import subprocess
import sys

SKIPPED = 77


def main():
    python = os.environ.get("TANDEM_TOKENIZERS_PYTHON")
    if not python:
        print("TANDEM_TOKENIZERS_PYTHON is not set: scripts/test.sh sets it where the reference can be installed")
        return SKIPPED
    script = pathlib.Path(__file__).with_name("tokenizer_kinds.py")
    command = [python, str(script), "--dump", os.environ["TANDEM_BUILD"] + "/bin/tokenizer_dump"]
    gpt2 = pathlib.Path(python).parents[1] / "gpt2"
    if gpt2.is_dir():
        command += ["--gpt2", str(gpt2)]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
