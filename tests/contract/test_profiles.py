"""Whatever the server answers keeps to base FHIR R4 and to the profiles of the Genomics Reporting guide.

The judge is independent of Operon: the guide's own definitions, another validator. Hundreds of resources of each type
come from the sample data and from a generated cohort.
"""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.config import Settings
from app.fhir.definitions import Definition
from app.operations.context import open_genome
from app.operations.resource_ids import STRUCTURAL
from app.records import Build, Sex
from app.store import bulk
from app.store.session import Database
from app.store.studies import StudyFacts
from app.store.subjects import Subject
from app.variants.accessions import accession
from tests.answers import Asking, asking
from tests.command_line import CommandLine
from tests.demo_files import DEMO
from tests.genotype_files import line
from tests.known_world import consequence, diagnostic, of_genotype, therapeutic
from tests.operation_calls import OFFERED, needed
from tests.profile_validator import Validate, validator
from tests.small_store import SmallStore
from tests.vcf_files import vcf
from tests.vcf_random import random_vcf

ENOUGH = 200
PEOPLE = [f"cohort-{number}" for number in range(ENOUGH)]
FAMILY = ("demo-aunt", "demo-child", "demo-father", "demo-grandmother", "demo-mother")
GENERATED = ",".join(f"{accession(Build.GRCH38, contig)}:0-60" for contig in (1, 23, 25))
Resource = dict[str, Any]

CYP2D6 = {"gene_id": "HGNC:2625", "gene_symbol": "CYP2D6", "haplotypes": "CYP2D6 *1 ; CYP2D6 *4"}
EVENTS = [
    (11, "<DEL>", "SVTYPE=DEL;END=40;CIPOS=-2,3;CIEND=-1,2"),
    (12, "<DUP>", "SVTYPE=DUP;END=50"),
    (13, "<CNV>", "SVTYPE=CNV;END=55"),
    (14, "<INS>", "SVTYPE=INS;SVLEN=70"),
]
PHRASES = ("Pathogenic", "Likely pathogenic", "risk factor", "not provided", "Benign")
EVIDENCE = ("", "practice guideline", "criteria provided, single submitter", "something else")
EFFECTS = (
    "CYP2D6 Intermediate Metabolizer",
    "CYP2C19 Rapid Metabolizer",
    "Supports Resistance",
    "",
    "Does Not Support",
)
EARLIER = ('"predicted-therapeutic-implication" is not a code', "required binding hgvs-vs: no coding")
"""What clients of the reference implementation read, though not in the present guide: a word, names as texts"""
EFFECT = {
    "functional_effects.system": "http://sequenceontology.org",
    "functional_effects.code": "SO:0002054",
    "functional_effects.display": "loss_of_function_variant",
}
CELLS = " ".join(("0/1:1", "1/1:3", "./.:4")[number % 3] for number in range(ENOUGH))
every = pytest.mark.parametrize("definition", OFFERED.values(), ids=lambda one: one.name)


