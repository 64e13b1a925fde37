"""Likely causes of errors that the code raises, told by the exception's class and by the words of torch."""

from __future__ import annotations

import re

from grader.box.errors import SYNTAX_ERRORS, StudentError

WRITES = (
    "the grader's process may write below the folder that a logger or args names, and in /tmp, nowhere else"
)
# Words of Python, torch or the box in the exception -> what is most likely wrong.
CAUSES = {
    r"is not a Module subclass": "a layer is handed over as a class: call it, with parentheses, nn.GELU()",
    r"unexpected keyword argument '(num_input_channels|num_filters|z_dim|lr|lambda_|grid_size)'": (
        "the signature is not the given one: leave names, order and defaults of the arguments as they were"
    ),
    r"shapes cannot be multiplied|size mismatch|normalized_shape": (
        "a linear layer meets another size than its own: it is probably hard-coded, and should follow from "
        "the arguments of __init__"
    ),
    r"to have \d+ channels, but got": (
        "a convolution meets another number of channels than its own: it is hard-coded, or the arguments of "
        "__init__ are not the given ones, in their order"
    ),
    r"the decoder takes codes of shape": "the size of the codes is hard-coded: use self.z_dim",
    r"[Ii]nput type .*(long|int|byte)|not implemented for '(Long|Byte|Int)'": (
        "the images are integers of dtype int64: x.float() before the first layer"
    ),
    r"weights are float\d+, but": "give the decoder the dtype of its weights",
    r"half precision is not accepted": (
        "keep the weights in float32 or float64: no .half() or .bfloat16(); autocast, which leaves them as "
        "they are, is fine"
    ),
    r"backward through the graph a second time": (
        "two losses go back through one graph: detach z_fake in get_loss_discriminator, so that the "
        "discriminator's loss ends at the codes, and call backward() once for each loss"
    ),
    r"modified by an inplace operation": (
        "weights change between the forward pass and backward(): a step() comes too early, or both losses "
        "share a graph; backward() and step() of one side, then those of the other, and detach z for the "
        "discriminator"
    ),
    r"probability tensor contains": (
        "torch.multinomial wants probabilities: the softmax is missing or over the wrong dimension"
    ),
    r"null bytes|codec can't decode|Non-UTF-8 code": (
        "the file is not in UTF-8 (UTF-16, perhaps): save it with the encoding UTF-8"
    ),
    r"'get_ipython' is not defined": (
        "only a notebook has get_ipython(): the grader's process is plain Python, so take out the lines of "
        "an export that are for the notebook, magics and commands"
    ),
    r"attempted relative import": (
        "the files are imported as a script beside them does it: from utils import ..., without the dot"
    ),
    r"EOF when reading a line": (
        "nobody is there to answer in the grader's process: no input(), values come as arguments"
    ),
    r"Read-only file system": WRITES,
    r"Errno 1\] Operation not permitted": (
        "the grader's process starts no other one: no subprocess, no multiprocessing, and num_workers=0"
    ),
    r"Name or service not known|name resolution|urlopen error|Network is unreachable": (
        "the grader's process has no network: no downloads, and no weights that were trained elsewhere"
    ),
    r"larger than \d+ MB": "the networks have far more weights than the assignment needs: make them smaller",
    r"does not require grad": "the gradient is cut before: look for .detach(), .item(), .data or no_grad",
}
# By the class of the exception, where its words do not say more.
OF_EXCEPTIONS = {
    "FileNotFoundError": (
        "in the grader's process there are the named files of the assignment and nothing else of yours, no "
        "data and no weights: put small numbers into the code, and read other files in main only"
    ),
    "PermissionError": WRITES,
}
OF_IMPORTS = dict.fromkeys(
    SYNTAX_ERRORS, "look at that line and the one before it; python -m py_compile {file} says the same"
) | {
    "ModuleNotFoundError": (
        "of libraries only those of the assignment are there, and of your files only the named ones: put "
        "your own helpers into these"
    ),
}
OF_ANY_IMPORT = (
    "importing the file fails before anything in it can be used; training and tests belong below "
    'if __name__ == "__main__", and python {file} shows where it stops'
)
# Of a file that starts its program on import.
GUARD_HINT = (
    "the grader imports the file, and that must not run anything: put the call that starts the program below "
    'if __name__ == "__main__":'
)
DEVICE_HINT = (
    "take the device of what you are given, x.device, or of your weights, next(self.parameters()).device; "
    "ask for a GPU only where there is one, with cpu as the last resort. It counts in this check only: all "
    "others were run on the CPU"
)


def lacks_device(error: StudentError) -> StudentError:
    """What to tell of code that asks for a device which the grader does not have."""
    where = f" ({error.file}, line {error.frames[-1].line})" if error.frames else ""
    message = f"the code asks for the device {error.device}, which the grader does not have{where}"
    return StudentError(
        "raised",
        message,
        DEVICE_HINT,
        error.exception,
        error.frames,
        error.device,
        error.call,
        error.detail,
        error.importing,
    )


def runs_when_imported(error: StudentError) -> bool:
    """Whether a file ran its program as it was imported: a training, or the end of the process."""
    functions = [frame.function for frame in error.frames]
    if "<module>" not in functions:
        return False
    called = functions[functions.index("<module>") + 1 :]
    if error.exception == "SystemExit":
        return True
    return any(re.fullmatch(r"main|run|train\w*|\w*parse_args|command_line", name) for name in called)


def explain(error: StudentError) -> None:
    """Give an error of the code's a hint if a cause is likely; one that has a hint keeps it."""
    if error.kind not in ("raised", "unusable") or error.hint:
        return
    if runs_when_imported(error):
        error.hint = GUARD_HINT
        return
    for words, cause in CAUSES.items():
        if re.search(words, str(error)):
            error.hint = cause
            return
    error.hint = OF_EXCEPTIONS.get(error.exception, "")
    if error.importing and not error.hint:
        hint = OF_IMPORTS.get(error.exception, OF_ANY_IMPORT)
        error.hint = hint.format(file=error.file or error.call)
