"""What somebody else did to a planned app in the meantime: edits of a plan, drawn by chance."""

import copy
import json
from random import Random

from tests.services.studio.generated.codes import Referent, data, in_braces, mixed
from tests.services.studio.generated.plans import FUNCTIONS, Bound, Json, Page, Plan, Query, Widget

EDITS_MAX = 6


def edited(plan: Plan, dice: Random, key: str) -> Plan:
    """The plan after some edits of its first page; they like to use the entity of that key."""
    after = copy.deepcopy(plan)
    page = after.pages[0]
    functions = tuple((one,) for one in FUNCTIONS)
    names = [
        Referent(one, name, functions if one[0] == "s" else (("data",), ("text",)))
        for one, name in page.names.items()
    ]
    names += [one for one in names if one.entity == key] * 4
    for number in range(dice.randint(1, EDITS_MAX)):
        edit = dice.choice((_change_widget, _add_widget, _add_query, _change_body, _add_member))
        edit(page, dice, names, f"{number}")
    return after


def _change_widget(page: Page, dice: Random, names: list[Referent], number: str) -> None:
    widget = dice.choice(page.widgets)
    widget.own[dice.choice(("label", "color"))] = f"another {number}"
    widget.own[dice.choice(("helpText", "tooltip"))] = Bound(in_braces(dice, data(dice, names)))


def _add_widget(page: Page, dice: Random, names: list[Referent], number: str) -> None:
    key = f"wnew{number}"
    page.names[key] = f"New{number}"
    holders = ["", *(one.key for one in page.widgets if one.holds)]
    own: Json = {"type": "TEXT_WIDGET", "text": Bound(mixed(dice, names))}
    page.widgets.append(Widget(key, dice.choice(holders), dice.random() < 0.3, own))


def _add_query(page: Page, dice: Random, names: list[Referent], number: str) -> None:
    key = f"qnew{number}"
    page.names[key] = f"NewQuery{number}"
    body = (f"INSERT {number} INTO t VALUES ", *in_braces(dice, data(dice, names)))
    page.queries.append(Query(key, "postgres-plugin", body, dice.random() < 0.5, {}, []))


def _change_body(page: Page, dice: Random, names: list[Referent], number: str) -> None:
    query = dice.choice(page.queries)
    query.body = (*query.body, f"\n-- {number} ", *in_braces(dice, data(dice, names)))


def _add_member(page: Page, dice: Random, names: list[Referent], number: str) -> None:
    script = dice.choice(page.scripts)
    script.members[f"more{number}"] = (f"more{number}: [", *data(dice, names), "]")


def marked(
    files: dict[str, bytes], plan: Plan, page: Page, new: dict[str, str]
) -> dict[str, bytes]:
    """The files with what Appsmith goes by, where it has them: a `gitSyncId` in each query, script
    and function of a page. `new`: names by key that are not the plan's."""
    keys = {name: key for key, name in ({**page.names, **new}).items()}
    found = dict(files)
    for path, content in files.items():
        if not path.startswith(f"pages/{page.folder}/") or not path.endswith(".json"):
            continue
        value = json.loads(content)
        action = value.get("unpublishedAction", value.get("unpublishedCollection"))
        if action is not None:
            script, _, function = action.get("fullyQualifiedName", action["name"]).partition(".")
            value = {"gitSyncId": f"6_{keys[script]}{function}", **value}
            found[path] = json.dumps(value, indent=plan.indent, ensure_ascii=False).encode()
    return found
