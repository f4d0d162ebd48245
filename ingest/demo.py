"""The sample data: a real cohort slice and a synthetic family, loaded from ``data/demo``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from app.config import Settings
from app.data_folder import data_folder
from app.errors import InvalidInput
from app.records import Build
from app.store import bulk, migrate
from app.store.pgx_releases import EMBEDDED
from ingest import reference
from ingest.calls import VcfOptions, ingest_manifest, ingest_vcfs
from ingest.cip import project
from ingest.cip_files import read_files
from ingest.haplotypes import ingest_haplotypes
from ingest.knowledge import LoadOptions
from ingest.knowledge import load as load_knowledge
from ingest.pgx import load as load_pgx
from ingest.progress import Progress
from ingest.workspace import Workspace, open_database, open_workspace, subjects_in


@dataclass(frozen=True, slots=True)
class Question:
    """A question that the sample data answer."""

    title: str
    path: str
    headers: tuple[str, ...] = ()
    body: Mapping[str, Any] | None = None
    """Of a POST, as JSON"""

    def command(self, base: str) -> str:
        """Return the command that asks it of a server."""
        words = ["curl", *(word for header in self.headers for word in ("-H", f"'{header}'")), f"'{base}{self.path}'"]
        if self.body is not None:
            words += ["-H", "'Content-Type: application/json'", "-d", f"'{orjson.dumps(self.body).decode()}'"]
        return " ".join(words)


_ORDER = {
    "resourceType": "MedicationRequest",
    "id": "1",
    "status": "draft",
    "intent": "order",
    "medicationCodeableConcept": {"text": "abacavir 300 MG Oral Tablet"},
}
_CALL = {
    "hook": "order-sign",
    "hookInstance": "3f1d2c5e-7a70-4b62-9c2b-0a6c0f4f1a11",
    "context": {
        "userId": "Practitioner/1",
        "patientId": "demo-child",
        "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": _ORDER}]},
    },
}

QUESTIONS = (
    Question(
        "What did the child's two tests find in CFTR, and on which copies?",
        "/fhir/$find-subject-variants?subject=demo-child&ranges=NC_000007.14:117479962-117668665"
        "&includeVariants=true&includePhasing=true",
    ),
    Question(
        "Does the mother carry BRCA1 c.5266dup (asked on GRCh37, right-aligned)?",
        "/fhir/$find-subject-specific-variants?subject=demo-mother&variants=NC_000017.10:41209081:G:GG",
    ),
    Question(
        "Who carries HFE C282Y?",
        "/fhir/$find-population-specific-variants?variants=NC_000006.12:26092912:G:A&includePatientList=true",
    ),
    Question(
        "Which structural variants of the grandmother touch CFTR (her genome is on GRCh37, asked on GRCh38)?",
        "/fhir/$find-subject-structural-intersecting-variants?subject=demo-grandmother"
        "&ranges=NC_000007.14:117479962-117668665&includeVariants=true",
    ),
    Question(
        "Who has a structural variant that covers TBX6 in 16p11.2?",
        "/fhir/$find-population-structural-subsuming-variants?ranges=NC_000016.10:30085792-30091924"
        "&includePatientList=true",
    ),
    Question(
        "Which CYP2C19 genotype does the child have?",
        "/fhir/$find-subject-haplotypes?subject=demo-child&genes=CYP2C19",
    ),
    Question(
        "Which tests of the child looked at CYP2D6, and where could they not call?",
        "/fhir/$find-study-metadata?subject=demo-child&ranges=NC_000022.11:42126498-42130810",
    ),
    Question(
        "What do the child's variants mean for hemochromatosis?",
        "/fhir/$find-subject-dx-implications?subject=demo-child"
        "&conditions=https://www.ncbi.nlm.nih.gov/medgen%7CC3469186",
    ),
    Question(
        "What do the child's genotypes mean for clopidogrel?",
        "/fhir/$find-subject-tx-implications?subject=demo-child&treatments=clopidogrel",
    ),
    Question(
        "What does the report of a case say of the proband's intellectual disability (as a page: /cip/cases/90001-1)?",
        "/fhir/$find-subject-dx-implications?subject=p900000001&conditions=HP:0001249",
    ),
    Question(
        "Who has a variant that truncates a protein by a frameshift?",
        "/fhir/$find-population-molecular-consequences"
        "?featureConsequences=http://www.sequenceontology.org%7CSO:0001589&includePatientList=true",
    ),
    Question(
        "What is advised on every drug that the child's pharmacogenes matter for (as a page: /pgx/demo-child)?",
        "/abomics/v3/patient/demo-child/report/en/json",
        headers=("User-Id: jane.doe@lab.example", "Organization-Id: ExampleLab"),
    ),
    Question(
        "Which card does an EHR show when abacavir is ordered for the child?",
        "/cds-services/pgx-medication-advisor",
        body=_CALL,
    ),
)
_KNOWLEDGE = ("diagnostic", "therapeutic", "consequence")


def load(settings: Settings, progress: Progress) -> None:
    """Bring the store up to date and load the sample data; loading them again changes nothing."""
    folder = data_folder() / "demo"
    with open_database(settings) as database:
        migrate.upgrade(database)
    _add_reference(settings, folder)
    with open_workspace(settings) as workspace:
        try:
            _add_family(workspace, folder, progress)
        except InvalidInput as error:
            raise InvalidInput(
                "the store has other data of the sample family, perhaps of another release; take an empty OPERON_HOME,"
                " or remove the family first (operon subject erase)"
            ) from error
        options = VcfOptions(Build.GRCH37, all_samples=True, test_id="1000-genomes-phase-1")
        ingest_vcfs(workspace, [folder / "cohort" / "chr22.vcf.gz"], options, progress)


def _add_family(workspace: Workspace, folder: Path, progress: Progress) -> None:
    with workspace.database.sole_writer():
        given = subjects_in(folder / "subjects.csv", workspace.settings)
        bulk.store_subjects(workspace.database, given, "subjects.csv")
    ingest_manifest(workspace, folder / "manifest.csv", progress)
    ingest_haplotypes(workspace, folder / "haplotypes.tsv")
    for kind in _KNOWLEDGE:
        options = LoadOptions(name=f"sample-{kind}", version="1")
        load_knowledge(workspace, kind, [folder / "knowledge" / f"{kind}.tsv"], options, progress)
    _add_case(workspace, folder, progress)
    load_pgx(workspace, "pgx", [Path(EMBEDDED)], LoadOptions(), progress)


def _add_case(workspace: Workspace, folder: Path, progress: Progress) -> None:
    """Add the case of another family, as ``operon ingest cip-api`` does.

    Raises:
        InvalidInput: the document was refused.
    """
    report = read_files(workspace, [folder / "cip" / "90001-1.json"], progress)
    if report.refused:
        raise InvalidInput(report.refused[0])
    project(workspace, progress)


def _add_reference(settings: Settings, folder: Path) -> None:
    for build in Build:
        reference.add_sequences(settings, build, [folder / "reference" / f"{build.value}.fa"])
        name = f"{build.value}_to_{build.other.value}.chain"
        if not any(source.startswith(build.value) for source in reference.status(settings)["chains"]):
            # A chain file of the whole genome, if there is one already, knows more than the sample's.
            reference.add_chain_file(settings, build, build.other, folder / "chain" / name)
