"""The service's settings: TRIAGE_* environment variables, then triage.toml, then defaults."""

import ipaddress
import os
import tomllib
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from triage.errors import ConfigurationError

_PREFIX = "TRIAGE_"
_FILE = "triage.toml"


def _keys_folder() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "ticket-triage" / "keys"


class Settings(BaseSettings):
    """Every setting there is; docs/configuration.md tells what each one means."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, toml_file=_FILE, extra="forbid", frozen=True, validate_default=True
    )

    models: Path = Path("models")
    kb: Path | None = None
    keys_dir: Path = Field(default_factory=_keys_folder)
    taxonomy: Path | None = None
    database_url: str = "sqlite:///models/triage.db"
    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(8000, ge=0, le=65535)
    workers: int = Field(1, ge=1, le=64)
    max_body_bytes: int = Field(1024 * 1024, ge=1024)
    max_batch: int = Field(256, ge=1)
    max_subject_chars: int = Field(1000, ge=1)
    max_description_chars: int = Field(20_000, ge=1)
    # 20 s is the longest that any client may hold a half-sent request open.
    request_timeout_s: float = Field(15.0, gt=0, le=20)
    store_queue: int = Field(2000, ge=1)
    article_review_days: int = Field(365, ge=0)
    # triage.handoff.MIN_COMPLETENESS, written again: settings must not wait for what it imports.
    handoff_min_completeness: float = Field(0.5, ge=0, le=1)
    incident_window_minutes: int = Field(60, ge=10, le=24 * 60)
    review_blind_share: float = Field(0.05, ge=0, le=1)
    # 100 years: no date before the calendar's first is ever reckoned with.
    retention_days: int = Field(0, ge=0, le=36_500)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _batch_fits_the_queue(self) -> Self:
        if self.store_queue < self.max_batch:
            raise ValueError("store_queue must be at least max_batch, or no full batch gets in")
        return self

    @property
    def is_loopback(self) -> bool:
        """Whether the service can be reached from this machine alone."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def to_environment(self) -> dict[str, str]:
        """Write the settings as environment variables, for worker processes."""
        values = self.model_dump(mode="json", exclude_none=True)
        return {f"{_PREFIX}{name.upper()}": str(value) for name, value in values.items()}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let arguments win over the environment, and the environment over triage.toml."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(**given: Any) -> Settings:
    """Read the settings; what is given here, and not None, wins over environment and triage.toml.

    Raises
    ------
    ConfigurationError : a value makes no sense, a setting does not exist, or triage.toml is no
        TOML
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise ConfigurationError(_one_line(error)) from error
    except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{_FILE}: not a readable TOML file") from error


def _one_line(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{_FILE}: there is no setting {name}; docs/configuration.md lists them all"
    message = first["msg"].removeprefix("Value error, ")
    if not name:
        return f"settings: {message}"
    return f"setting {name}: {message} ({_PREFIX}{name.upper()}, or {name} in {_FILE})"
