"""The account's arithmetic, whatever the order in which news of an app arrives."""

from dataclasses import dataclass
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from chassis.clock import new_id
from services.billing.model.accounts import Account
from tests.services.billing.fakes import an_account


@dataclass(frozen=True)
class News:
    """A move of one app's pointer: published, or off the air everywhere."""

    pointer_version: int
    live: bool
    reservation_id: UUID


def a_history(moves: list[bool]) -> list[News]:
    return [News(number, live, new_id()) for number, live in enumerate(moves, start=1)]


def tell(account: Account, app_id: UUID, news: News) -> None:
    if news.live:
        account.commit(news.reservation_id, app_id, news.pointer_version)
    else:
        account.free(app_id, news.pointer_version)


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.data())
def test_the_newest_move_decides_in_whatever_order_news_arrive(
    moves: list[bool],
    data: st.DataObject,
) -> None:
    history = a_history(moves)
    account, app_id = an_account(), new_id()
    for news in history:
        if news.live and account.units_left:
            account.reserve(news.reservation_id, app_id, 1)

    for news in data.draw(st.permutations(history + history)):  # each comes twice, in any order
        tell(account, app_id, news)

    assert account.units_live == (1 if moves[-1] else 0)
    assert account.reservations == {}
    assert account.units_used == account.units_live


@given(st.lists(st.tuples(st.sampled_from("rcx"), st.integers(0, 3)), max_size=30))
def test_units_are_never_promised_twice(steps: list[tuple[str, int]]) -> None:
    account = an_account()
    apps = [new_id() for _ in range(4)]
    moves = dict.fromkeys(apps, 0)
    open_reservations: list[tuple[UUID, UUID]] = []

    for step, which in steps:
        app_id = apps[which]
        if step == "r" and (account.units_left or app_id in account.live_app_ids):
            open_reservations.append((new_id(), app_id))
            account.reserve(*open_reservations[-1], units=1)
        elif step == "c" and open_reservations:
            reservation_id, app_id = open_reservations.pop(which % len(open_reservations))
            moves[app_id] += 1
            account.commit(reservation_id, app_id, moves[app_id])
        elif step == "x" and open_reservations:
            account.release(open_reservations.pop()[0])

        assert account.units_used <= account.limits.releases_max
        assert account.units_live <= account.units_used
        assert len(account.reservations) == len(open_reservations)
