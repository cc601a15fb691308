"""The population is what the benchmark says of it: the same each time, in proportion, and without loose ends."""

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from shared.fits.image_class import classify
from shared.index.record import FrameRecord
from shared.store.naming import basename_of
from tests.population.batch import records
from tests.population.network import IMAGE_TYPES, INSTRUMENTS, SITES
from tests.population.schedule import FIRST_NIGHT, NIGHTS
from tests.population.sky import separation
from tests.population.stream import Population
from tests.population.targets import ABSENT, COUNT, make_targets

FRAMES = 30_000


@pytest.fixture(scope="module")
def frames() -> Sequence[FrameRecord]:
    return [record for batch in Population(FRAMES).batches() for record in records(batch)]


def share(frames: Sequence[FrameRecord], *, of: str) -> float:
    return sum(getattr(frame, of) is not None for frame in frames) / len(frames)


@pytest.mark.parametrize("number", [500, 2000, 33_333])
def test_there_are_as_many_as_asked_for(number: int) -> None:
    batches = list(Population(number).batches())
    assert sum(map(len, batches)) == number
    assert [batch.first_id for batch in batches] == list(np.cumsum([1, *map(len, batches)])[:-1])


def test_fewer_are_refused() -> None:
    with pytest.raises(ValueError, match="500"):
        Population(499)


def test_a_seed_gives_the_same_frames_again() -> None:
    def digest(seed: int) -> str:
        return hashlib.sha256(repr([batch.columns for batch in Population(2000, seed).batches()]).encode()).hexdigest()

    assert digest(1) == digest(1) != digest(2)


@pytest.mark.parametrize("number", [2000, FRAMES])
def test_they_span_ten_years_at_every_site(number: int) -> None:
    nights: dict[object, list[dt.date]] = {}
    for batch in Population(number).batches():
        for site, night in zip(batch.columns["site"], batch.columns["night"], strict=True):
            if night is not None:
                nights.setdefault(site, []).append(night)
    assert set(nights) == {site.code for site in SITES}
    for found in nights.values():
        assert min(found) < FIRST_NIGHT + dt.timedelta(days=200)
        assert max(found) > FIRST_NIGHT + dt.timedelta(days=NIGHTS - 200)


def test_numbers_of_places_and_things(frames: Sequence[FrameRecord]) -> None:
    assert len({frame.site for frame in frames}) == 6
    assert len({frame.telescope for frame in frames}) == 12
    assert len({frame.instrument for frame in frames}) == len(INSTRUMENTS) == 25
    assert len({frame.filter_name for frame in frames} - {None}) == 15
    assert {frame.image_type for frame in frames} == set(IMAGE_TYPES)
    assert len(IMAGE_TYPES) == 8


def test_image_classes_are_those_of_ingest() -> None:
    assert {word: classify(word).value for word in IMAGE_TYPES} == IMAGE_TYPES


def test_weather_leaves_gaps(frames: Sequence[FrameRecord]) -> None:
    nights = {frame.night for frame in frames if frame.site == "coj"}
    assert 0.4 * NIGHTS < len(nights) < 0.85 * NIGHTS


def test_four_in_ten_are_reduced_with_three_links_each(frames: Sequence[FrameRecord]) -> None:
    reduced = [frame for frame in frames if frame.reduction_level]
    assert len(reduced) == 0.4 * FRAMES
    known = {frame.basename: frame for frame in frames}
    assert len(known) == len({frame.key for frame in frames}) == FRAMES
    for frame in reduced:
        assert [link.keyword for link in frame.links] == ["L1BIAS", "L1DARK", "L1FLAT"]
        targets = [known[link.target] for link in frame.links]
        assert [target.image_class for target in targets] == ["bias", "dark", "flat"]
        assert {target.instrument for target in targets} == {frame.instrument}
        assert frame.night is None or all(target.night and target.night <= frame.night for target in targets)
    assert not any(frame.links for frame in frames if not frame.reduction_level)


def test_ids_of_targets_are_those_of_their_names() -> None:
    names: dict[int, str] = {}
    for batch in Population(FRAMES).batches():
        names |= dict(enumerate(batch.columns["basename"], batch.first_id))
        for targets, ids in zip(batch.targets, batch.target_ids, strict=True):
            assert targets == tuple(names[frame_id] for frame_id in ids)


