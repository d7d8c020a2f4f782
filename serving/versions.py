"""Which version of the model serves: the one its address names, unless that one cannot prove itself.

A version that is incomplete, corrupt, made for other code or off on its golden images is refused, and whoever watches is told;
what served before goes on serving. It knows how versions are chosen, not when anybody looks.
"""

from collections.abc import Callable

from model.classifier import Classifier
from model.errors import ModelError
from model.store import Address, Place
from serving.journal import Journal

STAND_INS = 5  # versions before the named one that are tried, while requests wait


class Versions:
    """The versions at an address, loaded by `load`, with a journal that hears of refusals."""

    def __init__(self, address: Address, load: Callable[[Place], Classifier], journal: Journal) -> None:
        self._address, self._load, self._journal = address, load, journal
        self._refused: dict[int, ModelError] = {}  # a version never changes, so neither does what is wrong with it

    def first(self) -> Classifier:
        """Load the version that is named, or else the last good one before it. Raises ModelError or StoreError."""
        faults = []
        for place in self._address.places()[: 1 + STAND_INS]:
            try:
                return self._load(place)
            except ModelError as error:
                self._refuse(place, error)
                faults.append(error)
        raise faults[0]

    def newer(self, current: Classifier) -> Classifier:
        """Return the version that is named now, loaded, if it is another than `current` and nothing is wrong with it."""
        try:
            named = self._address.places()[0]
            return current if named.version == current.version else self._proven(named, current)
        except Exception as error:  # noqa: BLE001 - whatever happens, what serves goes on serving
            self._journal.failed({"model": self._address.name}, error)
            return current

    def _proven(self, named: Place, current: Classifier) -> Classifier:
        try:
            if named.version in self._refused:
                raise self._refused[named.version].with_traceback(None)
            return self._load(named)
        except ModelError as error:
            self._refuse(named, error)  # at every look: the alarm rings for as long as this version is named
            return current

    def _refuse(self, place: Place, error: ModelError) -> None:
        self._refused[place.version] = error
        self._journal.refused({"model": place.name, "version": place.version}, error)
