"""What a fit by EM tells of its iterations."""


def watch(callback, verbose, n_iter):
    """The callback of a fit: the user's, and with ``verbose`` a progress bar."""
    if not verbose:
        return callback
    bar = _bar(n_iter)

    def both(run, iteration, log_evidence):
        bar(run, iteration, log_evidence)
        if callback is not None:
            callback(run, iteration, log_evidence)

    return both


def _bar(n_iter):
    """A progress bar of tqdm if it is there, else lines."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return lambda run, iteration, log_evidence: print(f"run {run}, iteration {iteration}: {log_evidence:.4f} nats")
    state = {"run": None, "bar": None}

    def step(run, iteration, log_evidence):
        if state["run"] != run:
            if state["bar"] is not None:
                state["bar"].close()
            state.update(run=run, bar=tqdm(total=n_iter, desc=f"run {run}", leave=False))
        bar = state["bar"]
        bar.n = iteration
        bar.set_postfix_str(f"{log_evidence:.2f} nats")
        bar.refresh()

    return step
