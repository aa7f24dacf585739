"""Reading a capture file of either format."""

from pathlib import Path

from results import pcap, pcapng
from results.capture import Capture, CaptureError


def read_capture(path: Path) -> Capture:
    """Read a pcap or pcapng file.

    A file with a header and no packets is a capture in which nothing happened.
    Raises CaptureError for a file that is missing, empty, of another format, of
    another link type, or cut off in the midst of a packet.
    """
    data = _bytes_of(path)
    magic = data[:4]
    if magic == pcapng.MAGIC:
        return pcapng.read(path, data)
    if magic in pcap.MAGIC:
        return pcap.read(path, data)
    raise CaptureError(
        f"{path} is not a capture: it begins with {magic.hex(' ')} at byte 0; "
        "expected the magic number of a pcap or pcapng file"
    )


def _bytes_of(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise CaptureError(f"{path} does not exist; expected the capture of this tap") from None
    except OSError as error:
        raise CaptureError(f"{path} cannot be read: {error.strerror}") from None
    if not data:
        raise CaptureError(f"{path} is empty; expected a pcap or pcapng file")
    return data
