"""The verdict on a run in plain English or Chinese: the first text that a manager reads."""

from __future__ import annotations

from collections.abc import Mapping

from penjing.core.certificate import Gate
from penjing.core.task import ALL
from penjing.prove.sequence import lower_bound
from penjing.report.contract import Estimate, Note, PageLanguage, Report
from penjing.report.item_part import item_sentences
from penjing.report.label_part import label_sentences
from penjing.report.limits_part import limit_sentences
from penjing.report.period_part import period_sentences, standing_in
from penjing.report.phrases import as_written, joined, percent, words
from penjing.report.ways_out import miss_sentences, way_out_sentences

LINEAR = "tune.linear"
# Metrics that are shares of the rows, shown as percentages.
SHARES = frozenset({"accuracy", "within", "coverage", "exact", "all_right"})
# Gates on a score, shown as a number between 0 and 1.
_SCORES = frozenset({"score", "macro_f1"})


def note_of(phrase: str, **values: str) -> Note:
    """A note for a report, from the phrase of that name; the value `metric` is the name of a metric."""
    return Note(text=_filled(words("en")[phrase], values, "en"), phrase=phrase, values=values)


def note_in(note: Note, language: PageLanguage) -> str:
    """A note in one language; in English if the page does not know its phrase."""
    phrase = words(language).get(note.phrase)
    return note.text if phrase is None else _filled(phrase, note.values, language)


def _filled(phrase: str, values: Mapping[str, str], language: PageLanguage) -> str:
    named = {"metric": metric_name(values["metric"], language)} if "metric" in values else {}
    return phrase.format(**{**values, **named})


def metric_name(name: str, language: PageLanguage, *, heading: bool = False) -> str:
    """A metric in plain words; an unknown metric keeps its own name. heading: with a capital letter.

    Of one of several tasks, such as `mood.macro_f1`, the name of the task stands before it.
    """
    task, dot, own = name.rpartition(".")
    shown = words(language).get(f"metric_{own}", own)
    if dot:
        return f"{task} · {shown}"
    return shown[:1].upper() + shown[1:] if heading else shown


def metric_value(name: str, value: float, language: PageLanguage) -> str:
    """A metric as a percentage if it is a share, else with three digits."""
    return percent(value, language, trim=False) if name.rpartition(".")[2] in SHARES else f"{value:.3f}"


def signed(value: float, digits: int = 3) -> str:
    """A difference with its sign: `+0.012`; one that rounds to zero has none."""
    figure = f"{value:+.{digits}f}"
    return figure[1:] if float(figure) == 0 else figure


def milliseconds(value: float) -> str:
    """A time with three figures: `4.31 ms`, `128 ms`."""
    return f"{_three(value)}\u00a0ms"


def megabytes(value: float) -> str:
    """A size with three figures: `31.2 MB`."""
    return f"{_three(value)}\u00a0MB"


def _three(value: float) -> str:
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def gate_value(gate: Gate, value: float, language: PageLanguage) -> str:
    """A figure of a gate in the unit that its name implies; the promised value is shown as it was written."""
    written = value == gate.promised
    if gate.name.endswith("_ms"):
        return f"{value:g}\u00a0ms" if written else milliseconds(value)
    if gate.name.endswith("_mb"):
        return f"{value:g}\u00a0MB" if written else megabytes(value)
    if gate.name == "times_faster":
        return f"{value:g}×" if written else f"{value:.1f}×"
    if gate.name in _SCORES:
        return f"{value:g}" if written else f"{value:.3f}"
    return as_written(value, language) if written else percent(value, language, 2, trim=False)


def gate_name(gate: Gate, language: PageLanguage) -> str:
    """A gate's name in plain words; an unknown gate keeps its own name."""
    return words(language).get(f"gate_{gate.name}", gate.name)


def verdict(report: Report, language: PageLanguage) -> tuple[str, list[str]]:
    """The headline, and the sentences under it."""
    first = [] if report.sealed else [words(language)["says_tested"]]
    sentences = [*first, *_automation(report, language), *_score(report, language)]
    sentences.append(
        words(language)["says_speed"].format(
            p50=milliseconds(report.speed.p50_ms),
            p99=milliseconds(report.speed.p99_ms),
            size=megabytes(report.size_mb),
        )
    )
    return _headline(report, language), sentences


def decides_nothing(report: Report) -> bool:
    """Whether a person decides every case, or did on the test rows; where rules have dates, now and later."""
    if periods := standing_in(report):
        return not any(each.certified for each in periods)
    return report.decisions.automation_rate == 0


