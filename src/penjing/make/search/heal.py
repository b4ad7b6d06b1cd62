"""Options of healing, tried one set after another: Optuna proposes how a small student learns from its teacher.

    maximise the lower bound of the share of the teacher's score that is kept on validation, over
    epochs, copies (augmented texts), learning rate, temperature, weight of the true labels

Source: Akiba et al., Optuna: A Next-generation Hyperparameter Optimization Framework, 2019; Bergstra et al., Algorithms
for Hyper-Parameter Optimization, 2011 (the sampler, TPE). The sampler is seeded, and its proposals depend only on
earlier results. Every step is cached, so a killed search continues at the trial that was interrupted.
When: no encoder that is small and fast enough is proven to keep the score. When not: as a first attempt. Each trial
trains a student again, and the best of many trials on a few hundred validation rows is partly due to chance. The test
rows give the true figure.
"""

from __future__ import annotations

from typing import Any

from penjing.core.errors import MissingPackageError

METHOD = "compress.distill"
# The lower end is the default of healing. At the upper end a trial takes an hour, where the default takes ten minutes.
EPOCHS, COPIES = (2, 12), (0, 4)
LEARNING_RATE, TEMPERATURE, GOLD = (5e-5, 5e-4), (1.0, 4.0), (0.0, 0.7)
_FIRST = 5


class Healing:
    """Options of `compress.distill`, proposed one set at a time. Raises MissingPackageError without Optuna."""

    def __init__(self, seed: int) -> None:
        try:
            import optuna
        except ModuleNotFoundError:
            raise MissingPackageError(
                "`trials` needs the package `optuna`", where="trials", fix="pip install 'penjing[train]'"
            ) from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_FIRST)
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._trial: Any = None

    def ask(self) -> dict[str, object]:
        """The next set of options to try."""
        self._trial = trial = self._study.ask()
        return {
            "epochs": trial.suggest_int("epochs", *EPOCHS),
            "copies": trial.suggest_int("copies", *COPIES),
            # Two digits, because the lineage shows the value to people.
            "learning_rate": float(f"{trial.suggest_float('learning_rate', *LEARNING_RATE, log=True):.2g}"),
            "temperature": round(trial.suggest_float("temperature", *TEMPERATURE), 1),
            "gold": round(trial.suggest_float("gold", *GOLD), 2),
        }

    def tell(self, value: float) -> None:
        """Report the result of the options from the last `ask`."""
        self._study.tell(self._trial, value)
