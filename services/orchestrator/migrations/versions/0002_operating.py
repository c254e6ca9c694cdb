"""What operators and the auditor look for is found without reading every open saga.

`owner_epoch` goes: the compare-and-set on `version` keeps a stale orchestrator out (ADR 11).
"""

from alembic import op

revision = "0002_operating"
down_revision = "0001_sagas"


def upgrade() -> None:
    op.execute("ALTER TABLE saga_instance DROP COLUMN owner_epoch")
    op.execute("CREATE INDEX saga_attention ON saga_instance (id) WHERE status = 'NEEDS_ATTENTION'")
    op.execute("CREATE INDEX saga_locking ON saga_instance (id) WHERE phase = 'LOCKING'")
