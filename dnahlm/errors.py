"""What the machine refuses, in words: no room on the disk, no way to a path."""

import errno
import os
import re

TORCH_CUT_SHORT = "iostream error|unexpected pos|PytorchStreamWriter failed"  # torch keeps no error number
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
BLOCKED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG)


def machine_message(error: Exception) -> str | None:
    """What a full disk or an unusable path is called, whichever library met it; None for any other error.

    >>> machine_message(PermissionError(errno.EACCES, "", "out"))
    'out: Permission denied. Nothing was changed; choose another path, or correct this one.'
    """
    code = getattr(error, "errno", None)
    if code is None:  # safetensors and tokenizers, written in Rust, only quote the number
        found = re.search(r"os error (\d+)", str(error))
        code = int(found.group(1)) if found else None
    where = getattr(error, "filename", None) or "output"
    if isinstance(error, FileNotFoundError) and "temporary directory" in str(error):
        return "no temporary folder can be written to. Make room in /tmp, or set TMPDIR to a folder with room."
    if code is None and re.search(TORCH_CUT_SHORT, str(error)):
        return f"{where}: a file could not be written to its end. Is the disk full? Make room or choose another output."
    if code in FULL:
        return (
            f"{where}: {os.strerror(code)}. What was there before is unchanged; "
            "make room or choose another output, then run the same command again."
        )
    if code in BLOCKED:
        return f"{where}: {os.strerror(code)}. Nothing was changed; choose another path, or correct this one."
    return None
