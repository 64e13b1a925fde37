"""Right trainings of part 1 that do more than the given one: averages, clipping, schedulers, other steps."""

# Pieces of code as they stand in the files are longer than a line here.
# ruff: noqa: E501

from tests.suites.part1.hand_ins import ADAM, BY_HAND, STEP, optimizers
from tests.suites.part1.variants import NETWORKS_BUILT

AVERAGE = (
    NETWORKS_BUILT,
    NETWORKS_BUILT
    + "        self.average = torch.optim.swa_utils.AveragedModel(\n"
    + "            torch.nn.ModuleList([self.encoder, self.decoder]), multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99)\n"
    + "        )\n        self.average.requires_grad_(False)\n",
)
HOOK = "    def configure_optimizers(self)"
TWICE = """        optimizer = self.optimizers()
        for _ in range(2):
            bpd = self._step(batch, "train")
            optimizer.zero_grad()
            self.manual_backward(bpd)
            optimizer.step()"""
BY_TURNS = """        for optimizer in self.optimizers():
            bpd = self._step(batch, "train")
            optimizer.zero_grad()
            self.manual_backward(bpd)
            optimizer.step()
        return bpd"""
RIGHT = (
    optimizers(
        "exponential averages of both networks",
        ADAM,
        AVERAGE,
        (
            HOOK,
            "    def on_before_zero_grad(self, optimizer):\n"
            "        self.average.update_parameters(torch.nn.ModuleList([self.encoder, self.decoder]))\n\n"
            + HOOK,
        ),
    ),
    optimizers(
        "gradients clipped before the step",
        ADAM,
        (
            HOOK,
            "    def on_before_optimizer_step(self, optimizer):\n"
            "        torch.nn.utils.clip_grad_norm_(self.parameters(), 0.5)\n\n" + HOOK,
        ),
    ),
    optimizers(
        "a rate that falls with every step",
        "optimizer = torch.optim.NAdam(self.parameters(), lr=self.hparams.lr)\n"
        "        falling = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.999)\n"
        "        return {'optimizer': optimizer, 'lr_scheduler': {'scheduler': falling, 'interval': 'step'}}",
    ),
    optimizers(
        "Adamax with a decay of the weights",
        "return torch.optim.Adamax(self.parameters(), lr=self.hparams.lr, weight_decay=1e-5)",
    ),
    optimizers("two steps for every batch by hand", ADAM, BY_HAND, (STEP, TWICE)),
    optimizers(
        "encoder and decoder by turns",
        "return [torch.optim.Adam(net.parameters(), lr=self.hparams.lr) for net in (self.encoder, self.decoder)]",
        BY_HAND,
        (STEP, BY_TURNS),
    ),
)
