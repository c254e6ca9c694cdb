"""What a document may cost: depth, aliases and fields, counted with fragments expanded.

Each fragment is measured once, whatever the number of its uses, so a document that doubles itself
twenty-five times costs no more to refuse than a short one. The rule is one class built once: a new
class per request would defeat the validation cache.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    ASTValidationRule,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a selection amounts to once fragments are expanded."""

    depth: int = 0
    aliases: int = 0
    fields: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one operation may ask for."""

    depth_max: int
    aliases_max: int
    fields_max: int


INTROSPECTION = ("__schema", "__type")


def measure(
    selection_set: SelectionSetNode | None,
    fragments: Mapping[str, FragmentDefinitionNode],
    seen: dict[str, Cost],
) -> Cost:
    """Fold a selection into its cost. A fragment inside itself counts once: validation refuses it.

    Introspection counts like the rest but for its depth, which is GraphQL's own: tools ask for it
    thirteen levels deep.
    """
    depth = aliases = fields = 0
    for node in selection_set.selections if selection_set else ():
        if isinstance(node, FieldNode):
            inner = measure(node.selection_set, fragments, seen)
            below = 0 if node.name.value in INTROSPECTION else inner.depth
            inner = Cost(below + 1, inner.aliases + bool(node.alias), inner.fields + 1)
        elif isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name not in seen:
                seen[name] = Cost()
                fragment = fragments.get(name)
                seen[name] = measure(fragment.selection_set if fragment else None, fragments, seen)
            inner = seen[name]
        else:
            inner = measure(node.selection_set, fragments, seen)  # type: ignore[attr-defined]
        depth = max(depth, inner.depth)
        aliases += inner.aliases
        fields += inner.fields
    return Cost(depth, aliases, fields)


def limit_rule(limits: Limits) -> type[ASTValidationRule]:
    """A validation rule that refuses operations over the limits. Build it once per schema."""

    class WithinLimits(ValidationRule):
        def __init__(self, context: ValidationContext) -> None:
            super().__init__(context)
            definitions = context.document.definitions
            fragments = {
                node.name.value: node
                for node in definitions
                if isinstance(node, FragmentDefinitionNode)
            }
            seen: dict[str, Cost] = {}
            for node in definitions:
                if isinstance(node, OperationDefinitionNode):
                    cost = measure(node.selection_set, fragments, seen)
                    for fault in faults(cost, limits):
                        context.report_error(GraphQLError(fault))

    return WithinLimits


def faults(cost: Cost, limits: Limits) -> list[str]:
    """One sentence for each limit that is broken."""
    pairs = (
        ("depth", cost.depth, limits.depth_max),
        ("aliases", cost.aliases, limits.aliases_max),
        ("fields", cost.fields, limits.fields_max),
    )
    return [
        f"{name} {value}, at most {most} allowed" for name, value, most in pairs if value > most
    ]
