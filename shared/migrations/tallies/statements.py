"""What migration 0008 says to PostgreSQL."""

from shared.migrations.tallies.tables import COMBINED

__all__ = [
    "FILL",
    "FOLD",
    "FUNCTIONS",
    "NO_FUNCTIONS",
    "NO_TRIGGERS",
    "PREPARE",
    "SKY_CELL",
    "TRIGGERS",
    "VIEW",
    "tally_function",
]

_ALL = ", ".join(COMBINED)
VIEW = """
CREATE OR REPLACE VIEW tally_frames AS SELECT
    id,
    combination_id,
    object_id,
    coalesce(date_obs::date - DATE '1970-01-01', -10000000) AS day,
    coalesce(night - DATE '1970-01-01', -10000000) AS night,
    coalesce(
        (extract(year FROM date_obs)::int - 1970) * 12 + extract(month FROM date_obs)::int - 1, -10000000
    ) AS month,
    sky_cell
FROM frames
"""
SKY_CELL = """
CREATE OR REPLACE FUNCTION frames_sky_cell(alpha float8, delta float8) RETURNS int
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    height CONSTANT float8 := 1::float8 / 30;
    zone int := least(greatest(floor((delta + 90) / height), 0), 5399);
    south float8 := -90 + zone * height - 1e-9::float8;
    north float8 := -90 + zone * height + height + 1e-9::float8;
    nearest float8 := CASE WHEN south <= 0 AND 0 <= north THEN 0 ELSE least(abs(south), abs(north)) END;
    cells int := greatest(1, ceil(360 * cos(radians(nearest)) / height));
BEGIN
    RETURN zone * 16384
        + least(floor((CASE WHEN alpha >= 360 THEN alpha - 360 ELSE alpha END) / 360 * cells)::int, cells - 1);
END $$
"""
_SIGNATURE = ", ".join(f"coalesce(to_json(NEW.{name})::text, 'null')" for name in COMBINED)
_VALUES = ", ".join(f"NEW.{name}" for name in COMBINED)
FUNCTIONS = (
    f"""
CREATE OR REPLACE FUNCTION frames_adopt() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted text := '[' || concat_ws(',', {_SIGNATURE}) || ']';
BEGIN
    SELECT id INTO NEW.combination_id FROM combinations WHERE signature = wanted COLLATE "C";
    IF NOT FOUND THEN
        INSERT INTO combinations (signature, {_ALL}, dated, undated) VALUES (wanted, {_VALUES}, 0, 0)
            ON CONFLICT DO NOTHING;
        SELECT id INTO NEW.combination_id FROM combinations WHERE signature = wanted COLLATE "C";
    END IF;
    NEW.object_id := NULL;
    IF NEW.object_name IS NOT NULL THEN
        SELECT id INTO NEW.object_id FROM object_names WHERE name = NEW.object_name;
        IF NOT FOUND THEN
            INSERT INTO object_names (name, folded, dated, undated) VALUES (
                NEW.object_name, coalesce(NEW.object_folded, lower(NEW.object_name)), 0, 0
            )
                ON CONFLICT DO NOTHING;
            SELECT id INTO NEW.object_id FROM object_names WHERE name = NEW.object_name;
        END IF;
    END IF;
    NEW.sky_cell := frames_sky_cell(NEW.ra, NEW.dec);
    RETURN NEW;
END $$
""",  # noqa: S608 - our own names
    """
CREATE OR REPLACE FUNCTION name_parts(name text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT substr(name, i, 3)) FROM generate_series(1, length(name) - 2) AS i
$$
""",
)
_CHANGED = f"({_VALUES}) IS DISTINCT FROM ({_VALUES.replace('NEW.', 'OLD.')})"
TRIGGERS = f"""
CREATE TRIGGER frames_tally AFTER INSERT OR UPDATE OR DELETE ON frames
    FOR EACH ROW EXECUTE FUNCTION frames_tally();
CREATE TRIGGER frames_adopt BEFORE INSERT ON frames
    FOR EACH ROW WHEN (NEW.combination_id IS NULL) EXECUTE FUNCTION frames_adopt();
CREATE TRIGGER frames_adopt_again BEFORE UPDATE ON frames FOR EACH ROW WHEN (
    NEW.combination_id IS NULL
    OR (NEW.combination_id = OLD.combination_id AND {_CHANGED})
    OR (NEW.object_id IS NOT DISTINCT FROM OLD.object_id AND NEW.object_name IS DISTINCT FROM OLD.object_name)
    OR (NEW.sky_cell IS NOT DISTINCT FROM OLD.sky_cell AND (NEW.ra, NEW.dec) IS DISTINCT FROM (OLD.ra, OLD.dec))
) EXECUTE FUNCTION frames_adopt()
"""
NO_TRIGGERS = """
DROP TRIGGER IF EXISTS frames_adopt ON frames;
DROP TRIGGER IF EXISTS frames_adopt_again ON frames;
DROP TRIGGER IF EXISTS frames_tally ON frames
"""
NO_FUNCTIONS = """
DROP INDEX IF EXISTS ix_frames_name_parts;
DROP FUNCTION IF EXISTS frames_adopt(), frames_tally(), name_parts(text), frames_sky_cell(float8, float8)
"""
PREPARE = (
    f"""
INSERT INTO combinations (signature, {_ALL}, dated, undated)
    SELECT '[' || concat_ws(',', {_SIGNATURE.replace("NEW.", "")}) || ']', {_ALL}, 0, 0
    FROM frames WHERE combination_id IS NULL GROUP BY {_ALL} ON CONFLICT DO NOTHING
""",  # noqa: S608
    """
INSERT INTO object_names (name, folded, dated, undated)
    SELECT object_name, max(coalesce(object_folded, lower(object_name))), 0, 0
    FROM frames WHERE combination_id IS NULL AND object_name IS NOT NULL GROUP BY object_name ON CONFLICT DO NOTHING
""",
)
FILL = """
UPDATE frames SET combination_id = NULL WHERE id IN (
    SELECT id FROM frames WHERE id > %s AND id <= %s AND combination_id IS NULL FOR UPDATE SKIP LOCKED
)
"""
"""The update changes nothing by itself: the trigger does."""
_DATED = "coalesce(sum(frames) FILTER (WHERE day <> -10000000), 0)"
_UNDATED = "coalesce(sum(frames) FILTER (WHERE day = -10000000), 0)"
_SUMS = f"{_DATED} AS dated, {_UNDATED} AS undated"
_ADDED = "SET dated = {0}.dated + excluded.dated, undated = {0}.undated + excluded.undated"
FOLD = f"""
SELECT pg_advisory_xact_lock({0x66697475});
WITH gone AS (DELETE FROM tally_changes RETURNING *),
days AS (
    INSERT INTO tally_days (combination_id, day, night, frames) SELECT kind, day, night, sum(frames) FROM (
        SELECT combination_id AS kind, day, night, frames FROM gone WHERE combination_id IS NOT NULL
        UNION ALL SELECT 0, day, night, frames FROM gone
    ) AS every GROUP BY kind, day, night HAVING sum(frames) <> 0
    ON CONFLICT (combination_id, day, night) DO UPDATE SET frames = tally_days.frames + excluded.frames
),
months AS (
    INSERT INTO tally_months (object_id, month, frames) SELECT object_id, month, sum(frames) FROM gone
    WHERE object_id IS NOT NULL AND day <> -10000000 GROUP BY object_id, month
    HAVING sum(frames) <> 0
    ON CONFLICT (object_id, month) DO UPDATE SET frames = tally_months.frames + excluded.frames
),
pairs AS (
    INSERT INTO tally_pairs (object_id, combination_id, dated, undated) SELECT object_id, combination_id, {_SUMS}
    FROM gone WHERE object_id IS NOT NULL AND combination_id IS NOT NULL GROUP BY object_id, combination_id
    ON CONFLICT (object_id, combination_id) DO UPDATE {_ADDED.format("tally_pairs")}
),
sky AS (
    INSERT INTO tally_sky (cell, dated, undated) SELECT sky_cell, {_SUMS} FROM gone
    WHERE sky_cell IS NOT NULL GROUP BY sky_cell
    ON CONFLICT (cell) DO UPDATE {_ADDED.format("tally_sky")}
),
kinds AS (
    UPDATE combinations AS held SET dated = held.dated + more.dated, undated = held.undated + more.undated
    FROM (SELECT combination_id, {_SUMS} FROM gone GROUP BY combination_id) AS more WHERE held.id = more.combination_id
)
UPDATE object_names AS held SET dated = held.dated + more.dated, undated = held.undated + more.undated
FROM (SELECT object_id, {_SUMS} FROM gone GROUP BY object_id) AS more WHERE held.id = more.object_id
"""  # noqa: S608


