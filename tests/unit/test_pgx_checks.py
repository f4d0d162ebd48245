"""A pharmacogenetic release that cannot be trusted is told by file, gene and allele; a good one has no problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.formats.pgx import Gene, NamedAllele, PgxContent, Recommendation
from app.operations.pgx_seed import embedded_content
from app.pgx.checks import problems
from app.pgx.differences import differences
from app.records import Build
from tests.pgx_content import CLOPIDOGREL, CYP2C9, CYP2C19, DPYD, content

CONTENT = content()


def found(changed: PgxContent, bases: dict[tuple[Build, int], str] | None = None) -> list[str]:
    """Return the problems, given single bases by build and start."""

    def fetch(build: Build, contig: int, start: int, end: int) -> str | None:
        return (bases or {}).get((build, start))

    return [str(problem) for problem in problems(changed, fetch)]


def with_gene(gene: Gene) -> PgxContent:
    return replace(CONTENT, genes=tuple(gene if one.symbol == gene.symbol else one for one in CONTENT.genes))


def with_allele(gene: Gene, name: str, **changes: object) -> PgxContent:
    alleles = tuple(replace(one, **changes) if one.name == name else one for one in gene.alleles)  # type: ignore[arg-type]
    return with_gene(replace(gene, alleles=alleles))


@pytest.mark.parametrize("good", [content, embedded_content])
def test_a_good_release_has_no_problem(good: Callable[[], PgxContent]) -> None:
    assert found(good()) == []


def test_ref_has_to_be_what_the_sequences_have() -> None:
    start38, start37 = CYP2C19.positions[3].start38, CYP2C19.positions[3].start37
    assert start37 is not None
    bases = {(Build.GRCH38, start38): "C", (Build.GRCH37, start37): "A"}
    assert found(CONTENT, bases) == [
        f"CYP2C19 rs3758581: REF is A, but GRCh38 has C at 10:{start38 + 1}",
        f"CYP2C19 rs3758581: REF is G, but GRCh37 has A at 10:{start37 + 1}",
    ]
    assert found(CONTENT, {(Build.GRCH38, start38): "A", (Build.GRCH37, start37): "G"}) == []


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (with_gene(replace(DPYD, hgnc="HGNC:1806")), "DPYD: its HGNC number is HGNC:1806, not HGNC:3012"),
        (with_gene(replace(DPYD, hgnc="")), "DPYD: its HGNC number is missing, not HGNC:3012"),
        (with_allele(CYP2C19, "*38", is_reference=False), "CYP2C19: it needs one reference allele, it has none"),
        (with_allele(CYP2C19, "*2", is_reference=True), "CYP2C19: it needs one reference allele, it has *38, *2"),
        (with_allele(CYP2C19, "*3", cells=("", "", "A", "G")), "CYP2C19 *3: it is the same as *2"),
        (with_allele(CYP2C19, "*1", cells=("C", "", "", "")), "CYP2C19 *1: it is the same as *38"),
        (with_allele(CYP2C19, "*2", cells=("", "", "T", "G")), "CYP2C19 *2: T is no allele of rs4244285"),
        (with_allele(CYP2C19, "*2", cells=("A",)), "CYP2C19 *2: it has not one cell for each position"),
        (
            with_allele(CYP2C19, "*38", cells=("C", "G", "", "A")),
            "CYP2C19 *38: the reference says nothing of rs4244285",
        ),
        (
            replace(CONTENT, genes=(*CONTENT.genes, CYP2C19)),
            "CYP2C19: the gene is there twice",
        ),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_told(changed: PgxContent, problem: str) -> None:
    assert problem in found(changed)


def test_alleles_that_no_small_variant_defines_are_not_compared() -> None:
    structural = NamedAllele("*99", ("", "", "", ""), is_structural=True)
    by_name = NamedAllele("*98", ("", "", "", ""))
    assert found(with_gene(replace(CYP2C19, alleles=(*CYP2C19.alleles, structural, by_name)))) == []


@pytest.mark.parametrize(
    ("lookup", "problem"),
    [
        ({"CYP2C19": "Slow Metabolizer"}, "CYP2C19 r1: no result of the gene is 'Slow Metabolizer'"),
        ({"CYP2C9": "1.0", "CYP2C19": "*2/*99"}, "CYP2C19 r1: no result of the gene is '*2/*99'"),
        ({"ABC1": "Poor Metabolizer"}, "ABC1 r1: a recommendation is on a gene that is not there"),
    ],
)
def test_advice_that_nobody_can_get_is_told(lookup: dict[str, str], problem: str) -> None:
    one = Recommendation("r1", CLOPIDOGREL.drug_id, "CPIC", lookup, "text")
    assert any(text.startswith(problem) for text in found(replace(CONTENT, recommendations=(one,))))


@pytest.mark.parametrize(
    "lookup",
    [
        {"CYP2C19": "CYP2C19 Poor Metabolizer"},
        {"CYP2C19": "*2/*3", "CYP2C9": "1.5"},
        {"CYP2C19": "Indeterminate", "CYP2C9": "n/a"},
        {"HLA-B": "*57:01 negative", "ABC1": "No Result"},
    ],
)
def test_advice_on_results_is_found(lookup: dict[str, str]) -> None:
    one = Recommendation("r1", CLOPIDOGREL.drug_id, "CPIC", lookup, "text")
    assert found(replace(CONTENT, recommendations=(one,))) == []


def test_advice_may_be_on_genes_and_drugs_that_are_in_use_already() -> None:
    one = Recommendation("r1", CLOPIDOGREL.drug_id, "CPIC", {"CYP2C19": "Poor Metabolizer"}, "text")
    alone = PgxContent(recommendations=(one,))
    assert len(found(alone)) == 2
    assert list(problems(alone, lambda *_: None, CONTENT)) == []


# --- differences ------------------------------------------------------------------------------------------------------


def test_a_release_differs_in_nothing_from_itself() -> None:
    assert list(differences(CONTENT, CONTENT)) == []


def test_changes_of_alleles_functions_results_and_advice_are_listed() -> None:
    two, *others = (replace(one, function="Normal function") if one.name == "*2" else one for one in CYP2C19.alleles)
    gone = [one for one in (two, *others) if one.name != "*3"]
    changed = [replace(one, cells=("", "", "", "G")) if one.name == "*17" else one for one in gone]
    new = NamedAllele("*42", ("T", "", "A", "G"), function="No function")
    gene = replace(CYP2C19, alleles=(*changed, new), rules=CYP2C19.rules[1:])
    advice = CONTENT.recommendations[0]
    after = replace(
        with_gene(gene), recommendations=(replace(advice, text="Other words."), *CONTENT.recommendations[1:-1])
    )
    lines = [one.line() for one in differences(CONTENT, after)]
    assert any(line.startswith("function changed: CYP2C19 *2: No function -> Normal function") for line in lines)
    assert any(line.startswith("allele removed: CYP2C19 *3: 10:94780653G>A") for line in lines)
    assert any(line.startswith("allele added: CYP2C19 *42: 10:94761900C>T 10:94781859G>A") for line in lines)
    assert any(line.startswith("definition changed: CYP2C19 *17: 10:94761900C>T 10:94842866A>G ->") for line in lines)
    assert any(line.startswith("result removed: CYP2C19 Normal function + Normal function:") for line in lines)
    assert sum(line.startswith("recommendation changed") for line in lines) == 1
    assert sum(line.startswith("recommendation removed") for line in lines) == 1


def test_a_new_gene_is_one_difference_and_a_missing_one_none() -> None:
    after = PgxContent(genes=(replace(CYP2C9, symbol="NEW"),))
    assert [one.line() for one in differences(CONTENT, after)] == ["gene added: NEW : 3 alleles"]
