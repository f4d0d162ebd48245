"""Texts in the languages in which they exist; nothing clinical is translated.

Names of phenotypes and sentences about grades are templates of Operon in all its languages (``data/pgx/texts.tsv``).
What a guideline advises is given in the language of the guideline, unless a release or a site brings a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from app.errors import BadFile
from app.formats.pgx import Gene, PgxContent, Recommendation, Text
from app.pgx.phenotypes import UNKNOWN, code_of, is_unknown, statuses_of, without_symbol
from app.pgx.strict_rows import strict_rows

ENGLISH = "en"
LANGUAGES = ("fi", "en", "de", "sv", "et", "fr", "ro", "nl")

_COLUMNS = ("key", "language", "text", "origin")


@dataclass(frozen=True, slots=True)
class Delivered:
    """A text and the language that it is really in."""

    text: str
    language: str


class Texts:
    """The texts of a release. A text of the site wins over one of a source, which wins over a template."""

    def __init__(self, content: PgxContent) -> None:
        self._texts: dict[tuple[str, str], str] = {}
        for text in sorted(content.texts, key=lambda text: _ORIGINS.get(text.origin, 1)):
            self._texts[text.key, text.language] = text.text

    def text(self, key: str, language: str, **values: object) -> Delivered:
        """Return a text in a language, else in English; KeyError where there is none at all.

        ``values`` replace ``{name}`` in the text.
        """
        found = self._find(key, language)
        if found is None:
            raise KeyError(key)
        text = re.sub(r"\{(\w+)\}", lambda name: str(values.get(name[1], name[0])), found.text)
        return Delivered(text, found.language)

    def phenotype_name(self, phenotype: str, language: str) -> Delivered:
        """Return the name of a phenotype for people ("Poor Metabolizer"), in English where it has no translation.

        A result without code (a genotype such as ``-1639 AG``) is its own name.
        """
        code = code_of(phenotype)
        words = without_symbol(phenotype)
        if code == UNKNOWN and not is_unknown(phenotype):
            return Delivered(words, ENGLISH)
        if language == ENGLISH and code not in (words, UNKNOWN):
            return Delivered(words, ENGLISH)
        statuses = statuses_of(words)
        if len(statuses) > 1:
            return self._joined([self.phenotype_name(status, language) for status in statuses.values()], words)
        found = self._find(f"phenotype.{code}", language)
        if found is None:
            return Delivered(words or "Unknown", ENGLISH)
        allele = words.rpartition(" ")[0] if code in ("POS", "NEG") else ""
        return Delivered(f"{allele} {found.text}".strip(), found.language)

    @staticmethod
    def _joined(parts: Sequence[Delivered], words: str) -> Delivered:
        """Return a list in the one language of its parts, else as the source words it."""
        languages = {part.language for part in parts}
        if len(languages) > 1:
            return Delivered(words, ENGLISH)
        return Delivered("; ".join(part.text for part in parts), languages.pop())

    def recommendation(self, recommendation: Recommendation, language: str) -> Delivered:
        """Return what a recommendation says: the source's own words unless a text of the language was brought."""
        found = self._texts.get((f"recommendation.{recommendation.recommendation_id}", language))
        return Delivered(found, language) if found else Delivered(recommendation.text, ENGLISH)

    def gene(self, gene: Gene, language: str) -> Delivered:
        """Return what a gene does, in one or two sentences; an empty text where nothing is said about it."""
        found = self._texts.get((f"gene.{gene.symbol}", language))
        return Delivered(found, language) if found else Delivered(gene.description, ENGLISH)

    def _find(self, key: str, language: str) -> Delivered | None:
        for candidate in (language, ENGLISH):
            if (key, candidate) in self._texts:
                return Delivered(self._texts[key, candidate], candidate)
        return None


_ORIGINS = {"template": 0, "cpic": 1, "local": 2}


def read_texts(data: bytes, name: str = "texts.tsv") -> tuple[Text, ...]:
    """Return the texts of a file with the columns key, language, text and origin; backslash and n break a line.

    Raises:
        BadFile: a row is not what it has to be.
    """
    texts = []
    for line, row in strict_rows(data, name, _COLUMNS):
        empty = next((column for column in _COLUMNS if not row[column]), None)
        if empty is not None:
            raise BadFile(name, "the cell is empty", line_1based=line, field=empty, mend="Fill it or remove the row.")
        if row["language"] not in LANGUAGES:
            mend = f"Use one of {', '.join(LANGUAGES)}."
            raise BadFile(name, "the language is unknown", line_1based=line, field="language", mend=mend)
        texts.append(Text(row["key"], row["language"], row["text"].replace("\\n", "\n"), row["origin"]))
    return tuple(texts)


def with_templates(content: PgxContent, templates: Iterable[Text]) -> PgxContent:
    """Return content with Operon's own texts; those of the content win."""
    return replace(content, texts=(*templates, *content.texts))
