"""Descriptions of sound files by astropy alone, for tests of what is made from a description."""

from pathlib import Path

from astropy.io import fits

from shared.fits.model import Card, CardValue, ChecksumState, Container, FitsDescription, Hdu, Observation

__all__ = ["describe_plainly"]


def _value(value: object) -> CardValue:
    return value if isinstance(value, bool | int | float | str) else None


def _kind(hdu: object, header: fits.Header) -> str:
    if isinstance(hdu, fits.GroupsHDU):
        return "random-groups"
    if isinstance(hdu, fits.TableHDU):
        return "ascii-table"
    if isinstance(hdu, fits.BinTableHDU):
        return "compressed-image" if header.get("ZIMAGE") is True else "table"
    return "image"


def describe_plainly(path: Path) -> FitsDescription:
    """Describe a sound file; its science HDU is the one that has pixels, else the first."""
    hdus = []
    with fits.open(path, disable_image_compression=True, memmap=False) as file:
        for index, hdu in enumerate(file):
            header, info = hdu.header, hdu.fileinfo()
            kind = _kind(hdu, header)
            compressed = kind == "compressed-image"
            prefix = "Z" if compressed else ""
            axes = tuple(header[f"{prefix}NAXIS{n}"] for n in range(1, header[f"{prefix}NAXIS"] + 1))
            hdus.append(
                Hdu(
                    index=index,
                    kind=kind,
                    name=header.get("EXTNAME", ""),
                    version=None,
                    axes=axes,
                    bitpix=header[f"{prefix}BITPIX"],
                    header_offset=info["hdrLoc"],
                    data_offset=info["datLoc"],
                    data_bytes=hdu.size,
                    checksum=ChecksumState.ABSENT,
                    datasum=ChecksumState.ABSENT,
                    cards=tuple(Card(card.keyword, _value(card.value)) for card in header.cards),
                )
            )
    images = [h.index for h in hdus if "image" in h.kind and h.axes and all(h.axes)]
    science = images[0] if images else 0
    return FitsDescription(
        container=Container.NONE,
        hdus=tuple(hdus),
        science=science,
        header=hdus[science].cards,
        observation=Observation(),
        checksum=ChecksumState.ABSENT,
    )
