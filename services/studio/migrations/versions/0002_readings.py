"""What each entity's code says, beside it; NULL where it was written before this column."""

from alembic import op

revision = "studio_0002"
down_revision = "studio_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No default: a NULL tells that the source has to be read. Not jsonb, which refuses escapes of
    what strangers may have in their keys."""
    op.execute("ALTER TABLE entity ADD COLUMN reading json")


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE entity DROP COLUMN reading")
