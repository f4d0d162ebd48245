"""Consequences against published ones: the Sequence Ontology, SnpEff, and the effects that biocommons/hgvs lists.

Every difference has a cause, and each table of causes is asserted in full; ``-s`` prints what is not explained.
docs/explanation/consequences.md says who is right.
"""

from __future__ import annotations

import re
from pathlib import Path

from app.variants.consequence_terms import TERMS

# --- the terms --------------------------------------------------------------------------------------------------------

LATER = {"splice_donor_region_variant": "SO:0002170", "splice_polypyrimidine_tract_variant": "SO:0002169"}
"""Terms that the ontology has since 2020, with the accessions that release 105 of Ensembl VEP states"""


def test_terms_have_the_accessions_of_the_ontology(shared: Path) -> None:
    text = (shared / "data" / "clin" / "so-xp-simple.obo").read_text("utf-8", errors="replace")
    found = {}
    for stanza in text.split("[Term]\n")[1:]:
        fields = dict(re.findall(r"^(id|name|is_obsolete): (.*)$", stanza, re.MULTILINE))
        if "is_obsolete" not in fields:
            found[fields["name"]] = fields["id"]
    assert len(found) > 2000
    for term in TERMS.values():
        assert term.accession == found.get(term.name, LATER.get(term.name)), term
