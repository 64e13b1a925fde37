"""Likely causes of errors that the student's code raises, read off the words of torch."""

from __future__ import annotations

import re

from grader.box.errors import StudentError

# What is said of the error -> what is most likely wrong.
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
    r"weights are float32, but": "give the decoder float32, the dtype of its weights",
    r"probability tensor contains": (
        "torch.multinomial wants probabilities: the softmax is missing or over the wrong dimension"
    ),
    r"cannot be imported: (Syntax|Indentation|Tab)Error": (
        "look at that line and the one before it; python -m py_compile on the file says the same"
    ),
    r"cannot be imported: ModuleNotFoundError": (
        "of libraries only those of the assignment are there, and of your files only the named ones: put "
        "your own helpers into these"
    ),
    r"larger than \d+ MB": "the networks have far more weights than the assignment needs: make them smaller",
    r"does not require grad": "the gradient is cut before: look for .detach(), .item(), .data or no_grad",
}


DEVICE_HINT = (
    "take the device of what you are given, x.device, or of your weights, next(self.parameters()).device; "
    "ask for a GPU only where there is one, with cpu as the last resort. It counts in this check only: all "
    "others were run on the CPU"
)


def lacks_device(error: StudentError) -> StudentError:
    """What to tell of code that asks for a device which the grader does not have."""
    where = f" ({error.file}, line {error.line})" if error.file else ""
    message = f"the code asks for the device {error.device}, which the grader does not have{where}"
    return StudentError("raised", message, DEVICE_HINT, error.exception, error.file, error.line, error.device)


def explain(error: StudentError) -> None:
    """Give an error of the code's a hint if a cause is likely; one that has a hint keeps it."""
    if error.kind not in ("raised", "unusable") or error.hint:
        return
    for words, cause in CAUSES.items():
        if re.search(words, str(error)):
            error.hint = cause
            return
