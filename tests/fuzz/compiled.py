"""Targets that libFuzzer itself runs, over native code built with its instrumentation and with sanitizers.

Takes clang with its sanitizers (Debian: clang). The native packet path is built apart from the usual build,
into `build/fuzzed`, with AddressSanitizer and UndefinedBehaviorSanitizer; the first report of either is a
finding.
"""

import importlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.fuzz import native

REPOSITORY = Path(__file__).parent.parent.parent
HERE = REPOSITORY / "build" / "fuzzed"
FUZZER = HERE / "libfuzzer.so"
DICTIONARY = HERE / "words.dict"
DRIVER = "driver"
NAMES = ("native",)
SANITIZERS = "-fsanitize=fuzzer-no-link,address,undefined"
FLAGS = (SANITIZERS, "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g")
MEMORY_MB = 1500
STOPPED_S = 900
"""More than a process that is stopped for a while: libFuzzer takes that for slowness."""


def go(command: Sequence[str], arguments: Sequence[str]) -> None:
    """Build, and give the process to libFuzzer; `command` is what starts this anew."""
    if os.environ.get("LD_PRELOAD", "").split(" ")[0] != str(FUZZER):
        build()
        os.chdir(REPOSITORY)
        os.execve(sys.executable, [*command, *arguments], environment())
    sys.path.append(str(HERE))
    driver = importlib.import_module(DRIVER)
    options = [
        f"-max_len={native.ABOUT.longest}",
        f"-dict={DICTIONARY}",
        f"-timeout={STOPPED_S}",
        f"-rss_limit_mb={MEMORY_MB}",
        "-detect_leaks=0",
        "-use_value_profile=1",  # branches alone are soon all reached
        "-print_final_stats=1",
    ]
    DICTIONARY.write_text("".join(entries(native.words())))
    responders = [pair.native.native for pair in native.paths.pairs()]
    told = [os.fsencode(text) for text in (" ".join(command), *options, *arguments)]
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # libFuzzer's, which ends with figures, only replaces that
    driver.run(responders, native.run, native.TIMES, native.paths.NOW, native.STEP_S, told)


def environment() -> Mapping[str, str]:
    """Of a process with sanitizers, in which the instrumented modules are the ones that are found."""
    return {
        **os.environ,
        "LD_PRELOAD": f"{FUZZER} {_runtime('asan', 'so')}",  # both have hooks for coverage
        "PYTHONPATH": f"{HERE / 'lib'}:{REPOSITORY}",
        "PYTHONSAFEPATH": "1",
        "PYTHONMALLOC": "malloc",  # every object is then a piece of memory by itself
        "ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=32:verify_asan_link_order=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }


def entries(words: Iterable[bytes]) -> Iterable[str]:
    """Lines of a dictionary of libFuzzer, which has no room for longer words than these."""
    for word in words:
        if 1 < len(word) <= 64:
            yield '"' + "".join(f"\\x{octet:02x}" for octet in word) + '"\n'


def build() -> None:
    """The native packet path and libFuzzer as shared libraries, and `driver`, which brings them together."""
    if shutil.which("clang") is None:
        raise SystemExit(
            "Native code is fuzzed with clang and its sanitizers (Debian: apt-get install clang)."
        )
    HERE.mkdir(parents=True, exist_ok=True)
    flags = " ".join(FLAGS)
    setting = {
        "CC": "clang",
        "LDSHARED": "clang -shared",
        "CFLAGS": flags,
        "LDFLAGS": f"{flags} -shared-libasan",
    }
    folders = ("--build-base", str(HERE / "base"), "--build-lib", str(HERE / "lib"))
    _call(sys.executable, "setup.py", "-q", "build", *folders, setting=setting)
    whole = ("-Wl,--whole-archive", _runtime("fuzzer_no_main", "a"), "-Wl,--no-whole-archive")
    _call("clang++", "-shared", "-o", str(FUZZER), *whole, "-lpthread", "-ldl", "-lm")
    source, made = HERE / f"{DRIVER}.c", HERE / f"{DRIVER}.so"
    _call(sys.executable, "-m", "cython", "-3", "-I", ".", f"tests/fuzz/{DRIVER}.pyx", "-o", str(source))
    include = f"-I{sysconfig.get_paths()['include']}"
    _call(
        "clang", "-shared", "-fPIC", "-O2", include, *FLAGS, "-shared-libasan", str(source), "-o", str(made)
    )


def _call(*command: str, setting: Mapping[str, str] | None = None) -> None:
    subprocess.run(command, cwd=REPOSITORY, env={**os.environ, **(setting or {})}, check=True)


def _runtime(name: str, suffix: str) -> str:
    """Where clang has this library."""
    question = f"-print-file-name=libclang_rt.{name}-{platform.machine()}.{suffix}"
    return subprocess.run(("clang", question), capture_output=True, text=True, check=True).stdout.strip()
