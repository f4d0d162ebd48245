"""Rows of the small tables that come with Operon or are written by a site: a row that is not right refuses the file."""

from __future__ import annotations

from collections.abc import Iterator

from app.errors import BadFile


def strict_rows(data: bytes, name: str, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each line and its cells by column; empty lines and lines after ``#`` are passed over.

    Raises:
        BadFile: the file is not UTF-8, has other columns, or a row has another number of cells.
    """
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise BadFile(name, "it is not UTF-8 text", mend="Save it as UTF-8.") from error
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line and not line.startswith("#")]
    if not numbered or tuple(numbered[0][1].split("\t")) != columns:
        mend = f"The first line has to name {', '.join(columns)}, with a tab between them."
        raise BadFile(name, "it has other columns", line_1based=1, mend=mend)
    for number, line in numbered[1:]:
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) != len(columns):
            mend = f"Give it {len(columns)} cells, with a tab between them."
            raise BadFile(name, f"the row has {len(cells)} cells", line_1based=number, mend=mend)
        yield number, dict(zip(columns, cells, strict=True))
