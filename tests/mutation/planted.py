"""A module to be mutated, its tests, and a hunt over mutants planted by hand.

python -m tests.mutation.planted    prints what became of each
"""

from functools import cache, cached_property, partial

import pytest

from tests.mutation.hunt import Hunter, Verdict, collect
from tests.mutation.mutant import ROOT, Mutant

MODULE = "tests.mutation.planted"


class Basket:
    def __init__(self, *prices: int) -> None:
        self._prices = prices

    @cached_property
    def total(self) -> int:
        return sum(self._prices)

    @property
    def is_empty(self) -> bool:
        return not self._prices

    def reduced(self, percent: int = 10) -> int:
        return self.total * (100 - percent) // 100

    async def first(self) -> int:
        return self._prices[0]


@cache
def fee(total: int) -> int:
    return 0 if total > 50 else 5


def never_called() -> int:
    return 1


def waits(turns: int) -> int:
    while turns > 0:
        turns -= 1
    return turns


BASKET = Basket(20, 30)
assert (BASKET.total, fee(50)) == (50, 5), "both are cached now"


def test_a_basket() -> None:
    assert BASKET.total == 50
    assert not BASKET.is_empty
    assert BASKET.reduced() == 45
    assert fee(40) == 5
    assert fee(60) == 0
    assert waits(3) == 0


async def test_its_first() -> None:
    assert await BASKET.first() == 20


PLANTED = (
    ("Basket.total", "sum(self._prices)", "max(self._prices)"),
    ("Basket.is_empty", "return not self._prices", "return bool(self._prices)"),
    ("Basket.reduced", "percent: int = 10", "percent: int = 11"),
    ("Basket.first", "self._prices[0]", "self._prices[1]"),
    ("fee", "0 if total", "1 if total"),
    ("fee", "total > 50", "total >= 50"),
    ("never_called", "return 1", "return 2"),
    ("waits", "turns -= 1", "turns -= 0"),
)


def planted() -> list[Mutant]:
    text = (ROOT / "tests/mutation/planted.py").read_text()
    return [
        Mutant(MODULE, function, f"{MODULE}:{function}: {old} -> {new}", old, partial(str, changed))
        for function, old, new in PLANTED
        for changed in (text.replace(old, new, 1),)
    ]


def main() -> None:
    def tell(verdict: Verdict) -> None:
        print(verdict.fate.value, verdict.mutant.name.removeprefix(f"{MODULE}:"))

    hunter = Hunter(planted(), tell)
    pytest.main(list(collect(("tests/mutation/planted.py",))), plugins=[hunter])
    assert not hunter.broken, hunter.broken


if __name__ == "__main__":
    from tests.mutation import planted as imported

    imported.main()
