"""What is copied out of PostgreSQL: one query for each table of the evidence.

The columns are those of the evidence's table. What a service does not have yet is left out.
"""

from collections.abc import Collection
from dataclasses import dataclass

from tools.basalt.check.layout import AGGREGATES, ENDED, SAGA_TOPIC

_MS = "(extract(epoch FROM {}) * 1000)::bigint"


@dataclass(frozen=True)
class Copy:
    """`sql` of `service` ("*": of each) fills the evidence's table `into`, if all of `wants`
    (tables and `table.column`) is there."""

    into: str
    service: str
    sql: str
    wants: tuple[str, ...]

    def fits(self, there: Collection[str]) -> bool:
        """Whether the database has what the query reads."""
        return all(name in there for name in self.wants)


def _aggregates() -> list[Copy]:
    return [
        Copy(
            "aggregate",
            each.service,
            f"SELECT '{each.service}', '{each.table}', '{each.topic}', id, workspace_id, version,"
            f" {int(each.mortal)} FROM {each.table}",
            (f"{each.table}.version",),
        )
        for each in AGGREGATES
    ]


def _holds() -> list[Copy]:
    """Limits that sagas keep to meanwhile, by the id of their hold."""
    return [
        Copy(
            "hold",
            service,
            f"SELECT 'hold of {what}', key, workspace_id FROM {table}"
            " CROSS JOIN jsonb_each(state->'holds')",
            (f"{table}.state",),
        )
        for service, table, what in (
            ("identity", "workspace", "seats"),
            ("studio", "shelf", "apps"),
        )
    ]


def _money() -> list[Copy]:
    return [
        Copy(
            "posting",
            "billing",
            "SELECT transaction_id, workspace_id, kind, change_id, payment_id, entries"
            " FROM billing_transaction ORDER BY seq DESC",
            ("billing_transaction.entries",),
        ),
        Copy(
            "entry",
            "billing",
            "SELECT transaction_id, workspace_id, account, currency, amount_minor"
            " FROM billing_entry ORDER BY transaction_id DESC",
            ("billing_entry.amount_minor",),
        ),
        Copy(
            "payment",
            "billing",
            "SELECT id, workspace_id, state->>'change_id', state->>'state',"
            " (state->>'amount_minor')::bigint, state->>'currency' FROM payment",
            ("payment.state",),
        ),
        Copy(
            "plan_change",
            "billing",
            "SELECT id, workspace_id, state->>'state' FROM plan_change",
            ("plan_change.state",),
        ),
        Copy(
            "credit",
            "billing",
            "SELECT workspace_id, key, value::text::bigint FROM account"
            " CROSS JOIN jsonb_each(state->'credit')",
            ("account.state", "billing_entry.amount_minor"),
        ),
    ]


_ENDED = ", ".join(f"'{status}'" for status in ENDED)

