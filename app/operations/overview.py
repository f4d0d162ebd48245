"""What is loaded, and questions that the loaded data can answer."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import numpy as np

from app.formats.knowledge import ItemKind
from app.operations.interface import Example, Summary
from app.records import Build
from app.store import bitmaps, codec, counters, knowledge, structural_codec, subjects
from app.store.knowledge_codec import Role
from app.store.session import Database, Session
from app.store.structural_sites import NEVER_SUBSUME
from app.variants.accessions import accession
from app.variants.liftover import Liftover


def summary(database: Database, references: Mapping[Build, str], liftover: Liftover) -> Summary:
    """Return the totals of the store and the origin of sequences and chains."""
    with database.read() as session:
        totals = counters.values(session)
        studies = session.run("select count(*) from study")[0][0]
        call_sets = session.run("select count(*) from call_set")[0][0]
        active = knowledge.releases(session, active=True)
    chains = {f"{build.value} to {build.other.value}": "not loaded" for build in Build}
    for source in liftover.sources:
        chains[f"{source.source.value} to {source.target.value}"] = source.name
    return Summary(
        subjects=totals.get(counters.SUBJECTS, 0),
        studies=int(studies),
        call_sets=int(call_sets),
        calls=totals.get(counters.CALLS, 0),
        variants=totals.get(counters.VARIANTS, 0),
        references={build.value: described for build, described in references.items()},
        chains=chains,
        knowledge={one.name: f"{one.label} {one.version}, {one.items:,} items" for one in active},
    )


def active_knowledge(database: Database) -> str:
    """Return in words which releases of knowledge answers use, with their licences."""
    with database.read() as session:
        active = knowledge.releases(session, active=True)
    return "; ".join(f"{one.label} {one.version} ({one.name}, {one.licence})" for one in active) or "none"


def examples(database: Database) -> list[Example]:
    """Return one question for each operation, built on the first call and the first genotype that are stored."""
    return _about_calls(database) + _about_genotypes(database) + _about_knowledge(database)


_KNOWLEDGE_QUESTIONS = (
    (ItemKind.DIAGNOSTIC, Role.CONDITION, "dx-implications", "conditions", "What do variants mean for a condition"),
    (ItemKind.THERAPEUTIC, Role.MEDICATION, "tx-implications", "treatments", "What do variants mean for a treatment"),
    (
        ItemKind.CONSEQUENCE,
        Role.TERM,
        "molecular-consequences",
        "featureConsequences",
        "Which variants have a certain consequence",
    ),
)


def _about_knowledge(database: Database) -> list[Example]:
    """Return questions on the first concept of each kind whose variants somebody carries."""
    found = []
    with database.read() as session:
        for kind, role, name, parameter, title in _KNOWLEDGE_QUESTIONS:
            rows = session.run(
                "select c.system, c.code, c.display, u.shard, u.members from knowledge_union u"
                " join knowledge_concept c on c.id = u.concept_id where c.kind = :kind and c.role = :role"
                " order by c.id, u.shard limit 1",
                {"kind": kind, "role": role},
            )
            for system, code, display, shard, members in rows:
                ordinal = (shard << bitmaps.SHARD_BITS) + bitmaps.unpack(members).min()
                who = quote(subjects.names_of(session, [ordinal])[ordinal], safe="")
                token = quote(f"{system}|{code}" if system and code else code or display, safe=":/")
                asked = f"{parameter}={token}"
                found += [
                    Example(f"{title}, in one subject?", f"/fhir/$find-subject-{name}?subject={who}&{asked}"),
                    Example(f"{title}, and in whom?", f"/fhir/$find-population-{name}?{asked}&includePatientList=true"),
                ]
    return found


def _about_genotypes(database: Database) -> list[Example]:
    with database.read() as session:
        rows = session.run(
            "select s.subject_id, n.code, coalesce(n.gene_symbol, n.gene_id) from genotype g"
            " join genotype_name n on n.id = g.name_id join subject s on s.ordinal = g.subject_ordinal"
            " order by g.shard, g.subject_ordinal, g.uid limit 1"
        )
    if not rows:
        return []
    subject, code, gene = rows[0]
    who, token = quote(subject, safe=""), quote(code.replace("\\", "\\\\").replace(",", "\\,"), safe="*/:")
    return [
        Example(
            "Which genotypes does a subject have in a gene?",
            f"/fhir/$find-subject-haplotypes?subject={who}&genes={quote(gene, safe=':')}",
        ),
        Example(
            "Does a subject have a certain genotype?",
            f"/fhir/$find-subject-specific-haplotypes?subject={who}&haplotypes={token}",
        ),
        Example(
            "How many subjects have a certain genotype, and who?",
            f"/fhir/$find-population-specific-haplotypes?haplotypes={token}&includePatientList=true",
        ),
    ]


def _about_calls(database: Database) -> list[Example]:
    with database.read() as session:
        return [*_simple(session), *_structural(session)]


def _simple(session: Session) -> list[Example]:
    rows = session.run(
        "select s.subject_id, cs.build, c.contig, c.data from call_set cs join study st on st.id = cs.study_id"
        " join subject s on s.ordinal = st.subject_ordinal"
        " join call_chunk c on c.shard = cs.shard and c.call_set_id = cs.id order by cs.id, c.contig, c.bin limit 1"
    )
    if not rows:
        return []
    subject, build, contig, data = rows[0]
    chunk = codec.decode(data)
    ref_seq, start = accession(Build(build), contig), int(chunk.start[0])
    end = int(chunk.end()[min(len(chunk), 10) - 1])
    allele = chunk.alleles[int(chunk.allele[0])]
    spdi = quote(f"{ref_seq}:{start}:{allele.deleted}:{allele.inserted}", safe=":.")
    ranges = f"{ref_seq}:{start}-{max(end, start + 1)}"
    who = quote(subject, safe="")
    return [
        Example(
            "Which variants does a subject have in a range?",
            f"/fhir/$find-subject-variants?subject={who}&ranges={ranges}&includeVariants=true",
        ),
        Example(
            "Does a subject have a certain variant?",
            f"/fhir/$find-subject-specific-variants?subject={who}&variants={spdi}",
        ),
        Example(
            "How many subjects have a certain variant, and who?",
            f"/fhir/$find-population-specific-variants?variants={spdi}&includePatientList=true",
        ),
        Example(
            "Which tests did a subject have, and where did they look?",
            f"/fhir/$find-study-metadata?subject={who}&ranges={ranges}",
        ),
    ]


def _structural(session: Session) -> list[Example]:
    rows = session.run(
        "select s.subject_id, cs.build, c.contig, c.data from call_set cs join study st on st.id = cs.study_id"
        " join subject s on s.ordinal = st.subject_ordinal join structural_chunk c on c.shard = cs.shard"
        " and c.call_set_id = cs.id order by cs.id, c.contig, c.part limit 1"
    )
    if not rows:
        return []
    subject, build, contig, data = rows[0]
    chunk = structural_codec.decode(data)
    holding = np.flatnonzero(~np.isin(chunk.kind, NEVER_SUBSUME)).tolist()
    relations = [("intersecting", "touch"), ("subsuming", "cover")] if holding else [("intersecting", "touch")]
    first = holding[0] if holding else 0
    middle = int(chunk.native[0][first] + chunk.native[1][first]) // 2
    ranges = f"{accession(Build(build), contig)}:{middle}-{middle + 1}"
    who = quote(subject, safe="")
    examples = []
    for relation, verb in relations:
        examples += [
            Example(
                f"Which structural variants of a subject {verb} a range?",
                f"/fhir/$find-subject-structural-{relation}-variants?subject={who}&ranges={ranges}&includeVariants=true",
            ),
            Example(
                f"How many subjects have structural variants that {verb} a range, and who?",
                f"/fhir/$find-population-structural-{relation}-variants?ranges={ranges}&includePatientList=true",
            ),
        ]
    return examples
