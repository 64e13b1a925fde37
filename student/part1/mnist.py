"""MNIST with 4 bits per pixel: every grey level is a class in 0..15. Provided; nothing to write here."""

import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SequentialSampler, TensorDataset
from torchvision.datasets import MNIST

NUM_VALIDATION_IMAGES = 6_000


def discretize(images: torch.Tensor) -> torch.Tensor:
    """Turns grey values in [0, 1] into one of 16 classes.

    Args:
        images: float tensor of any shape, values in [0, 1].

    Returns:
        Long tensor of the same shape, values 0..15.
    """
    return (images * 16).long().clamp(max=15)


def _read(root: str, train: bool, download: bool) -> TensorDataset:
    """Reads one half of MNIST: images uint8 [N, 1, 28, 28] with values 0..15, labels [N]."""
    data = MNIST(root, train=train, download=download)
    # One byte per pixel keeps the whole set in 47 MB; batches become long in _to_long.
    return TensorDataset(discretize(data.data.unsqueeze(1) / 255).to(torch.uint8), data.targets)


def _to_long(batch: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = batch
    return images.long(), labels


def _loader(dataset: TensorDataset, batch_size: int, shuffle: bool, num_workers: int) -> DataLoader:
    order = RandomSampler(dataset) if shuffle else SequentialSampler(dataset)
    # The sampler hands out whole batches of indices, so a batch is a single indexing operation
    # instead of batch_size of them: an epoch of loading takes a fraction of a second.
    batches = BatchSampler(order, batch_size, drop_last=shuffle)
    return DataLoader(dataset, sampler=batches, batch_size=None, collate_fn=_to_long, num_workers=num_workers)


def mnist(
    root: str = "../data", batch_size: int = 128, num_workers: int = 0, download: bool = True
) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Builds the loaders of the training, validation and test set.

    Args:
        root: folder that holds (or receives) the data set.
        batch_size: images per batch; the training loader drops an incomplete last batch.
        num_workers: loading processes. The images are in memory, so 0 is usually fastest.
        download: whether to download the data set when it is missing.

    Returns:
        Training (54,000 images, shuffled), validation (6,000) and test (10,000) loader. A batch is
        `(images, labels)`, images long [B, 1, 28, 28] in 0..15, labels long [B].
    """
    images, labels = _read(root, train=True, download=download).tensors
    # A fixed generator: every run validates on the same images.
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(42))
    validation, train = order[-NUM_VALIDATION_IMAGES:], order[:-NUM_VALIDATION_IMAGES]
    return (
        _loader(TensorDataset(images[train], labels[train]), batch_size, True, num_workers),
        _loader(TensorDataset(images[validation], labels[validation]), batch_size, False, num_workers),
        _loader(_read(root, train=False, download=download), batch_size, False, num_workers),
    )
