"""What errors from deep inside PyTorch mean: a sentence for each of the most common ones.

PyTorch names what did not fit, often not what is wrong. Tried on torch 2.15; the pages of the grader and the
students' public tests have the same table, a link in `tests/public`.
"""

import re

# Words of PyTorch -> what they mean, and what to look at. The first that fits is said.
EXPLAINED = {
    r"shapes cannot be multiplied": (
        "a linear layer, or a product of matrices, meets rows of another length than it was made for: of "
        "(AxB and CxD), B is the length that came and C the one that was expected. Print x.shape before "
        "that line"
    ),
    r"to have \d+ channels, but got": (
        "a convolution meets another number of channels than it was made for. Images are [B, channels, "
        "height, width]: is the first number of the layer the second of the layer before it?"
    ),
    r"[Ii]nput type \((long int|int|unsigned char|bool)\)|same dtype, but got (Long|Int|Byte|Bool) and": (
        "the images are whole numbers, and the weights of a layer are not: make the images floats, "
        "x.float(), before the first layer"
    ),
    r"[Ii]nput type \(double\)|same dtype, but got Double and": (
        "numbers of 64 bits (float64, double) meet weights of 32 bits: what comes from NumPy, or from "
        ".double(), is of 64. .float() makes it 32, and x.to(weight.dtype) whatever the weights are"
    ),
    r"\"log_softmax\w*\" not implemented for '(Long|Int|Byte)'": (
        "the cross-entropy got whole numbers where it wants the logits: logits come first, the true grey "
        "levels second"
    ),
    r"not implemented for '(Long|Int|Byte|Bool)'|could not infer output dtype": (
        "this function exists for floats only, and it got whole numbers: .float() before it"
    ),
    r"result type Float can't be cast": (
        "a tensor of whole numbers cannot take the result in place (+=, add_): write x = x + ..., or make "
        "it float first"
    ),
    r"view size is not compatible": (
        "after a transpose or permute the numbers do not lie in memory in this order, so that view cannot "
        "relabel them: .reshape(...) does the same and copies where it has to"
    ),
    r"shape '.*' is invalid for input of size|unflatten: Provided sizes": (
        "the new shape has another number of elements than there are: the product of its sizes must be that "
        "number. One size may be -1, which is then computed; the batch is not always as large as you think"
    ),
    r"The size of tensor a .* must match the size of tensor b": (
        "two tensors are added, multiplied or compared whose shapes do not fit: sizes are compared from the "
        "last dimension on, and must be equal or 1. Print both shapes; keepdim=True and unsqueeze add a "
        "dimension of 1"
    ),
    r"Sizes of tensors must match except in dimension|stack expects each tensor to be equal size": (
        "tensors are joined that differ in more than the dimension along which they are joined: print their "
        "shapes"
    ),
    r"Dimension out of range": (
        "the tensor has fewer dimensions than the number says: dimensions count from 0, and the last one is "
        "-1"
    ),
    r"Expected 3D \(unbatched\) or 4D \(batched\) input": (
        "a convolution wants images [B, channels, height, width], and it got something flat: reshape it "
        "first, nn.Unflatten does it between layers"
    ),
    r"only batches of spatial targets supported|Expected input batch_size": (
        "the cross-entropy of logits [B, 16, 28, 28] wants targets [B, 28, 28]: the true grey levels "
        "without the dimension of the channel, imgs.squeeze(1)"
    ),
    r"expected target dtype to be Long": (
        "the targets of a cross-entropy are classes, whole numbers of dtype int64: .long(), and no division "
        "before it"
    ),
    r"Target \d+ is out of bounds": (
        "a class is as large as the number of logits or larger: 16 logits stand for the classes 0 to 15. Is "
        "dimension 1 of the logits that of the classes?"
    ),
    r"probability tensor contains|prob_dist must be": (
        "torch.multinomial wants rows of probabilities, [N, 16]: none negative, none NaN. Softmax first, "
        "over the dimension of the classes, which then has to be the last one"
    ),
    r"all elements of input should be between 0 and 1": (
        "binary_cross_entropy wants probabilities; for logits there is binary_cross_entropy_with_logits"
    ),
    r"Target size .* must be the same as input size": (
        "the targets of this loss have the shape of the logits, here [B, 1]: torch.ones_like(logits) makes "
        "ones of it"
    ),
    r"grad can be implicitly created only for scalar outputs": (
        "backward() starts from one number: take the mean, or the sum, of the loss first"
    ),
    r"does not require grad and does not have a grad_fn": (
        "the loss no longer knows where it came from: look for .detach(), .item(), .data, numpy, argmax or "
        "torch.no_grad() on the way from the weights to it"
    ),
    r"backward through the graph a second time": (
        "backward() has been there before, and what it needs was freed: one forward pass serves one "
        "backward(). Where a second loss uses a result of the first, .detach() it"
    ),
    r"modified by an inplace operation": (
        "a value that backward() still needs was overwritten: by +=, by a method that ends in _, or by an "
        "optimizer's step() between the forward pass and backward()"
    ),
    r"leaf Variable that requires grad is being used in an in-place": (
        "a weight is changed in place while its gradient is recorded: only optimizers do that, under "
        "torch.no_grad()"
    ),
    r"[Cc]an't call numpy\(\) on Tensor that requires grad": (
        "NumPy knows no gradients. In what is trained stay with PyTorch's functions; to draw something, "
        ".detach() it first"
    ),
    r"only one element tensors can be converted|cannot be converted to Scalar": (
        "a plain number is wanted and the tensor has several: .item(), float() and the functions of math "
        "take one. torch.exp, torch.log and so on take them all"
    ),
    r"Boolean value of Tensor with more than one value": (
        "if, and, or, not want one truth value and got many: use .all() or .any(), and torch.where to "
        "choose element by element"
    ),
    r"must be Tensor, not tuple|'tuple' object has no attribute": (
        "a function that returns several values returns a tuple: take it apart first, as in mean, log_std = "
        "..."
    ),
    r"is not a Module subclass": "a layer is made by calling its class: nn.GELU(), with parentheses",
    r"before Module\.__init__\(\) call": "super().__init__() has to come first in __init__ of a network",
    r"optimizer got an empty parameter list": (
        "the network has no weights that PyTorch knows of: layers have to be attributes (self.net = ...) or "
        "stand in nn.Sequential or nn.ModuleList; a plain list hides them"
    ),
    r"NVIDIA driver|not compiled with CUDA|'(MPS|CUDA)' backend|mps devices|backend .* is not available": (
        "the code asks for a GPU that is not here, and the grader has none either: take the device of what "
        "you are given (x.device), or of the weights (next(self.parameters()).device)"
    ),
    r"same device, but found|is not on the expected device": (
        "two tensors are on different devices, as on the CPU and on a GPU: new tensors belong where the "
        "others are, torch.zeros(..., device=x.device) or torch.randn_like(x)"
    ),
    r"MPS (Tensor to|framework doesn't support) float64": (
        "Apple's GPU has no numbers of 64 bits: .float() instead of .double(), and dtype=torch.float32 for "
        "what comes from NumPy"
    ),
}


def explained(message: str) -> str:
    """What an error means, by its words; empty where the table does not know it."""
    return next((meaning for words, meaning in EXPLAINED.items() if re.search(words, message)), "")
