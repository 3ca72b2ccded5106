"""The cases of `scotopic bench training mnist inference operations` in eager PyTorch: one JSON object per line, as `--json` prints them.

    python3 benches/gpu_torch.py --device cuda --samples 10

The training iteration is a plain reading of the published equations (docs/equations/inference.md): 10 exponentials per relaxed
sample, the explicit step, Adamax. The device is synchronised before and after every repetition.
"""

import argparse
import json
import time

import torch

BATCH, PIXELS, LATENTS, STEPS = 200, 256, 512, 16
MNIST = {"batch": 100, "pixels": 784, "steps": 128}
SERIES, TIME, STATES = 64, 1000, 16
TEMPERATURE, EXPONENTIALS, LOG_RATE = 0.5, 10, -1.0


def relaxed(log_rate):
    """z = sum_n sigmoid((1 - t_n) / tau), t_n the arrivals of a Poisson process. `log_rate` [batch, latents]."""
    gaps = torch.empty((EXPONENTIALS, *log_rate.shape), device=log_rate.device).exponential_()
    arrivals = gaps.cumsum(0) * torch.exp(-log_rate)
    return torch.sigmoid((1.0 - arrivals) / TEMPERATURE).sum(0)


def counts(log_rate):
    return torch.poisson(torch.exp(log_rate))


class Network:
    """The iterative Poisson VAE with a linear decoder."""

    def __init__(self, device, pixels=PIXELS, steps=STEPS):
        draw = torch.Generator(device="cpu").manual_seed(0)
        atoms = 0.05 * torch.randn((LATENTS, pixels), generator=draw)
        rest = -3.0 + torch.rand(LATENTS, generator=draw)
        self.steps = steps
        state = [atoms, torch.zeros(pixels), rest, torch.full((LATENTS,), -3.0)]
        self.parameters = [value.to(device).requires_grad_() for value in state]

    def objective(self, x, sample):
        """F, the mean over time steps and images. `x` [batch, pixels]."""
        atoms, log_sigma, rest, homeostasis = self.parameters
        u, total = rest.expand(x.shape[0], -1), 0.0
        precision = torch.exp(-2.0 * log_sigma)
        for _ in range(self.steps):
            prior, error = u, (x - sample(u) @ atoms) * precision
            u = prior + error @ atoms.T - torch.exp(homeostasis)
            seen = x - sample(u) @ atoms
            delta = u - prior
            kl = (torch.exp(prior) * (1.0 + torch.exp(delta) * (delta - 1.0))).sum(1)
            total = total + (0.5 * (seen**2 * precision).sum(1) + log_sigma.sum() + kl).mean()
        return total / self.steps


def recursive_elbo(evidence, initial, transition):
    """sum_t ln p(x_t | x_<t). `evidence` [series, time, states], `initial` [states], `transition` [states, states]."""
    predicted, total = torch.log_softmax(initial, 0).expand(evidence.shape[0], -1), 0.0
    transition = torch.log_softmax(transition, 1)
    for t in range(evidence.shape[1]):
        joint = predicted + evidence[:, t]
        increment = torch.logsumexp(joint, 1, keepdim=True)
        predicted = torch.logsumexp((joint - increment).unsqueeze(2) + transition, 1)
        total = total + increment.sum()
    return total


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--device", default="cuda")
    options.add_argument("--samples", type=int, default=10)
    options = options.parse_args()
    device = torch.device(options.device)
    wait = torch.cuda.synchronize if device.type == "cuda" else (lambda: None)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"

    def tell(group, case, work):
        for _ in range(2):
            work()
        seconds = []
        for _ in range(options.samples):
            wait()
            clock = time.perf_counter()
            work()
            wait()
            seconds.append(time.perf_counter() - clock)
        seconds.sort()
        middle = len(seconds) // 2
        median = seconds[middle] if len(seconds) % 2 else 0.5 * (seconds[middle - 1] + seconds[middle])
        device_name = f"PyTorch {torch.__version__} ({name})"
        record = {"group": group, "case": case, "device": device_name, "samples": options.samples, "median_s": median}
        print(json.dumps(record), flush=True)

    def training(network, x):
        optimizer = torch.optim.Adamax(network.parameters, lr=1e-12)

        def iteration():
            optimizer.zero_grad()
            network.objective(x, relaxed).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters, 100.0)
            optimizer.step()

        return iteration

    x = (2.0 * torch.rand((BATCH, PIXELS)) - 1.0).to(device)
    network = Network(device)
    tell("training", "an iteration", training(network, x))
    digits = torch.rand((MNIST["batch"], MNIST["pixels"])).to(device)
    large = Network(device, MNIST["pixels"], MNIST["steps"])
    tell("mnist", "an iteration", training(large, digits))
    del large
    with torch.no_grad():
        tell("inference", "T steps, tensor operations", lambda: network.objective(x, counts))
        u = torch.full((BATCH, LATENTS), LOG_RATE, device=device)
        tell("operations", "relaxed Poisson sample", lambda: relaxed(u))
        tell("operations", "Poisson counts", lambda: counts(u))
        evidence = -3.0 * torch.rand((SERIES, TIME, STATES), device=device)
        initial = torch.rand(STATES, device=device)
        transition = -4.0 * torch.rand((STATES, STATES), device=device)
        tell("operations", "recursive ELBO", lambda: recursive_elbo(evidence, initial, transition))
    evidence.requires_grad_()
    transition.requires_grad_()

    def gradient():
        evidence.grad = transition.grad = None
        recursive_elbo(evidence, initial, transition).backward()

    tell("operations", "recursive ELBO and its gradient", gradient)


if __name__ == "__main__":
    main()
