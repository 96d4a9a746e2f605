"""Whether the course of a dossier can have been so: states that go back, states that hide others, steps that nobody took.

The graph of states is inference [G §2.3], the rewriting of states and the synthetic step were read in sender code [C §2.4, items 2 and 7].
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from schemas.dvcqg.codes import State, code_list, is_regression, may_follow
from schemas.dvcqg.findings import step
from schemas.dvcqg.progress import CHUNK
from schemas.dvcqg.shape import Shape
from schemas.errors import Violation, warning
from schemas.honesty.history import Statement, Taken, accepted_codes, past_statements, past_steps, statements, steps
from schemas.honesty.signs import signs


def states_in_order(message: Shape, history: Sequence[Shape]) -> Iterator[Violation]:
    """States of a dossier that may not follow one another: dossiers against dossiers, steps against steps."""
    last: dict[str, State] = {}
    for before in past_statements(history):
        _remember(last, before.dossier.MaHoSo, before.dossier.state)
    for one in statements(message):
        yield from _moved(last, one.dossier.MaHoSo, one.dossier.state, step(one.pointer, "TrangThaiHoSo"))
    last = {}
    for earlier in past_steps(history):
        _remember(last, earlier.step.MaHoSo, earlier.step.state)
    for taken in steps(message):
        if not signs().is_synthetic(taken.step.NoiDungXuLy):
            yield from _moved(last, taken.step.MaHoSo, taken.step.state, step(taken.pointer, "TrangThai"))


def rewritten_states(message: Shape) -> Iterator[Violation]:
    """9 "processing finished" where something else is the case: states 5, 6 and 8 are sent so by a known sender."""
    for one in statements(message):
        if one.dossier.state is State.DONE:
            reason = _unfinished(one)
            if reason:
                yield warning(
                    "honesty-state-rewritten", path=step(one.pointer, "TrangThaiHoSo"), got=f"9, but {reason}", expected="5, 6 or 8"
                )
    for taken in steps(message):
        hidden = signs().hidden_state(taken.step.NoiDungXuLy) if taken.step.state is State.DONE else ""
        if hidden:
            got = f"9, but: {taken.step.NoiDungXuLy}"
            yield warning("honesty-state-rewritten", path=step(taken.pointer, "TrangThai"), got=got, expected=f"{hidden} {_name(hidden)}")


def synthetic_steps(message: Shape) -> Iterator[Violation]:
    """Steps that software put in."""
    for taken in steps(message):
        if signs().is_synthetic(taken.step.NoiDungXuLy):
            got = taken.step.NoiDungXuLy
            yield warning("honesty-synthetic-step", path=step(taken.pointer, "NoiDungXuLy"), got=got, expected="steps that somebody took")


def shifted_steps(message: Shape, history: Sequence[Shape]) -> Iterator[Violation]:
    """Signs of chunks cut from a list by the indexes of another: a synthetic step at the head of a chunk, and steps sent twice."""
    sent = {_sameness(one) for one in past_steps(history)}
    here = steps(message)
    for n, taken in enumerate(here):
        same = _sameness(taken)
        if same in sent:
            yield warning("honesty-index-shift", path=taken.pointer, got="a step that was sent before", expected="each step once")
        elif n == 0 and len(here) >= CHUNK and signs().is_synthetic(taken.step.NoiDungXuLy):
            got = f"a synthetic step at the head of {len(here)}"
            yield warning(
                "honesty-index-shift", path=taken.pointer, got=got, expected="each real step once: the last one of each chunk may be lost"
            )
        sent.add(same)


def progress_before_dossier(message: Shape, history: Sequence[Shape], *, complete: bool) -> Iterator[Violation]:
    """Steps of a dossier that was not reported before, or whose report was not accepted [C §2.2, item 4].

    Where the history is not `complete`, only a report that was refused proves it.
    """
    here = steps(message)
    if not here:
        return
    accepted = accepted_codes(history)
    refused = {one.dossier.MaHoSo for one in past_statements(history)} - accepted
    for code, taken in {one.step.MaHoSo: one for one in reversed(here)}.items():
        if code in refused or (complete and code not in accepted):
            got = f"{code} {'was refused' if code in refused else 'was not reported'}"
            yield warning(
                "honesty-progress-before-sync", path=step(taken.pointer, "MaHoSo"), got=got, expected="DongBoHoSoMC accepted first"
            )


def _remember(last: dict[str, State], code: str, state: State | None) -> None:
    if state is not None:
        last[code.strip()] = state


def _moved(last: dict[str, State], code: str, state: State | None, place: str) -> Iterator[Violation]:
    before = last.get(code.strip())
    if before is not None and state is not None and not may_follow(before, state):
        got = f"{int(before)} {_name(before)} → {int(state)} {_name(state)}"
        if is_regression(before, state):
            yield warning("honesty-state-regression", path=place, got=got, expected="a state that lies ahead")
        else:
            yield warning("honesty-state-jump", path=place, got=got, expected="a state that may follow")
    _remember(last, code, state)


def _unfinished(one: Statement) -> str:
    """Why a dossier in state 9 does not look finished, "" where it does."""
    dossier = one.dossier
    if any(not again.is_answered for again in dossier.DanhSachHoSoBoSung):
        return "a supplement is still awaited"
    ended = dossier.NgayKetThucXuLy.strip() or dossier.NgayTra.strip()
    if not ended and not dossier.DanhSachGiayToKetQua:
        return "there is neither an end nor a result"
    return ""


def _sameness(taken: Taken) -> tuple[str, ...]:
    one = taken.step
    return (one.MaHoSo, one.ThoiDiemXuLy, one.TrangThai, one.NoiDungXuLy, one.NguoiXuLy)


def _name(state: State | str) -> str:
    return code_list("dvcqg/TrangThaiHoSo").codes[str(int(state))].vi
