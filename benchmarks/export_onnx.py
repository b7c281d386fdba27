"""Exports a Hugging Face folder for the ONNX peers: FOLDER.onnx in f32, FOLDER.int8.onnx quantised dynamically.

    python export_onnx.py MODEL_FOLDER PREFIX --task embed|rerank

The INT8 file has signed 8-bit weights per output channel and activations quantised at run time, which is the best that
ONNX Runtime's own tool does without calibration data. Mean pooling and normalisation are part of the embedder's graph,
so that a peer does them natively.
"""

import argparse
import os

import onnxruntime.quantization
import torch
import transformers

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class Embedder(torch.nn.Module):
    def __init__(self, folder: str):
        super().__init__()
        self.encoder = transformers.AutoModel.from_pretrained(
            folder, attn_implementation="eager", dtype=torch.float32, add_pooling_layer=False
        )

    def forward(self, input_ids, attention_mask, token_type_ids):
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return torch.nn.functional.normalize((hidden * weights).sum(1) / weights.sum(1), dim=1)


class Reranker(torch.nn.Module):
    def __init__(self, folder: str):
        super().__init__()
        self.model = transformers.AutoModelForSequenceClassification.from_pretrained(
            folder, attn_implementation="eager", dtype=torch.float32
        )

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.model(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).logits


def export(folder: str, prefix: str, task: str) -> None:
    model = {"embed": Embedder, "rerank": Reranker}[task](folder).eval()
    ids = torch.randint(1000, 2000, (2, 16))
    example = (ids, torch.ones_like(ids), torch.zeros_like(ids))
    with torch.no_grad():
        torch.onnx.export(
            model,
            example,
            f"{prefix}.partial.onnx",
            input_names=list(INPUTS),
            output_names=["result"],
            dynamic_axes={name: {0: "sequences", 1: "tokens"} for name in INPUTS} | {"result": {0: "sequences"}},
            opset_version=17,
            dynamo=False,
        )
    onnxruntime.quantization.quantize_dynamic(
        f"{prefix}.partial.onnx",
        f"{prefix}.int8.onnx",
        weight_type=onnxruntime.quantization.QuantType.QInt8,
        per_channel=True,
    )
    # The f32 file gets its name last: where it exists, both are whole.
    os.replace(f"{prefix}.partial.onnx", f"{prefix}.onnx")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("prefix")
    parser.add_argument("--task", choices=("embed", "rerank"), required=True)
    arguments = parser.parse_args()
    export(arguments.folder, arguments.prefix, arguments.task)
