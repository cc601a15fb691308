"""From what a FITS file tells and what its object is, to the index's row: pure."""

from dataclasses import asdict

from shared.fits.model import FitsDescription
from shared.index.record import FrameRecord, LinkRecord
from shared.store.fetch import FetchedObject
from shared.store.model import ObjectState
from shared.store.naming import basename_of, derived_digest

__all__ = ["to_record"]

_TOLD_OTHERWISE = frozenset({"position", "footprint", "relations", "image_class", "reduction_level"})


def to_record(
    state: ObjectState,
    fetched: FetchedObject,
    description: FitsDescription,
    *,
    data_mean: float | None,
    notes: tuple[str, ...],
) -> FrameRecord:
    """Return the row of one object. ``notes`` are what the preview met, after those of the description."""
    observation = description.observation
    fields = {name: value for name, value in asdict(observation).items() if name not in _TOLD_OTHERWISE}
    position, footprint = observation.position, observation.footprint
    filename = state.key.rsplit("/", 1)[-1]
    return FrameRecord(
        bucket=state.bucket,
        key=state.key,
        version_id=state.version_id,
        etag=state.etag,
        size=state.size,
        last_modified=state.last_modified,
        crc32=fetched.crc32,
        sha256=fetched.sha256,
        digest=derived_digest(state),
        filename=filename,
        basename=basename_of(filename),
        image_class=observation.image_class.value,
        reduction_level=observation.reduction_level or 0,
        ra=position.ra if position else None,
        dec=position.dec if position else None,
        footprint=tuple((corner.ra, corner.dec) for corner in footprint) if footprint else None,
        data_mean=data_mean,
        hdu_count=len(description.hdus),
        hdu_kinds=tuple(hdu.kind for hdu in description.hdus),
        science_hdu=description.science,
        container=description.container.value,
        checksum=description.checksum.value,
        notes=description.notes + notes,
        links=tuple(dict.fromkeys(LinkRecord(r.keyword, basename_of(r.name)) for r in observation.relations)),
        **fields,
    )