COPIES: tuple[Copy, ...] = (
    Copy(
        "outbox",
        "*",
        "SELECT id, topic, aggregateid, type, extract(epoch FROM now() - created_at)::float8,"
        " headers, payload FROM outbox",
        ("outbox.headers", "outbox.payload"),
    ),
    Copy(
        "inbox",
        "*",
        f"SELECT consumer_group, message_id, reply_type, {_MS.format('at')} FROM inbox"
        " ORDER BY message_id DESC",
        ("inbox.at",),
    ),
    Copy(
        "parked",
        "*",
        'SELECT consumer_group, message_id, topic, partition, "offset", sent_ms, state'
        " FROM dead_letter",
        ("dead_letter.sent_ms",),
    ),
    Copy(
        "pending",
        "*",
        "SELECT consumer_group, message_id FROM pending_reply",
        ("pending_reply.message_id",),
    ),
    *_aggregates(),
    Copy(
        "aggregate",
        "orchestrator",
        f"SELECT 'orchestrator', 'saga_instance', '{SAGA_TOPIC}', id, workspace_id,"
        " (state->>'facts')::bigint, 1 FROM saga_instance ORDER BY id DESC",
        ("saga_instance.state",),
    ),
    Copy(
        "saga",
        "orchestrator",
        "SELECT id, type, workspace_id, status, phase, version,"
        " extract(epoch FROM next_wake_at - now())::float8,"
        f" extract(epoch FROM now() - updated_at)::float8, {_MS.format('started_at')}, cursor,"
        f" state::text FROM saga_instance ORDER BY status IN ({_ENDED}), id DESC",
        ("saga_instance.state", "saga_instance.next_wake_at"),
    ),
    Copy(
        "history",
        "orchestrator",
        "SELECT s.id, count(e.saga_id), min(e.version), max(e.version), s.version,"
        " string_agg(e.happened, ' ' ORDER BY e.version), s.status"
        " FROM saga_instance AS s LEFT JOIN saga_event AS e ON e.saga_id = s.id"
        " WHERE s.started_at >= (SELECT coalesce(min(at), '-infinity') - interval '1 hour'"
        " FROM saga_event)"
        " GROUP BY s.id, s.version, s.status",
        ("saga_event.happened",),
    ),
    Copy(
        "lock",
        "orchestrator",
        "SELECT key, place, saga_id FROM entity_lock"
        " CROSS JOIN unnest(queue) WITH ORDINALITY AS q(saga_id, place)",
        ("entity_lock.queue",),
    ),
    Copy(
        "reservation",
        "billing",
        "SELECT id, key, value->>'app_id', (value->>'units')::bigint FROM account"
        " CROSS JOIN jsonb_each(state->'reservations')",
        ("account.state",),
    ),
    Copy(
        "consumption",
        "billing",
        "SELECT id, key, (value->>'units')::bigint, (value->>'pointer_version')::bigint"
        " FROM account CROSS JOIN jsonb_each(state->'apps')",
        ("account.state",),
    ),
    Copy(
        "account",
        "billing",
        "SELECT id, workspace_id, state->>'state' FROM account",
        ("account.state",),
    ),
    Copy(
        "freeze",
        "studio",
        "SELECT workspace_id, id, key FROM app CROSS JOIN jsonb_each(state->'freezes')",
        ("app.state",),
    ),
    Copy(
        "studio_app",
        "studio",
        "SELECT id, workspace_id, state->>'head_digest' FROM app",
        ("app.state",),
    ),
    Copy(
        "revision",
        "studio",
        "SELECT id, workspace_id, app_id, state->>'digest' FROM app_revision ORDER BY id DESC",
        ("app_revision.state",),
    ),
    Copy(
        "entity_app",
        "studio",
        "SELECT app_id, workspace_id, count(*) FROM entity GROUP BY app_id, workspace_id",
        ("entity.workspace_id",),
    ),
    Copy(
        "shelf",
        "studio",
        "SELECT id, workspace_id, app_id FROM shelf"
        " LEFT JOIN LATERAL jsonb_array_elements_text(state->'app_ids') AS a(app_id) ON true",
        ("shelf.state",),
    ),
    Copy(
        "pointer",
        "delivery",
        "SELECT workspace_id, id, key, value->>'release_id', (value->>'version')::bigint FROM app"
        " CROSS JOIN jsonb_each(state->'pointers')",
        ("app.state", "release.standing"),
    ),
    Copy(
        "delivery_app",
        "delivery",
        "SELECT id, workspace_id FROM app",
        ("app.state", "release.standing"),
    ),
    Copy(
        "release",
        "delivery",
        "SELECT id, app_id, workspace_id, environment, standing, bundle_digest FROM release"
        " ORDER BY standing <> 'live', id DESC",
        ("release.standing",),
    ),
    Copy(
        "bundle_file",
        "delivery",
        "SELECT DISTINCT workspace_id, bundle_digest FROM bundle_file",
        ("bundle_file.bundle_digest",),
    ),
    *_holds(),
    *_money(),
    Copy(
        "workspace",
        "identity",
        "SELECT id, workspace_id, state->>'state' FROM workspace",
        ("workspace.state",),
    ),
)
