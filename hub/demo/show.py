"""What people see of the demo: progress, the table of expected and actual outcomes, the evidence. Plain where it is not a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import ASCII2, ROUNDED
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.demo.play import Outcome, Step

if TYPE_CHECKING:
    from hub.demo.stage import Stage

PLAIN_WIDTH = 160  # where nobody tells how wide a line may be
YES, NO = "ĐẠT / OK", "SAI / FAIL"


class Screen:
    """Writes to the terminal, or nothing at all when a machine reads (`quiet`)."""

    def __init__(self, *, quiet: bool = False) -> None:
        console = Console(highlight=False, quiet=quiet)
        self._terminal = console.is_terminal
        self.console = console if self._terminal else Console(highlight=False, quiet=quiet, width=PLAIN_WIDTH, no_color=True)

    def stage(self, stage: Stage) -> None:
        """Who takes part, and how they are reached."""
        self.say(f"Hub: {stage.url}", f"documentation at {stage.url}/api/v1/docs, WSDL at {stage.url}/soap/v1?wsdl")
        for name, one in stage.simulators.items():
            self.say(f"{name}: {stage.way_to(name)} – {one.url}", one.module)
        if stage.bus != "AMQP":
            self.say(
                "Không có máy chủ AMQP dùng được tại 127.0.0.1:5672: phần mềm chuyên ngành nói REST.",
                "No usable AMQP broker at 127.0.0.1:5672: the line-of-business system speaks REST.",
            )

    def failed(self, text: str) -> None:
        """The stage could not be set."""
        Console(stderr=True, highlight=False).print(Text(f"Bản trình diễn không chạy được / the demo cannot go on:\n{text}", "red"))

    def result(self, outcomes: Sequence[Outcome], evidence: Mapping[str, Any], seconds: float) -> None:
        """The table, the evidence, the last line."""
        self._table(outcomes)
        self._evidence(evidence)
        self._verdict(outcomes, seconds)

    def keep(self, stage: Stage, first: str, good: Path, bad: Path) -> None:
        """What to try while everything goes on serving: `first` is the id of a message, `good` and `bad` are packets."""
        home, bearer = stage.home.path, "curl -H 'Authorization: Bearer {}'"
        send = f"{bearer.format(stage.api_keys['motcua'])} -H 'Content-Type: application/xml' {stage.url}/api/v1/messages --data-binary"
        lines = [f"  {name:<12} {text}" for name, text in stage.api_keys.items()]
        for told, *commands in (
            ("hộp thư của phường / the ward's mailbox", f"{bearer.format(stage.api_keys['hopthu'])} {stage.url}/api/v1/inbox"),
            ("trạng thái một thông điệp / one message", f"{bearer.format(stage.api_keys['motcua'])} {stage.url}/api/v1/messages/{first}"),
            ("gửi một gói tin / send a packet", f"{send} @{good}"),
            ("gửi gói tin đã bị sửa / send one that was changed", f"{send} @{bad}"),
            ("kiểm tra chữ ký / verify its signature", f"lgsp verify {good} --trust {home}/trust"),
            ("mô tả dịch vụ SOAP / the SOAP service", f"curl '{stage.url}/soap/v1?wsdl'"),
            ("nhật ký / the journal", f"lgsp log fsck --home {home}", f"lgsp log prove {first} --open --home {home}"),
        ):
            lines += ["", f"# {told}", *commands]
        self._heading("Hub vẫn chạy; Ctrl-C để dừng. Khóa API", "The hub goes on serving; Ctrl-C ends it. API keys")
        self.console.print("\n".join(lines), markup=False, soft_wrap=True)
        self.console.print(Text(f"\nThư mục còn lại sau khi dừng / the folder that stays: {home.parent}"), soft_wrap=True)

    def say(self, vi: str, en: str) -> None:
        """One line of progress."""
        self.console.print(Text.assemble((f"• {vi}", ""), (f"  {en}", "dim")), soft_wrap=True)

    def begin(self, number: int, total: int, step: Step) -> None:
        """A step is about to be tried; on a terminal its line is finished by `end`."""
        if self._terminal:
            self.console.print(Text(f"{number:>3}/{total} … {step.vi}"), end="\r", overflow="ellipsis", no_wrap=True)

    def end(self, number: int, total: int, outcome: Outcome) -> None:
        """How the step ended."""
        mark = ("✓", "green") if outcome.ok else ("✗", "bold red")
        line = Text.assemble(
            f"{number:>3}/{total} ", mark, f" {outcome.step.vi}  ", (outcome.step.en, "dim"), (f"  {outcome.seconds:.1f} s", "dim")
        )
        self.console.print(line, soft_wrap=True)
        if not outcome.ok:
            self.console.print(
                Text(f"        mong đợi / expected: {outcome.step.expected}\n        thực tế / actual:    {outcome.actual}", "red")
            )

    def _table(self, outcomes: Sequence[Outcome]) -> None:
        """Expected beside actual."""
        table = Table(
            box=ROUNDED if self._terminal else ASCII2, show_lines=True, title="Kết quả mong đợi và thực tế / Expected and actual outcomes"
        )
        table.add_column("#", justify="right")
        table.add_column("Bước / Step", ratio=5)
        table.add_column("Mong đợi / Expected", ratio=4)
        table.add_column("Thực tế / Actual", ratio=4)
        table.add_column("", no_wrap=True)
        for number, outcome in enumerate(outcomes, 1):
            verdict = Text(YES, "green") if outcome.ok else Text(NO, "bold red")
            step = Text.assemble(outcome.step.vi, "\n", (outcome.step.en, "dim"))
            table.add_row(str(number), step, Text(outcome.step.expected), Text(outcome.actual), verdict)
        self.console.print(table)

    def _evidence(self, evidence: Mapping[str, Any]) -> None:
        """The receipt, its inclusion proof and what was checked of them."""
        if "receipt" in evidence:
            self._heading("Biên nhận đã ký của bước 1", "The signed receipt of step 1")
            self.console.print(_json(evidence["receipt"]), markup=False, soft_wrap=True)
        if "proof" in evidence:
            self._heading("Bằng chứng nằm trong nhật ký", "Its proof of inclusion in the journal")
            self.console.print(_json(_shortened(evidence["proof"])), markup=False, soft_wrap=True)
        if "inclusion" in evidence:
            self._heading("Kiểm tra độc lập", "Independent check")
            self.console.print(Text(f"✓ {evidence['inclusion']}"), soft_wrap=True)
        if "fsck" in evidence:
            self._heading("Kiểm tra toàn bộ nhật ký (lgsp log fsck)", "Check of the whole journal (lgsp log fsck)")
            self.console.print(Text(_fsck(evidence["fsck"])), soft_wrap=True)

    def _verdict(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        """The last line."""
        wrong = sum(not outcome.ok for outcome in outcomes)
        vi = f"{len(outcomes)} bước, {'tất cả như mong đợi' if not wrong else f'{wrong} bước sai'}"
        en = f"{len(outcomes)} steps, {'all as expected' if not wrong else f'{wrong} wrong'}"
        self.console.print(Text(f"\n{vi} / {en}  ({seconds:.1f} s)", "bold red" if wrong else "bold green"))

    def _heading(self, vi: str, en: str) -> None:
        self.console.print(Text(f"\n{vi} / {en}", "bold"))


def _json(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)


def _shortened(proof: Mapping[str, Any]) -> dict[str, Any]:
    """The proof without the disclosed values, which fill a page; `--json` has them."""
    shown = {name: value for name, value in proof.items() if name != "opening"}
    if "opening" in proof:
        shown["opening"] = f"… ({len(proof['opening'])} giá trị / values)"
    return shown


def _fsck(report: Mapping[str, Any]) -> str:
    checked = ", ".join(f"{count} {name}" for name, count in report.get("checked", {}).items())
    found = "nguyên vẹn / intact" if report.get("intact") else f"{report.get('found')} khác biệt / differences"
    return f"{report.get('origin')}: {found} – {checked}; root {report.get('root')}"
