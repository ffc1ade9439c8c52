"""Runs the examples of a page, in order, against a fresh server (AKIDB_URL), and compares what they print with the page.

A block marked `console` is read as readme_test.cc reads it: "$ command", continued by "> ", then its output, where "…"
stands for anything within one line. `python` blocks share one session, as in an interpreter; `js` blocks are modules of
their own. What a block of these two prints stands in a block marked `text` behind it. Blocks of other marks are not run.
The address http://127.0.0.1:8080 is replaced by the server's, and so are those of Qdrant (port 6333; the same server) and
Chroma (8000; a stand-in). `akidb` is the program given. All run in one empty directory.
Usage: pages_test.py SOURCE_DIRECTORY AKIDB_PROGRAM PAGE
"""

import contextlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

import chroma_stand_in

ADDRESS = "http://127.0.0.1:8080"


def read_blocks(page):
    """(line, mark, text) of each fenced block."""
    blocks, mark, first, lines = [], None, 0, []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if not line.startswith("```"):
            lines.append(line)
        elif mark is None:
            mark, first, lines = line[3:], number + 1, []
        else:
            blocks.append((first, mark, "\n".join(lines) + "\n"))
            mark = None
    return blocks


def read_examples(page):
    """(line, kind, command, output wanted)."""
    examples = []
    for first, mark, text in read_blocks(page):
        if mark in ("python", "js"):
            examples.append([first, mark, text, ""])
        elif mark == "text" and examples and examples[-1][1] != "console":
            examples[-1][3] += text
        elif mark == "console":
            for number, line in enumerate(text.splitlines(), first):
                if line.startswith("$ "):
                    examples.append([number, mark, line[2:], ""])
                elif line.startswith("> ") and not examples[-1][3]:
                    examples[-1][2] += "\n" + line[2:]
                else:
                    examples[-1][3] += line + "\n"
    return examples


def is_same(got, wanted):
    got_lines = [line.rstrip() for line in got.rstrip().splitlines()]
    wanted_lines = [line.rstrip() for line in wanted.rstrip().splitlines()]
    return len(got_lines) == len(wanted_lines) and all(
        re.fullmatch(".*".join(map(re.escape, pattern.split("…"))), line)
        for line, pattern in zip(got_lines, wanted_lines)
    )


class Runner:
    def __init__(self, source, akidb, work):
        self.url = os.environ["AKIDB_URL"]
        self.chroma = chroma_stand_in.start()
        self.work = work
        self.session = {"__name__": "page"}
        programs = work.parent / "bin"
        programs.mkdir()
        wrapper = programs / "akidb"
        # What it tells of its progress comes on standard error, as often as it takes.
        # Some verbs need no server.
        script = (
            '#!/bin/sh\ncase "$1 $2" in restore*|"backup list"|"backup verify"|"backup prune") ;;\n'
            f'*) set -- "$@" --url "{self.url}" ;; esac\n'
            f'"{akidb}" "$@" 2>"{programs}/told" || cat "{programs}/told"\n'
        )
        wrapper.write_text(script, encoding="utf-8")
        wrapper.chmod(0o755)
        os.environ["PATH"] = f"{programs}:{os.environ['PATH']}"
        sys.path.insert(0, str(source / "clients/python/src"))
        modules = work.parent / "node_modules"
        modules.mkdir()
        (modules / "akidb").symlink_to(source / "clients/typescript")
        os.chdir(work)

    def run(self, kind, command):
        for port, url in (("8080", self.url), ("6333", self.url), ("8000", self.chroma)):
            command = command.replace(f"http://127.0.0.1:{port}", url)
        if kind == "python":
            return self.run_python(command)
        if kind == "js":
            module = self.work / "example.mjs"
            module.write_text(command, encoding="utf-8")
            return self.run_program(["node", str(module)])
        return self.run_program(["bash", "-c", command])

    def run_program(self, words):
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.stdout.decode(errors="replace").replace(self.url, ADDRESS)

    def run_python(self, code):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            try:
                exec(compile(code, "page", "exec"), self.session)
            except Exception:
                printed.write(traceback.format_exc())
        return printed.getvalue()


def main():
    source, akidb, page = (pathlib.Path(word).resolve() for word in sys.argv[1:])
    has_node = shutil.which("node") is not None
    faults = count = passed_over = 0
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory) / "work"
        work.mkdir()
        runner = Runner(source, akidb, work)
        for line, kind, command, wanted in read_examples(page):
            if kind == "js" and not has_node:
                passed_over += 1
                continue
            count += 1
            got = runner.run(kind, command)
            if not is_same(got, wanted):
                faults += 1
                print(f"{page.name}:{line}: {command.rstrip()}\nprints\n{got}\nnot\n{wanted}")
        os.chdir("/")
    print(f"{page.name}: {count} examples, {faults} faults, {passed_over} passed over for want of node")
    return 1 if faults or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