def unproven_limits(report: Report) -> bool:
    """Whether a limit of the recipe on errors or misses is not proven; labels that have too few rows apart."""
    if periods := standing_in(report):
        return any(not each.certified or each.needs for each in periods)
    return not report.decisions.certified or bool(report.decisions.needs)


def sound(report: Report) -> str:
    """The state of the whole run: `held`, `unproven`, or `broken` where nothing was sealed."""
    if not report.sealed:
        return "broken"
    unproven = any(gate.state == "unproven" for gate in report.gates)
    return "unproven" if unproven or unproven_limits(report) or decides_nothing(report) else "held"


def _limit(report: Report, language: PageLanguage) -> str:
    """The limit on errors; of several the least and the largest."""
    limit = report.decisions.max_error
    ends = (limit, limit) if isinstance(limit, float) else (min(limit.values()), max(limit.values()))
    low, high = (as_written(end, language) for end in ends)
    return low if low == high else words(language)["limits"].format(low=low, high=high)


def _is_by_task(report: Report) -> bool:
    """Whether the limits are of several tasks in one: their names are no labels of the rows."""
    return not set(report.decisions.thresholds) <= {*report.data.labels, ALL}


def _headline(report: Report, language: PageLanguage) -> str:
    phrases = words(language)
    broken = [gate for gate in report.gates if gate.state == "broken"]
    unproven = [_in_sentence(gate, language) for gate in report.gates if gate.state == "unproven"]
    if report.sealed and decides_nothing(report):
        none = "headline_no_text" if report.decisions.by_label else "headline_none_on_test"
        none = "headline_no_whole" if report.decisions.items is not None else none
        key = none if report.decisions.certified else "headline_none"
        if report.decisions.forced:
            key += "_rules"
        # What is not certified was promised too, so it is the other promises that are held.
        held = "rest_held_other" if unproven_limits(report) else "rest_held"
        rest = "rest_unproven" if unproven else held if report.gates else ""
        names = phrases["and"].join(unproven)
        reason = (
            "why_periods" if report.decisions.periods else "why_misses" if report.decisions.max_miss else "why_error"
        )
        why = phrases[reason].format(max=_limit(report, language))
        said = [phrases[key].format(why=why), phrases[rest].format(names=names) if rest else ""]
        return joined(said, language)
    if report.sealed and unproven_limits(report):
        promise = phrases["promise_misses" if report.decisions.max_miss else "promise_errors"]
        unproven.append(phrases["promise_some"].format(promise=promise) if report.decisions.periods else promise)
    if report.sealed and unproven:
        key, named = "headline_unproven_allowed", unproven
    elif report.sealed:
        key, named = "headline_sealed" if report.gates else "headline_sealed_plain", []
    elif broken:
        key, named = "headline_broken", [*dict.fromkeys(_in_sentence(gate, language) for gate in broken)]
    elif unproven:
        key, named = "headline_unproven", unproven
    else:
        key, named = "headline_refused", []
    return phrases[key].format(names=phrases["and"].join(named))


def _in_sentence(gate: Gate, language: PageLanguage) -> str:
    name = gate_name(gate, language)
    return name if language == "zh" or name[1:2].isupper() else name[:1].lower() + name[1:]


def _automation(report: Report, language: PageLanguage) -> list[str]:
    phrases, decisions = words(language), report.decisions
    limit = _limit(report, language)
    if decisions.periods:
        sentences = period_sentences(report, limit, language)
        if not decisions.certified and decisions.needs:
            sentences += way_out_sentences(report, language)
        sentences += miss_sentences(report, language)
    elif not decisions.certified:
        # The headline of a sealed release says it already.
        sentences = [] if report.sealed else [phrases["says_review_all"].format(max=limit)]
        sentences += way_out_sentences(report, language) if decisions.needs else [_missing(report, language)]
    elif decisions.by_label:
        sentences = label_sentences(report, limit, language)
    elif decisions.items is not None:
        sentences = item_sentences(report, decisions.items, limit, language)
    else:
        value = decisions.error_among_automated.value
        key = "says_certified" if value is not None else "says_certified_plain"
        if isinstance(decisions.max_error, dict) and value is not None:
            key = "says_certified_by_task" if _is_by_task(report) else "says_certified_by_label"
        sentences = [
            phrases[key].format(
                rate=percent(decisions.automation_rate, language),
                confidence=as_written(decisions.confidence, language),
                max=limit,
                value=percent(value or 0.0, language),
            ),
            *_more_than_promised(report, limit, language),
            *limit_sentences(decisions, language),
        ]
        sentences += miss_sentences(report, language)
        if report.data.duplicates_removed or report.data.near_duplicates_removed:
            sentences.append(phrases["says_distinct"])
    if language in report.an_error and not decisions.by_label and decisions.items is None:
        sentences.append(phrases["says_an_error"].format(error=report.an_error[language]))
    if decisions.forced > 0:
        sentences.append(phrases["says_forced"].format(rate=percent(decisions.forced, language)))
    return sentences


