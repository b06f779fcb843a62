"""Words of an agent's fault that any file can hold, the same in every process."""

import re


def fault_words(raised: BaseException) -> str:
    r"""Returns the type and the message of what an agent raised.

    Addresses in memory, which differ from process to process, are left out; letters
    that no file or terminal should get are escaped.

    Args:
        raised: by the agent.

    Example:
        >>> fault_words(OSError("r\udce9sum of <object object at 0x7f5d3b2c>"))
        'OSError: r\\udce9sum of <object object at 0x...>'
    """
    try:
        words = str(raised)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the message of a broken exception
        words = f"no message ({type(error).__name__})"
    words = re.sub(r"0x[0-9a-fA-F]{5,}", "0x...", words)
    shown = "".join(
        letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1]
        for letter in words
    )
    return f"{type(raised).__name__}: {shown}"