def tally_function(*, counts_all: bool) -> str:
    """Return the function that writes down what comes and goes: of all frames, or of those with a combination."""
    counted = "TRUE" if counts_all else "{}.combination_id IS NOT NULL"
    return _TALLY.replace("{old}", counted.format("OLD")).replace("{new}", counted.format("NEW"))


_TALLY = """
CREATE OR REPLACE FUNCTION frames_tally() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    rows frames[];
    signs int[];
    i int;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (OLD.combination_id, OLD.object_id, OLD.date_obs, OLD.night, OLD.sky_cell)
            IS NOT DISTINCT FROM (NEW.combination_id, NEW.object_id, NEW.date_obs, NEW.night, NEW.sky_cell)
        THEN
            RETURN NULL;
        END IF;
    END IF;
    IF TG_OP <> 'INSERT' AND {old} THEN
        rows := array_append(rows, OLD);
        signs := array_append(signs, -1);
    END IF;
    IF TG_OP <> 'DELETE' AND {new} THEN
        rows := array_append(rows, NEW);
        signs := array_append(signs, 1);
    END IF;
    FOR i IN 1 .. coalesce(array_length(rows, 1), 0) LOOP
        INSERT INTO tally_changes (combination_id, object_id, day, night, month, sky_cell, frames) VALUES (
            rows[i].combination_id,
            rows[i].object_id,
            coalesce(rows[i].date_obs::date - DATE '1970-01-01', -10000000),
            coalesce(rows[i].night - DATE '1970-01-01', -10000000),
            coalesce(
                (extract(year FROM rows[i].date_obs)::int - 1970) * 12 + extract(month FROM rows[i].date_obs)::int - 1,
                -10000000
            ),
            rows[i].sky_cell,
            signs[i]
        );
    END LOOP;
    RETURN NULL;
END $$
"""
