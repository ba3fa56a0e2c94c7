"""The kernel's text of mappings: each row as it says, and what no kernel writes refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from diagtools.errors import DamagedError
from diagtools.probes import heap_maps
from diagtools.read.smaps import mappings, read_smaps

TEXT = """\
55d0a0000000-55d0a0010000 r-xp 00001000 fe:00 1234                       /opt/my app/bin/run
Size:                 64 kB
Rss:                  40 kB
Pss:                  20 kB
Shared_Clean:         40 kB
Shared_Dirty:          0 kB
Private_Clean:         0 kB
Private_Dirty:         0 kB
Anonymous:             0 kB
AnonHugePages:         0 kB
Swap:                  0 kB
THPeligible:           0
VmFlags: rd ex mr mw me
7f0000000000-7f0000200000 rw-p 00000000 00:00 0
Size:               2048 kB
Rss:                1024 kB
Private_Dirty:      1000 kB
Shared_Dirty:         24 kB
Anonymous:          1024 kB
AnonHugePages:       512 kB
Swap:                 16 kB
VmFlags: rd wr mr mw me nr
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
Size:                  4 kB
Rss:                   0 kB
VmFlags: ex
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "smaps.txt"
    path.write_text(text)
    return path


def test_each_mapping_is_a_row_with_its_sizes_in_bytes(tmp_path: Path) -> None:
    found = read_smaps(written(tmp_path, TEXT), pid=7, memory_devices=["fe:00"])
    first, second = found.rows(named=True)
    assert (first["pid"], first["index"], first["mapping"]) == (7, 0, 0)
    assert (first["start"], first["end"]) == (0x55D0A0000000, 0x55D0A0010000)
    assert (first["name"], first["inode"], first["in_memory"]) == ("/opt/my app/bin/run", 1234, True)
    assert (first["rss_bytes"], first["anon_bytes"], first["flags"]) == (40 << 10, 0, "rd ex mr mw me")
    assert (second["name"], second["inode"], second["in_memory"]) == ("", 0, False)
    assert (second["rss_bytes"], second["anon_bytes"], second["dirty_bytes"]) == (1 << 20, 1 << 20, 1 << 20)
    assert (second["huge_bytes"], second["swap_bytes"]) == (512 << 10, 16 << 10)


def test_stacks_are_counted_where_their_addresses_lie() -> None:
    rows = heap_maps.rows(TEXT.encode())
    inside, outside = 0x7F0000100000, 0x7F0000300000
    found = mappings(rows, pid=1, index=0, memory_devices=[], stacks=[inside, inside + 8, inside, outside, 3])
    assert found["n_stacks"].to_list() == [0, 2]


def test_a_real_process_sums_to_what_its_status_says(tmp_path: Path) -> None:
    code = "import sys; kept = bytearray(b'x') * (32 << 20); print(); sys.stdout.flush(); sys.stdin.read()"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)  # it changes nothing from here on
    path = tmp_path / "smaps.txt"
    path.write_bytes(Path(f"/proc/{process.pid}/smaps").read_bytes())
    status = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    process.send_signal(signal.SIGCONT)
    process.communicate()
    rss = next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("Rss:"))
    found = read_smaps(path)
    assert found["rss_bytes"].sum() == rss
    assert found.filter(pl.col("name") == "[heap]").height == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello\n",
        "Rss: 4 kB\n",
        "55d0-55e0 r-xp 0 fe:00\n",
        TEXT.replace("Rss:                  40 kB", "Rss:                 400 kB"),
        TEXT.replace("Anonymous:          1024 kB", "Anonymous:          1025 kB"),
        TEXT.replace("7f0000000000-7f0000200000", "7f0000200000-7f0000000000"),
        TEXT.replace("55d0a0000000-55d0a0010000", "7f0000000000-7f0000010000"),
        TEXT.replace("Rss:                  40 kB", "Rss: forty kB"),
    ],
    ids="empty words no-mapping short too-resident too-anonymous backwards overlapping no-number".split(),
)
def test_what_no_kernel_writes_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(DamagedError):
        read_smaps(written(tmp_path, text))
