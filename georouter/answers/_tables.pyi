from georouter.answers._directory import DirectoryTables
from georouter.answers.conduct import Conduct
from georouter.answers.limits import Limits
from georouter.answers.tables import Snapshot

class Tables:
    directory: DirectoryTables
    snapshot: Snapshot

    def __init__(
        self, snapshot: Snapshot, limits: Limits, conduct: Conduct, previous: Tables | None = None
    ) -> None: ...
    @property
    def size(self) -> int: ...
    @property
    def far(self) -> bool: ...
