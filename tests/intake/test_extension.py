import pytest

from shared.fits.model import Container
from shared.intake.extension import kept_extension
from shared.store.naming import basename_of

NONE, GZIP, BZIP2 = Container.NONE, Container.GZIP, Container.BZIP2


@pytest.mark.parametrize(
    ("filename", "container", "tiled", "extension"),
    [
        ("m51.fits", NONE, False, ".fits"),
        ("m51.FIT", NONE, False, ".FIT"),
        ("m51.fts.gz", GZIP, False, ".fts.gz"),
        ("m51.fits.GZ", GZIP, False, ".fits.GZ"),
        ("m51.fits.bz2", BZIP2, False, ".fits.bz2"),
        ("m51.fits.fz", NONE, True, ".fits.fz"),
        ("m51.fits", NONE, True, ".fits"),
        ("m51.fits.fz", NONE, False, ".fits"),
        ("m51.fits.gz", NONE, False, ".fits"),
        ("m51.fits", GZIP, False, ".fits.gz"),
        ("m51.fits.gz", BZIP2, False, ".fits.bz2"),
        ("m51.fits.Z", NONE, False, ".fits"),
        ("m51", NONE, False, ".fits"),
        ("m51", NONE, True, ".fits.fz"),
        ("", GZIP, False, ".fits.gz"),
        ("m51.fz.fits.txt", NONE, False, ".fits"),
        ("m51.gz", GZIP, False, ".fits.gz"),
        ("../../etc/passwd", NONE, False, ".fits"),
    ],
)
def test_an_extension_is_kept_where_the_bytes_bear_it_out(
    filename: str, container: Container, tiled: bool, extension: str
) -> None:
    assert kept_extension(filename, container, is_tiled=tiled) == extension
    assert basename_of("m51" + extension) == "m51"
