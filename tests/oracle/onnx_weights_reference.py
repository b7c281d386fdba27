"""Reads the weights of an INT8 ONNX encoder with the onnx package, as the reference for src/formats/onnx_weights.

Two uses, both with onnx 1.23.2, onnxruntime 1.32.0, safetensors 0.8.0 and sentence-transformers 6.2.0:

    onnx_weights_reference.py compare MODEL.onnx MODEL.safetensors
        Compares what Tandem read back with what the onnx package reads, bit by bit.
    onnx_weights_reference.py score MODEL.onnx FOLDER
        Runs the ONNX file in ONNX Runtime and the folder in sentence-transformers on the same texts. ONNX Runtime
        also quantises the activations, so the two agree only within that error.
"""

import sys

import numpy as np

BERLIN_QUERY = "How many people live in Berlin?"
BERLIN_PASSAGES = [
    "Berlin had a population of 3,520,031 registered inhabitants in an area of 891.82 square kilometers.",
    "Berlin is well known for its museums.",
]


def read_weights(path):
    """Maps the names of a Hugging Face checkpoint to f32 arrays."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weights = {}

    def dequantized(stem):
        quantized = arrays[stem + "_quantized"].astype(np.int32)
        zero_point = arrays[stem + "_zero_point"].astype(np.int32)
        return (quantized - zero_point).astype(np.float32) * np.float32(arrays[stem + "_scale"])

    for name, array in arrays.items():
        if name.endswith((".weight", ".bias")) and array.dtype == np.float32:
            weights[name] = array
    for node in graph.node:
        if node.op_type == "Gather" and node.input[0].endswith("_quantized"):
            stem = node.input[0].removesuffix("_quantized")
            weights[stem] = dequantized(stem)
        if node.op_type == "MatMulInteger":
            stem = node.input[1].removesuffix("_quantized")
            module = node.name.rsplit("/", 1)[0].strip("/").replace("/", ".")
            weights[module + ".weight"] = dequantized(stem).T.copy()
    return weights


def compare(onnx_path, safetensors_path):
    from safetensors.numpy import load_file

    expected, actual = read_weights(onnx_path), load_file(safetensors_path)
    if expected.keys() != actual.keys():
        sys.exit(f"names differ: {sorted(expected.keys() ^ actual.keys())}")
    for name, array in expected.items():
        if array.shape != actual[name].shape or not np.array_equal(array, actual[name]):
            sys.exit(f"{name}: {actual[name].shape} differs from {array.shape}")
    print(f"{len(expected)} tensors, {sum(array.size for array in expected.values())} values: all equal")


def score(onnx_path, folder):
    import onnxruntime
    from sentence_transformers import CrossEncoder, SentenceTransformer
    from transformers import AutoTokenizer

    session = onnxruntime.InferenceSession(onnx_path)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    is_cross_encoder = session.get_outputs()[0].name == "logits"
    if is_cross_encoder:
        features = tokenizer([BERLIN_QUERY] * 2, BERLIN_PASSAGES, padding=True, return_tensors="np")
        ours = CrossEncoder(folder, device="cpu").predict([(BERLIN_QUERY, passage) for passage in BERLIN_PASSAGES])
    else:
        features = tokenizer([BERLIN_QUERY, *BERLIN_PASSAGES], padding=True, return_tensors="np")
        ours = SentenceTransformer(folder, device="cpu").encode([BERLIN_QUERY, *BERLIN_PASSAGES])
    theirs = session.run(None, {name: array.astype(np.int64) for name, array in features.items()})[0]
    if is_cross_encoder:
        print("sentence-transformers", ours, "onnxruntime", theirs[:, 0])
    else:
        theirs = theirs[:, 0] / np.linalg.norm(theirs[:, 0], axis=1, keepdims=True)
        print("cosines between sentence-transformers and onnxruntime", (ours * theirs).sum(axis=1))


if __name__ == "__main__":
    {"compare": compare, "score": score}[sys.argv[1]](*sys.argv[2:])
