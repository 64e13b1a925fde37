"""`main` of part 2 with its options put to use in other ways, right and wrong."""

# Pieces of code as they stand in the files are longer than a line here.
# ruff: noqa: E501

from tests.suites.part2.variants import (
    AE_PARAMETERS,
    TRAIN,
    TRAINING,
    right,
    wrong,
)

AE_RATE, DISC_RATE = "lr=args.ae_lr, betas=(0.5, 0.999)", "lr=args.d_lr)"
AE_ADAM = f"torch.optim.Adam(autoencoder_parameters, {AE_RATE})"
DISC_SGD = f"torch.optim.SGD(model.discriminator.parameters(), {DISC_RATE}"
BEFORE = (
    "    log_dir = Path(args.log_dir)\n    log_dir.mkdir(parents=True, exist_ok=True)\n    summary_writer"
)

RIGHT_MAINS = (
    right(
        "helpers that are called like pictures, and make optimizers",
        (
            "def main(args",
            "def get_reconstruction_optimizer(model, args):\n"
            "    weights = [*model.encoder.parameters(), *model.decoder.parameters()]\n"
            f"    return torch.optim.Adam(weights, {AE_RATE})\n\n\n"
            "def generate_optimizer(kind, weights, lr):\n    return kind(weights, lr=lr)\n\n\n"
            "def reconstruction_weight(args):\n    return args.lambda_\n\n\n"
            "def main(args",
        ),
        (AE_ADAM, "get_reconstruction_optimizer(model, args)"),
        (DISC_SGD, "generate_optimizer(torch.optim.SGD, model.discriminator.parameters(), args.d_lr)"),
        (
            "optimizer_ae, optimizer_disc, args.lambda_)",
            "optimizer_ae, optimizer_disc, reconstruction_weight(args))",
        ),
        file=TRAIN,
    ),
    right(
        "what needs a person's machine: a window, their name, threads",
        (
            "import torch\n",
            "import getpass\n\nimport matplotlib\nimport torch\n\n"
            'matplotlib.use("TkAgg")\ntorch.set_num_interop_threads(2)\nWHO = getpass.getuser()\n',
        ),
        file=TRAIN,
    ),
    right(
        "rates of their own for encoder and decoder",
        (
            AE_ADAM,
            'torch.optim.Adam([{"params": model.encoder.parameters(), "lr": args.ae_lr}, {"params": model.decoder.parameters(), "lr": 0.5 * args.ae_lr}], betas=(0.5, 0.999))',
        ),
        file=TRAIN,
    ),
    right(
        "one cycle and a warm-up",
        (
            DISC_SGD + "\n",
            DISC_SGD
            + "\n    torch.optim.lr_scheduler.OneCycleLR(optimizer_ae, max_lr=args.ae_lr, total_steps=1000)"
            + "\n    torch.optim.lr_scheduler.LinearLR(optimizer_disc, start_factor=0.1, total_iters=5)\n",
        ),
        file=TRAIN,
    ),
    right(
        "rates worked out before",
        ("lr=args.ae_lr", "lr=ae_rate"),
        ("lr=args.d_lr", "lr=args.d_lr * 1.0"),
        (
            "    autoencoder_parameters =",
            "    ae_rate = float(vars(args)['ae_lr'])\n    autoencoder_parameters =",
        ),
        file=TRAIN,
    ),
    right(
        "NAdam, and Adam with weight decay",
        (AE_ADAM, f"torch.optim.NAdam(autoencoder_parameters, {AE_RATE}, weight_decay=1e-4)"),
        (
            DISC_SGD,
            "torch.optim.AdamW(model.discriminator.parameters(), lr=args.d_lr, betas=(0.5, 0.9), weight_decay=0.1)",
        ),
        file=TRAIN,
    ),
    right(
        "RMSprop and Nesterov's momentum",
        (
            AE_ADAM,
            "torch.optim.RMSprop(autoencoder_parameters, lr=args.ae_lr, momentum=0.5, centered=True)",
        ),
        (DISC_SGD, DISC_SGD.replace(DISC_RATE, "lr=args.d_lr, momentum=0.9, nesterov=True)")),
        file=TRAIN,
    ),
    right(
        "Adadelta and Adamax",
        (AE_ADAM, "torch.optim.Adamax(autoencoder_parameters, lr=args.ae_lr)"),
        (DISC_SGD, "torch.optim.Adadelta(model.discriminator.parameters(), lr=args.d_lr)"),
        file=TRAIN,
    ),
    right(
        "fused, and one tensor after the other",
        (AE_RATE, AE_RATE + ", fused=True"),
        (DISC_SGD, DISC_SGD.replace(DISC_RATE, "lr=args.d_lr, foreach=False)")),
        file=TRAIN,
    ),
    right(
        "settings in dictionaries, and a folder that must be new",
        (AE_ADAM, "torch.optim.Adam(autoencoder_parameters, **settings['ae'])"),
        (DISC_SGD, "torch.optim.SGD(model.discriminator.parameters(), **settings['disc'])"),
        (
            "    autoencoder_parameters =",
            "    settings = {'ae': {'lr': args.ae_lr, 'betas': (0.5, 0.999)}, 'disc': {'lr': args.d_lr}}\n"
            "    autoencoder_parameters =",
        ),
        (BEFORE, BEFORE.replace("exist_ok=True", "exist_ok=False")),
        file=TRAIN,
    ),
)
WRONG_MAINS = (
    wrong(
        TRAINING,
        "the learning rates exchanged",
        ("lr=args.ae_lr", "lr=args.lr_of_disc"),
        ("lr=args.d_lr", "lr=args.ae_lr"),
        ("lr=args.lr_of_disc", "lr=args.d_lr"),
        file=TRAIN,
        family="options exchanged",
    ),
    wrong(
        TRAINING,
        "the autoencoder's rate written in",
        ("lr=args.ae_lr", "lr=1e-3"),
        file=TRAIN,
        family="option without effect",
    ),
    wrong(
        TRAINING,
        "the discriminator's rate written in",
        ("lr=args.d_lr", "lr=5e-3"),
        file=TRAIN,
        family="option without effect",
    ),
    wrong(
        TRAINING,
        "Adam's default rate for the discriminator",
        (DISC_SGD, "torch.optim.Adam(model.discriminator.parameters())"),
        file=TRAIN,
        family="option without effect",
    ),
    wrong(
        TRAINING,
        "one rate for both",
        ("lr=args.d_lr", "lr=args.ae_lr"),
        file=TRAIN,
        family="options exchanged",
    ),
    wrong(
        TRAINING,
        "the discriminator's rate for the decoder",
        (
            AE_PARAMETERS,
            '[{"params": model.encoder.parameters()}, {"params": model.decoder.parameters(), "lr": args.d_lr}]',
        ),
        file=TRAIN,
        family="options exchanged",
    ),
    wrong(
        TRAINING,
        "a scheduler with a peak of its own",
        (
            DISC_SGD + "\n",
            DISC_SGD
            + "\n    torch.optim.lr_scheduler.OneCycleLR(optimizer_ae, max_lr=1e-3, total_steps=1000)\n",
        ),
        file=TRAIN,
        family="option without effect",
    ),
    wrong(
        TRAINING,
        "the rate divided by the option",
        ("lr=args.d_lr", "lr=2.5e-5 / args.d_lr"),
        file=TRAIN,
        family="option misused",
    ),
    wrong(
        TRAINING,
        "lambda written into main",
        ("optimizer_disc, args.lambda_)", "optimizer_disc, 0.995)"),
        file=TRAIN,
        family="option without effect",
    ),
    wrong(
        TRAINING,
        "lambda the other way round in main",
        ("optimizer_disc, args.lambda_)", "optimizer_disc, 1 - args.lambda_)"),
        file=TRAIN,
        family="lambda",
    ),
    wrong(
        TRAINING,
        "the length of the codes written into main",
        ("AdversarialAE(z_dim=args.z_dim)", "AdversarialAE(z_dim=8)"),
        file=TRAIN,
        family="option without effect",
    ),
)
