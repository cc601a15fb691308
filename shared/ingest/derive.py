"""One look into a FITS file: its row, and the derived objects that belong to it."""

import json
from dataclasses import dataclass, replace

from shared.fits.catalog import render_catalog
from shared.fits.container import unpacked
from shared.fits.describe import describe
from shared.fits.document import headers_document
from shared.fits.preview import render_previews
from shared.index.record import FrameRecord
from shared.ingest.mapping import to_record
from shared.settings import Settings
from shared.store.fetch import FetchedObject
from shared.store.model import ObjectState
from shared.store.naming import CATALOG, HEADERS, PREVIEW_LARGE, PREVIEW_SMALL, derived_key

__all__ = ["DerivedObject", "Reading", "read_frame"]


@dataclass(frozen=True, slots=True)
class DerivedObject:
    """One object of the derived bucket."""

    key: str
    data: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one look into a FITS file leaves behind."""

    record: FrameRecord
    derived: tuple[DerivedObject, ...]


def read_frame(state: ObjectState, fetched: FetchedObject, settings: Settings) -> Reading:
    """Read the fetched object; FitsError if it is none that can be indexed."""
    with unpacked(fetched.path, work_dir=fetched.folder, limit=settings.max_unpacked_bytes) as (path, container):
        description = describe(
            path,
            container=container,
            synonyms=settings.keyword_synonyms,
            site_longitudes=settings.site_longitudes,
        )
        previews = render_previews(path, description)
        catalog = render_catalog(path, description)
    notes = previews.notes + catalog.notes
    record = to_record(state, fetched, description, data_mean=previews.data_mean, notes=notes)
    record = replace(record, catalog_rows=catalog.rows)
    headers = json.dumps(headers_document(description), allow_nan=False).encode()
    derived = [
        DerivedObject(derived_key(record.digest, HEADERS), headers, "application/json"),
        DerivedObject(derived_key(record.digest, PREVIEW_SMALL), previews.small, "image/png"),
        DerivedObject(derived_key(record.digest, PREVIEW_LARGE), previews.large, previews.large_type),
    ]
    if catalog.csv is not None:
        derived.append(DerivedObject(derived_key(record.digest, CATALOG), catalog.csv, "text/comma-separated-values"))
    return Reading(record, tuple(derived))
