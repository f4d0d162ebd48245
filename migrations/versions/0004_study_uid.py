"""an id for each test that does not depend on the order of ingests."""

from __future__ import annotations

import json
from hashlib import blake2b

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TESTS = "select st.id, s.subject_id, st.test_id from study st join subject s on s.ordinal = st.subject_ordinal"


def upgrade() -> None:
    """Apply the revision."""
    comment = "Digest of subject and test; part of the resource id"
    with op.batch_alter_table("study", schema=None) as batch_op:
        batch_op.add_column(sa.Column("uid", sa.Text(), nullable=True, comment=comment))
    connection = op.get_bind()
    named = [
        {"id": study_id, "uid": _digest(subject_id, test_id)}
        for study_id, subject_id, test_id in connection.execute(sa.text(_TESTS))
    ]
    if named:
        connection.execute(sa.text("update study set uid = :uid where id = :id"), named)
    with op.batch_alter_table("study", schema=None) as batch_op:
        batch_op.alter_column("uid", existing_type=sa.Text(), existing_comment=comment, nullable=False)
        batch_op.create_unique_constraint(batch_op.f("uq_study_uid"), ["uid"])


def _digest(subject_id: str, test_id: str) -> str:
    identity = json.dumps([subject_id, test_id], separators=(",", ":"), ensure_ascii=False)
    return blake2b(identity.encode(), digest_size=8).hexdigest()


def downgrade() -> None:
    """Undo the revision."""
    with op.batch_alter_table("study", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_study_uid"), type_="unique")
        batch_op.drop_column("uid")
