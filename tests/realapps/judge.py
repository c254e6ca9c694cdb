"""What is judged of a rename through the product: the files afterwards, and what was said of it."""

import io
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from services.studio.appsmith import App, Entity, ImportRefused, Kind, parse
from tests.realapps.doors import Outcome, Place
from tests.realapps.foretold import Foreteller
from tests.realapps.referee import Referee
from tests.realapps.renames import Auditor


@dataclass(frozen=True, slots=True)
class Done:
    """A rename: what was said dry, and what was said when it was made. `texts`: texts that are its
    name were to change, too."""

    entity: Entity
    dry: Outcome
    said: Outcome
    texts: bool = False


class Judge:
    """Judges renames to `new`, which stands nowhere in the app."""

    def __init__(self, app: App, referee: Referee, new: str) -> None:
        self._files, self._counts = app.files, app.counts
        self._new = new
        self._auditor = Auditor(app, referee)
        self._foreteller = Foreteller(app)

    def invalid(self, files: Mapping[str, bytes]) -> str:
        """Why a tree is no app, or not one of as many entities of each kind."""
        try:
            counts = parse(files).counts
        except ImportRefused as refused:
            return str(refused)
        return "" if counts == self._counts else f"other entities: {counts}"

    def judge(
        self,
        done: Done,
        files: Mapping[str, bytes],
        pages: Collection[str],
        entities: Mapping[str, Entity],
    ) -> dict[str, list[str]]:
        """What is wrong, by figure. `pages`: those that have a rename in `files`; of the other ones
        the source is taken, since they are judged for their own. `entities`: those that the
        product's ids name."""
        others = tuple(f"pages/{page}/" for page in pages if page != done.entity.page)
        mine = {path: body for path, body in files.items() if not path.startswith(others)}
        mine |= {path: body for path, body in self._files.items() if path.startswith(others)}
        return {
            "wrong": self._auditor.audit(mine, done.entity, self._new, mentions=done.texts),
            "dry run, different": self._foretold(done, mine, entities) + self._texts(done),
        }

    def _texts(self, done: Done) -> list[str]:
        """Texts that functions take for the name must all be listed; where they were asked for,
        they are among the changes."""
        if done.texts or done.entity.kind is Kind.SCRIPT_FUNCTION:
            return []
        listed, count = len(done.dry.mentions), self._auditor.mentioned(done.entity)
        return [] if listed == count else [f"{listed} texts that are the name, not {count}"]

    def _foretold(
        self, done: Done, files: Mapping[str, bytes], entities: Mapping[str, Entity]
    ) -> list[str]:
        dry, said = done.dry, done.said
        if replace(dry, revision_id=None) != replace(said, revision_id=None, version=dry.version):
            return ["the dry run's list is another one than the rename's"]
        if dry.more:
            return ["the list is cut"]
        if dry.revision_id is not None or said.revision_id is None:
            return [f"revisions: dry {dry.revision_id}, made {said.revision_id}"]
        places: list[tuple[Entity, Place]] = []
        for place in dry.changes:
            entity = entities.get(place.entity_id)
            if entity is None:
                return [f"the list names what is not there: {place.entity_id}"]
            places.append((entity, place))
        return self._foreteller.differences(files, done.entity.name, self._new, places)


def unzipped(archive: bytes) -> dict[str, bytes]:
    """Files by path."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}
