"""Grades A to D of recommendations, by rules that a site can change (``data/pgx/grade_rules.tsv``).

D: avoid or serious harm. C: other dose, more monitoring, or consider another drug. B: the genotype has an effect, yet
usual dosing stands. A: nothing to do. NA: nothing follows. 0: no gene of the drug is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from dataclasses import dataclass, replace

from app.errors import BadFile
from app.formats.pgx import Drug, Pair, PgxContent, Recommendation
from app.pgx.phenotypes import is_unknown
from app.pgx.strict_rows import strict_rows

SEVERITY = ("D", "C", "B", "A", "0", "NA")
"""Most severe first"""

ACTIONABLE = frozenset({"A", "A/B", "B", ""})
"""Levels of pairs by which one acts; a pair without level is a site's own"""

_COLUMNS = ("text_class", "pattern", "classification", "pair", "grade")
_GRADES = frozenset({"A", "B", "C", "D", "NA"})
_ANY = "*"
_REFERENCE = re.compile(r"\s*\([^()]*\bPMIDs?\b[^()]*\)")


@dataclass(frozen=True, slots=True)
class GradeRule:
    """A text that ``pattern`` finds, of a strength, has a grade."""

    text_class: str
    pattern: re.Pattern[str]
    classifications: frozenset[str]
    """In lower case; empty for any"""
    only_actionable: bool
    grade: str


@dataclass(frozen=True, slots=True)
class GradeRules:
    """Rules in the order in which they are tried."""

    rules: tuple[GradeRule, ...]

    def rule_for(self, text: str, classification: str, *, is_actionable: bool) -> GradeRule | None:
        """Return the first rule that fits."""
        plain = " ".join(_REFERENCE.sub("", text).split())
        strength = classification.strip().casefold()
        for rule in self.rules:
            if rule.only_actionable and not is_actionable:
                continue
            if (not rule.classifications or strength in rule.classifications) and rule.pattern.search(plain):
                return rule
        return None


def read_grade_rules(data: bytes, name: str = "grade_rules.tsv") -> GradeRules:
    """Return the rules of a file.

    Raises:
        BadFile: a rule is not what it has to be.
    """
    rules = []
    for line, row in strict_rows(data, name, _COLUMNS):
        if row["grade"] not in _GRADES:
            raise BadFile(name, "the grade is unknown", line_1based=line, field="grade", mend="Use A, B, C, D or NA.")
        if row["pair"] not in (_ANY, "actionable"):
            raise BadFile(name, "the pair is unknown", line_1based=line, field="pair", mend="Use actionable or *.")
        rules.append(_rule(row, name, line))
    if not rules:
        raise BadFile(name, "there is no rule", mend="Add rules, or remove the file's setting.")
    return GradeRules(tuple(rules))


def _rule(row: dict[str, str], name: str, line: int) -> GradeRule:
    try:
        pattern = re.compile(row["pattern"], re.IGNORECASE)
    except re.error as error:
        raise BadFile(name, f"it is no regular expression ({error})", line_1based=line, field="pattern") from error
    words = row["classification"]
    strengths = frozenset() if words == _ANY else frozenset(word.strip().casefold() for word in words.split("|"))
    return GradeRule(row["text_class"], pattern, strengths, row["pair"] != _ANY, row["grade"])


def graded(content: PgxContent, rules: GradeRules) -> PgxContent:
    """Return content in which every recommendation has its grade; those that a release states stay."""
    pairs = actionable_pairs(content)
    return replace(
        content,
        recommendations=tuple(
            one if one.grade else replace(one, grade=_decide(one, rules, pairs)) for one in content.recommendations
        ),
    )


def _decide(recommendation: Recommendation, rules: GradeRules, pairs: Set[tuple[str, str]]) -> str:
    """Return the grade by the rules; a text that no rule knows has to be read, which is C."""
    if all(is_unknown(result) for result in recommendation.lookup.values()):
        return "NA"
    is_actionable = any((gene, recommendation.drug_id) in pairs for gene in recommendation.lookup)
    rule = rules.rule_for(recommendation.text, recommendation.classification, is_actionable=is_actionable)
    return rule.grade if rule else "C"


def actionable_pairs(content: PgxContent) -> frozenset[tuple[str, str]]:
    """Return gene and drug of the pairs by which one acts."""
    return frozenset((pair.gene, pair.drug_id) for pair in content.pairs if pair.level in ACTIONABLE)


def most_severe(grades: Iterable[str]) -> str:
    """Return the most severe of some grades; NA of none."""
    return min(grades, key=SEVERITY.index, default="NA")


def grade_of(recommendation: Recommendation) -> str:
    """Return the grade of a recommendation of graded content.

    Raises:
        ValueError: ``graded`` was not called on the content.
    """
    if not recommendation.grade:
        raise ValueError(f"the recommendation {recommendation.recommendation_id} has no grade yet")
    return recommendation.grade


def genetic_flag(content: PgxContent, drug: Drug) -> str:
    """Return the most severe grade that any result leads to for a drug; 0 for a drug without any gene.

    A drug whose pairs have no recommendation in the release is C where one acts by a pair, else A.
    """
    grades = {grade_of(one) for one in content.recommendations if one.drug_id == drug.drug_id} - {"NA"}
    if grades:
        return most_severe(grades)
    pairs = [pair for pair in content.pairs if pair.drug_id == drug.drug_id]
    return _flag_of_pairs(pairs)


def _flag_of_pairs(pairs: list[Pair]) -> str:
    if not pairs:
        return "0"
    return "C" if any(pair.level in ACTIONABLE for pair in pairs) else "A"
