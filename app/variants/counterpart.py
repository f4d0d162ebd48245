"""What a lifted change becomes on the other build, once its bases are compared with the sequence there.

All positions are zero-based, all intervals half-open.

>>> reverse_complement("ACCG")
'CGGT'
"""

from __future__ import annotations

from app.records import LiftStatus
from app.variants.normalize import justify
from app.variants.reference import ReferenceSequence
from app.variants.spdi import Spdi


def compared(reference: ReferenceSequence, lifted: Spdi) -> tuple[Spdi, LiftStatus]:
    """Compare a lifted change with the bases at its new place, and justify it there.

    Where the bases differ, the change deletes those of the new place instead, and may so become an identity. Where
    the sequence that this needs is not loaded, the change stays as it is, UNVERIFIED.
    """
    bases = reference.fetch(lifted.ref_seq, lifted.position, lifted.end)
    if bases is None:
        return lifted, LiftStatus.UNVERIFIED
    anew = justify(reference, lifted.ref_seq, lifted.position, bases, lifted.inserted)
    if not anew.justified:
        return lifted, LiftStatus.UNVERIFIED
    status = LiftStatus.OK if bases == lifted.deleted else LiftStatus.REF_CHANGED
    return Spdi(lifted.ref_seq, anew.position, anew.deleted, anew.inserted), status
