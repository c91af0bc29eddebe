"""Fuzzing: any bytes into everything that reads bytes which somebody else wrote.

    python -m tests.fuzz TARGET SECONDS     coverage-guided (`pip install -e '.[fuzz]'`; `native`: clang)
    python -m tests.fuzz TARGET FILE...     what was found, once more
    python -m tests.fuzz keep TARGET...     the smallest of what was found, into corpus/
    python -m tests.fuzz paths COUNT [SEED] so many packets over the native and the Python path: see `paths`

Every target is a module with `run` (one input, which must hold what the module says), `seeds` (where to
begin) and `ABOUT` (see `target`). `native` is run by clang's libFuzzer (see `compiled`), the others by
atheris. `test_fuzz` runs them all over the corpus and seeded mutations of it.
"""
