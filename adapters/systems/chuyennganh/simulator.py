"""A line-of-business system: with ``--broker`` it speaks AMQP both ways, otherwise REST like the one-stop shop."""

from __future__ import annotations

from adapters.broker import Broker
from adapters.systems.chuyennganh.queue import Inbound, Outbound
from adapters.systems.command import open_desk, parser, run
from adapters.systems.face import Reply, Request, Serve
from adapters.systems.motcua.simulator import documents
from adapters.topology import Topology


def _only_by_broker() -> Serve:
    def answer(request: Request) -> Reply:
        return Reply.of(404, {"loi": "khong-tim-thay"})

    return answer


def main() -> None:
    """The command."""
    options = parser("chuyennganh", "A line-of-business system that takes packets from a broker, or by REST.")
    options.add_argument("--broker", default="", help="amqp://user:password@host:port/vhost; empty means REST")
    options.add_argument("--prefix", default="agency", help="first part of the broker's names")
    chosen = options.parse_args()
    desk = open_desk(chosen)
    if not chosen.broker:
        run(desk, lambda _: documents(desk, chosen.token), chosen)
        return
    broker = Broker.of(chosen.broker)
    names = Topology(broker.user, chosen.prefix)
    desk.hub = desk.hub or Outbound(broker, names)
    Inbound(broker, names, desk).start()
    run(desk, lambda _: _only_by_broker(), chosen)


if __name__ == "__main__":
    main()
