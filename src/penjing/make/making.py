"""The run of a checked recipe: steps, forms, the choice among them, the certificate, the test, and the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from penjing.core.machine import fastest_engine
from penjing.core.methods import Done, Step
from penjing.core.nouns import Artifact, Release
from penjing.core.recipe import RecipeFile
from penjing.core.releases import retire
from penjing.data.prepare import Prepared
from penjing.data.split import cut_of, labelled_rows
from penjing.decide.policy import Policy
from penjing.decide.table import RuleTable
from penjing.make.advice import advise
from penjing.make.cache import Cache
from penjing.make.candidate import Models, ReleaseJob, certify_and_seal, open_policy, promised_against, test_release
from penjing.make.choose import Setting, beats, choose, fastest, gate, measure
from penjing.make.choose_folds import compare_out_of_fold
from penjing.make.choose_rows import more_rows
from penjing.make.continuing import Earlier
from penjing.make.doubted import MOST, MOST_OF_RUN, doubts_of_run, work_of
from penjing.make.learning_curve import curve_beside
from penjing.make.machine_choices import MACHINE
from penjing.make.named import Named
from penjing.make.overall import TESTING, Overall
from penjing.make.running import Runner
from penjing.make.search.chains import chains
from penjing.make.search.finished import Finished, keep_finished, read_finished
from penjing.make.search.ranges import Range
from penjing.make.search.search import Search, choose_smallest
from penjing.make.search.tuning import OptionSearch
from penjing.make.timings import Measured
from penjing.make.trainable import keep_trainable, student_of
from penjing.measure.latency import Call
from penjing.model.base import depth_of
from penjing.prove.calibration_rows import ledger_of
from penjing.prove.gates import TIMES, in_words, refuses
from penjing.prove.retained import forget_gate
from penjing.prove.score import Scored, score
from penjing.prove.seal import put_with_gates
from penjing.report.build import Found, fill
from penjing.report.chosen_part import ChosenByFolds
from penjing.report.contract import Note, PageLanguage, Report, VariantRow
from penjing.report.found import ChosenVariant, ReleaseTest, Variant
from penjing.report.page import write_report
from penjing.report.search_page import search_note
from penjing.report.search_part import SearchPart
from penjing.runtime.open import open_session


@dataclass(frozen=True)
class Made:
    """The result of a run of `make`: the report, and the release unless a gate refused it.

    unchanged: nothing has changed since an earlier run, and both are the results of that run. advice: what to do about
    a refusal.
    """

    report: Report
    release: Release | None
    refused: tuple[str, ...]
    unchanged: bool = False
    advice: str = ""


@dataclass
class Making:
    """One run of a checked recipe, from its steps to the release and its report."""

    file: RecipeFile
    steps: list[Step]
    data: Prepared
    rules: RuleTable | None
    base: Artifact | None
    cache: Cache
    out: Path
    progress: Overall
    texts: bool
    language: PageLanguage | None
    measured: Measured
    # What each step names itself.
    named: Sequence[Named]
    # Why `base: auto` is this base.
    about: tuple[Note, ...] = ()
    before: Earlier | None = None
    # Of options of the first step; and what their search found.
    ranges: Sequence[Range] = ()
    # Of a choice out of fold between encoder and word model; 0: validation rows choose.
    folds: int = 0
    searched: SearchPart | None = None
    skipped: list[Note] = field(default_factory=list)
    # Of a search: the steps of every form by its title, and the report rows that an earlier run measured.
    steps_by_title: dict[str, tuple[Step, ...]] = field(default_factory=dict)
    earlier: tuple[VariantRow, ...] = ()
    reference: Scored | None = None
    # The tuned model's pipeline, if the recipe has the promise `times_faster`.
    pipeline: Call | None = None

    def run(self) -> Made:
        # In a recipe without an encoder, the first step makes the linear model.
        linear = None if self.base is None else self._runner.word_model()
        self._search_options()
        linear = linear or self._runner.run(self.steps[0], None)
        # What looks at the rows takes a small part of a run: a recipe without an encoder ends in seconds.
        most = MOST if self.base is None else MOST_OF_RUN
        small = work_of(self.data.train, self.data.task) <= most // 2
        learning = curve_beside(self.file, self.data, linear.artifact, self.cache) if small else None
        done, variants, linear_variant, choice = self._forms(linear)
        for variant in variants:
            if variant.refused:
                self.progress.say(f"refused: {variant.name} ({variant.refused})")
        if choice is not None and choice.why:
            linear_is = choice.variant is linear_variant
            self.progress.say(f"the plain word model is chosen. {choice.why}" if linear_is else choice.why)
            if choice.more is not None:
                self.progress.say(choice.more.text)
        # If nothing passed, the last variant is still tested, so that the report shows the gates that it broke.
        last = (variants or [linear_variant])[-1]
        chosen, teacher = choice.variant if choice else last, done[0].artifact
        student = student_of(chosen, done)
        # If the encoder is not proven better, `keep` of the linear model refers to its own score.
        reference = linear.artifact if choice and choice.fell_back else teacher
        if chosen is linear_variant:
            # The estimate so far is that of an encoder.
            self.progress.expect({"testing": TESTING})
        self.progress.enter("testing")
        tested = self._certify_and_test(chosen, Models(reference, teacher, linear.artifact, student))
        bad = refuses(tested.gates, self.file.recipe.gates.unproven)
        refused = [in_words(one, self._labelled_for_test) for one in bad]
        if choice is None:
            refused = [f"every variant was refused: {last.name}: {last.refused}", *refused]
            bad = [*refuses(last.gates, "allow"), *bad]
        release = self._put_in_place(tested, student) if not refused else None
        if refused:
            # An earlier release is kept under its id, but not as OUT/release after a refusal.
            retire(self.out / "release")
        steps = done if linear in done else [linear, *done]
        found = Found(
            self.file, self.data, steps, variants, linear_variant, choice, tested, release,
            (*self.about, *self.skipped), self.reference, self.earlier, self.rules,
            self.searched,
            learning,
            doubts_of_run(self.file, self.data, self.cache, most),
        )  # fmt: skip
        report = write_report(fill(found, self.cache.threads), self.out, texts=self.texts, language=self.language)
        if self.file.recipe.search and release is not None:
            self._end_search(chosen, teacher, linear.artifact, done, report)
        self.measured.forget()
        self.cache.shrink(self.cache.folder / MACHINE)
        return Made(report, release, tuple(refused), advice=advise(bad))

    def _search_options(self) -> None:
        """Give the first step the best options of its ranges."""
        if self.ranges:
            inputs, folder = self._runner.inputs(self.base), self.cache.folder / MACHINE
            search = OptionSearch(
                self.file.recipe, self.steps[0], self.ranges, inputs, self.cache, folder, self.progress
            )
            step, self.searched = search.run()
            self.steps = [step, *self.steps[1:]]
            self.about = (*self.about, search_note(self.searched))

    def _labelled_for_test(self, rows: int) -> int:
        """About how many labelled rows give so many test rows."""
        return labelled_rows(rows, "test", self.data.audit.splits, cut_of(self.file.recipe.data))

    def _forms(self, linear: Done) -> tuple[list[Done], list[Variant], Variant, ChosenVariant | None]:
        """The finished steps, the forms that can be sealed, the linear one, and the chosen one."""
        if self.file.recipe.search:
            done, variants, linear_variant = self._search(linear)
            return done, variants, linear_variant, choose_smallest(variants, linear_variant)
        done = [linear] if self.base is None else self._runner.forms()
        variants, linear_variant, proven, folds = self._measure(done, linear)
        more = more_rows(self.file, self.data, self.base, self.folds)
        return done, variants, linear_variant, choose(variants, linear_variant, proven=proven, folds=folds, more=more)

    def _put_in_place(self, tested: ReleaseTest, student: Artifact) -> Release:
        """Make the tested folder OUT/release, with its gates beside it."""
        release = put_with_gates(tested.release, self.out / "release", tested.gates)
        if student.card.form == "torch":
            keep_trainable(student, self.out)
        return release

    @property
    def _runner(self) -> Runner:
        return Runner(self.file, self.steps, self.data, self.base, self.cache, self.named, self.before, self._enter)

    def _enter(self, step: str) -> None:
        if not self.file.recipe.search or step.startswith("tune."):
            self.progress.enter(step)

    def _teacher_scores(self, teacher: Artifact) -> Scored:
        session = open_session(teacher, threads=self.cache.threads, long_texts=self.file.recipe.data.long)
        self.reference = score(session, self.data.validation, self.data.audit.rows_by_label)
        return self.reference

    def _measure(self, done: list[Done], linear: Done) -> tuple[list[Variant], Variant, bool, ChosenByFolds | None]:
        """The forms that can be sealed, the linear one, whether the tuned model is proven better, and by what folds."""
        teacher = self._teacher_scores(done[0].artifact)
        self.pipeline = promised_against(self.file.recipe, done[0].artifact, self.cache.threads)
        sealable = [one for one in done if one.artifact.card.form != "torch"]
        names = [*sealable, linear] if linear not in sealable else sealable
        self.progress.enter("measuring")
        self.progress.start("measuring the variants", len(names))
        by_id = {}
        for one in names:
            by_id[one.artifact.id] = self._judge(one.step.name, one.artifact, None if one is linear else teacher)
            self.progress.advance(note=one.step.name)
        baseline, variants = by_id[linear.artifact.id], [by_id[one.artifact.id] for one in sealable]
        folds = compare_out_of_fold(self._runner, self.folds, done, variants, self.progress) if self.folds else None
        proven = beats(teacher, baseline.scored) if folds is None else folds.tuned.lower > 0
        if proven:
            baseline = gate(baseline, teacher, self.file.recipe.gates)
        return variants, baseline, proven, folds

    def _search(self, linear: Done) -> tuple[list[Done], list[Variant], Variant]:
        """The steps from the tuned model on, every form that was tried, and the linear one."""
        tuned = self._runner.run(self.steps[0], self.base)
        teacher = self._teacher_scores(tuned.artifact)
        self.pipeline = promised_against(self.file.recipe, tuned.artifact, self.cache.threads)
        # The linear model takes part in the search: a larger form is of no use if it keeps the teacher's score.
        linear_variant = self._judge("tune.linear", linear.artifact, teacher)
        ended = read_finished(self._kept(), tuned.artifact.id)
        if ended is not None:
            done, variants = self._repeat_search(ended, tuned, teacher)
            return done, variants, linear_variant
        # If `auto` means ONNX Runtime on this processor, there is no second engine to compare.
        both = self.file.recipe.engine == "auto" and fastest_engine() != "onnx"
        every = list(chains(depth_of(tuned.artifact), both))
        self.progress.enter("search")
        tried = Search(
            tuned.artifact,
            every,
            lambda step, parent: self._runner.run(step, parent, tuned.artifact),
            lambda title, artifact: self._judge(title, artifact, teacher),
            self._fastest,
            self.progress,
            self.file.recipe.trials,
            self.file.recipe.seed,
            [linear_variant],
            self.skipped,
        ).run()
        self.steps_by_title = {each.variant.name: each.chain.steps for each in tried}
        unique = {one.artifact.id: one for each in tried for one in each.done}
        return [tuned, *unique.values()], [each.variant for each in tried], linear_variant

    def _kept(self) -> Measured:
        return Measured(self.cache.folder / MACHINE, self.measured.about)

    def _repeat_search(self, ended: Finished, tuned: Done, teacher: Scored) -> tuple[list[Done], list[Variant]]:
        """The form that an earlier search with the same content sealed, with the steps that make it."""
        self.progress.say(f"search: ended in `{ended.title}` in an earlier run of the same content")
        done = [tuned]
        for step in ended.steps:
            done.append(self._runner.run(step, done[-1].artifact, tuned.artifact))
        self.skipped.extend(ended.skipped)
        self.earlier = tuple(row for row in ended.rows if row.name not in {ended.title, "tune.linear"})
        self.steps_by_title = {ended.title: ended.steps}
        variants = [self._judge(ended.title, done[-1].artifact, teacher)] if ended.steps else []
        return done, variants

    def _end_search(
        self, chosen: Variant, tuned: Artifact, linear: Artifact, done: Sequence[Done], report: Report
    ) -> None:
        """Store the result of the search, and release the cached results that the sealed form does not need."""
        steps = self.steps_by_title.get(chosen.name, ())
        keep_finished(self._kept(), tuned.id, chosen.name, steps, report.variants, self.skipped)
        ancestors = {str(step.get("parent")) for step in chosen.artifact.card.lineage} | {chosen.artifact.id}
        needed = {one.artifact.folder.name for one in done if one.artifact.id in ancestors}
        self.cache.used.intersection_update({*needed, tuned.folder.name, linear.folder.name})

    def _judge(self, name: str, artifact: Artifact, teacher: Scored | None) -> Variant:
        """An artifact measured on validation rows, with its gates. teacher: the model of `keep` (None: no `keep`)."""
        gates = self.file.recipe.gates
        setting = Setting(
            table=self.data.validation,
            policy=self._open_policy(),
            rows=self.data.audit.rows_by_label,
            threads=self.cache.threads,
            long_texts=self.file.recipe.data.long,
            reference=self.pipeline,
            measured=self.measured,
            quick=all(getattr(gates, name) is None for name in TIMES),
            stop=self.cache.stop,
        )
        variant = measure(name, artifact, setting)
        if self.before is not None:
            variant = replace(variant, gates=self.before.gates(variant.session, gates.forget))
        return gate(variant, teacher, gates)

    def _fastest(self, variants: Sequence[Variant]) -> Variant:
        def winner() -> dict[str, str]:
            return {"id": fastest(variants, self.data.validation, self._open_policy()).artifact.id}

        found = self.measured.once(["race", *(one.artifact.id for one in variants)], winner)
        return next(one for one in variants if one.artifact.id == found["id"])

    def _open_policy(self) -> Policy:
        """The rules and fields of the release, without thresholds."""
        return open_policy(self.file.recipe, self.data.task, self.rules, 0.0)

    def _certify_and_test(self, chosen: Variant, models: Models) -> ReleaseTest:
        self.progress.start("certifying, sealing and testing", None)
        rest = self.rules, self.cache.threads, self.progress, ledger_of(self.file.path, self.out), self.cache.stop
        job = ReleaseJob(self.file.recipe, self.data, *rest)
        trainable = models.student.id if models.student.card.form == "torch" else ""
        tested = test_release(certify_and_seal(self.out / ".candidate", job, chosen, trainable), job, models)
        if self.before is None:
            return tested
        kept = self.before.against(tested.release, self.data.test, self.cache.threads)
        if self.file.recipe.decide.texts == "none":
            kept = replace(kept, examples=())
        gates = (*tested.gates, *forget_gate(self.file.recipe.gates.forget, len(kept.lost), kept.cases))
        return replace(tested, gates=gates, retained=kept)
