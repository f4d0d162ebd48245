"""The kinds of knowledge that can be loaded: what each is called, under which licence, and what reads its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import BinaryIO, Final

from app.config import Settings
from app.formats.knowledge import ItemKind, KnowledgeItem, Rejects
from app.formats.knowledge_tables import read_table


@dataclass(frozen=True, slots=True)
class OpenFile:
    """An open input file and what messages call it."""

    name: str
    stream: BinaryIO


Read = Callable[[Sequence[OpenFile], Rejects, Settings], Iterator[KnowledgeItem]]


@dataclass(frozen=True, slots=True)
class KnowledgeSource:
    """One kind of knowledge."""

    label: str
    licence: str
    read: Read


def _tables(kind: ItemKind) -> Read:
    def read(files: Sequence[OpenFile], rejects: Rejects, settings: Settings) -> Iterator[KnowledgeItem]:
        for file in files:
            yield from read_table(kind, file.stream, file.name, rejects, settings)

    return read


SOURCES: Final[Mapping[str, KnowledgeSource]] = MappingProxyType(
    {
        kind.name.lower(): KnowledgeSource(f"{kind.name.capitalize()} table", "the deployer's own", _tables(kind))
        for kind in ItemKind
    }
)
