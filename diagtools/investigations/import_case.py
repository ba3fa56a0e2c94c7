"""What does an import cost, who pays for what, and what would laziness really save?  The investigation."""

from __future__ import annotations

import shlex
from functools import cached_property

import altair as alt
import polars as pl

from diagtools.analyse.import_story import (
    cost_findings,
    dearest_foreign,
    fixed_finding,
    own_package,
    process_findings,
    steps,
    together_finding,
    tried_effect,
    tried_sentence,
)
from diagtools.analyse.laziness import Verdict as Became
from diagtools.analyse.laziness import Verification
from diagtools.errors import NoDataError, UsageError
from diagtools.investigations.case import Case
from diagtools.investigations.import_advice import advice_for
from diagtools.investigations.import_command import command_import_cost
from diagtools.investigations.import_cost import import_cost, statement_of
from diagtools.investigations.import_pairs import ImportPairs, import_pairs
from diagtools.investigations.import_programs import Program, known
from diagtools.investigations.import_suspects import NOTHING, suspects
from diagtools.investigations.import_verify import (
    Verified,
    same_output,
    verified_chart,
    verify_imports,
    verify_together,
)
from diagtools.investigations.measured_imports import ImportCost
from diagtools.investigations.optional_dependency import optional_dependency
from diagtools.investigations.parameters import above_zero, whole
from diagtools.present import tables
from diagtools.present.imports import place
from diagtools.present.prose import Prose, Quote
from diagtools.present.tables import Table
from diagtools.units import format_bytes, format_seconds, parse_bytes
from diagtools.values import Budget, Effect, Finding, Target

_QUESTION = "Which imports cost a process its memory before it does any work, and which of them can wait?"


_NONE_WAITS = "None of the suspects saves anything worth it when it waits."


