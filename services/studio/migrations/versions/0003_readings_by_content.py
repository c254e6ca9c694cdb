"""What code says is stored by content, in MongoDB: not beside each entity of the head."""

from alembic import op

revision = "studio_0003"
down_revision = "studio_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing is lost: it is read from the source where it is asked for."""
    op.execute("ALTER TABLE entity DROP COLUMN reading")


def downgrade() -> None:
    """Empty: it is read from the source."""
    op.execute("ALTER TABLE entity ADD COLUMN reading json")
