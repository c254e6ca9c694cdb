"""The kinds of damage, each with the name under which it must be told."""

from tests.tools.check import plant
from tests.tools.check.case import STRANGER, A, B, Case, sql
from tests.tools.check.world import STEPS, command

CASES = (
    Case("lost_event", "last fact of an aggregate", plant.last_fact_lost),
    Case(
        "lost_event",
        "outbox row left lying",
        after=sql("orchestrator", "UPDATE outbox SET created_at = now() - interval '1 hour'"),
    ),
    Case("version_gap", "fact in the middle", plant.fact_in_the_middle_lost),
    Case("version_order", "two facts swapped", plant.facts_swapped),
    Case("version_order", "one version twice", plant.version_twice),
    Case("unfounded_event", "announced, not committed", plant.announced_not_committed),
    Case("doubled_effect", "a reservation made twice", plant.reserved_again),
    Case("doubled_effect", "a release published twice", plant.published_again_by_another),
    Case("doubled_effect", "two answers to a command", plant.answered_twice),
    Case(
        "unhandled_message",
        "inbox row gone",
        after=sql("studio", f"DELETE FROM inbox WHERE message_id = '{command(A.saga, 1, A).id}'"),
    ),
    Case("lost_outbox_row", "awaited command", after=sql("orchestrator", "DELETE FROM outbox")),
    Case("lost_outbox_row", "answer of a participant", plant.answer_never_sent),
    Case(
        "lost_outbox_row",
        "answer that was to follow",
        after=sql(
            "billing",
            "INSERT INTO inbox (consumer_group, message_id, reply_type)"
            f" VALUES ('billing', '{STRANGER}', 'chassis.Pending.v1')",
        ),
    ),
    Case(
        "accounting",
        "handled, never published",
        after=sql("billing", f"{plant.INBOX} ('billing', '{STRANGER}')"),
    ),
    Case(
        "accounting",
        "handled and parked",
        after=sql("billing", plant.parked("failed", str(command(A.saga, 0, A).id))),
    ),
    Case(
        "saga_without_wake_up",
        "the row is the wake-up",
        after=sql(
            "orchestrator",
            "ALTER TABLE saga_instance DROP CONSTRAINT IF EXISTS open_has_wake_up",
            f"UPDATE saga_instance SET next_wake_at = NULL {plant.OPEN}",
        ),
    ),
    Case(
        "saga_overdue",
        "nobody woke it",
        after=sql(
            "orchestrator",
            f"UPDATE saga_instance SET next_wake_at = now() - interval '5 minutes' {plant.OPEN}",
        ),
    ),
    Case("saga_unfinished", "stands still", plant.saga_stands_still, at_rest=True),
    Case(
        "saga_illegal_transition",
        "a line is missing",
        after=sql(
            "orchestrator",
            f"DELETE FROM saga_event WHERE version = 3 AND saga_id = '{A.saga}'",
        ),
    ),
    Case(
        "saga_illegal_transition",
        "undone before it turned",
        after=sql(
            "orchestrator",
            "UPDATE saga_event SET happened = 'step_undone' WHERE version = 3"
            f" AND saga_id = '{A.saga}'",
        ),
    ),
    Case(
        "saga_outcome",
        "completed, a step open",
        after=sql("orchestrator", f"{plant.MARK} {plant.SAGA}"),
    ),
    Case(
        "saga_outcome", "undone, its release live", after=sql("orchestrator", plant.TAKES_RELEASE)
    ),
    Case(
        "saga_ended_with_residue",
        "reservation",
        after=sql("billing", plant.reservation(A.refused_reservation)),
    ),
    Case("saga_ended_with_residue", "freeze", after=sql("studio", plant.frozen(A.release))),
    Case(
        "saga_ended_with_residue",
        "lock of an ended saga",
        after=sql("orchestrator", f"{plant.LOCK} ('app_id:{A.app}', ARRAY['{A.saga}'::uuid])"),
    ),
    Case("orphan_reservation", "reservation", after=sql("billing", plant.reservation(STRANGER))),
    Case("orphan_reservation", "freeze", after=sql("studio", plant.frozen(STRANGER))),
    Case(
        "orphan_reservation",
        "staged release",
        after=sql("delivery", plant.another_release("staged")),
    ),
    Case("orphan_reservation", "payment set aside", after=plant.payment("authorised")),
    Case(
        "orphan_reservation",
        "seats",
        after=sql(
            "identity",
            "UPDATE workspace SET state = jsonb_set(state, '{holds}',"
            f" '{{\"{STRANGER}\": 3}}') WHERE id = '{A.ws}'",
        ),
    ),
    Case(
        "orphan_lock",
        "of nobody",
        after=sql("orchestrator", f"{plant.LOCK} ('app_id:{A.app}', ARRAY['{STRANGER}'::uuid])"),
    ),
    Case("lock_not_held", "lock gone", after=sql("orchestrator", "DELETE FROM entity_lock")),
    Case(
        "pointer",
        "to an abandoned release",
        after=sql("delivery", plant.another_release("abandoned"), plant.POINT_ELSEWHERE),
    ),
    Case("pointer", "to nothing", after=sql("delivery", plant.POINT_ELSEWHERE)),
    Case("pointer", "two live releases", after=sql("delivery", plant.another_release("live"))),
    Case("pointer", "bundle rewritten", after=plant.bundle_rewritten),
    Case("pointer", "bundle gone", after=plant.no_bundle),
    Case(
        "quota_mismatch",
        "live and not counted",
        after=sql(
            "billing",
            f"UPDATE account SET state = jsonb_set(state, '{{apps}}', '{{}}') WHERE id = '{A.ws}'",
        ),
    ),
    Case(
        "foreign_workspace",
        "release",
        after=sql(
            "delivery", f"UPDATE release SET workspace_id = '{B.ws}' WHERE id = '{A.release}'"
        ),
    ),
    Case(
        "foreign_workspace",
        "entity",
        after=sql("studio", f"UPDATE entity SET workspace_id = '{B.ws}' WHERE app_id = '{A.app}'"),
    ),
    Case(
        "foreign_workspace",
        "saga",
        after=sql("orchestrator", f"UPDATE saga_instance SET workspace_id = '{B.ws}' {plant.SAGA}"),
    ),
    Case("foreign_workspace", "body of a fact", plant.body_of_another_workspace),
    Case("foreign_workspace", "fact of another's app", plant.key_of_another_workspace),
    Case("foreign_workspace", "feed entry", after=plant.feed_of_another_workspace),
    Case("foreign_workspace", "content of nobody", after=plant.content_of_nobody),
    Case("foreign_workspace", "bundles of nobody", after=plant.folder_of_nobody),
    Case("ledger_unbalanced", "one side is missing", after=plant.books((1, 500))),
    Case("ledger_unbalanced", "two sides that differ", after=plant.books((1, 500), (2, -400))),
    Case(
        "ledger_unbalanced",
        "credit that the books do not have",
        after=sql(
            "billing",
            "UPDATE account SET state = jsonb_set(state, '{credit}', '{\"EUR\": 7}')"
            f" WHERE id = '{A.ws}'",
        ),
    ),
    Case("ledger_unbalanced", "a payment taken twice", after=plant.taken_twice()),
    Case("ledger_unbalanced", "captured and not booked", after=plant.payment("captured")),
    Case("feed", "lacks a fact", after=plant.feed_lacks_one),
    Case("feed", "has a fact twice", after=plant.feed_has_one_twice),
    Case("feed", "invents one", after=plant.feed_invents),
    Case("bodies", "manifest gone", after=plant.without("revisions")),
    Case("bodies", "pack gone", after=plant.without("packs")),
    Case("bodies", "manifest rewritten", after=plant.rewritten("revisions")),
    Case("bodies", "pack rewritten", after=plant.rewritten("packs")),
)

assert len(STEPS) == 6, "the cases name steps by their place"
