"""MNIST with grey values in [-1, 1]. Provided; nothing to write here."""

import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset
from torchvision.datasets import MNIST


def _scale(batch: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Maps a batch of bytes 0..255 to floats in [-1, 1]."""
    images, labels = batch
    return images.float() / 127.5 - 1, labels


def mnist(
    root: str = "../data", batch_size: int = 64, num_workers: int = 0, download: bool = True
) -> DataLoader:
    """Builds the loader of the training set.

    Args:
        root: folder that holds (or receives) the data set.
        batch_size: images per batch; an incomplete last batch is dropped.
        num_workers: loading processes. The images are in memory, so 0 is usually fastest.
        download: whether to download the data set when it is missing.

    Returns:
        Loader of 60,000 shuffled images. A batch is `(images, labels)`, images float [B, 1, 28, 28] in
        [-1, 1], labels long [B].
    """
    data = MNIST(root, train=True, download=download)
    dataset = TensorDataset(data.data.unsqueeze(1), data.targets)
    # The sampler hands out whole batches of indices, so a batch is a single indexing operation
    # instead of batch_size of them: an epoch of loading takes a fraction of a second.
    batches = BatchSampler(RandomSampler(dataset), batch_size, drop_last=True)
    return DataLoader(dataset, sampler=batches, batch_size=None, collate_fn=_scale, num_workers=num_workers)
