"""The suite: keys in every spelling that a store takes."""

import unicodedata
from typing import ClassVar

from botocore.exceptions import ClientError

from shared.simulator import simulate_frame
from tests.stores.stored import StoredArchive

__all__ = ["Keys"]

ODD = (
    "a blank.fits",
    "  blanks  .fits",
    "plus+sign.fits",
    "a+b c+d.fits",
    "100%.fits",
    "percent%20encoded.fits",
    "slash%2Fencoded.fits",
    "plus%2Bencoded.fits",
    "twice%252Fencoded.fits",
    "a=b&c=d.fits",
    "question?mark#hash.fits",
    "quote'\"<>|.fits",
    "tilde~!$()*,;:@[]{}^`.fits",
    "(M 51)_10.0s_IRCUT.fit",
    "Light_ḿ51_ÅÄÖ_光.fits",
    unicodedata.normalize("NFC", "café/é.fits"),
    unicodedata.normalize("NFD", "café/é.fits"),
    "galaxy🌌.fits",
    "UPPER/lower.FITS",
    "upper/LOWER.fits",
    "no-extension",
    "dots...in..name.fits",
    ".hidden/.frame.fits",
    "deep/" + "d/" * 40 + "x.fits",
    "long-" + "x" * 180 + ".fits",
)

UNSURE = ("two//slashes.fits", "/leading.fits", "back\\slash.fits", "tab\there.fits")
"""Keys that some store changes or refuses; what it keeps must be a frame under the key that it lists."""


class Keys:
    """Each spelling is an object, a frame under exactly that key, and can be taken away again."""

    refused: ClassVar[tuple[str, ...]] = ()
    """Keys of ``UNSURE`` that this store refuses."""

    def test_every_spelling_comes_and_goes(self, stored: StoredArchive) -> None:
        data = simulate_frame().data
        odd = [f"keys/{name}" for name in ODD]
        stored.put_many([(key, data) for key in odd])
        refused = [name for name in UNSURE if not self.is_taken(stored, f"keys/{name}", data)]
        assert tuple(refused) == self.refused
        contents = stored.agree(deep=True)
        assert {key for key in odd if key in contents.frames} == set(odd)
        listed = [key for key in contents.objects if key.startswith("keys/")]
        assert len(listed) == len(ODD) + len(UNSURE) - len(refused)
        assert set(listed) <= set(contents.frames)
        for key in listed:
            stored.delete(key)
        after = stored.agree()
        assert [key for key in (*after.objects, *after.frames) if key.startswith("keys/")] == []

    @staticmethod
    def is_taken(stored: StoredArchive, key: str, data: bytes) -> bool:
        try:
            stored.put(key, data)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 400:
                raise
            return False
        return True
