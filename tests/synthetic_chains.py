"""Write small chain files for tests: one-block chains between real chromosome names and sizes."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

from app.records import Build
from app.variants.accessions import display, length


@dataclass(frozen=True, slots=True)
class Block:
    """``size`` bases from ``start`` on the source; ``target`` is the lowest position of their counterparts."""

    start: int
    size: int
    target: int
    reverse: bool = False
    contig: int = 1
    score: int = 1
    target_name: str | None = None
    target_size: int = 200_000_000

    def line(self, source: Build, number: int, prefix: str = "") -> str:
        name, size = display(self.contig), length(source.other, self.contig)
        if self.target_name is not None:
            name, size = self.target_name, self.target_size
        low = size - self.target - self.size if self.reverse else self.target
        return (
            f"chain {self.score} {prefix}{display(self.contig)} {length(source, self.contig)} + "
            f"{self.start} {self.start + self.size} "
            f"{name} {size} {'-' if self.reverse else '+'} {low} {low + self.size} {number}\n{self.size}\n\n"
        )


def text_of(source: Build, *blocks: Block, prefix: str = "") -> bytes:
    return "".join(block.line(source, number, prefix) for number, block in enumerate(blocks, 1)).encode()


def write(path: Path, source: Build, *blocks: Block) -> Path:
    content = text_of(source, *blocks)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path
