from georouter.answers.tables import Directory

class DirectoryTables:
    source: Directory

    def __init__(self, source: Directory) -> None: ...
    @property
    def size(self) -> int: ...
    @property
    def crowded(self) -> int: ...
