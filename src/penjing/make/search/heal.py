"""Ways of healing, tried one after another: Optuna proposes how a small student learns from its teacher.

    maximise the lower bound of the share of the teacher's score that is kept on validation, over
    epochs, copies (augmented texts), learning rate, temperature, weight of the true labels

Source: Akiba et al., Optuna: A Next-generation Hyperparameter Optimization Framework, 2019; Bergstra et al., Algorithms
for Hyper-Parameter Optimization, 2011 (the sampler, TPE). The sampler is seeded and what it proposes follows from what
it was told: with every step cached, a search that was killed comes back to the trial that was under way.
When: no encoder that is small and fast enough is proven to keep the score. When not: first, for each trial heals a
student anew, and the best of many on a few hundred validation rows is partly luck; the test rows tell.
"""

from __future__ import annotations

from typing import Any

from penjing.core.errors import MissingPackageError

METHOD = "compress.distill"
# Below, a student is healed as by default; above, a trial takes an hour where the default takes ten minutes.
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
        """The next options to try."""
        self._trial = trial = self._study.ask()
        return {
            "epochs": trial.suggest_int("epochs", *EPOCHS),
            "copies": trial.suggest_int("copies", *COPIES),
            # Few digits: they are read by people, and stand in the lineage.
            "learning_rate": float(f"{trial.suggest_float('learning_rate', *LEARNING_RATE, log=True):.2g}"),
            "temperature": round(trial.suggest_float("temperature", *TEMPERATURE), 1),
            "gold": round(trial.suggest_float("gold", *GOLD), 2),
        }

    def tell(self, value: float) -> None:
        """What came of the options that were asked for last."""
        self._study.tell(self._trial, value)
