"""What fits tell of themselves on the way."""

import time


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


class Search:
    """The progress of a search among starts, of which nobody knows how long it takes: a bar of tqdm if it is there, else lines."""

    #: Seconds between two lines.
    _OFTEN = 2.0

    def __init__(self, verbose):
        self._bar, self._said, self._last = None, time.monotonic(), None
        if not verbose:
            self.look = None
            return
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return
        self._bar = tqdm(desc="search", unit=" evaluations")

    def look(self, evaluations, ended, highest):
        said = f"{ended} runs ended" + ("" if highest is None else f", best {highest:.2f} nats")
        if self._bar is not None:
            self._bar.set_postfix_str(said, refresh=False)
            self._bar.update(evaluations - self._bar.n)
            return
        self._last = f"search: {evaluations} evaluations, {said}"
        if time.monotonic() - self._said >= self._OFTEN:
            self._said = time.monotonic()
            print(self._last)
            self._last = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.close()
        elif self._last is not None:
            print(self._last)
