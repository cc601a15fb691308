"""The extension that an uploaded file keeps."""

import re

from shared.fits.model import Container

__all__ = ["kept_extension"]

_EXTENSION = re.compile(r"(?P<fits>\.(?:fits?|fts))?(?P<tiled>\.fz)?(?P<packed>\.(?:gz|bz2|z))?$", re.IGNORECASE)
_PACKED = {Container.NONE: "", Container.GZIP: ".gz", Container.BZIP2: ".bz2"}


def kept_extension(filename: str, container: Container, *, is_tiled: bool) -> str:
    """Return the extension of an upload as its sender wrote it, but for what its bytes do not bear out.

    Cameras name files ``.fits.gz`` that they send unpacked: a download under that name could not be opened.

    >>> kept_extension("m51.fit.gz", Container.NONE, is_tiled=False)
    '.fit'
    """
    match = _EXTENSION.search(filename)
    fits, tiled, packed = (match["fits"], match["tiled"], match["packed"]) if match else (None, None, None)
    if not is_tiled:
        tiled = ""
    elif not fits:
        tiled = tiled or ".fz"
    right = _PACKED[container]
    return f"{fits or '.fits'}{tiled or ''}{packed if packed and packed.lower() == right else right}"
