"""Ids of combinations, names of objects and shapes of basenames for many frames: some statements for all of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shared.index import combinations
from shared.index.combinations import COMBINED, signature
from shared.index.models import Combination, NameShape, ObjectName
from shared.index.shapes import name_shape

__all__ = ["ManyIds"]

_Values = Mapping[str, Any]


class ManyIds:
    """What `shared.index.combinations.ids_of` finds for one frame, for many; each is asked for once."""

    def __init__(self, session: Session) -> None:
        self._combinations = _Known(session, Combination, "signature")
        self._objects = _Known(session, ObjectName, "name")
        self._shapes = _Known(session, NameShape, "shape", most=combinations.MOST_SHAPES)

    def of(self, rows: Sequence[_Values]) -> list[dict[str, int | None]]:
        """Return the columns of each row that say what it is counted with; what is new is made."""
        keys = [(signature(row), row["object_name"], name_shape(row["basename_folded"])) for row in rows]
        self._combinations.learn(
            {combined: {name: row[name] for name in COMBINED} for (combined, *_), row in zip(keys, rows, strict=True)}
        )
        self._objects.learn(
            {
                name: {"folded": row["object_folded"]}
                for (_, name, _), row in zip(keys, rows, strict=True)
                if name is not None
            }
        )
        self._shapes.learn({shape: {} for *_, shape in keys if shape is not None})
        return [
            {
                "combination_id": self._combinations.ids[combined],
                "object_id": self._objects.ids.get(name),
                "shape_id": self._shapes.ids.get(shape),
            }
            for combined, name, shape in keys
        ]


class _Known:
    """Rows of one table by their unique text."""

    def __init__(
        self,
        session: Session,
        model: type[Combination | ObjectName | NameShape],
        unique: str,
        *,
        most: int | None = None,
    ) -> None:
        self.ids: dict[str | None, int | None] = {}
        self._session = session
        self._model = model
        self._unique = unique
        self._most = most

    def learn(self, wanted: Mapping[str, _Values]) -> None:
        """Know the ids of texts; rows that are not there are made, in order, so that two who do so do not tangle."""
        new = wanted.keys() - self.ids.keys()
        if not new:
            return
        self._find(new)
        missing = sorted(new - self.ids.keys())[: self._room()]
        if missing:
            rows = [{self._unique: text, "dated": 0, "undated": 0, **wanted[text]} for text in missing]
            module = postgresql if self._session.get_bind().dialect.name == "postgresql" else sqlite
            statement = module.insert(self._model.__table__).on_conflict_do_nothing()
            self._session.connection().execute(statement, rows)
            self._find(missing)
        self.ids.update(dict.fromkeys(new - self.ids.keys()))

    def _find(self, texts: Iterable[str]) -> None:
        column = getattr(self._model, self._unique)
        found = self._session.execute(select(column, self._model.id).where(column.in_(list(texts))))
        self.ids |= {row[0]: row[1] for row in found}

    def _room(self) -> int | None:
        if self._most is None:
            return None
        return max(0, self._most - (self._session.scalar(select(func.max(self._model.id))) or 0))
