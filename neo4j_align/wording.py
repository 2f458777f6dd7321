"""What pydantic finds wrong with an align.toml, in plain words."""

from __future__ import annotations

import json

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_LONGEST = 60  # characters of a wrong value that are shown
_WORDS = {  # by the beginning of pydantic's name for an error
    "missing": "is missing",
    "extra_forbidden": "is not known, correct or remove it",
    "value_error": "{error}",
    "literal_error": "{given} is not {expected}",
    "greater_than_equal": "{given} is less than {ge:g}",
    "greater_than": "{given} is not more than {gt:g}",
    "less_than_equal": "{given} is more than {le:g}",
    "less_than": "{given} is not less than {lt:g}",
    "int_": "{given} is no whole number",
    "float_": "{given} is no number",
    "bool_": "{given} is neither true nor false",
    "string_too_short": "is empty",
    "string_": "{given} is no text",
    "tuple_": "{given} is no list",
    "model_": "{given} is no table",
}
_PLAIN = frozenset({"str", "int", "bool"})  # at the end of a place: what a value might have been, an error for each


def problems(error: ValidationError) -> list[str]:
    """Say plainly what is wrong with a document, and where."""
    return list(dict.fromkeys(_said(item) for item in error.errors()))


def _said(item: ErrorDetails) -> str:
    words = next((words for kind, words in _WORDS.items() if item["type"].startswith(kind)), "{given} does not fit")
    place = [str(part) for part in item["loc"]]
    if place and place[-1] in _PLAIN and item["type"] != "extra_forbidden":
        words = "{given} is neither text nor a whole number, true or false"
        place.pop()
    given = json.dumps(item["input"], ensure_ascii=False, default=str)
    given = given if len(given) <= _LONGEST else given[:_LONGEST] + "…"
    return f"{'.'.join(place) or 'top level'}: {words.format(given=given, **item.get('ctx', {}))}"
