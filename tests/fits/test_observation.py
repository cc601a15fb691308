"""The archive's fields from headers of every kind of software and observatory that was surveyed."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.fits.keywords import SYNONYMS, extended
from shared.fits.lookup import Lookup
from shared.fits.model import Card, CardValue, ImageClass, Observation, Relation, SkyPosition
from shared.fits.observation import observe
from shared.fits.structure import read_structure
from tests.fits.builders import card, described, image, observed, table, wcs, write
from tests.fits.test_values import ANY_VALUE

NIGHT = dt.date(2015, 12, 16)
OBJCT = [card("OBJCTRA", "10 00 00"), card("OBJCTDEC", "+02 00 00")]
RA_MNT = [card("RA_MNT", 100.0), card("DEC_MNT", 0.887)]
UT = card("UT", "19:47:32.1")
OLD_DATE = "DATE    = '04/07/88' / [old format] UTC date of exposure start"


def sky(position: SkyPosition | None) -> tuple[float, float] | None:
    return None if position is None else (round(position.ra, 6), round(position.dec, 6))


def test_a_raw_frame_of_lco(tmp_path: Path) -> None:
    found = observed(
        tmp_path,
        card("SITEID", "cpt"),
        card("SITE", "LCOGT node at SAAO"),
        card("TELID", "1m0a"),
        card("TELESCOP", "1m0-12"),
        card("INSTRUME", "fl10"),
        card("OBSTYPE", "EXPOSE"),
        card("OBJECT", "M 31"),
        card("FILTER1", "air"),
        card("FILTER", "ip"),
        card("EXPTIME", 15.0),
        card("DATE-OBS", "2015-12-16T18:20:48.907"),
        card("DAY-OBS", "20151216"),
        card("CCDSUM", "2 2"),
        card("RLEVEL", 91),
        card("PROPID", "pointing"),
        card("REQNUM", "UNSPECIFIED"),
        card("L1PUBDAT", "2016-12-19T18:22:15"),
        card("ORIGNAME", "cpt1m012-fl10-20151216-0073-e00.fits"),
        card("L1IDBIAS", "N/A"),
        card("L1IDFLAT", "flat_kb70_20151222"),
        card("RA", "01:24:11.435", "[HH:MM:SS.sss] RA where telescope is pointing"),
        card("DEC", "-32:22:57.34"),
        card("CAT-RA", "01:00:00"),
        card("CAT-DEC", "-30:00:00"),
        card("ALTITUDE", 89.8, "[deg] Altitude axis position"),
        card("AZIMUTH", 59.5),
        card("FOCPOSN", 0.0008),
        card("SUNALT", -8.1),
        card("SUNDIST", 98.2),
        card("MOONALT", 38.2),
        card("MOONFRAC", 0.37),
        card("MOONDIST", 52.0),
        axes=(4, 3, 1),
    )
    assert sky(found.position) == (21.047646, -32.382594)
    assert found == Observation(
        site="cpt",
        telescope="1m0a",
        instrument="fl10",
        image_type="EXPOSE",
        image_class=ImageClass.OBJECT,
        object_name="M 31",
        filter_name="ip",
        exposure_time=15.0,
        night=NIGHT,
        date_obs=dt.datetime(2015, 12, 16, 18, 20, 48, 907000),
        x_binning=2,
        y_binning=2,
        reduction_level=91,
        proposal_id="pointing",
        public_date=dt.datetime(2016, 12, 19, 18, 22, 15),
        origin_name="cpt1m012-fl10-20151216-0073-e00.fits",
        position=found.position,
        altitude=89.8,
        azimuth=59.5,
        focus=0.0008,
        sun_altitude=-8.1,
        sun_distance=98.2,
        moon_altitude=38.2,
        moon_fraction=0.37,
        moon_distance=52.0,
        width=4,
        height=3,
        relations=(Relation("L1IDFLAT", "flat_kb70_20151222"),),
    )


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        # pyobs
        ([card("TEL-RA", 0.0), card("TEL-DEC", -12.5), card("RA", "01:00:00"), card("DEC", "+01:00:00")], (0.0, -12.5)),
        # MaxIm DL, INDI
        ([card("OBJCTRA", "20 34 56"), card("OBJCTDEC", "+60 07 15")], (308.733333, 60.120833)),
        ([card("OBJCTRA", " 1 26 34.08"), card("OBJCTDEC", "69 15 09.22")], (21.642, 69.252561)),
        # SGP, Seestar, Gemini, ESO
        ([card("RA", 193.04166, "Object Right Ascension in degrees"), card("DEC", 40.970556)], (193.04166, 40.970556)),
        # DWARF
        ([card("RA", 5.5, "[h] Observe object RA"), card("DEC", -5.4, "[deg] Observe object DEC")], (82.5, -5.4)),
        ([card("RA", 0.0, "[h] Observe object RA"), card("DEC", 0.0, "[deg]")], None),
        # N.I.N.A. without a telescope
        ([card("OBJCTRA", "00 00 00"), card("OBJCTDEC", "+00 00 00")], None),
        # PixInsight: numbers as strings
        ([card("RA", "193.04166"), card("DEC", "40,970556")], (193.04166, 40.970556)),
        # MRO, Swope, SAAO
        ([card("RA", "7:20:26.05"), card("DEC", "28:58:25.60")], (110.108542, 28.973778)),
        ([card("RA", " 03:02:30.1"), card("DEC", "-34:23:35.9"), card("RA-D", 1.0)], (45.625417, -34.393306)),
        # HST, PANOPTES, Subaru
        ([card("RA_TARG", 182.63625), card("DEC_TARG", 39.4059)], (182.63625, 39.4059)),
        ([card("RA-MNT", 301.56439), card("DEC-MNT", 44.456875), *RA_MNT], (301.56439, 44.456875)),
        ([card("RA-MNT", None), card("DEC-MNT", None), *RA_MNT], (100.0, 0.887)),
        ([card("RA2000", "10:00:00"), card("DEC2000", "+02:00:00")], (150.0, 2.0)),
        # nonsense, then sense
        ([card("RA", "NaN"), card("DEC", "NaN"), *OBJCT], (150.0, 2.0)),
        ([card("RA", 10.0), card("DEC", 91.0)], None),
        ([card("RA", -1.0), card("DEC", 5.0)], (359.0, 5.0)),
        ([card("RA", 360.0), card("DEC", 5.0)], (0.0, 5.0)),
        # requested positions come last
        ([card("CAT-RA", "10:00:00"), card("CAT-DEC", "+02:00:00")], (150.0, 2.0)),
        ([card("CAT-RA", "10:00:00"), card("CAT-DEC", "+02:00:00"), *wcs(10.0, 20.0)], (10.0, 20.0)),
        # FK4 only where it is clear
                ([card("RA", "00:00:00"), card("DEC", "+10:00:00"), card("EPOCH", 1975.3)], (0.0, 10.0)),
        ([card("RA", "00:00:00"), card("DEC", "+10:00:00"), card("EPOCH", 2022.7), card("EQUINOX", 2000)], (0.0, 10.0)),
    ],
)  # fmt: skip
def test_position(tmp_path: Path, cards: list[str], expected: tuple[float, float] | None) -> None:
    assert sky(observed(tmp_path, *cards).position) == (expected and pytest.approx(expected, abs=2e-6))


@pytest.mark.parametrize("system", [card("EPOCH", 1950.0), card("EQUINOX", "B1950"), card("RADECSYS", "FK4")])
def test_a_position_of_b1950_is_turned_to_icrs(tmp_path: Path, system: str) -> None:
    found = observed(tmp_path, card("RA", "12:26:33.246"), card("DEC", "+02:19:43.29"), system).position
    assert sky(found) == pytest.approx((187.2779155, 2.0523883), abs=1e-4)  # 3C 273


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        (["CCDSUM  = '2 2'"], (2, 2)),
        ([card("XBINNING", 3), card("YBINNING", 2)], (3, 2)),
        ([card("XBINNING", 3)], (3, 3)),
        (["BINNING = '2*2'"], (2, 2)),
        (["BINNING = '1x1'"], (1, 1)),
        ([card("CCDXBIN", 2), card("CCDYBIN", 2)], (2, 2)),
        ([card("DET-BIN1", 2), card("DET-BIN2", 4)], (2, 4)),
        ([card("BINAXIS1", 2), card("BINAXIS2", 2)], (2, 2)),
        ([card("ESO DET WIN1 BINX", 2), card("ESO DET WIN1 BINY", 1)], (2, 1)),
        (["CCDSUM  = 'N/A'", card("XBINNING", 2), card("YBINNING", 2)], (2, 2)),
        ([card("XBINNING", 0), card("YBINNING", 0)], (None, None)),
        ([card("XBINNING", 10**9)], (None, None)),
        ([], (None, None)),
    ],
)
def test_binning(tmp_path: Path, cards: list[str], expected: tuple[int | None, int | None]) -> None:
    found = observed(tmp_path, *cards)
    assert (found.x_binning, found.y_binning) == expected


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ([card("DATE-OBS", "2014-01-01"), card("UTC-OBS", "16:09:32.07")], "2014-01-01T16:09:32.070000"),
        ([card("DATE-OBS", "2017-01-01"), UT, card("UTSTART", "19:47:37.07")], "2017-01-01T19:47:37.070000"),
        ([card("DATE-OBS", "2013-07-13"), card("UT", "00:57:33"), card("MJD-OBS", 56486.0)], "2013-07-13T00:57:33"),
        ([card("DATE-OBS", "2011/09/22"), card("TIME-OBS", "05:00:00.454")], "2011-09-22T05:00:00.454000"),
        ([card("DATE-OBS", "2008-03-01"), card("UT", 84223.5, "[s] since midnight")], "2008-03-01T23:23:43.500000"),
        ([card("DATE-OBS", "2014-01-01"), card("MJD-OBS", 56658.5)], "2014-01-01T12:00:00"),
        ([card("DATE-OBS", "2014-01-01"), card("MJD-OBS", 56600.5)], "2014-01-01T00:00:00"),
        ([card("DATE-OBS", "2014-01-01"), card("TIME-OBS", "2014-01-01T10:00:00")], "2014-01-01T10:00:00"),
        ([card("DATE-OBS", "04/07/18"), card("TIME-OBS", "14:03:03"), card("JD", 2458304.085)], "2018-07-04T14:03:03"),
        ([card("DATE-OBS", "04/07/88"), card("TIME-OBS", "14:03:03")], "1988-07-04T14:03:03"),
        ([card("DATE-OBS", "0000-00-00T00:00:00"), card("MJD-OBS", 56658.25)], "2014-01-01T06:00:00"),
        ([card("JD", 2456658.75)], "2014-01-01T06:00:00"),
        ([card("DATE_OBS", "2014-01-01T06:00:00")], "2014-01-01T06:00:00"),
        ([card("CAMERA-DATE-OBS", "2018-09-17T21:04:46")], "2018-09-17T21:04:46"),
        ([OLD_DATE, card("UT", "14:03:03")], "1988-07-04T14:03:03"),
        ([card("DATE", "2014-01-01T06:00:00", "Date this file was written")], None),
        ([card("DATE-LOC", "2014-01-01T06:00:00")], None),
        ([card("DATE-OBS", "")], None),
    ],
)  # fmt: skip
def test_start(tmp_path: Path, cards: list[str], expected: str | None) -> None:
    found = observed(tmp_path, *cards).date_obs
    assert (found.isoformat() if found else None) == expected


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ([card("DAY-OBS", "20151216")], "2015-12-16"),
        ([card("DAY-OBS", "2015-12-16")], "2015-12-16"),
        ([card("NIGHT", "24Sep2022")], "2022-09-24"),
        ([], "2014-01-02"),
        ([card("LONGITUD", 20.8)], "2014-01-01"),
        ([card("SITELONG", "149 03 52")], "2014-01-02"),
        ([card("SITELONG", "-64 32 56")], "2014-01-01"),
        ([card("LONGITUD", 289.2)], "2014-01-01"),
        ([card("SITELONG", "+110:52:39.0", "LONGITUDE, DEGREES WEST OF ZERO")], "2014-01-01"),
        ([card("OBSGEO-X", -4646000.0), card("OBSGEO-Y", 2553000.0)], "2014-01-02"),
        ([card("SITEID", "ogg")], "2014-01-01"),
        ([card("LONG-OBS", None), card("SITEID", "coj")], "2014-01-02"),
    ],
)
def test_night(tmp_path: Path, cards: list[str], expected: str) -> None:
    path = write(tmp_path, image(card("DATE-OBS", "2014-01-02T06:00:00"), *cards))
    (hdu,) = read_structure(path).hdus
    found = observe(Lookup([hdu.cards], SYNONYMS), hdu, {"ogg": -156.3, "coj": 149.1})
    assert str(found.night) == expected


@pytest.mark.parametrize(
    ("cards", "word", "kind"),
    [
        (["IMAGETYP= 'Light Frame'"], "Light Frame", ImageClass.OBJECT),
        (["IMAGETYP= 'object'"], "object", ImageClass.OBJECT),
        (["OBSTYPE = 'EXPOSE'"], "EXPOSE", ImageClass.OBJECT),
        (["OBSTYPE = 'STANDARD'"], "STANDARD", ImageClass.OBJECT),
        (["OBSTYPE = 'SKYFLAT'"], "SKYFLAT", ImageClass.FLAT),
        (["IMAGETYP= 'Flat Field'"], "Flat Field", ImageClass.FLAT),
        (["OBSTYPE = 'LAMPFLAT'"], "LAMPFLAT", ImageClass.FLAT),
        (["IMAGETYP= 'zero'"], "zero", ImageClass.BIAS),
        (["IMAGETYP= 'Bias Frame'"], "Bias Frame", ImageClass.BIAS),
        (["IMAGETYP= 'Master Dark'"], "Master Dark", ImageClass.DARK),
        (["IMAGETYP= 'DARKFLAT'"], "DARKFLAT", ImageClass.DARK),
        (["OBSTYPE = 'SPECTRUM'"], "SPECTRUM", ImageClass.SPECTRUM),
        (["OBSTYPE = 'ARC'"], "ARC", ImageClass.SPECTRUM),
        (["IMAGETYP= 'focus'"], "focus", ImageClass.FOCUS),
        (["OBSTYPE = 'EXPERIMENTAL'"], "EXPERIMENTAL", ImageClass.OTHER),
        (["FRAME   = 'Light'"], "Light", ImageClass.OBJECT),
        (["FRAME   = 'FK5'"], None, ImageClass.OTHER),
        (["OBSTYPE = 'IMAGING'"], None, ImageClass.OTHER),
        (["OBSTYPE = 'IMAGING'", "IMAGETYP= 'EXT'"], "EXT", ImageClass.OTHER),
        (["DATA-TYP= 'OBJECT'"], "OBJECT", ImageClass.OBJECT),
        (["HIERARCH ESO DPR TYPE = 'FLAT,LAMP'"], None, ImageClass.FLAT),
        (["CALFRAME= 'MasterFlat' / of Astro Pixel Processor"], None, ImageClass.FLAT),
        ([], None, ImageClass.OTHER),
    ],
)
def test_type_and_class(tmp_path: Path, cards: list[str], word: str | None, kind: ImageClass) -> None:
    found = observed(tmp_path, *cards)
    assert (found.image_type, found.image_class) == (word, kind)


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        (["FILTER  = 'u'''"], "u'"),
        (["FILTER  = 'None'"], None),
        (["FILTERS = 48"], "48"),
        (["FILTER  = '2 1'"], "2 1"),
        (["FILTER  = '<NO FILTER>'", "FILTER01= 'HSC-i2'"], "HSC-i2"),
        (["FILTER1 = 'CLEAR1L'", "FILTER2 = 'F814W'"], "F814W"),
        (["FILTER1 = 'air'", "FILTER2 = 'NOTPRESENT'"], "air"),
        (["FILTER  ="], None),
    ],
)
def test_filter(tmp_path: Path, cards: list[str], expected: str | None) -> None:
    assert observed(tmp_path, *cards).filter_name == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("EXPTIME = 15", 15.0),
        ("EXPOSURE= 30. / [s]", 30.0),
        ("EXP     = 15. / [s] Sub Exposure Time", 15.0),
        ("EXPTIME = '15,5'", 15.5),
        ("EXPTIME = 500 / [ms]", 0.5),
        ("EXPOSURE= 65.0 / Exposure time minutes", 3900.0),
        ("EXPTIME = 0", 0.0),
        ("EXPTIME = -1", None),
        ("EXPTIME = NaN", None),
    ],
)
def test_exposure_time(tmp_path: Path, text: str, expected: float | None) -> None:
    assert observed(tmp_path, text).exposure_time == expected


def test_ids_become_strings_and_the_height_of_a_site_is_no_altitude(tmp_path: Path) -> None:
    texts = ["PROPOSID= 7215", "REQNUM  = 0000123", "OBSNUM  = '42'", "ALTITUDE= 50.0 / [m] of the site"]
    found = observed(tmp_path, *texts)
    assert (found.proposal_id, found.request_number, found.observation_number) == ("7215", "123", "42")
    assert found.altitude is None


def test_relations_of_pyobs_and_lco(tmp_path: Path) -> None:
    keys = ["L1RAW", "L1BIAS", "L1AVG001", "L1RAW002", "L1IDMASK", "L1ID2D", "L1PUBDAT", "L1MEAN", "L1DARK"]
    values = ["raw.fits", "bias.fits", "a.fits", "b", "mask", "two-d", "2016-01-01", "12.5", "N/A"]
    found = observed(tmp_path, *(card(key, value) for key, value in zip(keys, values, strict=True)))
    assert [relation.keyword for relation in found.relations] == keys[:6]
    assert [relation.name for relation in found.relations] == values[:6]


@pytest.mark.parametrize("word", ["BIAS", "dark", "SKYFLAT", "ARC"])
def test_no_footprint_and_no_wcs_position_of_what_shows_no_sky(tmp_path: Path, word: str) -> None:
    found = observed(tmp_path, card("IMAGETYP", word), *wcs())
    assert (found.footprint, found.position) == (None, None)


@pytest.mark.parametrize("word", ["object", "", "EXT", "focus", "SPECTRUM"])
def test_footprint_of_what_may_show_sky(tmp_path: Path, word: str) -> None:
    found = observed(tmp_path, card("IMAGETYP", word), *wcs(10.0, 0.0, scale=1e-3))
    assert [sky(corner) for corner in found.footprint or ()] == [
        (10.002, -0.0015),
        (9.998, -0.0015),
        (9.998, 0.0015),
        (10.002, 0.0015),
    ]


def test_the_wcs_of_a_primary_without_pixels_is_no_footprint(tmp_path: Path) -> None:
    found = described(tmp_path, image(*wcs(), axes=(0, 0)), image("EXTNAME = 'SCI'", extension=True)).observation
    assert found.footprint is None
    assert (found.width, found.height) == (4, 3)


def test_a_null_word_of_the_science_header_gives_way_to_the_primary(tmp_path: Path) -> None:
    primary = image("FILTER  = 'R'", "OBJECT  = 'M 31'", axes=())
    science = image("FILTER  = 'UNKNOWN'", "OBJECT  = 'M 33'", extension=True)
    found = described(tmp_path, primary, science).observation
    assert (found.filter_name, found.object_name) == ("R", "M 33")


def test_users_keywords_come_first_and_unknown_fields_are_told() -> None:
    synonyms = extended({"telescope": ["telescop"], "position": ["MY-RA/MY-DEC"]})
    assert synonyms["telescope"] == ("TELESCOP", "TELID")
    assert synonyms["position"][:2] == ("MY-RA/MY-DEC", "TEL-RA/TEL-DEC")
    with pytest.raises(ValueError, match="no field 'telescop'"):
        extended({"telescop": ["TELESCOP"]})
    with pytest.raises(ValueError, match="needs pairs"):
        extended({"position": ["RA"]})


EVERY_KEYWORD = sorted({name for names in SYNONYMS.values() for pair in names for name in pair.split("/")})


@given(
    st.dictionaries(st.sampled_from([*EVERY_KEYWORD, "L1RAW", "EQUINOX", "RADESYS", "OBSGEO-X", "OBSGEO-Y"]), ANY_VALUE)
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
def test_any_values_fill_the_fields_or_leave_them(tmp_path: Path, values: dict[str, CardValue]) -> None:
    (hdu,) = read_structure(write(tmp_path, image(*wcs()))).hdus
    cards = tuple(Card(keyword, value, "[h]") for keyword, value in values.items())
    found = observe(Lookup([cards], SYNONYMS), hdu, {})
    assert found.position is None or (0 <= found.position.ra < 360 and -90 <= found.position.dec <= 90)
    assert found.date_obs is None or 1849 < found.date_obs.year < 2102


def test_a_table_has_neither_width_nor_footprint(tmp_path: Path) -> None:
    found = described(tmp_path, image(axes=()), table(*wcs(), card("DATE-OBS", "2014-01-01T00:00:00"))).observation
    assert (found.width, found.height, found.footprint) == (None, None, None)
    assert found.date_obs is not None
