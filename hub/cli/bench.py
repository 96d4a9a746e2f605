"""`lgsp bench`: from bytes to receipt, validation and verification, each beside what it cannot do without, in one run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(invoke_without_command=True, help="Đo chi phí. / Measure what things cost.")


@app.callback()
def command(
    context: typer.Context,
    rounds: Annotated[int, typer.Option(min=1, max=100, help="số vòng / rounds")] = 7,
    packets: Annotated[int, typer.Option(min=1, max=10_000, help="số gói tin mỗi vòng / packets a round")] = 100,
    json_output: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Đo chi phí tiếp nhận so với các phép tính gốc. / Measure acceptance beside its raw primitives."""
    if context.invoked_subcommand is not None:
        return
    from hub.bench import run

    figures = run(rounds, packets).as_json()
    if json_output:
        print(json.dumps(figures))
        return
    print(f"{figures['packets']:.0f} signed packets of {figures['packet_bytes']:.0f} bytes, medians of {rounds} rounds\n")
    print(f"{'':28}{'CPU µs':>9}{'× raw':>8}{'wall µs':>10}{'× raw':>8}")
    print(f"{'raw primitives + fdatasync':28}{figures['raw_cpu_us']:>9.0f}{1:>8.2f}{figures['raw_wall_us']:>10.0f}{1:>8.2f}")
    for name, title in (("one_by_one", "accept, one by one"), ("at_once", "accept, many at once")):
        cpu, wall = figures[f"{name}_cpu_us"], figures[f"{name}_wall_us"]
        print(f"{title:28}{cpu:>9.0f}{figures[f'{name}_cpu_ratio']:>8.2f}{wall:>10.0f}{figures[f'{name}_wall_ratio']:>8.2f}")
    print(f"\n{figures['at_once_per_s']:.0f} receipts/s in this process")


