"""Changes of files in a model folder that no JSON value says: of a text's bytes, of SentencePiece's model."""

import json
import pathlib

from folder_changes import dumps

TEXTS = ("crlf", "no last line feed", "byte order mark", "blank line", "blank last line", "trailing blanks",
         "a line twice", "invalid UTF-8", "empty")  # fmt: skip
JSONS = ("byte order mark", "a key twice", "NaN", "trailing comma", "comment", "Latin-1", "empty", "escapes")
PROTO = {
    "normalizer_spec.add_dummy_prefix": [False], "normalizer_spec.remove_extra_whitespaces": [False],
    "normalizer_spec.escape_whitespaces": [False], "normalizer_spec.precompiled_charsmap": [""],
    "trainer_spec.model_type": [2, 3, 4], "trainer_spec.byte_fallback": [True], "trainer_spec.unk_id": [1],
    "trainer_spec.treat_whitespace_as_suffix": [True], "trainer_spec.user_defined_symbols": [["cat"]],
    "pieces.0.piece": ["<UNK>"], "pieces.1.piece": ["<bos>"], "pieces.9.type": [3, 4, 5], "pieces.9.score": [5.0],
}  # fmt: skip


def change_raw(files: dict[str, object], name: str, kind: str, value) -> bool:
    """Changes `files`; false where there is nothing to change."""
    content = files.get(name)
    if content is None or isinstance(content, pathlib.Path):
        return False
    data = content if isinstance(content, bytes) else dumps(content)
    if name.endswith(".model"):
        files[name] = changed_model(data, kind, value)
    else:
        files[name] = changed_json(data, value) if name.endswith(".json") else changed_text(data, value)
    return files[name] != data


def changed_text(data: bytes, how: str) -> bytes:
    lines = data.splitlines(keepends=True)
    middle = len(lines) // 2
    results = {
        "crlf": data.replace(b"\n", b"\r\n"), "no last line feed": data.rstrip(b"\n"),
        "byte order mark": b"\xef\xbb\xbf" + data, "blank line": b"".join([*lines[:middle], b"\n", *lines[middle:]]),
        "blank last line": data + b"\n", "trailing blanks": data.replace(b"\n", b" \n"),
        "a line twice": data + lines[middle], "invalid UTF-8": data + b"\xff\xfe\n", "empty": b"",
    }  # fmt: skip
    return results[how]


def changed_json(data: bytes, how: str) -> bytes:
    """Of an object or a list."""
    start, end = data[:1], data[-1:]
    first = next(iter(json.loads(data)), "x") if start == b"{" else "x"
    results = {
        "byte order mark": b"\xef\xbb\xbf" + data, "trailing comma": data[:-1] + b"," + end,
        "comment": start + b"// comment\n" + data[1:], "empty": b"", "escapes": json.dumps(json.loads(data)).encode(),
        "a key twice": start + f'"{first}": null, '.encode() + data[1:],
        "NaN": start + b'"some_key": NaN, ' + data[1:], "Latin-1": start + b'"some_key": "\xe9", ' + data[1:],
    }  # fmt: skip
    return results[how] if start == b"{" or how not in ("a key twice", "NaN", "Latin-1") else data


def changed_model(data: bytes, path: str, value) -> bytes:
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(data)
    *way, last = path.split(".")
    node = proto
    for word in way:
        node = node[int(word)] if word.isdigit() else getattr(node, word)
    if isinstance(value, list):
        getattr(node, last).extend(value)
    else:
        setattr(node, last, value.encode() if last == "precompiled_charsmap" else value)
    return proto.SerializeToString()
