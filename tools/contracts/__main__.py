"""python -m tools.contracts write | verify | gate | release VERSION"""

import sys

from contracts.catalogue import CONTRACTS
from tools.contracts.files import stale, write
from tools.contracts.gate import faults, release, released


def main(arguments: list[str]) -> int:
    """The exit code: 0 when all is well."""
    match arguments:
        case ["write"]:
            for path in write(CONTRACTS):
                print(f"wrote contracts/{path}")
            return _gate()
        case ["verify"]:
            return _verify()
        case ["gate"]:
            return _gate()
        case ["release", version]:
            if _verify() or _gate():
                return 1
            print(f"released {release(version, CONTRACTS)}")
            return 0
    print((__doc__ or "").strip(), file=sys.stderr)
    return 2


def _verify() -> int:
    behind = stale(CONTRACTS)
    for path in behind:
        print(f"contracts/{path} is not current: run `make contracts`", file=sys.stderr)
    return 1 if behind else 0


def _gate() -> int:
    versions = released()
    found = faults(CONTRACTS, versions)
    for fault in found:
        print(fault, file=sys.stderr)
    if found:
        print(f"{len(found)} breaking changes", file=sys.stderr)
        return 1
    compared = f"compared with {', '.join(versions)}" if versions else "nothing is released yet"
    print(f"{len(CONTRACTS)} contracts: compatible ({compared})")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
