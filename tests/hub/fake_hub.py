"""A Hugging Face hub for tests: serves one folder of models on 127.0.0.1 and misbehaves as it is told to.

    fake_hub.py ROOT

ROOT/org/name/… are the models' files. Two ports are opened: the hub, and a second server that stands for the other
host to which a hub redirects large files. The first line on standard output is "HUB_PORT STORAGE_PORT".

ROOT/faults.json, read anew for each request, may hold:

    {"status": {"PATH": [503, 503]},         answers for a path, used up one by one (a number: for ever)
     "retry_after": 1,                       sent with them
     "error_code": "GatedRepo",              X-Error-Code, sent with them
     "drop_after": {"FILE": [1000, 2000]},   closes the connection after so many bytes of a file, once each
     "stall_after": {"FILE": [1000]},        sends nothing more after so many bytes, once each
     "slow": {"FILE": 0.01},                 waits so many seconds after each 4 KiB
     "damage": {"FILE": 2},                  how often a file is sent with one byte changed (a bool: always)
     "bytes_per_try": {"FILE": 1},           closes the connection after so many new bytes of a file, always
     "trickle": 0.2,                         sends answers that are no files byte by byte, with so many seconds between
     "more_headers": 2000,                   so many lines of headers more
     "sizes": {"FILE": 1000},                lists other sizes
     "commit": "aaaa…",                      lists files as those of this commit
     "more_files": 1000,                     lists so many shards of weights more
     "no_range": true,                       ignores Range
     "no_length": true,                      sends no Content-Length
     "no_hashes": true,                      lists files without sizes and hashes
     "no_etag": true,                        sends no hashes in headers either
     "token": "secret"}                      asks for this bearer token

What was asked is appended to ROOT/requests.log, one JSON line each. Counters live as long as the process.
"""

import hashlib
import json
import pathlib
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROOT = pathlib.Path(sys.argv[1])
LARGE_BYTES = 4096  # From here on a file is kept by Git LFS and served from the second port.
LOCK = threading.Lock()
USED = {}


def faults():
    try:
        return json.loads((ROOT / "faults.json").read_text())
    except FileNotFoundError:
        return {}


def next_of(kind, name):
    """The next of a list of faults, or none; a plain value stays."""
    value = faults().get(kind, {}).get(name)
    if not isinstance(value, list):
        return value
    with LOCK:
        index = USED.get((kind, name), 0)
        USED[(kind, name)] = index + 1
    return value[index] if index < len(value) else None


def is_damaged(name):
    value = faults().get("damage", {}).get(name, 0)
    with LOCK:
        USED[("damage", name)] = USED.get(("damage", name), 0) + 1
        return value is True or USED[("damage", name)] <= value


def git_blob_sha1(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def commit_of(folder):
    digest = hashlib.sha1()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def listing(model):
    folder = ROOT / model
    siblings = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        sibling = {"rfilename": path.relative_to(folder).as_posix()}
        if not faults().get("no_hashes"):
            size = faults().get("sizes", {}).get(path.name, len(data))
            sibling |= {"size": size, "blobId": git_blob_sha1(data)}
            if len(data) >= LARGE_BYTES:
                sibling["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 135}
        siblings.append(sibling)
    siblings += [{"rfilename": f"model-0{number}.safetensors"} for number in range(faults().get("more_files", 0))]
    return {"id": model, "sha": faults().get("commit") or commit_of(folder), "siblings": siblings}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def record(self):
        entry = {
            "port": self.server.server_port,
            "path": self.path,
            "range": self.headers.get("Range"),
            "authorization": self.headers.get("Authorization"),
        }
        with LOCK, open(ROOT / "requests.log", "a") as log:
            log.write(json.dumps(entry) + "\n")

    def start(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            if "Etag" not in name.title() or not faults().get("no_etag"):
                self.send_header(name.replace("_", "-"), value)
        for number in range(faults().get("more_headers", 0)):
            self.send_header(f"X-{number}", "more")

    def answer(self, status, data=b"", **headers):
        self.start(status, headers)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if "trickle" not in faults():
            self.wfile.write(data)
            return
        for byte in data:
            self.wfile.write(bytes([byte]))
            time.sleep(faults().get("trickle", 0))

    def refuse(self, status):
        headers = {}
        if "retry_after" in faults():
            headers["Retry_After"] = str(faults()["retry_after"])
        if "error_code" in faults():
            headers["X_Error_Code"] = faults()["error_code"]
        self.answer(status, b'{"error": "refused"}', **headers)

    def send_file(self, path, **headers):
        data = path.read_bytes()
        name = path.name
        if is_damaged(name):
            data = bytes([data[0] ^ 1]) + data[1:]
        begin, status = 0, 200
        wanted = self.headers.get("Range")
        if wanted and not faults().get("no_range"):
            begin = int(wanted.removeprefix("bytes=").split("-")[0])
            if begin >= len(data):
                return self.answer(416, Content_Range=f"bytes */{len(data)}")
            status = 206
            headers["Content_Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        self.start(status, headers)
        if faults().get("no_length"):
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(data) - begin))
        self.end_headers()

        drop, stall = next_of("drop_after", name), next_of("stall_after", name)
        wait = faults().get("slow", {}).get(name, 0)
        few = faults().get("bytes_per_try", {}).get(name)
        few = None if few is None else begin + few
        stop = min(value for value in (drop, stall, few, len(data)) if value is not None)
        for offset in range(begin, max(begin, stop), 4096):
            self.wfile.write(data[offset : min(offset + 4096, stop)])
            self.wfile.flush()
            time.sleep(wait)
        if stall is not None:
            time.sleep(30)
        if drop is not None or stall is not None or few is not None:
            self.close_connection = True

    def do_GET(self):
        self.record()
        path = urllib.parse.unquote(urllib.parse.urlparse(self.path).path)
        status = next_of("status", path)
        if status is not None:
            return self.refuse(status)
        if self.server is STORAGE:
            return self.send_file(ROOT / path.removeprefix("/blobs/"), ETag='"not-a-hash"')
        if "token" in faults() and self.headers.get("Authorization") != f"Bearer {faults()['token']}":
            return self.refuse(401)
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"] and parts[4:5] == ["revision"]:
            model, revision = "/".join(parts[2:4]), "/".join(parts[5:])
            if not (ROOT / model).is_dir() or revision.lower() not in ("main", commit_of(ROOT / model)):
                return self.refuse(404)
            return self.answer(200, json.dumps(listing(model)).encode(), Content_Type="application/json")
        if parts[2:3] == ["resolve"]:
            folder = ROOT / parts[0] / parts[1]
            file = folder / "/".join(parts[4:])
            if not file.is_file() or parts[3] != commit_of(folder):
                return self.refuse(404)
            data = file.read_bytes()
            if len(data) < LARGE_BYTES:
                return self.send_file(file, ETag=f'"{git_blob_sha1(data)}"')
            location = f"http://127.0.0.1:{STORAGE.server_port}/blobs/{file.relative_to(ROOT).as_posix()}"
            return self.answer(302, Location=location, X_Linked_Etag=f'"{hashlib.sha256(data).hexdigest()}"')
        return self.refuse(404)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # Clients that go away are part of the tests.


HUB = Server(("127.0.0.1", 0), Handler)
STORAGE = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=STORAGE.serve_forever, daemon=True).start()
print(HUB.server_port, STORAGE.server_port, flush=True)
HUB.serve_forever()
