"""`python -m ops.configuration`: write docs/configuration.md from the declarations in serving/settings.py."""

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from serving.settings import Settings

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"
INTRODUCTION = """# Configuration

What the service can be told, by environment variables that are read once at start. A value that cannot be used stops it there,
with a sentence that names the variable; an empty variable counts as none. Lists stand between blanks or commas.

On AWS these are set by `serverless.yml` from its parameters ([deploying](deploying.md)); in a container and on a laptop by you.
This page is made by `make docs` from the declarations in `serving/settings.py`.
"""
OTHERS = """
Read by libraries, and so by every part of this project: `AWS_REGION`, `AWS_PROFILE`, `AWS_ENDPOINT_URL` and what else
[boto3](https://boto3.amazonaws.com/v1/documentation/api/latest/guide/configuration.html) knows, and `TMPDIR`, which says where the
temporary directory is. Models and uploads in Azure Blob Storage and Google Cloud Storage take their credentials from the variables that
[platforms](platforms.md#the-image) names.
"""


def page() -> str:
    rows = ["| variable | meaning | unit | default |", "| --- | --- | --- | --- |"]
    rows += [_row(field) for field in msgspec.structs.fields(Settings)]
    return "\n".join([INTRODUCTION, *rows, OTHERS])


def _row(field: msgspec.structs.FieldInfo) -> str:
    kind, declared = field.type.__origin__, field.type.__metadata__[0]
    choices = f" One of {', '.join(f'`{choice}`' for choice in get_args(kind))}." if get_origin(kind) is Literal else ""
    default = declared.extra["default"] or _written(field.default)
    return f"| `{field.encode_name}` | {declared.description}{choices} | {declared.extra['unit']} | {default} |"


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "`yes`" if value else "`no`"
    return f"`{value}`" if value or value == 0 else ""


if __name__ == "__main__":
    PAGE.write_text(page())
