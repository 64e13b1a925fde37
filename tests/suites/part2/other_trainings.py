"""Trainings that do more than a step for each side: averages of weights, schedules, optimizers of one's own."""

# Pieces of code as they stand in the files are longer than a line here.
# ruff: noqa: E501

from tests.suites.part2.loops import TEMPLATE, changed, loop, wrong_loop
from tests.suites.part2.mains import AE_ADAM, DISC_SGD
from tests.suites.part2.variants import AE_LOSS, AE_SUM, TRAIN, TRAINING, right, wrong
from tests.suites.variants import Variant

AVERAGED = changed(
    TEMPLATE,
    (
        "        logger_disc.add_values(disc_log)\n",
        "        logger_disc.add_values(disc_log)\n        update_average(model)\n",
    ),
)
# For an end of the epoch with other weights, and for what `main` does after it with the trained ones.
SWAPPED = (
    AVERAGED
    + """
    trained = {name: value.detach().clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        for weight, average in zip(model.parameters(), AVERAGE):
            weight.copy_(average)
        model.eval()
        logger_ae.summary_writer.add_images("averaged", model(x[:8])[0], epoch)
    model.load_state_dict(trained)
    model.train()
"""
)
OF_MODULE = """
AVERAGE = []


@torch.no_grad()
def update_average(model, decay=0.99):
    if not AVERAGE:
        AVERAGE.extend(weight.detach().clone() for weight in model.parameters())
    for average, weight in zip(AVERAGE, model.parameters()):
        average.mul_(decay).add_(weight, alpha=1 - decay)
"""
RIGHT_OTHERS: tuple[Variant, ...] = (
    loop("an average of the weights, kept for all models", AVERAGED, OF_MODULE),
    loop(
        "averages by torch, one for each model",
        AVERAGED,
        """
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

AVERAGES = {}


def update_average(model):
    for name in ("encoder", "decoder"):
        side = getattr(model, name)
        if id(side) not in AVERAGES:
            AVERAGES[id(side)] = AveragedModel(side, multi_avg_fn=get_ema_multi_avg_fn(0.999))
        AVERAGES[id(side)].update_parameters(side)
""",
    ),
    loop(
        "a picture with averaged weights, and the trained ones put back",
        SWAPPED.replace("AVERAGE)", "model.average)"),
        """
@torch.no_grad()
def update_average(model, decay=0.9):
    if not hasattr(model, "average"):
        model.average = [weight.detach().clone() for weight in model.parameters()]
    for average, weight in zip(model.average, model.parameters()):
        average.lerp_(weight, 1 - decay)
""",
    ),
    loop(
        "the discriminator first, each with gradients of its own clipped",
        """
    model.train()
    for x, _ in train_loader:
        with torch.no_grad():
            codes = model.encoder(x)
        disc_loss, disc_log = model.get_loss_discriminator(codes)
        optimizer_disc.zero_grad()
        disc_loss.backward()
        torch.nn.utils.clip_grad_norm_(model.discriminator.parameters(), 10.0)
        optimizer_disc.step()
        recon_x, z_fake = model(x)
        ae_loss, ae_log = model.get_loss_autoencoder(x, recon_x, z_fake, lambda_)
        optimizer_ae.zero_grad()
        ae_loss.backward()
        torch.nn.utils.clip_grad_norm_([*model.encoder.parameters(), *model.decoder.parameters()], 10.0)
        optimizer_ae.step()
        logger_ae.add_values(ae_log)
        logger_disc.add_values(disc_log)
""",
    ),
    loop(
        "schedules kept for each optimizer, one step for each epoch",
        TEMPLATE
        + """
    for optimizer in (optimizer_ae, optimizer_disc):
        if not hasattr(optimizer, "schedule"):
            optimizer.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 1000)
        optimizer.schedule.step()
""",
    ),
    loop(
        "steps with a closure, and norms of gradients and weights",
        """
    model.train()
    for x, _ in train_loader:
        recon_x, z_fake = model(x)
        ae_loss, ae_log = model.get_loss_autoencoder(x, recon_x, z_fake, lambda_)

        def ae_closure():
            optimizer_ae.zero_grad()
            ae_loss.backward()
            return ae_loss

        before = torch.nn.utils.parameters_to_vector(model.decoder.parameters()).norm()
        optimizer_ae.step(ae_closure)
        after = torch.nn.utils.parameters_to_vector(model.decoder.parameters()).norm()
        logger_ae.summary_writer.add_scalar("growth", after - before, epoch)
        disc_loss, disc_log = model.get_loss_discriminator(z_fake)

        def disc_closure():
            optimizer_disc.zero_grad()
            disc_loss.backward()
            return disc_loss

        optimizer_disc.step(disc_closure)
        logger_ae.add_values(ae_log)
        logger_disc.add_values(disc_log)
""",
    ),
    right(
        "optimizers of one's own: AdaBelief, and SGD with decayed weights",
        (AE_ADAM, "AdaBelief(autoencoder_parameters, args.ae_lr)"),
        (DISC_SGD, "DecayedSGD(model.discriminator.parameters(), args.d_lr)"),
        (
            "def main(",
            """class AdaBelief(Optimizer):
    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state.update(t=0, m=torch.zeros_like(p), s=torch.zeros_like(p))
                state["t"] += 1
                state["m"].mul_(0.5).add_(p.grad, alpha=0.5)
                state["s"].mul_(0.999).add_((p.grad - state["m"]).square() + 1e-16, alpha=0.001)
                root = (state["s"] / (1 - 0.999 ** state["t"])).sqrt()
                p.sub_(group["lr"] * state["m"] / (1 - 0.5 ** state["t"]) / (root + 1e-8))


class DecayedSGD(torch.optim.SGD):
    def __init__(self, params, lr):
        super().__init__(params, lr=lr, momentum=0.5, weight_decay=1e-3)


def main(""",
        ),
        file=TRAIN,
    ),
    right(
        "RAdam, and AdamW with AMSGrad",
        (AE_ADAM, "torch.optim.RAdam(autoencoder_parameters, lr=args.ae_lr, betas=(0.5, 0.99))"),
        (
            DISC_SGD,
            "torch.optim.AdamW(model.discriminator.parameters(), lr=args.d_lr, amsgrad=True)",
        ),
        file=TRAIN,
    ),
)
WRONG_OTHERS: tuple[Variant, ...] = (
    wrong_loop(
        "weights limited after each step",
        "wrong update",
        changed(
            TEMPLATE,
            (
                "        logger_ae.add_values(ae_log)\n",
                "        with torch.no_grad():\n"
                "            for weight in model.discriminator.parameters():\n"
                "                weight.clamp_(-0.01, 0.01)\n"
                "        logger_ae.add_values(ae_log)\n",
            ),
        ),
    ),
    wrong(
        AE_LOSS,
        "lambda renamed",
        ("z_fake: torch.Tensor, lambda_: float = 1", "z_fake: torch.Tensor, lam: float = 1"),
        (AE_SUM, AE_SUM.replace("lambda_", "lam")),
        family="signature",
    ),
    wrong(
        TRAINING,
        "lambda renamed in train_aae",
        ("    lambda_: float = 1,\n) -> None:", "    lam: float = 1,\n) -> None:"),
        ("z_fake, lambda_)", "z_fake, lam)"),
        file=TRAIN,
        family="signature",
    ),
)
