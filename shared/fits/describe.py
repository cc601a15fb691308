"""All that the archive wants to know of one FITS file, in one pass."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from shared.errors import BadDataError
from shared.fits.checksum import overall
from shared.fits.keywords import extended
from shared.fits.lookup import Lookup
from shared.fits.model import Container, FitsDescription
from shared.fits.observation import observe
from shared.fits.science import describing_headers, merged_header, science_hdu
from shared.fits.structure import read_structure

__all__ = ["describe"]

_MAX_NOTES = 50
_NO_SYNONYMS: Mapping[str, Sequence[str]] = {}
_NO_LONGITUDES: Mapping[str, float] = {}


def describe(
    path: Path,
    *,
    container: Container,
    synonyms: Mapping[str, Sequence[str]] = _NO_SYNONYMS,
    site_longitudes: Mapping[str, float] = _NO_LONGITUDES,
) -> FitsDescription:
    """Describe a plain FITS file.

    Parameters
    ----------
    path
        The file, unpacked (see `shared.fits.container.unpacked`). Its name plays no part.
    container
        What it was packed into.
    synonyms
        Keywords to try before those of `shared.fits.keywords.SYNONYMS`, by field.
    site_longitudes
        Degrees east by site, for the night of frames whose headers tell neither night nor longitude.

    Raises
    ------
    FitsError
        The file cannot be indexed; the message says why.
    ValueError
        ``synonyms`` names a field that does not exist.
    """
    table = extended(synonyms)
    structure = read_structure(path)
    science = science_hdu(structure.hdus, table)
    if science.index in structure.damage:
        raise BadDataError(structure.damage[science.index])
    headers = describing_headers(structure.hdus, science)
    notes = (*structure.notes, *structure.damage.values())
    if len(notes) > _MAX_NOTES:
        notes = (*notes[:_MAX_NOTES], f"and {len(notes) - _MAX_NOTES} more notes")
    return FitsDescription(
        container=container,
        hdus=structure.hdus,
        science=science.index,
        header=merged_header(headers),
        observation=observe(Lookup(headers, table), science, site_longitudes),
        checksum=overall([state for hdu in structure.hdus for state in (hdu.checksum, hdu.datasum)]),
        notes=notes,
    )