@app.command("validate")
def validate_command(
    rounds: Annotated[int, typer.Option(min=1, max=1000, help="số vòng / rounds")] = 15,
    packets: Annotated[int, typer.Option(min=1, max=10_000, help="số gói tin mỗi vòng / packets a round")] = 100,
    json_output: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Đo chi phí kiểm tra gói tin so với lược đồ XSD thuần. / Measure validation beside the bare schema."""
    from hub.bench_validate import run

    figures = run(rounds, packets)
    if json_output:
        print(json.dumps(figures.as_json()))
        return
    print(f"medians of {rounds} rounds of {packets} packets, CPU µs per packet\n")
    print(f"{'':16}{'bytes':>8}{'parse + XSD':>13}{'validation':>12}{'ratio':>8}")
    for name, one in figures.kinds.items():
        print(f"{name:16}{one.packet_bytes:>8}{one.bare_us:>13.0f}{one.validate_us:>12.0f}{one.ratio:>8.2f}")
    grown = f"+{figures.stream_peak_bytes / 1e6:.1f} MB" if figures.stream_peak_bytes >= 0 else "memory unknown"
    print(f"\n{figures.large_bytes / 1e6:.1f} MB in a stream: {figures.stream_cpu_s:.2f} s CPU, {grown}")


@app.command("verify")
def verify_command(
    rounds: Annotated[int, typer.Option(min=1, max=1000, help="số vòng / rounds")] = 15,
    packets: Annotated[int, typer.Option(min=1, max=10_000, help="số gói tin mỗi vòng / packets a round")] = 100,
    json_output: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Đo chi phí kiểm tra chữ ký so với các phép tính gốc. / Measure verification beside its raw primitives."""
    from hub.bench_verify import run

    figures = run(rounds, packets)
    if json_output:
        print(json.dumps(figures.as_json()))
        return
    print(f"a signed packet of {figures.packet_bytes} bytes, medians of {rounds} rounds of {packets}, CPU\n")
    print(f"{'canonical forms, digest, RSA':36}{figures.raw_us:>7.0f} µs{1:>8.2f} ×")
    print(f"{'signature, steps 1 to 6':36}{figures.signature_us:>7.0f} µs{figures.signature_ratio:>8.2f} ×")
    print(f"{'verdict, with path and revocation':36}{figures.verdict_us:>7.0f} µs{figures.verdict_ratio:>8.2f} ×")
    print(f"\n{figures.large_bytes / 1e6:.1f} MB: signature {figures.large_ratio:.2f} ×, +{figures.large_peak_bytes / 1e6:.1f} MB")


@app.command("log")
def log_command(
    appended: Annotated[int, typer.Option(min=1, max=10_000_000, help="số mục ghi thêm / entries to append")] = 50_000,
    batch: Annotated[int, typer.Option(min=1, max=100_000, help="số mục mỗi giao dịch / entries a transaction")] = 1_000,
    size: Annotated[int, typer.Option(min=1, max=100_000_000, help="kích thước nhật ký để chứng minh / the log to prove from")] = 1_000_000,
    proofs: Annotated[int, typer.Option(min=1, max=100_000)] = 300,
    json_output: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Đo ghi nhật ký và lập bằng chứng. / Measure appending to the journal, and proving from a long one."""
    from hub.bench_log import run

    figures = run(appended, batch, size, proofs)
    if json_output:
        print(json.dumps(figures.as_json()))
        return
    print(f"append, {figures.batch} a transaction      {figures.append_per_s:>10.0f} entries/s, {figures.append_cpu_us:.0f} µs CPU each")
    print(f"prove one of {figures.size:<18} {figures.prove_median_ms:>10.2f} ms median, {figures.prove_p99_ms:.2f} ms p99")
    print(f"  CPU of it                     {figures.prove_cpu_ms:>10.2f} ms median")
    print(f"  against a signed checkpoint   {figures.prove_unsigned_median_ms:>10.2f} ms median")


@app.command("fsck")
def fsck_command(
    entries: Annotated[int, typer.Option(min=1, max=10_000_000, help="số mục nhật ký / entries of the log")] = 50_000,
    packets: Annotated[int, typer.Option(min=1, max=1_000_000, help="số gói tin / packets")] = 1_000,
    exchanges: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="số lượt trao đổi, mỗi lượt 4 thông điệp / exchanges of 4 messages")
    ] = 500,
    rounds: Annotated[int, typer.Option(min=1, max=100, help="số vòng / rounds")] = 3,
    *,
    processes: Annotated[int | None, typer.Option(min=0, max=8, help="số tiến trình phụ / processes beside this one")] = None,
    json_output: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Đo kiểm tra toàn bộ nhật ký. / Measure the check of the whole journal."""
    from hub.bench_fsck import run

    figures = run(entries, packets, exchanges, rounds, processes)
    if json_output:
        print(json.dumps(figures.as_json()))
        return
    print(f"{'':12}{'entries':>9}{'messages':>10}{'per s':>9}{'per CPU s':>11}")
    for name, one in (("entries", figures.entries), ("packets", figures.packets), ("exchanges", figures.exchanges)):
        print(f"{name:12}{one.entries:>9}{one.messages:>10}{one.entries / one.wall_s:>9.0f}{one.entries / one.cpu_s:>11.0f}")


@app.command("replay")
def replay_command(
    rounds: Annotated[int, typer.Option(min=1, max=1000, help="số vòng / rounds")] = 10,
    packets: Annotated[int, typer.Option(min=1, max=10_000, help="số gói tin mỗi vòng / packets a round")] = 50,
    json_output: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Đo kiểm tra lại gói tin đã lưu so với các phép tính gốc. / Measure verifying stored packets again beside its raw primitives."""
    from hub.bench_replay import run

    figures = run(rounds, packets)
    told = figures.as_json()
    if json_output:
        print(json.dumps(told))
        return
    print(f"{figures.packets} stored packets, CPU of the quietest of {rounds} rounds, medians of ratios\n")
    print(f"{'payload, parse, canonical, RSA':36}{figures.raw_us:>7.0f} µs{1:>8.2f} ×")
    print(f"{'look-up: entry, opening, payload':36}{figures.look_up_us:>7.0f} µs{figures.look_up_ratio:>8.2f} ×")
    print(f"{'replay, as of then and of now':36}{figures.replay_us:>7.0f} µs{figures.replay_ratio:>8.2f} ×")
    print(f"\n{told['share_of_raw_rate']:.0%} of the raw primitives' rate")


@app.command("search")
def search_command(
    messages: Annotated[int, typer.Option(min=100, max=10_000_000, help="số thông điệp / how many messages")] = 100_000,
    folder: Annotated[Path | None, typer.Option(help="giữ kho ở đây và làm tiếp lần sau / keep the store here and go on next time")] = None,
    store_url: Annotated[
        str, typer.Option(help="một cơ sở dữ liệu PostgreSQL để trống, được ghi vào / an empty PostgreSQL database, which is filled")
    ] = "",
    json_output: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Đo thời gian tìm thông điệp trên dữ liệu sinh ra. / Measure finding on generated messages."""
    import tempfile

    from hub.bench_search import run

    with tempfile.TemporaryDirectory() as scratch:
        done = run(store_url or f"sqlite:///{(folder or Path(scratch)) / 'search.sqlite'}", messages)
    if json_output:
        print(json.dumps(done))
        return
    print(f"{done['store']}, {done['messages']} messages, {done['database_bytes'] / 1e6:.0f} MB, filled in {done['fill_s']} s\n")
    print(f"{'':36}{'p50 ms':>9}{'p95 ms':>9}{'p95 CPU':>9}")
    for name, one in done["questions"].items():
        print(f"{name:36}{one['p50_ms']:>9}{one['p95_ms']:>9}{one['p95_cpu_ms']:>9}")
