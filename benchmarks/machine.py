"""What the machine is, how busy others keep it, and what a command cost."""

import dataclasses
import json
import os
import pathlib
import platform
import re
import resource
import subprocess
import time

OTHERS_SHARE_MAX = 0.05  # Of all processors: above this, a figure says more about the neighbours than about the code.


def processor_name() -> str:
    match = re.search(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return match[1].strip() if match else platform.machine()


def describe() -> dict:
    flags = re.search(r"^flags\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    wanted = {"avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_int8", "amx_bf16"}
    return {
        "processor": processor_name(),
        "processors": os.cpu_count(),
        "instructions": sorted(wanted.intersection(flags[1].split())) if flags else [],
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "load_average": os.getloadavg(),
    }


def busy_seconds() -> tuple[float, float]:
    """Processor seconds since boot that anybody used, and that the hypervisor gave to somebody else (steal)."""
    ticks = os.sysconf("SC_CLK_TCK")
    fields = pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq, steal = (int(field) / ticks for field in fields[:8])
    return user + nice + system + irq + softirq + steal, steal


def own_seconds() -> float:
    """Processor seconds of this process and of its children that have ended."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


class OthersShare:
    """The share of all processors that others used since it was made, from 0 to 1."""

    def __init__(self):
        self.begin = (time.monotonic(), busy_seconds()[0], own_seconds())

    def value(self) -> float:
        wall, busy, own = self.begin
        seconds = (time.monotonic() - wall) * os.cpu_count()
        return max(0.0, (busy_seconds()[0] - busy) - (own_seconds() - own)) / seconds


def busiest_processes(seconds: float, count: int = 5) -> list[str]:
    """The processes that used most processor time during the next `seconds`, as "12 % name (pid)"."""

    def read() -> dict[int, tuple[str, int]]:
        found = {}
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                text = path.read_text()
            except OSError:
                continue  # The process ended meanwhile.
            name, rest = text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") + 2 :].split()
            found[int(path.parent.name)] = (name, int(rest[11]) + int(rest[12]))
        return found

    before = read()
    time.sleep(seconds)
    ticks = {pid: (name, used - before.get(pid, (name, 0))[1]) for pid, (name, used) in read().items()}
    ticks.pop(os.getpid(), None)
    per_cent = 100 / (seconds * os.sysconf("SC_CLK_TCK"))
    top = sorted(ticks.items(), key=lambda item: -item[1][1])[:count]
    return [f"{used * per_cent:.0f} % {name} ({pid})" for pid, (name, used) in top if used]


@dataclasses.dataclass
class Sample:
    """One run of a command."""

    output: str
    others_share: float
    rss_peak_bytes: int


def run(command: list, environment: dict | None = None, stdin: bytes | None = None) -> Sample:
    """Runs a command to its end; its stderr is shown when it fails. Others' share is what was used meanwhile by
    processes that are not ours."""
    command = [str(word) for word in command]
    others = OthersShare()
    with (
        open(os.memfd_create("stdout"), "w+b") as output,
        open(os.memfd_create("stderr"), "w+b") as errors,
        open(os.memfd_create("stdin"), "w+b") as source,
    ):
        source.write(stdin or b"")
        source.seek(0)
        process = subprocess.Popen(
            command, stdin=source, stdout=output, stderr=errors, env=os.environ | (environment or {})
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        for stream in (output, errors):
            stream.seek(0)
        if process.returncode != 0:
            raise SystemExit(f"failed ({process.returncode}): {' '.join(command)}\n{errors.read().decode()}")
        return Sample(output.read().decode(), others.value(), usage.ru_maxrss * 1024)


def run_json(command: list, environment: dict | None = None) -> tuple[dict, Sample]:
    sample = run(command, environment)
    return json.loads(sample.output), sample


def seconds_to_first_output(command: list, stdin: bytes, environment: dict | None = None) -> float:
    """Seconds from starting a process until the first byte of its standard output."""
    command = [str(word) for word in command]
    begin = time.perf_counter()
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | (environment or {}),
    ) as process:
        process.stdin.write(stdin)
        process.stdin.close()
        first = process.stdout.read(1)
        seconds = time.perf_counter() - begin
        process.stdout.read()
    if not first or process.returncode != 0:
        raise SystemExit(f"failed ({process.returncode}): {' '.join(command)}")
    return seconds


def require_quiet(force: bool) -> dict:
    """Watches the machine for five seconds. Ends the program when others use too much of it, unless forced."""
    others, steal = OthersShare(), busy_seconds()[1]
    busiest = busiest_processes(5.0)
    share = others.value()
    seen = {
        "others_share": round(share, 4),
        "steal_seconds": round(busy_seconds()[1] - steal, 2),
        "busiest": busiest,
        "forced": force,
    }
    if share > OTHERS_SHARE_MAX and not force:
        raise SystemExit(
            f"other processes use {share:.0%} of the processors, want at most {OTHERS_SHARE_MAX:.0%}: "
            f"{', '.join(busiest)}. Wait until they are done, or pass --force for figures that mean little."
        )
    return seen
