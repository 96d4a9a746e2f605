"""The generated part of `docs/dictionary.md`: figures, roles, parts, entries by domain, systems, code lists, converters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from schemas.converters.registry import converters
from schemas.dictionary.aliases import System, aliases, systems
from schemas.dictionary.code_lists import code_lists
from schemas.dictionary.entry import Entry
from schemas.dictionary.store import ADDRESS, PERSON, dictionary

MARK = "<!-- generated: lgsp dictionary markdown -->\n"


def tables() -> str:
    """Everything below `MARK`, Markdown."""
    known = dictionary()
    whole = [one for one in known.entries.values() if _is_own(one)]
    parts = [
        f"{MARK}\n## Figures · Số liệu\n\n",
        f"Version {known.version}: {len(whole)} entries, {len(known.entries)} keys with roles and parts, {len(systems())} systems, "
        f"{sum(1 for _ in aliases())} aliases, {len(code_lists())} code lists, {len(converters())} converters.\n",
        "\n## Roles · Vai trò\n\n",
        *_table(("Role", "Vai trò", "Meaning"), ((f"`{one.name}`", one.text.vi, one.text.en) for one in known.roles.values())),
        *_entries(whole),
        "\n## Systems · Hệ thống\n\n",
        *_table(("System", "Hệ thống", "Messages", "Names", "Not told", "Source"), (_system(one) for one in systems().values())),
        "\n## What could not be told · Tên chưa rõ nghĩa\n\n",
        *_table(("System", "Message", "Name", "Why it is not mapped"), _ambiguous()),
        "\n## Code lists · Danh mục mã\n\n",
        *_table(("List", "Danh mục", "Codes", "Source"), _lists()),
        "\n## Converters · Bộ chuyển đổi\n\n",
        *_table(("Converter", "Takes", "Way back", "Loses"), _converters()),
    ]
    return "".join(parts)


def _is_own(one: Entry) -> bool:
    """Whether the entry stands in the data itself: no part, and of persons the one without a role or the first that has it."""
    if one.key.count(".") > 1:
        return False
    if not one.role or one.role == PERSON:
        return True
    name = one.key.partition(".")[2]
    return next(key for key in dictionary().entries if key.endswith(f".{name}") and dictionary().entries[key].role) == one.key


def _entries(whole: list[Entry]) -> Iterator[str]:
    for domain in dict.fromkeys(one.domain for one in whole):
        title = f"`{ADDRESS}`: parts of an address · thành phần địa chỉ" if domain == "dictionary" else f"`{domain}`"
        yield f"\n## {title}\n\n"
        yield from _table(
            ("Key", "Type", "Định nghĩa", "Definition", "Privacy", "Since – until", "Source"),
            (_entry(one) for one in whole if one.domain == domain),
        )


def _entry(one: Entry) -> tuple[str, ...]:
    about = " ".join(filter(None, (str(one.type), f"`{one.code_list}`" if one.code_list else "", one.unit)))
    known = f"{one.since} – {one.until}" if one.since or one.until else ""
    vi, en = one.definition.vi, one.definition.en
    return (f"`{one.key}`", about, _bare(vi, one), _bare(en, one), str(one.privacy), known, one.source)


def _bare(text: str, one: Entry) -> str:
    return text.rpartition(" – ")[0] if one.role == PERSON else text


def _system(one: System) -> tuple[str, ...]:
    names = len(one.names) + len(one.exceptions)
    return (f"`{one.name}`", one.vi, str(len(one.messages)), str(names), str(len(one.ambiguous)), one.source)


def _ambiguous() -> Iterator[tuple[str, ...]]:
    for one in systems().values():
        for (message, name), why in one.ambiguous.items():
            yield f"`{one.name}`", "any" if message == "*" else f"`{message}`", f"`{name}`", why


def _lists() -> Iterator[tuple[str, ...]]:
    for one in code_lists().values():
        codes = "; ".join(f"{code} {label}" + (f" → {one.to[code]}" if code in one.to else "") for code, label in one.codes.items())
        yield f"`{one.name}`", one.vi, codes or "kept by others", one.source


def _converters() -> Iterator[tuple[str, ...]]:
    for one in converters().values():
        yield f"`{one.name}`", one.domain, "yes" if one.backward else "no", one.loss.en if one.loss else "nothing"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _row(heads)
    yield "|" + "---|" * len(heads) + "\n"
    for row in rows:
        yield _row(row)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", "⏎") for cell in cells) + " |\n"
