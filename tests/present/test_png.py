"""The same picture in fewer bytes."""

from __future__ import annotations

import struct
import zlib

import vl_convert

from diagtools.present.png import packed

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="200"><circle cx="99" cy="99" r="80"/></svg>'
)


def pixels(png: bytes) -> bytes:
    at, data = 8, b""
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        body = png[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length)[0] == zlib.crc32(kind + body)
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    return zlib.decompress(data)


def test_no_pixel_changes_and_it_is_smaller() -> None:
    png = vl_convert.svg_to_png(SVG, scale=3)
    small = packed(png)
    assert pixels(small) == pixels(png)
    assert small[16:24] == png[16:24]
    assert len(small) < len(png)


def test_packing_twice_changes_nothing() -> None:
    once = packed(vl_convert.svg_to_png(SVG))
    assert packed(once) == once
