r"""Untrusted text, plain, gzip or BGZF, as blocks of whole lines that never grow beyond the documented caps.

Decompression is ours, at most 1 MiB of text a step, because a library that inflates on its own has no caps: half a
megabyte of gzip can hold one line of 300 million bases. Every member of a gzip file starts a new decompressor, so plain
gzip, concatenated gzip and BGZF (https://samtools.github.io/hts-specs/SAMv1.pdf, section 4.1) read alike, and nothing
seeks, so standard input works.

>>> text = BoundedText(io.BytesIO(b"one\ntwo"), "x.txt", Settings())
>>> text.next_lines(0), text.next_lines(2)
(b'one\ntwo', b'')
"""

from __future__ import annotations

import zlib
from typing import BinaryIO

from app.config import Settings
from app.errors import BadFile, LimitExceeded

_STEP = 1 << 20
_READ = 1 << 18
_ENOUGH = 1 << 18
_FREE_TEXT = 10 << 20
_SMALLEST_FEED = 1 << 10
_LARGEST_FEED = 1 << 16
_GZIP = b"\x1f\x8b"
# The empty block that ends every complete BGZF file (SAM specification 4.1.2).
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_FOREIGN = {
    b"PK\x03\x04": "a ZIP archive",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"BCF\x02": "BCF, the binary form of VCF",
    b"BAM\x01": "BAM",
    b"CRAM": "CRAM",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


class BoundedText:
    """Read an open binary file as blocks of whole lines; ``name`` is used in messages only."""

    def __init__(self, stream: BinaryIO, name: str, settings: Settings) -> None:
        self._stream = stream
        self._name = name
        self._settings = settings
        self._raw = b""
        self._at = 0
        self._tail = b""
        self._stored = 0
        self._text_bytes = 0
        self._compressed = False
        self._bgzf = False
        self._inflater: zlib._Decompress | None = None
        self._member_bytes = 0
        self._last_member_bytes = _LARGEST_FEED
        self._first = b""
        self._carry: list[bytes] = []
        self._carry_bytes = 0
        self._longest = settings.vcf_max_line_bytes
        self._ended = False
        self._start()

    @property
    def bytes_read(self) -> int:
        """Return how many stored bytes were taken so far."""
        return self._stored

    def head(self) -> bytes:
        """Return the first bytes of the text, without taking them; only before the first block is taken."""
        return self._first[:64]

    def next_lines(self, lines_before: int) -> bytes:
        """Return the next block of whole lines, empty at the end; only the last line of a file may lack its newline.

        ``lines_before`` is how many lines the caller has taken, for messages: counting them here would cost as much as
        splitting.

        Raises:
            BadFile: the compressed data are damaged or truncated.
            LimitExceeded: a cap is exceeded; the message names the setting.
        """
        while not self._ended:
            text = self._next_text()
            if not text:
                self._ended = True
                break
            cut = text.rfind(b"\n") + 1
            if not cut:
                self._keep(text, lines_before)
                continue
            self._check_first_line(text, lines_before)
            block = b"".join([*self._carry, memoryview(text)[:cut]])
            self._carry, self._carry_bytes = [], 0
            if cut < len(text):
                self._keep(text[cut:], lines_before + (block.count(b"\n") if len(text) - cut > self._longest else 0))
            if self._longest < len(text):
                self._check_every_line(block, lines_before)
            return block
        block = b"".join(self._carry)
        self._carry, self._carry_bytes = [], 0
        return block

    def _keep(self, text: bytes, lines_before: int) -> None:
        self._carry.append(text)
        self._carry_bytes += len(text)
        if self._carry_bytes > self._longest:
            self._refuse_line(lines_before + 1)

    def _check_first_line(self, text: bytes, lines_before: int) -> None:
        if self._carry_bytes + text.find(b"\n") > self._longest:
            self._refuse_line(lines_before + 1)

    def _check_every_line(self, block: bytes, lines_before: int) -> None:
        for number, line in enumerate(block.split(b"\n"), lines_before + 1):
            if len(line) > self._longest:
                self._refuse_line(number)

    def _refuse_line(self, line_1based: int) -> None:
        raise LimitExceeded(
            self._name,
            f"the line is longer than {self._longest:,} bytes",
            line_1based=line_1based,
            mend="Raise OPERON_VCF_MAX_LINE_BYTES if such lines are meant",
        )

    # --- decompression ------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Recognize the compression, and keep the first text so that ``head`` can show it."""
        while len(self._raw) < 18 and self._fill():
            pass
        if not self._raw:
            raise BadFile(self._name, "the file is empty")
        self._compressed = self._raw.startswith(_GZIP)
        if self._compressed:
            self._bgzf = len(self._raw) >= 18 and self._raw[3] & 4 != 0 and self._raw[12:14] == b"BC"
        else:
            self._refuse_foreign(self._raw)
        first = self._next_text()
        if not first:
            raise BadFile(self._name, "the file holds no text", mend="Check how it was made")
        if self._compressed:
            if first.startswith(_GZIP):
                raise BadFile(self._name, "the file is compressed twice", mend="Decompress it once")
            self._refuse_foreign(first)
        self._first = first

    def _refuse_foreign(self, start: bytes) -> None:
        for magic, what in _FOREIGN.items():
            if start.startswith(magic):
                raise BadFile(self._name, f"the file is {what}", mend="Give plain text, gzip or BGZF")

    def _next_text(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        return self._inflate() if self._compressed else self._plain()

    def _plain(self) -> bytes:
        if self._at == len(self._raw) and not self._fill():
            return b""
        text = self._raw[self._at :]
        self._raw, self._at = b"", 0
        self._text_bytes += len(text)
        return text

    def _inflate(self) -> bytes:
        """Return the next text, about 256 KiB and never much more than 1 MiB; empty at the end of the file."""
        parts: list[bytes] = []
        size = 0
        while size < _ENOUGH:
            if self._at == len(self._raw) and not self._fill():
                self._check_end()
                break
            if self._inflater is None:
                if self._raw[self._at] == 0:
                    self._skip_padding()
                    break
                self._inflater = zlib.decompressobj(wbits=31)
                self._member_bytes = 0
            part = self._inflate_step(self._inflater)
            size += len(part)
            parts.append(part)
        return b"".join(parts)

    def _inflate_step(self, inflater: zlib._Decompress) -> bytes:
        # Feeding about one member at a time bounds the copies that zlib makes of what it did not use, even for a file
        # of a million empty members.
        feed = max(_SMALLEST_FEED, min(_LARGEST_FEED, max(self._last_member_bytes, self._member_bytes)))
        piece = self._raw[self._at : self._at + feed]
        try:
            text = inflater.decompress(piece, _STEP)
        except zlib.error:
            raise BadFile(
                self._name,
                f"the compressed data are damaged near byte {self._consumed():,}",
                mend="Copy the file again and compare checksums",
            ) from None
        left = len(inflater.unused_data) if inflater.eof else len(inflater.unconsumed_tail)
        used = len(piece) - left
        self._at += used
        self._member_bytes += used
        self._text_bytes += len(text)
        if inflater.eof:
            self._last_member_bytes = self._member_bytes
            self._inflater = None
        ratio = self._settings.vcf_max_ratio
        if self._text_bytes > _FREE_TEXT and self._text_bytes > ratio * self._consumed():
            raise LimitExceeded(
                self._name,
                f"the text is more than {ratio} times larger than the file",
                mend="Raise OPERON_VCF_MAX_RATIO if the file is trusted",
            )
        return text

    def _consumed(self) -> int:
        return self._stored - len(self._raw) + self._at

    def _check_end(self) -> None:
        if self._inflater is not None:
            self._refuse_truncated("it ends inside a compressed block")
        if self._bgzf and self._tail != _BGZF_END:
            self._refuse_truncated("the end-of-file block of BGZF is missing")

    def _refuse_truncated(self, why: str) -> None:
        raise BadFile(self._name, f"the file is truncated: {why}", mend="Copy it again and compare checksums")

    def _skip_padding(self) -> None:
        """Accept zero bytes after the last member, as tapes and some archives leave them."""
        while True:
            if self._raw[self._at :].strip(b"\0"):
                raise BadFile(
                    self._name,
                    f"there are bytes after the compressed data, near byte {self._consumed():,}",
                    mend="Copy the file again and compare checksums",
                )
            self._at = len(self._raw)
            if not self._fill():
                return

    def _fill(self) -> bool:
        """Read on; return False at the end of the file."""
        data = self._stream.read(_READ)
        if not data:
            return False
        self._stored += len(data)
        if self._stored > self._settings.vcf_max_bytes:
            raise LimitExceeded(
                self._name,
                f"the file is larger than {self._settings.vcf_max_bytes:,} bytes",
                mend="Raise OPERON_VCF_MAX_BYTES if it is meant",
            )
        self._tail = (self._tail + data)[-28:] if len(data) < 28 else data[-28:]
        self._raw = self._raw[self._at :] + data
        self._at = 0
        return True
