"""Several pharmacogenetic releases taken as one: which of them counts for what."""

from __future__ import annotations

from dataclasses import replace

from app.formats.pgx import (
    DiplotypeResult,
    Drug,
    DrugName,
    FunctionRule,
    Gene,
    Method,
    NamedAllele,
    Pair,
    PgxContent,
    Position,
    Recommendation,
    Text,
)
from app.pgx.layers import Layer, merged

PLACE = Position("rs1", 10, 99, ("A", "G"))
RULE = FunctionRule("None", "None", "Poor Metabolizer")


def gene(symbol: str = "G", *names: str, function: str = "", positions: tuple[Position, ...] = (PLACE,)) -> Gene:
    """Return a gene whose first allele is the reference and whose others have the variant."""
    alleles = tuple(
        NamedAllele(name, (("G" if at else "A"),) * len(positions), is_reference=not at, function=function)
        for at, name in enumerate(names)
    )
    rules = (RULE,) if function else ()
    return Gene(symbol, "HGNC:1", "", 10, Method.PHENOTYPE, positions, alleles, rules=rules)


def advice(source: str, drug_id: str, text: str) -> Recommendation:
    return Recommendation(text, drug_id, source, {"G": "Poor Metabolizer"}, text)


def test_one_release_is_what_it_says() -> None:
    content = PgxContent(genes=(gene("G", "*1"),))
    found = merged([Layer("a", content)])
    assert found.content is content
    assert (found.releases, found.gene_releases) == (("a",), {"G": "a"})


def test_a_gene_is_of_the_newest_release_that_has_it() -> None:
    new = PgxContent(genes=(gene("G", "*1", "*9", function="Normal"),))
    old = PgxContent(genes=(gene("G", "*1", function="None"), gene("H", "*1")))
    found = merged([Layer("new", new), Layer("old", old)])
    assert found.content.gene("G") == new.gene("G")
    assert found.content.gene("H") == old.gene("H")
    assert found.gene_releases == {"G": "new", "H": "old"}


def test_definitions_without_functions_take_those_of_another_release_by_name() -> None:
    new = PgxContent(genes=(gene("G", "*1", "*9"),))
    old = PgxContent(
        genes=(
            replace(
                gene("G", "*1", "*2", function="None"), method=Method.SCORE, results={"*1/*1": DiplotypeResult("Poor")}
            ),
        )
    )
    found = merged([Layer("new", new), Layer("old", old)])
    one = found.content.gene("G")
    assert one is not None
    assert found.gene_releases == {"G": "new+old"}
    assert [(each.name, each.cells, each.function, each.is_reference) for each in one.alleles] == [
        ("*1", ("A",), "None", True),
        ("*9", ("G",), "", False),
        ("*2", ("",), "None", False),
    ]
    assert (one.rules, one.method, one.results) == ((RULE,), Method.SCORE, {"*1/*1": DiplotypeResult("Poor")})


def test_a_gene_without_positions_does_not_take_those_of_another_release_away() -> None:
    new = PgxContent(genes=(gene("G", "*1", function="Normal", positions=()),))
    old = PgxContent(genes=(gene("G", "*1", function="None"),))
    one = merged([Layer("new", new), Layer("old", old)]).content.gene("G")
    assert one is not None
    assert (one.positions, one.alleles[0].function, one.alleles[0].cells) == ((PLACE,), "Normal", ("A",))


def test_advice_of_one_source_is_never_of_two_releases() -> None:
    new = PgxContent(recommendations=(advice("CPIC", "1", "new"),))
    old = PgxContent(recommendations=(advice("CPIC", "1", "old"), advice("CPIC", "2", "gone"), advice("FDA", "1", "f")))
    found = merged([Layer("new", new), Layer("old", old)]).content
    assert [one.text for one in found.recommendations] == ["new", "f"]


def test_drugs_are_the_same_by_code_or_name_and_keep_one_id() -> None:
    new = PgxContent(
        drugs=(Drug("RxNorm:1", "aspirin", "1"), Drug("5", "other")), recommendations=(advice("CPIC", "RxNorm:1", "n"),)
    )
    old = PgxContent(
        drugs=(Drug("x", "acetylsalicylic acid", "1", ("B01AC06",)), Drug("y", "Aspirin"), Drug("5", "third")),
        drug_names=(DrugName("x", "trade", "Disperin"), DrugName("5", "trade", "T")),
        recommendations=(replace(advice("FDA", "y", "f"), alternatives=("5", "77")),),
    )
    found = merged([Layer("new", new), Layer("old", old)]).content
    assert [(drug.drug_id, drug.name, drug.atc) for drug in found.drugs] == [
        ("RxNorm:1", "aspirin", ("B01AC06",)),
        ("5", "other", ()),
        ("5 (old)", "third", ()),
    ]
    assert [name.drug_id for name in found.drug_names] == ["RxNorm:1", "5 (old)"]
    assert [(one.drug_id, one.alternatives) for one in found.recommendations] == [
        ("RxNorm:1", ()),
        ("RxNorm:1", ("5 (old)", "77")),
    ]


def test_pairs_count_as_long_as_advice_of_their_release_does() -> None:
    pair = Pair("G", "1", "A")
    new = PgxContent(recommendations=(advice("CPIC", "1", "new"),), pairs=(replace(pair, level="B"),))
    old = PgxContent(recommendations=(advice("CPIC", "1", "old"),), pairs=(pair, Pair("H", "1", "A")))
    own = PgxContent(pairs=(Pair("L", "1", ""), pair))
    found = merged([Layer("new", new), Layer("own", own), Layer("old", old)]).content
    assert [(one.gene, one.level) for one in found.pairs] == [("G", "B"), ("L", "")]


def test_a_text_is_of_the_newest_release_that_has_it_in_its_language() -> None:
    new = PgxContent(texts=(Text("k", "fi", "uusi", "local"),))
    old = PgxContent(texts=(Text("k", "fi", "vanha", "local"), Text("k", "sv", "gammal", "local")))
    found = merged([Layer("new", new), Layer("old", old)]).content
    assert [text.text for text in found.texts] == ["uusi", "gammal"]
