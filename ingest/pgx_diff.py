"""Which stored results of pharmacogenes other definitions would change, without storing anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.operations.pgx_active import active_content
from app.operations.pgx_places import Places
from app.pgx.calls import GeneCall
from app.pgx.layers import Layer, merged
from app.store import pgx_calls as store
from app.store import pgx_marks, pgx_releases
from ingest.pgx_calls import Definitions, called_of, definitions_in_use
from ingest.workspace import Workspace

_BATCH = 100


def changes(workspace: Workspace, release: str | None) -> Iterator[dict[str, Any]]:
    """Yield the genes of tests of which genotype or phenotype would be another one, by subject.

    With a release: as if it were in use above all others.

    Raises:
        NotFound: there is no such release.
    """
    definitions = definitions_in_use(workspace) if release is None else _with_release(workspace, release)
    with workspace.database.read() as session:
        todo = pgx_marks.with_calls(session)
    for low in range(0, len(todo), _BATCH):
        with workspace.database.read() as session:
            for one in called_of(session, definitions, todo[low : low + _BATCH]):
                study = one.test.study
                stored = store.of_subject(session, study.subject_id)
                before = (
                    {call.call.gene: call.call for call in stored.calls if call.test_id == study.test_id}
                    if stored
                    else {}
                )
                after = {call.gene: call for call in one.calls}
                for gene in sorted({*before, *after}):
                    old, new = _said(before.get(gene)), _said(after.get(gene))
                    if old != new:
                        yield {
                            "subject": study.subject_id,
                            "test": study.test_id,
                            "gene": gene,
                            "stored": old,
                            "new": new,
                        }


def _with_release(workspace: Workspace, name: str) -> Definitions:
    with workspace.database.read() as session:
        chosen = pgx_releases.content_of(session, pgx_releases.named(session, name))
        rest = active_content(session)
    found = merged([Layer(name, chosen), Layer("+".join(rest.releases), rest.content)])
    genes = {gene.symbol: gene for gene in found.content.genes}
    places = Places(found.content.genes, workspace.genome.placer)
    return Definitions(name, genes, found.gene_releases, places, "")


def _said(call: GeneCall | None) -> dict[str, str] | None:
    if call is None:
        return None
    return {"status": call.status.value, "result": " or ".join(call.genotypes), "phenotype": call.phenotype}
