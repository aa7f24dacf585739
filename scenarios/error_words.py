"""What an error says to a person."""


def in_words(error: Exception) -> str:
    """The error's text; of the system's errors without their number, as in "[Errno 13]"."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
