"""Changes of JSON files in a model folder that is held in memory as {name: content}: for folder_parity.py, and for
tests/cli/folders_test.py, which replays some of them without the reference. Needs nothing but Python."""

import copy
import json

ABSENT = {"absent": True}  # As a value: the key, or the whole file, is not there.


def dumps(value) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def bytes_of(name: str, content) -> bytes:
    """What is written under `name`."""
    if isinstance(content, bytes):
        return content
    return content.encode() if isinstance(content, str) and not name.endswith(".json") else dumps(content)


def change_file(files: dict[str, object], file: str, path: tuple, value) -> bool:
    """Puts `value` at `path` in a JSON file; an empty path is the whole file. False where that changes nothing."""
    if not path:
        return replace_file(files, file, value)
    if file not in files and (value == ABSENT or isinstance(path[0], int)):
        return False
    root = files.get(file, {})
    if not isinstance(root, (dict, list)):
        return False
    changed = set_at(root, path, value)
    if changed:
        files[file] = root
    return changed


def replace_file(files: dict[str, object], file: str, value) -> bool:
    if value == ABSENT:
        return files.pop(file, None) is not None
    if file in files and files[file] == value:
        return False
    files[file] = copy.deepcopy(value)
    return True


def set_at(node, path: tuple, value) -> bool:
    """Sets or removes what lies at `path`; objects on the way are made, lists are not."""
    for key in path[:-1]:
        if isinstance(node, list):
            if not isinstance(key, int) or key >= len(node):
                return False
            node = node[key]
        elif isinstance(node, dict):
            if key not in node and value == ABSENT:
                return False
            if not isinstance(node.get(key), (dict, list)):
                node[key] = {}
            node = node[key]
        else:
            return False
    last = path[-1]
    if isinstance(node, list):
        return change_list(node, last, value)
    if not isinstance(node, dict):
        return False
    if value == ABSENT:
        return node.pop(last, ABSENT) != ABSENT
    if last in node and dumps(node[last]) == dumps(value):
        return False
    node[last] = copy.deepcopy(value)
    return True


def change_list(node: list, index, value) -> bool:
    if not isinstance(index, int) or index > len(node) or (index == len(node) and value == ABSENT):
        return False
    if value == ABSENT:
        del node[index]
    elif index == len(node):
        node.append(copy.deepcopy(value))
    else:
        node[index] = copy.deepcopy(value)
    return True
