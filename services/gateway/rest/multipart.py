"""The first file of a multipart form, as a stream: nothing is spooled, nothing else is kept."""

from collections.abc import AsyncIterator

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from services.gateway.errors import BadInput, Fault

HEADER_BYTES_MAX = 16_384


class _FirstFile:
    """Listens to the parser; `pieces` holds what came since it was last emptied."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.found = self._inside = False
        self._name = self._value = b""

    def on_part_begin(self) -> None:
        self._name = self._value = b""

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]
        if len(self._name) > HEADER_BYTES_MAX:
            raise BadInput(Fault("archive", "a part's header is too long"))

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        if len(self._value) > HEADER_BYTES_MAX:
            raise BadInput(Fault("archive", "a part's header is too long"))

    def on_header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._inside = b"filename" in options and not self.found
            self.found = self.found or self._inside
        self._name = self._value = b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._inside:
            self.pieces.append(data[start:end])

    def on_part_end(self) -> None:
        self._inside = False


async def file_part(request: Request, content_type: str) -> AsyncIterator[bytes]:
    """The bytes of the first part that has a file name. BadInput when there is none."""
    _, options = parse_options_header(content_type.encode())
    if not options.get(b"boundary"):
        raise BadInput(Fault("content-type", "has no boundary"))
    listener = _FirstFile()
    parser = MultipartParser(
        options[b"boundary"],
        {
            "on_part_begin": listener.on_part_begin,
            "on_part_data": listener.on_part_data,
            "on_part_end": listener.on_part_end,
            "on_header_field": listener.on_header_field,
            "on_header_value": listener.on_header_value,
            "on_header_end": listener.on_header_end,
        },
    )
    try:
        async for chunk in request.stream():
            parser.write(chunk)
            for piece in listener.pieces:
                yield piece
            listener.pieces.clear()
        parser.finalize()
    except MultipartParseError as error:
        raise BadInput(Fault("archive", f"is not a form: {error}")) from None
    if not listener.found:
        raise BadInput(Fault("archive", "the form has no file"))
