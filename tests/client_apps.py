"""What seven published clients of the reference implementation read out of its answers, written anew.

Each function sends the client's own request strings and indexes answers as unguardedly as the client does: a KeyError
or IndexError here is a client that breaks. ``fetch`` returns the JSON of a path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

Fetch = Callable[[str], Any]

_GENOTYPE: Final = "/subject-operations/genotype-operations/"
_PHENOTYPE: Final = "/subject-operations/phenotype-operations/"
_POPULATION: Final = "/population-operations/phenotype-operations/"
_MEDGEN: Final = "https://www.ncbi.nlm.nih.gov/medgen|"
SCREENED: Final = tuple(
    _MEDGEN + code
    for code in ("C3469186", "C0020445", "C0677776", "C1708353", "C0878544", "C4552100", "C0027662", "C0031269")
)
PGX_GENES: Final = ",".join(
    f"http://www.genenames.org/geneId|HGNC:{number}"
    for number in (2615, 2623, 2621, 2625, 2638, 23063, 10959, 12014, 12530)
)


def _code(component: dict[str, Any]) -> str:
    return component["code"]["coding"][0]["code"]


def simple_app(fetch: Fetch, subject: str, ranges: str) -> list[dict[str, Any]]:
    """List the variants of a range as rows of a table."""
    answer = fetch(f"{_GENOTYPE}$find-subject-variants?subject={subject}&ranges={ranges}&includeVariants=true")
    rows = []
    for parameter in answer["parameter"]:
        for part in parameter["part"]:
            if part["name"] != "variant":
                continue
            row: dict[str, Any] = {}
            for component in part["resource"]["component"]:
                match _code(component):
                    case "48002-0" | "53034-5" | "81252-9" as code:
                        row[code] = component["valueCodeableConcept"]["coding"][0]["display"]
                    case "81258-6" as code:
                        row[code] = component["valueQuantity"]["value"]
            rows.append(row)
    return rows


def get_variants(fetch: Fetch, subject: str, gene: str) -> tuple[list[str], list[tuple[Any, ...]], list[str]]:
    """List what a subject has in a gene: simple variants, structural variants and genotypes."""
    feature = fetch(f"/utilities/get-feature-coordinates?gene={gene}")
    if len(feature) == 0:
        return [], [], []
    ranges, gene_id = feature[0]["build38Coordinates"], feature[0]["geneId"]
    base = f"subject={subject}&ranges={ranges}&includeVariants=true"
    simple, structural, genotypes = [], [], []
    for part in fetch(f"{_GENOTYPE}$find-subject-variants?{base}")["parameter"][0]["part"]:
        if part["name"] == "variant":
            found = {_code(one): one for one in part["resource"]["component"]}
            simple.append(found["81252-9"]["valueCodeableConcept"]["coding"][0]["display"])
    for part in fetch(f"{_GENOTYPE}$find-subject-structural-intersecting-variants?{base}")["parameter"][0]["part"]:
        if part["name"] == "variant":
            found = {_code(one): one for one in part["resource"]["component"]}
            inner = found["81302-2"]["valueRange"]
            structural.append(
                (
                    found["48019-4"]["valueCodeableConcept"]["coding"][0]["display"],
                    found["48013-7"]["valueCodeableConcept"]["coding"][0]["code"],
                    found["82155-3"]["valueQuantity"]["value"] if "82155-3" in found else None,
                    inner["low"]["value"],
                    inner["high"]["value"],
                )
            )
    for parameter in fetch(f"{_GENOTYPE}$find-subject-haplotypes?subject={subject}&genes={gene_id}")["parameter"]:
        genotypes += [
            part["resource"]["valueCodeableConcept"]["coding"][0]["display"]
            for part in parameter["part"]
            if part["name"] == "genotype"
        ]
    return simple, structural, genotypes


def genetic_screening(fetch: Fetch, condition: str) -> dict[str, list[tuple[str, str, str]]]:
    """Return by subject (condition, evidence, significance) of each implication for a condition."""
    counted = fetch(f"{_POPULATION}$find-population-dx-implications?conditions={condition}&includePatientList=true")
    screened = {}
    for part in counted["parameter"][0]["part"]:
        if part["name"] != "subject":
            continue
        subject, rows = part["valueString"], []
        answer = fetch(f"{_PHENOTYPE}$find-subject-dx-implications?subject={subject}&conditions={condition}")
        for parameter in answer["parameter"]:
            if parameter["name"] != "implication":
                continue
            phenotype = evidence = significance = ""
            for component in parameter["resource"]["component"]:
                value = component.get("valueCodeableConcept", {})
                match _code(component):
                    case "81259-4":
                        phenotype = value["coding"][0]["display"]
                    case "93044-6":
                        evidence = value["text"]
                    case "53037-8":
                        significance = value["coding"][0]["display"] if "coding" in value else value["text"]
            rows.append((phenotype, evidence, significance))
        screened[subject] = rows
    return screened


def pgx_screening(fetch: Fetch, subject: str) -> dict[str, list[str]]:
    """Return the columns of a table of drugs, which has to have as many cells in each."""
    typed = fetch(f"{_GENOTYPE}$find-subject-haplotypes?subject={subject}&genes={PGX_GENES}")
    codes = [
        part["resource"]["valueCodeableConcept"]["coding"][0]["code"]
        for parameter in typed["parameter"]
        for part in parameter["part"]
        if part["name"] == "genotype"
    ]
    answer = fetch(f"{_PHENOTYPE}$find-subject-tx-implications?subject={subject}&haplotypes={','.join(codes)}")
    columns: dict[str, list[str]] = {
        name: [] for name in ("medication", "code", "implication", "evidence", "genotype", "gene")
    }
    for parameter in answer.get("parameter", []):
        resource = parameter["resource"]
        if parameter["name"] == "genotype":
            columns["genotype"].append(resource["valueCodeableConcept"]["coding"][0]["display"])
        elif parameter["name"] == "implication":
            columns["gene"].append(resource["identifier"][0]["value"])
            for component in resource["component"]:
                match _code(component):
                    case "93044-6":
                        columns["evidence"].append(component["valueCodeableConcept"]["text"])
                    case "51963-7":
                        coding = component["valueCodeableConcept"]["coding"][0]
                        columns["code"].append(coding["code"])
                        columns["medication"].append(coding["display"])
                    case "predicted-therapeutic-implication":
                        columns["implication"].append(component["valueCodeableConcept"]["text"])
    return columns


def mendelian_screening(fetch: Fetch, subject: str, ranges: str) -> dict[str, dict[str, Any]]:
    """Return by variant its change, state, consequences with their impact, and significance with evidence."""
    base = f"subject={subject}&ranges={ranges}"
    answer = fetch(f"{_GENOTYPE}$find-subject-variants?{base}&includeVariants=true&includePhasing=true")
    table: dict[str, dict[str, Any]] = {}
    for parameter in answer["parameter"]:
        for part in parameter["part"]:
            if part["name"] == "variant":
                row: dict[str, Any] = {"consequences": [], "implications": []}
                for component in part["resource"]["component"]:
                    match component["code"]["coding"][0]["display"]:
                        case "Discrete genetic variant":
                            row["spdi"] = component["valueCodeableConcept"]["coding"][0]["code"]
                        case "Allelic state":
                            row["state"] = component["valueCodeableConcept"]["coding"][0]["display"]
                table[part["resource"]["id"]] = row
    for parameter in fetch(f"{_PHENOTYPE}$find-subject-molecular-consequences?{base}").get("parameter", []):
        if parameter["name"] == "consequence":
            resource = parameter["resource"]
            effects = []
            for component in resource["component"]:
                if component["code"]["coding"][0]["display"] in {"Feature Consequence", "Functional Effect"}:
                    effects.append(component["valueCodeableConcept"]["coding"][0]["display"])
            row = table[resource["derivedFrom"][0]["reference"].split("/")[-1]]
            row["consequences"].append((resource["interpretation"][0]["text"], effects))
    for parameter in fetch(f"{_PHENOTYPE}$find-subject-dx-implications?{base}").get("parameter", []):
        if parameter["name"] == "implication":
            resource = parameter["resource"]
            told: dict[str, str] = {}
            for component in resource["component"]:
                value = component.get("valueCodeableConcept", {})
                match component["code"]["coding"][0]["display"]:
                    case "Level of evidence":
                        told["evidence"] = value["text"]
                    case "Genetic variation clinical significance":
                        told["significance"] = value["coding"][0]["display"] if "coding" in value else value["text"]
            table[resource["derivedFrom"][0]["reference"].split("/")[-1]]["implications"].append(told)
    return table


def polygenic_score(fetch: Fetch, subject: str, alleles: Iterable[tuple[str, float, bool]]) -> float:
    """Add up the weights of effect alleles, of which each is (SPDI, weight, whether it is the reference's)."""
    dosage = {"LA6706-1": 1, "LA6705-3": 2}
    score = 0.0
    for spdi, weight, is_reference in alleles:
        ref_seq, position, *_ = spdi.split(":")
        if is_reference:
            place = f"ranges={ref_seq}:{position}-{position}"
            answer = fetch(f"{_GENOTYPE}$find-subject-variants?subject={subject}&{place}&includeVariants=true")
        else:
            asked = f"variants={spdi}&includeVariants=true"
            answer = fetch(f"{_GENOTYPE}$find-subject-specific-variants?subject={subject}&{asked}")
        found = 0
        if answer["parameter"][0]["part"][1]["valueBoolean"]:
            for component in answer["parameter"][0]["part"][2]["resource"]["component"]:
                if _code(component) == "53034-5":
                    found = dosage[component["valueCodeableConcept"]["coding"][0]["code"]]
        score += weight * ((2 - found) if is_reference else found)
    return score


def rare_disease_app(fetch: Fetch, subject: str, gene: str) -> tuple[Sequence[str], list[tuple[str, ...]]]:
    """Return the variants of a gene, and which of them lie on one chromosome copy."""
    ranges = fetch(f"/utilities/get-feature-coordinates?gene={gene}")[0]["build38Coordinates"]
    asked = f"subject={subject}&ranges={ranges}&includeVariants=true&includePhasing=true"
    parts = fetch(f"{_GENOTYPE}$find-subject-variants?{asked}")["parameter"][0]["part"]
    variants = [part["resource"]["id"] for part in parts if part["name"] == "variant"]
    together = [
        tuple(to["reference"].split("/")[-1] for to in part["resource"]["derivedFrom"])
        for part in parts
        if part["name"] == "sequencePhaseRelationship"
        and part["resource"]["valueCodeableConcept"]["coding"][0]["code"] == "Cis"
    ]
    return variants, together
