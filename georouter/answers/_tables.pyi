# The published tables as native code reads them: see `_tables.pyx`.

from georouter.answers.conduct import Conduct
from georouter.answers.limits import Limits
from georouter.answers.tables import Snapshot

class Tables:
    def __init__(
        self, snapshot: Snapshot, limits: Limits, conduct: Conduct, previous: Tables | None = None
    ) -> None: ...
