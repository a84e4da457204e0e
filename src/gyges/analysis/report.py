"""A stored run to its report in one call: rows, audit, figures. It knows no form of the report."""

from __future__ import annotations

from gyges.analysis.analyse import analyse
from gyges.analysis.audit import Auditor
from gyges.analysis.result import Report
from gyges.analysis.rows import Run, contrasts_of, models_of, rows_of


def report_of(
    run: Run,
    set_name: str | None = None,
    *,
    missing_acknowledged: bool = False,
) -> Report:
    """The report of a stored run by the grades of `set_name` (None: the latest), audited.

    `missing_acknowledged` is that of `analyse`; what is planted in the run's organisms stands in its manifest.
    """
    auditor = Auditor()
    rows = rows_of(run, set_name, auditor.see)
    manifest = run.manifest
    return analyse(
        manifest.run,
        rows,
        contrasts_of(manifest),
        models=models_of(manifest),
        missing_acknowledged=missing_acknowledged,
        audit=auditor.notes(manifest),
        planted=manifest.planted,
    )
