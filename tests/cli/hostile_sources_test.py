#!/usr/bin/env python3
"""What comes from a network, from pip, or from what data names must not hurt: pulls and searches in hostile places."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

from support import CHECKPOINTS, ROOT, CliTest, main

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


class WithHub(CliTest):
    """A hub on this machine serves the models that a test puts into `hub`."""

    def setUp(self):
        super().setUp()
        golden = json.loads((CHECKPOINTS / "adapters.json").read_text())["variants"][0]
        self.files, self.adapter_files = golden["files"], golden["adapter_files"]
        self.hub = self.folder / "hub"
        self.hub.mkdir()
        hub = subprocess.Popen([sys.executable, str(ROOT / "tests/hub/fake_hub.py"), str(self.hub)],
                               stdout=subprocess.PIPE, text=True)
        self.addCleanup(hub.stdout.close)
        self.addCleanup(hub.wait)
        self.addCleanup(hub.kill)
        self.environment["HF_ENDPOINT"] = f"http://127.0.0.1:{hub.stdout.readline().split()[0]}"

    def requests(self):
        log = self.hub / "requests.log"
        return log.read_text().splitlines() if log.exists() else []


class NamedByData(WithHub):
    """A collection, or an adapter, names the model that it was made with. It is data: nothing is fetched or opened on
    its word alone."""

    SEARCH = ("search", "c.tandem", "boat", "--mode", "bi", "--format", "json")

    def setUp(self):
        super().setUp()
        self.write_jsonl("documents.jsonl", [{"_id": "1", "text": "one fast boat"}, {"_id": "2", "text": "day"}])

    def index(self, *arguments):
        self.succeed("index", "c.tandem", "documents.jsonl", *arguments)

    def search(self, *arguments):
        self.assertEqual(len(json.loads(self.succeed(*self.SEARCH, *arguments))["results"]), 2)

    def refuse_search(self, *arguments, names):
        return self.refuse(*self.SEARCH, *arguments, names=names)

    def make_foreign_collection(self, model, folder):
        """A collection as somebody else made it, with the model of `folder`, which this user never gave."""
        self.index("--model", folder)
        shutil.rmtree(self.folder / "home", ignore_errors=True)
        (manifest,) = (self.folder / "c.tandem").rglob("manifest.json")
        content = json.loads(manifest.read_text())
        content["recipe"]["model"] = str(model)
        manifest.write_text(json.dumps(content))

    def test_a_folder_that_the_user_gave_is_found_again(self):
        self.materialise(self.files, "models/my-model")
        self.index("--model", "models/my-model")
        self.search()
        self.search("--offline")
        self.assertEqual(self.requests(), [])

    def test_an_adapter_that_the_user_gave_is_found_again(self):
        self.materialise(self.files, "models/base")
        self.materialise(self.adapter_files, "models/adapter")
        self.index("--model", "models/base", "--adapter", "models/adapter")
        self.search()
        self.assertEqual(self.requests(), [])

    def test_a_store_that_cannot_be_written_to_only_means_saying_it_again(self):
        self.write("home", "a file in the place of the store")
        self.materialise(self.files, "my-model")
        self.index("--model", "my-model")
        self.refuse_search(names=["my-model", "--model"])
        self.search("--model", "my-model")

    def test_a_folder_is_not_opened_because_a_collection_names_it(self):
        self.materialise(self.files, "my-model")
        self.materialise(self.files, "org/my-model")
        for name in ("my-model", "org/my-model", "./my-model", self.folder / "my-model", "../../my-model"):
            with self.subTest(name=name):
                self.make_foreign_collection(name, "my-model")
                self.refuse_search("--offline", names=["--model"])

    def test_nothing_is_fetched_because_a_collection_names_it(self):
        self.materialise(self.files, "hub/org/model")
        self.make_foreign_collection("org/model", "hub/org/model")
        self.refuse_search(names=["org/model", "--model", "--fetch-named"])
        self.refuse("eval", "c.tandem", "--queries", self.write("q.txt", "boat\n"), "--qrels",
                    self.write("qrels.tsv", "1\t1\t1\n"), "--mode", "bi", names=["--fetch-named"])
        self.refuse("bench", "search", "c.tandem", "--mode", "bi", names=["--fetch-named"])
        self.assertEqual(self.requests(), [])
        self.search("--fetch-named")
        self.search()  # It is in the store now.

    def test_weights_that_are_not_those_of_the_collection_are_not_read(self):
        self.materialise(self.files, "hub/org/model")
        self.make_foreign_collection("org/model", "hub/org/model")
        # Without a layer that the configuration has, reading these weights into an encoder would be an error.
        path = self.hub / "org/model/config.json"
        path.write_text(path.read_text().replace('"num_hidden_layers": 2', '"num_hidden_layers": 3'))
        self.refuse_search("--fetch-named", names=["made by another encoder, org/model", "weights: expected sha256:"])

    def test_nothing_is_fetched_because_an_adapter_names_it(self):
        self.materialise(self.files, "hub/tandem-tests/bert")
        self.materialise(self.adapter_files, "adapter")
        for command in ("embed", "tokenize"):
            self.refuse(command, "--model", "adapter", stdin="one\n",
                        names=["adapter_config.json", "tandem-tests/bert", "--fetch-named"])
        self.assertEqual(self.requests(), [])
        self.succeed("embed", "--model", "adapter", "--fetch-named", stdin="one\n")
        self.succeed("embed", "--model", "adapter", stdin="one\n")

    def test_a_path_is_not_opened_because_an_adapter_names_it(self):
        self.materialise(self.files, "base")
        for base in ("./base", "base", str(self.folder / "base")):
            files = json.loads(json.dumps(self.adapter_files))
            files["adapter_config.json"]["json"]["model_name"] = base
            self.materialise(files, "adapter")
            self.refuse("embed", "--model", "adapter", stdin="one\n", names=["adapter_config.json", base, "--adapter"])
        self.succeed("embed", "--model", "base", "--adapter", "adapter", stdin="one\n")


class Pull(WithHub):
    """What a hub says is checked."""

    def test_a_token_goes_over_plain_http_to_this_machine_alone(self):
        self.materialise(self.files, "hub/org/model")
        self.environment["HF_TOKEN"] = "secret-token\n"
        here = self.environment["HF_ENDPOINT"]
        self.environment["HF_ENDPOINT"] = here.replace("127.0.0.1", "0.0.0.0")  # Leads here, too.
        message = self.refuse("pull", "org/model", status=2, names=["https", "--token-over-http"])
        self.assertNotIn("secret-token", message)
        self.assertEqual(self.requests(), [])
        self.succeed("pull", "org/model", "--token-over-http")
        self.assertEqual(json.loads(self.requests()[0])["authorization"], "Bearer secret-token")
        self.environment["HF_ENDPOINT"] = here
        self.succeed("pull", "org/model")
        self.environment["HF_TOKEN"] = "secret-token\nX-Other: 1"
        message = self.refuse("pull", "org/model", status=2, names=["HF_TOKEN", "one word"])
        self.assertNotIn("secret-token", message)

    def test_a_password_of_the_hub_is_in_no_message(self):
        self.materialise(self.files, "hub/org/model")
        here = self.environment["HF_ENDPOINT"].removeprefix("http://")
        for address in (here, "127.0.0.1:1"):
            self.environment["HF_ENDPOINT"] = f"http://user:pass-word@{address}"
            message = self.refuse("pull", "org/no-model", "--from", "hub", names=[address])
            self.assertNotIn("pass-word", message)

    def test_a_file_that_nothing_shows_to_be_whole_is_refused(self):
        self.materialise(self.files, "hub/org/model")
        faults = {"no_hashes": True, "no_etag": True, "no_length": True}
        (self.hub / "faults.json").write_text(json.dumps(faults))
        self.refuse("pull", "org/model", names=["config.json", "neither its size nor a hash"])
        self.assertEqual(list(self.folder.glob("home/models/*")), [])


if __name__ == "__main__":
    main()
