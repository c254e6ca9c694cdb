"""Plans on offer, what they cost, and what a part of a month costs."""

from datetime import UTC, datetime

from contracts.billing.account import Plan, PlanLimits

CURRENCY = "EUR"
PLANS = {
    limits.plan: limits
    for limits in (
        PlanLimits(plan=Plan.FREE, apps_max=5, releases_max=2, members_max=3),
        PlanLimits(plan=Plan.TEAM, apps_max=50, releases_max=20, members_max=25, price_minor=4_900),
        PlanLimits(
            plan=Plan.BUSINESS,
            apps_max=1_000,
            releases_max=500,
            members_max=1_000,
            price_minor=49_900,
        ),
    )
}
"""Every plan on offer, smallest first."""

assert {limits.currency for limits in PLANS.values()} == {CURRENCY}, "one currency for all plans"


def month_of(now: datetime) -> tuple[datetime, datetime]:
    """The calendar month around `now`, in UTC: its beginning, and that of the next."""
    begin = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    year, month = divmod(begin.year * 12 + begin.month, 12)
    return begin, begin.replace(year=year, month=month + 1)


def prorated(price_minor: int, now: datetime) -> int:
    """What the rest of the month costs, to the second; halves are rounded up."""
    begin, end = month_of(now)
    total, rest = int((end - begin).total_seconds()), int((end - now).total_seconds())
    return (2 * price_minor * rest + total) // (2 * total)
