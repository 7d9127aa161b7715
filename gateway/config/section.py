"""What the models of all configuration files share: the strict table, and types that several of them use."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gateway.config.values import Duration, wrong

MB: Final = 10**6


class Section(BaseModel):
    """A table of the configuration: unknown keys are faults, nothing is converted silently, nothing changes."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True
    )


def _between(low: timedelta, high: timedelta, words: str) -> AfterValidator:
    def check(value: timedelta) -> timedelta:
        if not low <= value <= high:
            raise wrong(f"a duration from {words}")
        return value

    return AfterValidator(check)


_SECOND, _MINUTE, _HOUR, _DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Poll = Annotated[Duration, _between(_SECOND, _DAY, "1s to 1d")]
Patience = Annotated[Duration, _between(_SECOND, 7 * _DAY, "1s to 7d")]
Timeout = Annotated[Duration, _between(_SECOND, 30 * _MINUTE, "1s to 30m")]
Quiet = Annotated[Duration, _between(timedelta(milliseconds=100), _HOUR, "100ms to 1h")]
Days = Annotated[Duration, _between(_HOUR, 3650 * _DAY, "1h to 3650d")]
Language = Literal["fr", "en"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
Chosen = Field(strict=False)