@pytest.fixture(scope="module")
def operon(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """Load the sample data, a generated cohort and tests without calls but with regions."""
    operon = CommandLine(tmp_path_factory.mktemp("home"))
    operon.done("demo", "--no-serve", "--quiet")
    settings = Settings(home=operon.home)
    database = Database(settings.store_url)
    store = SmallStore(database, tmp_path_factory.mktemp("files"), open_genome(settings.reference_dir))
    store.ingest(random_vcf(random.Random(5), len(PEOPLE), 260), *map(person, range(len(PEOPLE))), phased_contigs=True)
    events = [f"chr1 {at} e{at} N {alt} 50 PASS {info} GT:CN {CELLS}" for at, alt, info in EVENTS]
    store.ingest(vcf(*events, samples=tuple(PEOPLE)), *map(person, range(len(PEOPLE))), test="SV")
    store.genotypes(*(line(who, "CYP2D6 *1/*4", **CYP2D6) for who in PEOPLE), *(line(who) for who in PEOPLE))
    bulk.declare_studies(database, [declared(number) for number in range(len(PEOPLE))])
    for kind, rows in known_of(store).items():
        store.knowledge(kind, *rows, name="cohort", version=kind, beside=True)
    database.close()
    return operon


def known_of(store: SmallStore) -> dict[str, list[dict[str, str]]]:
    """Return rows of knowledge about variants and genotypes of the cohort, with and without what may be missing."""
    ranges = [f"{accession(Build.GRCH38, contig)}:0-260" for contig in (1, 23, 25)]
    items = (item for who in PEOPLE[:60] for item in store.in_ranges(who, *ranges))
    texts = dict.fromkeys(text for item in items for text in item.spdis)
    changed = [text for text in texts if text.split(":")[2] != text.split(":")[3]]
    found: dict[str, list[dict[str, str]]] = {"diagnostic": [], "therapeutic": [], "consequence": []}
    for number, text in enumerate(changed):
        target = {"row_id": f"r{number}", "b38_spdi": text, "note": ("", "A note.")[number % 2]}
        some = [("C1", "First disease"), ("", "Disease without code"), ("C2", "")][number % 3 :]
        told = {
            "significance_display": PHRASES[number % len(PHRASES)],
            "evidence_level": EVIDENCE[number % len(EVIDENCE)],
        }
        if number % 2:
            told |= {"significance_system": "", "significance_code": "", "clinvar_variation_id": str(number)}
        found["diagnostic"].append(diagnostic(target, *some, **told))
        effect = {
            "predicted_implication": EFFECTS[number % len(EFFECTS)],
            "evidence_level": ("", "CPIC Level A")[number % 2],
        }
        found["therapeutic"].append(therapeutic(target, ("11", "onemab"), ("", "Inventinib"), contexts=some, **effect))
        terms = [("SO:0001583", "missense_variant"), ("SO:0001630", "splice_region_variant")][: 1 + number % 2]
        impact = ("", "HIGH", "LOW", "MODIFIER")[number % 4]
        more = {"p_hgvs": ("", "p.Val40Phe", "NP_000001.1:p.Val40Phe")[number % 3], "impact": impact}
        found["consequence"].append(consequence(target, *terms, **more, **EFFECT))
    for number, code in enumerate(("CYP2D6 *1/*4", "CYP2C19 *1/*17")):
        row = therapeutic(
            of_genotype(f"g{number}", code), ("704", "amitriptyline"), predicted_implication=EFFECTS[number]
        )
        found["therapeutic"].append(row)
    return found


@pytest.fixture(scope="module")
def asked(operon: CommandLine) -> Iterator[Asking]:
    with asking(operon.home) as opened:
        yield opened


def person(number: int) -> Subject:
    identifiers = (("", f"i{number}"), ("http://hospital.example/mrn", str(number)))[: number % 3]
    birth_date = (None, "1970", "1970-05", "1970-05-06")[number % 4]
    return Subject(PEOPLE[number], list(Sex)[number % len(Sex)], birth_date, identifiers)


def declared(number: int) -> tuple[Subject, StudyFacts, dict[str, Any]]:
    build = list(Build)[number % 2]
    starts = np.arange(number, dtype=np.int64) * 100
    regions = {"studied": {1 + number % 25: (starts, starts + 50)}, "uncallable": {1: (starts[:3], starts[:3] + 1)}}
    facts = StudyFacts(
        f'R-{number} "ü"',
        build,
        (None, "2024", "2024-02-03", "2024-02-03T04:05:06Z")[number % 4],
        (None, "SP 1")[number % 2],
        (None, "panel")[number % 2],
        (None, "SNV", "SNV;MNV;delins;CNV", "other change")[number % 4],
    )
    return person(number), facts, dict(list(regions.items())[: number % 3])


@pytest.fixture(scope="module")
def variants(asked: Asking) -> list[str]:
    """Return changes of the sample data and of the cohort."""
    with (DEMO / "variants.tsv").open(encoding="utf-8") as stream:
        texts = [row[key] for row in csv.DictReader(stream, delimiter="\t") for key in ("grch37_spdi", "grch38_spdi")]
    ranges = [f"{accession(Build.GRCH38, contig)}:0-260" for contig in (1, 23, 25)]
    found = [spdi for who in PEOPLE[:9] for found in asked.in_ranges(who, ranges) for spdi in spdis(found)]
    return list(dict.fromkeys([*texts, *found]))


def spdis(found: Iterable[Any]) -> list[str]:
    return [spdi for variant in found for spdi in variant.spdis]


def questions(definition: Definition, variants: list[str]) -> Iterator[dict[str, str]]:
    """Yield questions to one operation: about everybody, or about every variant, with all that can be asked for."""
    flags = {name: "true" for name, parameter in definition.parameters.items() if parameter.type == "boolean"}
    base = needed(definition)
    yield base
    yield base | flags
    if definition.about_subject:
        for who in (*FAMILY, *PEOPLE):
            yield base | flags | {"subject": who}
            if "treatments" in definition.parameters:
                yield {"subject": who, "treatments": "amitriptyline"}
            if "ranges" in definition.parameters and who in PEOPLE:  # some of the family were tested on GRCh37 alone
                yield base | flags | {"subject": who, "ranges": GENERATED}
    elif "variants" in definition.parameters:
        for text in filter(None, (*variants, ",".join(variants[:20]))):
            yield base | {"variants": text}
            yield base | flags | {"variants": text}


def answers(asked: Asking, definition: Definition, variants: list[str], **more: str) -> list[Resource]:
    found = []
    for inputs in questions(definition, variants):
        answer = asked.get(definition.name, *inputs.items(), *more.items())
        assert answer.status == 200, (inputs, answer.body)
        found.append(answer.json())
    return found


def inside(answer: Resource) -> Iterator[Resource]:
    """Yield the resources in the parts of an answer."""
    for parameter in answer.get("parameter", []):
        for part in (parameter, *parameter.get("part", [])):
            if "resource" in part:
                yield part["resource"]


def complaints(judge: Validate, resources: Iterable[Resource]) -> list[str]:
    return [complaint for resource in resources for complaint in judge(resource)]


@every
def test_answers_of_an_operation_are_what_its_definition_says(
    asked: Asking, profiles: Path, variants: list[str], definition: Definition
) -> None:
    found = answers(asked, definition, variants)

    with validator(profiles, operation=definition.name) as judge:
        assert [complaint for complaint in complaints(judge, found) if not is_beyond_the_guide(complaint)] == []
    assert len(found) >= (ENOUGH if definition.about_subject or "variants" in definition.parameters else 2)


def is_beyond_the_guide(complaint: str) -> bool:
    """Return whether a complaint is about what the guide's definitions leave no way for.

    They name the profile of variants for their phase relations, and demand a date of tests whose date nobody knows.
    """
    named = '"sequencePhaseRelationship" must claim', 'needs "testDate" 1..1, found 0'
    return complaint.endswith("[operation]") and any(text in complaint for text in named)


@every
def test_answers_in_the_wording_of_the_reference_implementation_are_fhir(
    asked: Asking, against_profiles: Validate, variants: list[str], definition: Definition
) -> None:
    found = answers(asked, definition, variants[:5], _dialect="ref")

    wrong = complaints(against_profiles, found[:60])
    assert [one for one in wrong if not any(text in one for text in EARLIER)] == []


def test_hundreds_of_each_kind_of_observation_are_valid_when_read(
    asked: Asking, against_profiles: Validate, variants: list[str]
) -> None:
    found: dict[str, dict[str, Resource]] = {}
    for definition in OFFERED.values():
        for resource in (one for answer in answers(asked, definition, []) for one in inside(answer)):
            [profile] = resource["meta"]["profile"]
            kind = "structural" if STRUCTURAL.fullmatch(resource["id"]) else profile.rpartition("/")[2]
            found.setdefault(kind, {})[resource["id"]] = resource
    kinds = {"variant", "structural", "sequence-phase-relationship", "genotype", "haplotype"}
    assert set(found) == kinds | {"diagnostic-implication", "therapeutic-implication", "molecular-consequence"}
    for kind, resources in found.items():
        some = random.Random(3).sample(sorted(resources), min(len(resources), ENOUGH))
        for id_ in some:
            answer = asked.client.get(f"/fhir/{resources[id_]['resourceType']}/{id_}")
            assert answer.json() == resources[id_], id_
        assert complaints(against_profiles, (resources[id_] for id_ in some)) == []
        assert len(some) == ENOUGH, kind


def test_patients_and_their_tests_are_valid(asked: Asking, operon: CommandLine, against_profiles: Validate) -> None:
    uids = [row[0] for row in operon.rows("select uid from study order by id")]
    for kind, ids in (("Patient", [*FAMILY, *PEOPLE]), ("Procedure", [f"gs-{uid}" for uid in uids])):
        resources = [asked.client.get(f"/fhir/{kind}/{id_}").json() for id_ in ids]
        assert Counter(resource["resourceType"] for resource in resources) == {kind: len(ids)}
        assert complaints(against_profiles, resources) == []
        assert len(ids) >= ENOUGH


def test_bundles_are_valid(asked: Asking, against_profiles: Validate, variants: list[str]) -> None:
    client = asked.client
    found = [client.get(f"/fhir/Patient?_id={','.join(PEOPLE[at : at + 3])}").json() for at in range(ENOUGH)]
    found += [client.get(f"/fhir/OperationDefinition?code={name}").json() for name in (*OFFERED, "none")]
    urls = [f"Patient/{PEOPLE[3]}", "metadata", "Encounter/1", "$find-everything", "Patient/unknown"]
    for definition in OFFERED.values():
        for inputs in list(questions(definition, variants[:3]))[:6]:
            urls.append(f"${definition.name}?" + "&".join(f"{name}={text}" for name, text in inputs.items()))
    entries = [{"request": {"method": "GET", "url": url}} for url in urls]
    for at in range(0, len(entries), 4):
        sent = {"resourceType": "Bundle", "type": "batch", "entry": entries[at : at + 4]}
        found.append(client.post("/fhir", sent).json())

    assert complaints(against_profiles, found) == []
    assert Counter(bundle["type"] for bundle in found)["searchset"] >= ENOUGH


def test_outcomes_are_valid(asked: Asking, against_profiles: Validate) -> None:
    urls = [
        f"/fhir/{kind}/{'x' * number}" for kind in ("Patient", "Observation", "Encounter") for number in range(1, 70)
    ]
    for definition in OFFERED.values():
        urls.append(f"/fhir/${definition.name}")
        for name in definition.parameters:
            inputs = "&".join(f"{one}={text}" for one, text in needed(definition).items() if one != name)
            urls += [f"/fhir/${definition.name}?{inputs}&{name}={text}" for text in ("(", "NC_1.1:5-1", "x,y", "%00")]
    answered = [asked.client.get(url) for url in urls]
    found = [answer.json() for answer in answered if answer.status >= 400]

    assert {outcome["resourceType"] for outcome in found} == {"OperationOutcome"}
    assert complaints(against_profiles, found) == []
    assert len(found) >= ENOUGH


def test_the_description_of_the_server_is_valid(asked: Asking, against_profiles: Validate) -> None:
    described = [asked.client.get("/fhir/metadata").json()]
    described += [asked.client.get(f"/fhir/OperationDefinition/{name}").json() for name in OFFERED]

    assert complaints(against_profiles, described) == []


def test_each_kind_of_flaw_would_be_found(asked: Asking, profiles: Path, against_profiles: Validate) -> None:
    """The judge is no rubber stamp: what is spoiled by hand is complained about."""
    name = "find-subject-variants"
    inputs = {"subject": "demo-child", "includeVariants": "true", "ranges": "NC_000019.10:11089431-11133820"}
    answer = asked.get(name, *inputs.items()).json()
    [variant, *_] = inside(answer)
    procedure = asked.client.get(f"/fhir/{variant['partOf'][0]['reference']}").json()
    patient = asked.client.get(f"/fhir/Patient/{PEOPLE[3]}").json()
    outcome = asked.client.get("/fhir/Patient/unknown").json()
    assert complaints(against_profiles, [answer, variant, procedure, patient, outcome]) == []
    spoiled = [
        spoil(variant, "status", None),
        spoil(variant, "category", variant["category"][:1]),
        spoil(variant, "valueCodeableConcept", {"coding": [{"system": "http://loinc.org", "code": "69548-7"}]}),
        spoil(variant, "partOf", [{"reference": "Patient/x"}]),
        spoil(variant, "meta", {"profile": [variant["meta"]["profile"][0] + "s"]}),
        spoil(variant, "id", "a_b"),
        spoil(procedure, "category", None),
        spoil(procedure, "status", "done"),
        spoil(patient, "gender", "f"),
        spoil(patient, "birthDate", "1970-13"),
        spoil(outcome, "issue", []),
    ]
    assert [index for index, resource in enumerate(spoiled) if not against_profiles(resource)] == []
    with validator(profiles, operation=name) as judge:
        assert judge(answer) == []
        for flaw in ({"name": "presences", "valueBoolean": True}, {"name": "presence", "valueString": "true"}):
            wrong = deepcopy(answer)
            wrong["parameter"][0]["part"][1] = flaw
            assert judge(wrong) != [], flaw


def spoil(resource: Resource, element: str, value: Any) -> Resource:
    """Return a copy with one element replaced, or left out for None."""
    copy: Resource = json.loads(json.dumps(resource))
    copy[element] = value
    return copy if value is not None else {key: kept for key, kept in copy.items() if key != element}
