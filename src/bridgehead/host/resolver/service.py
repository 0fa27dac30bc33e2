"""What the resolver process is told and asked, in the daemon's words."""

from bridgehead.core.model.errors import HostRefused
from bridgehead.host.companion.loop import Loop
from bridgehead.host.companion.wire import Json, Message, items, text
from bridgehead.host.resolver import wire
from bridgehead.host.resolver.holdings import Holdings


class ResolverService:
    protocol = wire.PROTOCOL

    def __init__(self, loop: Loop, _inherited: Json = None) -> None:
        self._holdings = Holdings(loop)

    @property
    def serving(self) -> bool:
        return self._holdings.serving

    def observe(self) -> Message:
        return {
            "records": [wire.record_fields(record) for record in self._holdings.records()],
            "views": [wire.view_fields(view) for view in self._holdings.views()],
        }

    def change(self, change: Json) -> Json:
        try:
            match items(change):
                case ["put-record", fields]:
                    self._holdings.put_record(wire.record(fields))
                case ["drop-record", endpoint]:
                    self._holdings.drop_record(text(endpoint))
                case ["put-view", fields]:
                    self._holdings.put_view(wire.view(fields))
                case ["drop-view", sandbox]:
                    self._holdings.drop_view(text(sandbox))
                case _:
                    return f"unknown change {change!r:.80}"
        except (ValueError, OverflowError, OSError, HostRefused) as error:
            return str(error)
        return None

    def hand_over(self) -> Json:
        """Nothing: whoever comes is told everything anew, in milliseconds."""
        return None
