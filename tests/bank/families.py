"""Families of mistakes, each with the words that a text has to use to name it to a student.

What counts is what a check found out. Words that a check says whatever went wrong do not count, so
`diagnosis` takes the hints away that a suite gives for every mistake: the formula, the recipe, the contract.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import cache

from grader import suites
from grader.marking.plugin import RAISED_HINT
from grader.marking.result import CheckResult

# A family may be named in several ways; `re.search`, so that parts of a text are enough.
FAMILIES: dict[str, str] = {
    # random draws
    "nothing drawn": r"nothing is drawn|the mean instead of a sample",
    "not drawn afresh": r"setting a seed|set no seed|two calls (of \w+ )?(use|give) the same",
    "noise shared": r"one (row|column|number|draw|image) is used for (several|all)|are the same number|"
    r"all rows of a batch are the same|not drawn independently|1 different codes",
    "not normal": r"not torch\.rand\b|torch\.rand is uniform|not normal|neither scaled nor uniform|"
    r"z has (mean|standard deviation)",
    "tails cut": r"stays between .* lie beyond",
    "without gradients": r"under torch\.no_grad\(\)",
    "scale of the noise": r"eps is scaled",
    "mean left out": r"the mean is (left out|missing)",
    "mean and std exchanged": r"mean and std (are|have been) exchanged",
    "std misread": r"multiply eps by std itself",
    "posterior ignored": r"does not depend on what the encoder says",
    "other images": r"not given the images that",
    "training mode": r"in training mode",
    "evaluation mode": r"in evaluation mode only",
    "limited": r"(far from|near) the prior|sure of a wrong level|no (limit|clamp)|\(z - mean\) / std has",
    "posterior limited": r"\(z - mean\) / std has",
    "random": r"differs between two calls|the second time",
    "sample instead of mean": r"look like samples, not means",
    "mean instead of sample": r"something between them|round the expected level",
    # signs, factors and terms
    "sign": r"sign is flipped|(added|subtracted) instead of (added|subtracted)|instead of the negative ELBO",
    "constant factor": r"factor 1/2 is missing",
    "fixed factor": r"a fixed number|times as large as it should be|is weighted by .* instead of 1",
    "free bits": r"free bits",
    "label smoothing": r"labels are smoothed|label smoothing",
    "constant term": r"the constant (-1|term)",
    "square missing": r"is not squared",
    "other direction": r"other direction",
    "log_std misread": r"log_std is (taken|used|missing)|in front of log_std is missing|wants log_std|"
    r"exp\(log_std\) is not squared|log_std that needs an exp|log_std goes into|variance is used instead",
    "log base": r"log2\(e\) is (inverted|missing|replaced)|in nats, not in bits",
    "term left out": r"(is|are) left out|leaves out L_re|only the (real|fake) codes count|"
    r"of loss_(real|fake) only",
    "lambda": r"lambda makes no difference|lambda(_ = 0\.3)? .*as with|lambda is exchanged|lambda_ is not",
    "upwards": r"down its gradient",
    # what is reduced
    "wrong dimension": r"wrong dimension",
    "averaged instead of summed": r"averaged over the \w+( dimensions)? instead of summed",
    "summed instead of averaged": r"summed over (the pixels|everything) instead of averaged",
    "summed over the batch": r"summed over the batch instead of averaged",
    "divided once too often": r"divided by the (batch size|number of latent dimensions)",
    "batch reduced": r"do not (sum or )?average the batch|averaged over the batch",
    "dimension kept": r"keepdim",
    "not one number": r"should be one number",
    "wrong dimensions counted": r"the batch counts|(channels|height|width) (are|is) left out",
    "sizes added": r"sizes are added",
    "not divided by the size": r"divided by the number of dimensions|"
    r"number of dimensions (is missing|instead)",
    # shapes, sizes and types
    "two dimensions only": r"works for two dimensions, but not",
    "size fixed": r"(is|are) fixed in|hard-coded",
    "image size": r"the images are \d+ x \d+ pixels",
    "batch dimension lost": r"squeeze\(\) removes",
    "channel dimension": r"channel dimension is missing",
    "output dimension lost": r"last dimension is missing",
    "number of outputs": r"should give one logit|has \d outputs",
    "number of results": r"should return (two tensors|L_rec, L_reg and bpd)|should be a tensor, but is a",
    "order of the results": r"in another order",
    "dtype": r"float32|\(long int\)|dtype",
    "device": r"property device is",
    "given assertion": r"negative std",
    "half precision": r"half precision",
    "codes changed in forward": r"the codes in forward",
    "signature": r"AdversarialAE\(\) without z_dim|cannot be called with lambda_|"
    r"the default of \w+ in|the arguments of \w+ should be|is another network than",
    "layer not instantiated": r"parentheses",
    # gradients
    "gradient cut": r"no gradient flows|has no gradient: the encoder|"
    r"gradients? of .* reach|gradient is cut|is a plain number",
    # networks
    "bounded output": r"stays? within|only reach from|instead of logits",
    "range of the image": r"grey values should (stay|reach)",
    "softmax over one output": r"softmax over the single output",
    "linear": r"is a linear function",
    "one head": r"mean and log_std are the same",
    "input ignored": r"the same for (any|other|different)|ignores (one of )?its|for any image",
    "dimensions tied": r"fill \d of \d dimensions",
    "part ignored": r"part of the image|blocks of 7x7|latent dimensions do not",
    "batch mixed": r"the other (inputs|images|codes) of its batch",
    "dimensions lost": r"with z_dim=\d the \w+ of",
    # images and grey levels
    "pixels scrambled": r"scrambled|transposed",
    "argmax": r"argmax",
    "classes as pixels": r"classes are no pixels|channels are no pixels|channels? of the decoder .*shown",
    "wrong grey levels": r"(grey )?levels .*(0 to 15|0\.\.15|other way round|black|white)",
    "wrong probabilities": r"softmax is (missing|over the wrong dimension|applied twice)|a sigmoid takes|"
    r"logits are scaled",
    "level off by one": r"every level is one too",
    "squashed logits": r"a (tanh|sigmoid) is applied",
    "likely levels": r"with probability 0\.95",
    "logits ignored": r"do(es)? not depend on the logits|is a constant image",
    "levels at random": r"no level is more likely than another",
    "softmax before the loss": r"softmax is applied",
    # the manifold
    "inverse CDF missing": r"the inverse CDF is missing|evenly spaced",
    "inverse CDF misscaled": r"a factor of the inverse CDF|erfinv",
    "scaled by itself": r"every image is scaled by itself",
    "probability of ink": r"probability of ink",
    "mirrored": r"mirrored|transposed|turned|upside down",
    "order of the grid": r"not in the order of their latents",
    "latents limited": r"the latents (run from|have the right range)",
    "not a grid": r"not all pairs|drawn at random|different latents are decoded",
    "wrong percentiles": r"the percentiles run from",
    "layout": r"should be one square image",
    "one image everywhere": r"opposite corners are the same|same image everywhere",
    "grid size": r"should be given latents|pixels wide",
    "grid size ignored": r"was given \[400, 2\]",
    # losses
    "another loss": r"no cross-entropy|not squared|squared error is replaced|absolute error",
    "no cross-entropy": r"not a cross-entropy",
    "wrong update": r"do(es)? not move along the gradient",
    "labels exchanged": r"labels are flipped|target is 0",
    "wrong target": r"target -1|target is|shifted",
    "wrong codes judged": r"not asked about z_fake",
    "log of a logit": r"log of a (raw )?logit",
    "saturating loss": r"saturating",
    "overflow": r"logits up to \d+ has .* NaN or infinite",
    "sigmoid twice": r"sigmoid twice",
    "log weighted": r"is weighted in the log",
    "log incomplete": r"the dictionary for the log lacks",
    "log exchanged": r"are exchanged in the log",
    "log weights exchanged": r"by the weight of the other loss",
    "factor of a term": r"(twice|half|\d+ times) as (large|much) as",
    "fixed divisor": r"divided by a fixed number",
    "another adversarial loss": r"no cross-entropy but",
    "number of real codes": r"[02-9]\d* different codes of the prior",
    "accuracy threshold": r"threshold",
    "accuracy of one kind": r"only the (real|fake) codes are counted",
    # samples and training
    "decoder not used": r"not the decoder's output|return the decoder's output",
    "optimizer holds too much": r"should leave the",
    "optimizer holds too little": r"should train all of",
    "sides exchanged": r"holds another side",
    "learning rate": r"learning rate is 0",
    "up the gradient": r"up the gradient",
    "rate ignored": r"does not follow lr",
    "option without effect": r"written into main",
    "options exchanged": r"follow --\w+ instead of",
    "option misused": r"with --\w+ times",
    "no update": r"leaves the \w+ as it was|what they were before",
    "stale gradients": r"gradients of an earlier update|leaves gradients in",
    "wrong loss": r"gradient of another loss|loss of the other",
    "not every batch": r"of the loader's \d batches|takes \d+ steps only",
    "gradient leaks": r"detach z",
    "step before backward": r"backward\(\) before step",
    "another batch": r"along \w+ of the first batch",
    "too many updates": r"twice along",
}


@cache
def generic() -> tuple[str, ...]:
    """The hints that are constants of the suites: they are given whatever the mistake is; longest first."""
    found = {RAISED_HINT}
    for module in pkgutil.walk_packages(suites.__path__, f"{suites.__name__}."):
        if ".drivers" in module.name or module.name.endswith("conftest"):
            continue  # those run in the box and in pytest
        values = vars(importlib.import_module(module.name))
        found |= {value for name, value in values.items() if name.isupper() and isinstance(value, str)}
    return tuple(sorted((text for text in found if " " in text), key=len, reverse=True))


def diagnosis(check: CheckResult) -> str:
    """What a failed check says of this mistake: its message, and its hint without what it says of any."""
    hint = check.hint
    for text in generic():
        hint = hint.replace(text, "")
    return f"{check.message} ## {hint.strip('; ')}"


def names(family: str, text: str) -> bool:
    """Whether a diagnosis names a family."""
    return re.search(FAMILIES[family], text) is not None
