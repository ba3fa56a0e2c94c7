"""What a file is instead, told from its first bytes, where it is none of the exports that are read."""

from __future__ import annotations

from diagtools.errors import UsageError

_UNPACK = "unpack it first: {tool} -k {name}"
_OTHER = "name a capture of memray or an export of a profiler."

#: First bytes, what they mean, and what to do.
_MAGICS = (
    (b"\x1f\x8b", "compressed with gzip", _UNPACK.replace("{tool}", "gunzip")),
    (b"BZh", "compressed with bzip2", _UNPACK.replace("{tool}", "bunzip2")),
    (b"\xfd7zXZ\0", "compressed with xz", _UNPACK.replace("{tool}", "unxz")),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", _UNPACK.replace("{tool} -k", "unzstd")),
    (b"PK\x03\x04", "a zip archive", "unpack it first and name the file that was in it."),
    (b"\x89PNG", "a picture", "a picture of a profile holds no numbers: name the export it was made from."),
    (
        b"\xff\xd8\xff",
        "a picture",
        "a picture of a profile holds no numbers: name the export it was made from.",
    ),
    (b"\x7fELF", "a program", "name the file that the profiler wrote, not the program."),
    (b"%PDF", "a PDF", _OTHER),
    (b"SQLite format 3\0", "an SQLite database", _OTHER),
    (b"bplist", "a binary property list", "export it as speedscope JSON."),
    (b"PAR1", "a Parquet file", "read it with polars.read_parquet."),
    (b"\xff\xfe", "UTF-16 text", "save it as UTF-8: iconv -f UTF-16 -t UTF-8 {name}"),
    (b"\xfe\xff", "UTF-16 text", "save it as UTF-8: iconv -f UTF-16 -t UTF-8 {name}"),
    (b"PERFILE2", "a recording of perf", "perf script | stackcollapse-perf.pl > out.folded"),
)
_PICKLE_PROTOCOLS = range(2, 6)
_OLD_PICKLES = (b"ctracemalloc\n", b"ccopy_reg\n", b"ccopyreg\n")


def refuse_foreign(name: str, beginning: bytes) -> None:
    """Does a file that begins so hold something else than an export?  Raises ``UsageError`` saying what."""
    for magic, what, hint in _MAGICS:
        if beginning.startswith(magic):
            raise UsageError(f"'{name}' is {what}.", hint=hint.replace("{name}", name))
    if is_pickle(beginning):
        raise UsageError(*_pickle(name, beginning), hint=_pickle_hint(beginning))


def is_pickle(beginning: bytes) -> bool:
    """Does it begin like a pickle?"""
    return (
        len(beginning) > 1 and beginning[0] == 0x80 and beginning[1] in _PICKLE_PROTOCOLS
    ) or beginning.startswith(_OLD_PICKLES)


def _pickle(name: str, beginning: bytes) -> tuple[str]:
    what = "a pickled snapshot of tracemalloc" if b"tracemalloc" in beginning else "a pickle"
    return (f"'{name}' is {what}. Loading a pickle runs whatever code it names: it is not loaded.",)


def _pickle_hint(beginning: bytes) -> str:
    if b"tracemalloc" in beginning:
        return (
            "in a Python of your own, if you trust the file: from_snapshot(tracemalloc.Snapshot.load(path)), "
            "from diagtools.read.profiles.tracemalloc_log."
        )
    return "export it in a format that is data only."
