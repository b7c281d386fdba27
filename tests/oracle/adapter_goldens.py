"""Writes tests/checkpoints/adapters.json: adapters of AdapterHub for the tiny checkpoints, and what adapters 1.3
answers with them in f32.

    python adapter_goldens.py

It needs an environment of its own, with the packages adapters 1.3, the transformers that it pins (4.57) and torch. Run
family_checkpoints.py first: the adapters belong to its checkpoints.
"""

import importlib.metadata
import json
import os
import pathlib
import shutil
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
import adapters
import tokenizers
import torch
import transformers

CHECKPOINTS = pathlib.Path(__file__).resolve().parent.parent / "checkpoints"
PACKAGES = ("adapters", "transformers", "tokenizers", "torch")
TEXTS = ["Search models [SEP] A fast model for night and day.", "", "one two three"]
VARIANTS = [
    ("bert", "[PRX]", False, adapters.SeqBnConfig(reduction_factor=4)),
    (
        "bert",
        "houlsby",
        True,
        adapters.DoubleSeqBnConfig(reduction_factor={"1": 2, "default": 4}, leave_out=[0]),
    ),
    (
        "roberta",
        "norms",
        False,
        adapters.BnConfig(
            mh_adapter=True,
            output_adapter=True,
            reduction_factor=4,
            non_linearity="gelu",
            original_ln_before=True,
            ln_before=True,
            ln_after=True,
            residual_before_ln="post_add",
            adapter_residual_before_ln=True,
            scaling=0.5,
        ),
    ),
    (
        "distilbert",
        "without",
        False,
        adapters.BnConfig(
            mh_adapter=False,
            output_adapter=True,
            reduction_factor=5.5,
            non_linearity="tanh",
            original_ln_before=True,
            original_ln_after=False,
            residual_before_ln=False,
            ln_after=True,
        ),
    ),
]


def materialise(files: dict, folder: pathlib.Path) -> None:
    for name, source in files.items():
        if "json" in source:
            (folder / name).write_text(json.dumps(source["json"]))
        else:
            shutil.copy(CHECKPOINTS / source["copy"], folder / name)


def answer(family: str, name: str, as_safetensors: bool, config, files: dict) -> dict:
    with tempfile.TemporaryDirectory() as path:
        folder = pathlib.Path(path)
        materialise(files, folder)
        model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32)
        adapters.init(model)
        torch.manual_seed(20240229)
        model.add_adapter(name, config=config)
        for key, parameter in model.named_parameters():
            if f"adapters.{name}." in key:
                parameter.data += 0.3 * torch.randn_like(parameter)
        model.save_adapter(str(folder / "adapter"), name, use_safetensors=as_safetensors)
        model.set_active_adapters(name)
        model.eval()
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        results = []
        for text in TEXTS:
            ids = torch.tensor([tokenizer.encode(text).ids])
            with torch.no_grad():
                states = model(input_ids=ids).last_hidden_state
            results.append([round(float(value), 6) for value in states[0, 0]])
        weights = "adapter.safetensors" if as_safetensors else "pytorch_adapter.bin"
        stored = f"adapter-{family}-{name.strip('[]')}{pathlib.Path(weights).suffix}"
        shutil.copy(folder / "adapter" / weights, CHECKPOINTS / stored)
        raw = json.loads((folder / "adapter" / "adapter_config.json").read_text())
        raw["model_name"] = f"tandem-tests/{family}"
        files_of_adapter = {"adapter_config.json": {"json": raw}, weights: {"copy": stored}}
        return {"name": f"{family}, {name}", "files": files, "adapter_files": files_of_adapter, "results": results}


def main() -> None:
    torch.set_num_threads(1)
    families = {
        row["name"].split(",")[0]: row["files"]
        for row in json.loads((CHECKPOINTS / "golden.json").read_text())["variants"]
        if row["kind"] == "bi"
    }
    rows = [answer(family, name, safe, config, families[family]) for family, name, safe, config in VARIANTS]
    head = {
        "made_by": "tests/oracle/adapter_goldens.py",
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "texts": TEXTS,
    }
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (CHECKPOINTS / "adapters.json").write_text(f'{json.dumps(head)[:-1]}, "variants": [\n{lines}\n]}}\n')
    for path in CHECKPOINTS.iterdir():
        path.chmod(0o644)


if __name__ == "__main__":
    main()