class ImportCase(Case):
    """The investigation of what importing ``target`` costs.

    ``target`` is a name among ``known()``, a module, or a statement; ``suite`` a command that pays for it, such as a
    test suite; ``fixed`` and ``fixed_suite`` are the same as they are when mended.  ``n`` suspects are verified, or
    the one ``at`` a place (``file:line``, or a file); ``repeat`` runs measure the cost, ``pairs`` each comparison.
    ``budget`` is what the mended import may take, ``forbid`` a package that it must not import.
    """

    def __init__(
        self,
        *,
        target: str = "knowledge",
        suite: str = "",
        fixed: str = "",
        fixed_suite: str = "",
        n: int = 4,
        at: str = "",
        repeat: int = 3,
        pairs: int = 2,
        budget: str = "",
        forbid: str = "",
        timeout: float = 300,
    ) -> None:
        story = known().get(target, Program(target=target))
        self.program = Program(
            target=story.target,
            suite=suite or story.suite,
            fixed=fixed or story.fixed,
            fixed_suite=fixed_suite or story.fixed_suite,
            forbid=forbid or story.forbid,
            wild_target=story.wild_target,
            wild_package=story.wild_package,
            budget=budget or story.budget,
        )
        self.n, self.repeat, self.pairs = whole("n", n), whole("repeat", repeat), whole("pairs", pairs)
        self.at = at
        self.timeout_s = above_zero("timeout", timeout)
        self._statements = [statement_of(self.program.target)]
        self._fixed = [statement_of(self.program.fixed)] if self.program.fixed else []
        self._suite = _command("suite", self.program.suite)
        self._fixed_suite = _command("fixed_suite", self.program.fixed_suite)
        limit = parse_bytes(self.program.budget) if self.program.budget else None
        self._budget = None if limit is None else Budget(metric="anon_bytes", limit_bytes=limit)
        super().__init__(question=_QUESTION)

    # --- what is measured ----------------------------------------------------------------------------

    @cached_property
    def suite(self) -> ImportCost:
        """What the dearest process of the suite imports.  Raises ``NoDataError`` without a suite."""
        if self._suite is None:
            raise NoDataError("There is no suite to look at.", hint="pass suite='python -m pytest tests'.")
        found = command_import_cost(self._suite, timeout_s=self.timeout_s)[0]
        if found.error:
            raise NoDataError(
                f"The suite '{self._suite_name()}' ended with {found.error}.",
                hint=" / ".join(found.last_words[-2:]),
            )
        return found

    @cached_property
    def cost(self) -> ImportCost:
        """What importing the target costs.  Raises ``NoDataError`` where it fails."""
        cost = import_cost(self.program.target, repeat=self.repeat, timeout_s=self.timeout_s)
        if cost.error:
            raise NoDataError(
                f"'{self.program.target}' fails with {cost.error}.",
                hint=" / ".join(cost.last_words[-1:]) or None,
            )
        return cost

    @cached_property
    def verified(self) -> list[Verified]:
        """What became of the suspects, each made lazy alone."""
        return verify_imports(
            self.cost,
            self._statements,
            n=self.n,
            at=self.at or None,
            pairs=self.pairs,
            timeout_s=self.timeout_s,
        )

    @cached_property
    def together(self) -> Verification | None:
        """What all suspects save that saved something alone; null where none did."""
        saving = self.saving
        if not saving:
            return None
        return verify_together(
            self.cost, self._statements, saving, pairs=self.pairs, timeout_s=self.timeout_s
        )

    @cached_property
    def in_suite(self) -> Verification | None:
        """The same in the suite, as a whole; null without a suite, or where nothing saves."""
        if not self.saving or self._suite is None:
            return None
        return verify_together(
            self.suite,
            self._suite,
            self.saving,
            python=self.suite.executable,
            pairs=self.pairs,
            timeout_s=self.timeout_s,
        )

    @cached_property
    def fixed(self) -> ImportPairs | None:
        """What the target takes as it is and mended, in turn; null where no mended one is given."""
        if not self._fixed:
            return None
        return import_pairs(self._statements, self._fixed, pairs=self.pairs, timeout_s=self.timeout_s)

    @cached_property
    def fixed_suite(self) -> ImportPairs | None:
        """What the suite takes as it is and mended, in turn; null where no mended one is given."""
        if self._suite is None or self._fixed_suite is None:
            return None
        return import_pairs(self._suite, self._fixed_suite, pairs=self.pairs, timeout_s=self.timeout_s)

    @property
    def saving(self) -> list[Verified]:
        """The suspects that save something worth it."""
        return [one for one in self.verified if one.verdict in (Became.SAVES, Became.PARTLY)]

    def optional_dependency(self, target: str = "", package: str = "") -> Prose:
        """What an optional dependency costs whoever imports ``target``; else that of a program's story."""
        target, package = target or self.program.wild_target, package or self.program.wild_package
        if not target or not package:
            return Prose(["No optional dependency was named."])
        return optional_dependency(target, package, repeat=self.repeat, pairs=self.pairs)

    # --- what is shown -------------------------------------------------------------------------------

    def symptom(self) -> Prose:
        """What the suite holds, and what the target alone costs."""
        return Prose(self.what_it_costs(), heading="What it costs")

    def what_it_costs(self) -> list[Finding]:
        """The same as findings."""
        found = process_findings(self._suite_name(), self.suite.imports) if self._suite else []
        cost = self.cost
        return [*found, *cost_findings(cost.target, cost.imports, cost.spread["anon_bytes"], len(cost.runs))]

    def steps(self) -> Table:
        """What the process held after each import at its top: the suite's where there is one."""
        cost = self.suite if self._suite else self.cost
        return Table(
            steps(cost.imports, cost.interpreter_bytes),
            {
                "after": tables.text("after importing"),
                "so_far_bytes": tables.mib("memory of its own so far"),
                "own_bytes": tables.mib("with this import"),
                "n_modules": tables.count("modules"),
            },
        )

    def icicle(self) -> alt.TopLevelMixin:
        """Who imported whom, each as wide as the memory that came with it."""
        return self.cost.chart()

    def waterfall(self) -> alt.TopLevelMixin:
        """When each module was imported, and how memory rose."""
        return self.cost.waterfall()

    def pulled_in(self, module: str = "") -> alt.TopLevelMixin | Prose:
        """Who pulled this module in: the dearest package that is neither Python's nor the target's, unless named."""
        wanted = module or dearest_foreign(self.cost.packages, own_package(self.cost.imports))
        if wanted is None:
            return Prose(["Nothing is imported here that is neither Python's nor the target's own."])
        return self.cost.chain_chart(wanted)

    def suspects(self) -> Table:
        """The statements that hold most: predicted, until they are verified."""
        rows = [
            (one.where, one.what, one.predicted_anon_bytes, one.n_modules)
            for one in suspects(self.cost, self.n)
        ]
        shown = pl.DataFrame(
            rows, schema=["where", "what", "predicted", "modules"], orient="row"
        ).with_columns(share=pl.col("predicted") / max(self.cost.total["anon_bytes"], 1))
        return Table(
            shown,
            {
                "where": tables.text("statement"),
                "what": tables.text("imports"),
                "predicted": tables.mib("only through it (predicted)"),
                "share": tables.share("of all"),
                "modules": tables.count("modules"),
            },
            note=None if rows else NOTHING,
        )

    def verify(self) -> Prose:
        """Makes each suspect lazy, alone, then all that save at once, here and in the suite."""
        return Prose([*map(tried_sentence, self.verified), *self.what_they_save()], heading="Verified")

    def what_they_save(self) -> list[Finding]:
        """What those that save do together, here and in the suite."""
        n = len(self.saving)
        found = [together_finding(self.together, n, None)] if self.together else []
        return [*found, *([together_finding(self.in_suite, n, self._suite_name())] if self.in_suite else [])]

    def verified_chart(self) -> alt.TopLevelMixin | Prose:
        """Predicted beside measured, a bar a statement; where there was none to verify, that."""
        return verified_chart(self.verified) if self.verified else Prose([NOTHING])

    def advice(self) -> Prose:
        """The edit for each statement that saves, to paste."""
        texts = [line for one in self.saving for line in [*advice_for(one, most_edits=1).splitlines(), ""]]
        caption = "Each of these saves what was measured above, while what it imports is unused:"
        if not texts:
            return Prose(["No statement here saves anything worth it."], heading="Advice")
        return Prose([], heading="Advice", quote=Quote(caption=caption, lines=tuple(texts)))

    def before_after(self) -> Table:
        """Memory, time and modules as it was and mended: the target and the suite, medians of runs in turn.

        Where no mended one is given: the statements that save, lazy at once.
        """
        rows: dict[str, list[str]] = {"": ["memory of its own", "time", "modules"]}
        for name, pairs in (("import", self.fixed), ("suite", self.fixed_suite)):
            if pairs is not None:
                for side, heading in ((pairs.before, "as it was"), (pairs.after, "mended")):
                    rows[f"{name}, {heading}"] = [
                        format_bytes(side.median_bytes),
                        format_seconds(sorted(side.wall_s)[len(side.wall_s) // 2]),
                        f"{side.n_modules[0]:,}",
                    ]
        if len(rows) == 1 and self.together is not None:
            rows["import, as it was"] = [format_bytes(self.together.plain_anon_bytes), "—", "—"]
            rows["import, lazy"] = [
                format_bytes(self.together.lazy_anon_bytes),
                f"−{format_seconds(self.together.saved_wall_s)}",
                f"−{self.together.n_modules:,}",
            ]
        nothing = (
            "No statement saves anything here, and no mended import was named." if len(rows) == 1 else None
        )
        return Table(pl.DataFrame(rows), note=nothing)

    def conclusion(self) -> Prose:
        """Which imports cost it, which can wait, and what the mend comes to."""
        return Prose(self.concluded(), heading="Conclusion")

    def concluded(self) -> list[Finding]:
        """The same as findings."""
        found = [Finding(sentence=tried_sentence(one)) for one in self.verified]
        nothing = [] if self.saving else [Finding(sentence=NOTHING if not self.verified else _NONE_WAITS)]
        return [*found, *nothing, *self.what_they_save(), *self._mended()]

    def keep_budget(self) -> Prose:
        """Does the mended import keep its budget, and leave out what it must?  Raises ``BudgetBreached``.

        Where no mended one is given, the target itself is checked.
        """
        cost = self.cost
        if self.program.fixed:
            cost = import_cost(self.program.fixed, repeat=self.repeat, timeout_s=self.timeout_s)
        forbidden = [self.program.forbid] if self.program.forbid else []
        cost.check(self._budget, forbid=forbidden)
        kept = [f"'{name}' is not imported by '{cost.target}'." for name in forbidden]
        if self._budget is not None:
            most, limit = int(cost.spread["anon_bytes"][1]), self._budget.limit_bytes
            kept.insert(
                0, f"Budget kept: '{cost.target}' takes {format_bytes(most)}, below {format_bytes(limit)}."
            )
        return Prose(kept or ["No budget was given."], heading="Budget")

    # --- the case ------------------------------------------------------------------------------------

    @property
    def effects(self) -> list[Effect]:
        """What became of each suspect."""
        return [tried_effect(one) for one in self.verified]

    def findings(self) -> list[Finding]:
        """What it costs, what became of the suspects, and what the mend comes to."""
        return [*self.what_it_costs(), *self.concluded()]

    def headlines(self) -> list[str]:
        """The case in a few short sentences."""
        found = [f"The import costs {format_bytes(self.cost.total['anon_bytes'])} of memory of its own."]
        if self.together:
            saved = format_bytes(self.together.saved_anon_bytes)
            found.append(f"Lazy, what is confirmed saves {saved} of that, measured while it is unused.")
        else:
            found.append(_NONE_WAITS if self.verified else NOTHING)
        if self.in_suite:
            held = format_bytes(self.in_suite.plain_anon_bytes)
            same = ", and it prints the same" if same_output(self.in_suite) else ""
            found.append(
                f"In the suite that saves {format_bytes(self.in_suite.saved_anon_bytes)} of {held}{same}."
            )
        for name, pairs in (("Mended, the import", self.fixed), ("Mended, the suite", self.fixed_suite)):
            if pairs is not None:
                after, before = pairs.after.median_bytes, pairs.before.median_bytes
                found.append(str(fixed_finding(name, before, after)))
        return found

    def _mended(self) -> list[Finding]:
        found = []
        for name, pairs in ((self.program.fixed, self.fixed), (self._suite_name(), self.fixed_suite)):
            if pairs is not None:
                same = pairs.same_output if pairs is self.fixed_suite else None
                what = f"'{name}', mended" if pairs is self.fixed_suite else f"Mended, '{name}'"
                found.append(
                    fixed_finding(what, pairs.before.median_bytes, pairs.after.median_bytes, same_output=same)
                )
        return found

    def _suite_name(self) -> str:
        """The command without what stands before the program, and folders of it."""
        words = self._suite.argv if self._suite else ()
        while words and (words[0] == "env" or "=" in words[0]):
            words = words[1:]
        return place(" ".join((words[0].rpartition("/")[2], *words[1:]))) if words else ""


def _command(name: str, text: str) -> Target | None:
    """The command of this parameter, null where it is empty.  Raises ``UsageError`` for what is none."""
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        hint = f"{name}='python -m pytest tests'"
        raise UsageError(f"{name}={text!r} is no command line: {error}.", hint=hint) from error
    return Target(argv=words) if words else None