def test_a_reduced_frame_is_its_raw_one_again(frames: Sequence[FrameRecord]) -> None:
    raw = {frame.basename: frame for frame in frames if not frame.reduction_level}
    for frame in frames:
        if frame.reduction_level and frame.origin_name:
            before = raw[basename_of(frame.origin_name)]
            same = ("night", "date_obs", "object_name", "filter_name", "exposure_time", "request_number", "x_binning")
            assert all(getattr(frame, name) == getattr(before, name) for name in same)
            assert frame.last_modified > before.last_modified


def test_names_and_keys(frames: Sequence[FrameRecord]) -> None:
    for frame in frames:
        assert frame.filename == frame.key.rsplit("/", 1)[-1] == f"{frame.basename}.fits.fz"
        assert basename_of(frame.filename) == frame.basename
        folder = frame.key.split("/")
        assert folder[:2] == [frame.site, frame.instrument]
        assert frame.night is None or folder[2] == f"{frame.night:%Y%m%d}"
        assert folder[3] == ("processed" if frame.reduction_level else "raw")
    foreign = sum(frame.basename.count("-") != 4 for frame in frames) / len(frames)
    assert 0.01 < foreign < 0.2


def test_objects_are_named_by_zipf_and_as_people_write() -> None:
    targets = make_targets(2015)
    assert len(set(targets.names)) == COUNT == 5000
    assert not any(ABSENT.lower() in name.lower() for name in targets.names)
    for kind in ("M ", "NGC", "IC", "2MASS", "ZTF", "TYC", "Feige"):
        assert any(name.startswith(kind) for name in targets.names)
    assert any("+" in name for name in targets.names)
    assert any(not name.isascii() for name in targets.names)
    assert any(name.islower() for name in targets.names)
    assert all(name == name.strip() and name.isprintable() and "/" not in name for name in targets.names)


def test_a_few_objects_have_most_frames(frames: Sequence[FrameRecord]) -> None:
    counts = Counter(frame.object_name for frame in frames if frame.object_name)
    assert len(counts) > 1500
    most = sum(count for _, count in counts.most_common(50))
    assert 0.3 < most / counts.total() < 0.8


def test_positions_lie_around_their_object(frames: Sequence[FrameRecord]) -> None:
    targets = make_targets(2015)
    place = {name: number for number, name in enumerate(targets.names)}
    seen = [(frame.ra, frame.dec, place[frame.object_name]) for frame in frames if frame.ra and frame.object_name]
    ra, dec, number = (np.array(column) for column in zip(*seen, strict=True))
    assert ra.min() >= 0.0
    assert ra.max() < 360.0
    arcminutes = 60.0 * separation(ra, dec, targets.ra[number], targets.dec[number])
    assert np.median(arcminutes) < 3.0
    assert arcminutes.max() < 15.0
    for frame in frames:
        assert (frame.ra is None) == (frame.dec is None)
        if frame.image_class in ("bias", "dark", "flat"):
            assert (frame.ra, frame.altitude, frame.object_name) == (None, None, None)


def test_what_is_seen_is_up_at_night(frames: Sequence[FrameRecord]) -> None:
    seen = [frame for frame in frames if frame.altitude is not None]
    assert sum(frame.altitude > 20.0 for frame in seen) > 0.97 * len(seen)  # type: ignore[operator]
    assert all(frame.sun_altitude < -5.0 for frame in seen if frame.sun_altitude is not None)
    assert all(0.0 <= frame.moon_fraction <= 1.0 for frame in seen if frame.moon_fraction is not None)


def test_the_night_is_the_evening_at_the_site(frames: Sequence[FrameRecord]) -> None:
    longitude = {site.code: site.longitude for site in SITES}
    for frame in frames:
        if frame.date_obs is not None:
            assert frame.site is not None
            local = frame.date_obs + dt.timedelta(days=longitude[frame.site] / 360.0)
            assert (local - dt.timedelta(hours=12)).date() == frame.night


def test_headers_leave_things_out(frames: Sequence[FrameRecord]) -> None:
    assert 0.995 < share(frames, of="date_obs") < 1.0
    for name in ("object_name", "filter_name", "ra", "altitude", "focus", "sun_altitude", "proposal_id"):
        assert 0.5 < share(frames, of=name) < 0.99, name
    assert any(frame.date_obs.microsecond % 1000 for frame in frames if frame.date_obs)


def test_exposure_times_are_round_ones_and_others(frames: Sequence[FrameRecord]) -> None:
    times = Counter(frame.exposure_time for frame in frames if frame.image_type == "object")
    assert 0.75 < sum(count for _, count in times.most_common(16)) / times.total() < 0.95
    assert len(times) > 100
    assert {frame.exposure_time for frame in frames if frame.image_type == "bias"} == {0.0}
