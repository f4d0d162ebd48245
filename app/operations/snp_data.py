"""Taking SNP and copy number results into the inbox, and what their sender is told about them.

Nothing is stored of a subject here: the ingest worker does that, and ``operon inbox list`` tells what it could not use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import blake2b

import orjson

from app.formats.pgx import PgxContent
from app.formats.snp_batch import NO_CALL, Batch, SampleData, alleles_of, is_complementary
from app.operations.pgx import PgxProfile
from app.operations.pgx_report import SnpResult
from app.store import inbox, subjects
from app.store.inbox import Submitted
from app.store.session import Database, Session

_BASES = frozenset("ACGT")
_SUBJECT_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)


def queue(database: Database, batch: Batch, content: PgxContent, system: str) -> Batch:
    """Put the samples of a batch into the inbox, and return the batch as it was accepted.

    ``system`` is that of the identifiers of subjects that sample ids are; ``content`` are the definitions in use.
    """
    alleles = _alleles(content)
    accepted: list[tuple[SampleData, Submitted]] = []
    errors, warnings = list(batch.errors), list(batch.warnings)
    with database.write() as session:
        for sample in batch.samples:
            subject = subject_of(session, sample.sample_id, system)
            if subject is None:
                errors.append(f"BatchSample '{sample.sample_id}' is an identifier of several subjects")
                continue
            payload = orjson.dumps(sample.to_json()).decode()
            accepted.append((sample, Submitted(inbox.SNP_DATA, batch.batch_id, sample.sample_id, subject, payload)))
            warnings += warnings_of(sample, alleles)
        replaced = inbox.put(session, [submitted for _, submitted in accepted])
    warnings += [f"BatchSample '{sample}' replaces what was submitted before" for sample in replaced]
    samples = tuple(sample for sample, _ in accepted)
    return replace(batch, samples=samples, errors=tuple(errors), warnings=tuple(warnings))


def subject_of(session: Session, sample_id: str, system: str) -> str | None:
    """Return the subject of a sample: one that has its id, else its identifier, else a new one; None for several."""
    if subjects.find(session, [sample_id]):
        return sample_id
    identified = subjects.with_identifier(session, system, sample_id)
    if len(identified) > 1:
        return None
    if identified:
        return identified[0]
    before = inbox.subject_of(session, sample_id)
    if before is not None:
        return before
    if _SUBJECT_ID.fullmatch(sample_id):
        return sample_id
    return f"sample-{blake2b(sample_id.encode(), digest_size=12).hexdigest()}"


def submitted_snps(database: Database, profile: PgxProfile) -> list[SnpResult]:
    """Return the genotypes that laboratories submitted for the tests of a person's results, as they wrote them.

    Of one place in several batches, the batch that was submitted last counts.
    """
    tests = {result.test_id for result in profile.results.values()}
    with database.read() as session:
        entries = inbox.of_subject(session, profile.subject_id)
    found: dict[str, SnpResult] = {}
    for entry in entries:
        if entry.kind == inbox.SNP_DATA and entry.batch in tests and entry.state == inbox.DONE:
            data = SampleData.from_json(orjson.loads(entry.payload))
            found |= {one.rs: SnpResult(one.rs, one.genotype, one.assay, one.gene) for one in data.snps}
    return list(found.values())


def _alleles(content: PgxContent) -> dict[str, frozenset[str]]:
    """Return the alleles of each defining position, on GRCh38 and GRCh37."""
    return {
        position.name: frozenset((*position.alleles38, *position.alleles37))
        for gene in content.genes
        for position in gene.positions
    }


def warnings_of(sample: SampleData, alleles: Mapping[str, Iterable[str]]) -> list[str]:
    """Name the places whose strand does not show or that no definition has, and genotypes that cannot be used."""
    unclear = sorted(
        {one.rs for one in sample.snps if is_complementary((*alleles.get(one.rs, ()), *alleles_of(one.genotype)))}
    )
    unknown = sorted({one.rs for one in sample.snps if one.rs not in alleles})
    undivided = sorted({one.rs for one in sample.snps if _is_undivided(one.genotype, alleles.get(one.rs, ()))})
    no_bases = sorted({one.rs for one in sample.snps if not _is_of_bases(one.genotype)})
    found = []
    if no_bases:
        reason = "alleles are no bases, and will not be used"
        found.append(f"BatchSample '{sample.sample_id}': {reason}: {', '.join(no_bases)}")
    if undivided:
        reason = "alleles are not divided by a slash, and will not be used"
        found.append(f"BatchSample '{sample.sample_id}': {reason}: {', '.join(undivided)}")
    if unclear:
        reason = "strand cannot be checked, alleles are complementary"
        found.append(f"BatchSample '{sample.sample_id}': {reason}: {', '.join(unclear)}")
    if unknown and alleles:
        found.append(
            f"BatchSample '{sample.sample_id}': no definition in use has these positions: {', '.join(unknown)}"
        )
    return found


def _is_of_bases(genotype: str) -> bool:
    return all(allele in NO_CALL or set(allele) <= _BASES for allele in alleles_of(genotype))


def _is_undivided(genotype: str, alleles: Iterable[str]) -> bool:
    """Return whether several bases stand together at a place of single bases: ``AG`` may mean A/G, or one allele."""
    given, known = alleles_of(genotype), tuple(alleles)
    is_of_bases = bool(known) and all(len(allele) == 1 for allele in known)
    return is_of_bases and len(given) == 1 and len(given[0]) > 1 and given[0] not in NO_CALL
