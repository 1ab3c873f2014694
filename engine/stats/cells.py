"""One cell of a reply: from Arrow to what JSON can say without losing a digit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
import pyarrow as pa

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FOREVER: Final = 2**63 - 1
"""How DuckDB writes the timestamp 'infinity'."""
_INT64_MAX: Final = 2**63 - 1
_NS_PER_S: Final = 1_000_000_000


def plain(column: pa.Array) -> list[Any]:
    """Return a column's values as Python objects that :func:`encode_row` knows."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        return _timestamps(column)
    if pa.types.is_decimal(kind) and kind.scale == 0:
        return [None if value is None else _integer(value) for value in column.to_pylist()]
    if pa.types.is_nested(kind):
        return [_nested(value) for value in column.to_pylist()]
    return [_odd(value) for value in column.to_pylist()]


def encode_row(values: tuple[Any, ...]) -> bytes:
    """Encode one row as a JSON array; NaN and infinity become null."""
    return _encoder.encode(values)


def _timestamps(column: pa.Array) -> list[str | None]:
    zone = column.type.tz
    if column.type.unit != "us":
        column = column.cast(pa.timestamp("us", tz=zone), safe=False)
    return [
        None if value is None else _timestamp(value, zone) for value in column.cast(pa.int64()).to_pylist()
    ]


def _timestamp(value: int, zone: str | None) -> str:
    if abs(value) >= _FOREVER:
        return "infinity" if value > 0 else "-infinity"
    try:
        moment = _EPOCH + timedelta(microseconds=value)
    except OverflowError:
        return str(value)
    text = moment.replace(tzinfo=None).isoformat(timespec="microseconds")
    return f"{text}Z" if zone else text


def _integer(value: Decimal) -> int | str:
    """Return a HUGEINT as a number where a JSON reader takes it for one."""
    number = int(value)
    return number if abs(number) <= _INT64_MAX else str(number)


def _odd(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    return _duration(value) if isinstance(value, pa.MonthDayNano) else value


def _duration(value: pa.MonthDayNano) -> str:
    """Return an interval as ISO 8601 says it; its three parts are counted apart, as DuckDB does."""
    seconds = f"T{Decimal(value.nanoseconds) / _NS_PER_S:f}S" if value.nanoseconds else ""
    months = f"{value.months}M" if value.months else ""
    days = f"{value.days}D" if value.days else ""
    return f"P{months}{days}{seconds}" if months or days or seconds else "PT0S"


def _nested(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _nested(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_nested(item) for item in value]
    return _odd(value)


_encoder: Final = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
