"""The query parameters of lists, for the OpenAPI document. `shared.index.parameters` is what reads them."""

from typing import Any

from shared.index.selection import MAX_LIMIT, SORT_COLUMNS

__all__ = ["FILTER_PARAMETERS", "LIST_PARAMETERS", "query_parameter"]


def query_parameter(name: str, description: str, **schema: Any) -> dict[str, Any]:
    """Return the description of an optional query parameter; ``schema`` is JSON Schema, by default a string."""
    return {"name": name, "in": "query", "description": description, "schema": {"type": "string"} | schema}


FILTER_PARAMETERS = [
    query_parameter("IMAGETYPE", "Exactly this type, as OBSTYPE shows it."),
    query_parameter("SITE", "Exactly this SITEID."),
    query_parameter("TELESCOPE", "Exactly this TELID."),
    query_parameter("INSTRUMENT", "Exactly this INSTRUME."),
    query_parameter("FILTER", "Exactly this filter; `None`: frames without filter keyword."),
    query_parameter("binning", "As in `2x2`."),
    query_parameter("RLEVEL", "Exactly this reduction level.", type="integer"),
    query_parameter("OBJECT", "Part of the object's name, in any case."),
    query_parameter("basename", "Part of the file name, in any case."),
    query_parameter("EXPTIME", "Exposed for at least so many seconds.", type="number"),
    query_parameter("night", "`2024-01-15`, `2024-1-15` or `20240115`."),
    query_parameter("REQNUM", "Exactly this request number."),
    query_parameter("OBSNUM", "Exactly this observation number."),
    query_parameter("start", "Not before this time; UTC unless it has an offset."),
    query_parameter("end", "Not after this time."),
    query_parameter("RA", "With DEC: near this right ascension, in degrees or `hh:mm:ss`."),
    query_parameter("DEC", "With RA: near this declination, in degrees or `dd:mm:ss`."),
    query_parameter("radius", "How near, in arcminutes.", type="number", default=10),
    query_parameter("undated", "`true`: also frames without any date.", type="boolean", default=False),
]
"""What chooses frames; empty or `ALL` is no filter, of a repeated one the last counts."""

LIST_PARAMETERS = [
    query_parameter("limit", "Frames on the page.", type="integer", default=MAX_LIMIT, minimum=0, maximum=MAX_LIMIT),
    query_parameter("offset", "Frames before the page.", type="integer", default=0, minimum=0),
    query_parameter("sort", "Column to sort by; ties by id.", enum=sorted(SORT_COLUMNS), default="DATE_OBS"),
    query_parameter("order", "`asc` or `desc`.", enum=["asc", "desc"], default="asc"),
    query_parameter(
        "cursor",
        "Walk any number of frames: empty for the first page, then `next` of the page before, with the same `sort` and "
        "`order`. `offset` means nothing then, and `count` is of the walk's beginning.",
    ),
    *FILTER_PARAMETERS,
]
"""What chooses, sorts and pages frames."""