def _more_than_promised(report: Report, limit: str, language: PageLanguage) -> list[str]:
    """Where more of the test rows were wrong than is promised: whether chance explains it."""
    decisions = report.decisions
    value, promised = decisions.error_among_automated.value, decisions.max_error
    if value is None or not isinstance(promised, float) or value <= promised:
        return []
    decided = round(decisions.automation_rate * report.test.rows)
    if not decided:  # a report of an earlier version does not have the number of test rows
        return []
    by_chance = lower_bound(round(value * decided), decided, 1 - decisions.confidence) <= promised
    key = "says_more_by_chance" if by_chance else "says_more_than_chance"
    return [words(language)[key].format(max=limit, rows=f"{decided:,}")]


def _missing(report: Report, language: PageLanguage) -> str:
    """How many more labelled rows would certify something, of which a share becomes calibration rows."""
    phrases, decisions = words(language), report.decisions
    missing = decisions.rows_missing or min(decisions.missing.values(), default=None)
    if not missing:
        return phrases["says_hopeless"]
    total = report.data.labelled_rows(missing, "calibration")
    said = [
        phrases["says_missing" if total > missing else "says_missing_own"].format(rows=f"{missing:,}", all=f"{total:,}")
    ]
    if report.sealed and total > missing + decisions.rows:
        # All rows that `amend` is given certify, but none that was used before.
        said.append(phrases["says_amend"].format(rows=f"{missing + decisions.rows:,}"))
    return joined(said, language)


def _score(report: Report, language: PageLanguage) -> list[str]:
    phrases, linear = words(language), report.baseline.linear
    if report.fell_back:
        teacher = report.teacher
        worse = teacher is not None and teacher.difference is not None and teacher.difference.low > 0
        return [phrases["says_fell_back_worse" if worse else "says_fell_back"], *_encoder(report, language)]
    if report.model == LINEAR:
        # It is its own baseline.
        return [phrases["says_linear"], *_encoder(report, language), *_kept(report, language)]
    sentences = []
    if linear.difference is not None:
        better, worse = linear.difference.low > 0, linear.difference.high < 0
        same = linear.difference.low == linear.difference.high == 0
        key = "says_same" if same else "says_better" if better else "says_worse" if worse else "says_tie"
        ours, theirs = f"{report.test.score.value:.3f}", f"{linear.score.value:.3f}"
        metric = metric_name(report.test.metric, language)
        sentences.append(
            phrases[key].format(metric=metric, ours=ours, theirs=theirs, apart=apart(linear.difference, language))
        )
        if same:
            sentences += _encoder(report, language)
    return [*sentences, *_kept(report, language)]


def _kept(report: Report, language: PageLanguage) -> list[str]:
    phrases = words(language)
    kept = report.teacher.kept if report.teacher is not None and report.teacher.name != LINEAR else None
    if kept is not None:
        ends = {name: percent(value, language) for name, value in (("low", kept.low), ("high", kept.high))}
        return [phrases["says_kept"].format(kept=percent(kept.value, language), **ends)]
    return []


def _encoder(report: Report, language: PageLanguage) -> list[str]:
    """Where the word model was tested: how far the encoder was from it on the test rows."""
    teacher = report.teacher
    if teacher is None or teacher.name == LINEAR or teacher.difference is None:
        return []
    over = Estimate(value=-teacher.difference.value, low=-teacher.difference.high, high=-teacher.difference.low)
    return [
        words(language)["says_encoder"].format(
            metric=metric_name(teacher.metric, language),
            ours=f"{teacher.score.value:.3f}",
            theirs=f"{report.test.score.value:.3f}",
            apart=apart(over, language),
        )
    ]


def apart(difference: Estimate, language: PageLanguage) -> str:
    """A difference of two scores with the ends of its 95 % interval, as a part of a sentence."""
    ends = {name: signed(getattr(difference, name)) for name in ("value", "low", "high")}
    return words(language)["apart_by"].format(**ends)
