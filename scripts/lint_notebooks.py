"""Do the notebooks keep the house rules?

    python scripts/lint_notebooks.py notebooks

Prints one line a breach and exits 1 if there is one, 2 if there is no notebook to read. Notebooks under `postmortems/`
are executed records: they have outputs, but no errors among them, and stay small. All others are templates.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_CODE_CELLS = 16
MOST_BYTES = 1_000_000
TEMPLATE_NAME = re.compile(r"\d\d-[a-z0-9]+(-[a-z0-9]+)*\.ipynb")
EXECUTED_NAME = re.compile(r"(\d\d|\d{4}-\d\d-\d\d)-[a-z0-9]+(-[a-z0-9]+)*\.ipynb")
MACHINE_PATH = re.compile(
    r"(?<![\w./+-])(?:/(?:home|root|Users|tmp|work|private|var/folders)/[\w.-]+|[A-Z]:\\\\?[\w.-]+)"
)
NOT_IN_A_CELL = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.AsyncFor, ast.While)

Cell = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notebook:
    """One notebook file as it lies on disk."""

    path: Path
    n_bytes: int
    content: dict[str, Any]

    @property
    def executed(self) -> bool:
        """Is it a curated record, and not a template?"""
        return "postmortems" in self.path.parts

    @property
    def cells(self) -> list[tuple[int, Cell]]:
        """The cells, counted from 1."""
        return list(enumerate(self.content.get("cells", []), 1))

    @property
    def code_cells(self) -> list[tuple[int, Cell]]:
        """The code cells somebody wrote: papermill's own is left out."""
        return [
            (n, cell)
            for n, cell in self.cells
            if cell["cell_type"] == "code" and "injected-parameters" not in tags(cell)
        ]


def tags(cell: Cell) -> list[str]:
    """Which tags does the cell carry?"""
    found: list[str] = cell.get("metadata", {}).get("tags", [])
    return found


def source(cell: Cell) -> str:
    """What is written in the cell?"""
    return text(cell.get("source", ""))


def text(multiline: str | list[str]) -> str:
    """A notebook's string, which may be stored as a list of lines."""
    return multiline if isinstance(multiline, str) else "".join(multiline)


def syntax(cell: Cell) -> ast.Module | None:
    """The cell as Python, its magics passed over; None where it does not parse."""
    lines = [re.sub(r"^(\s*)[%!].*", r"\1pass", line) for line in source(cell).splitlines()]
    try:
        return ast.parse("\n".join(lines))
    except SyntaxError:
        return None


# --------------------------------------------------------------------------------------- the rules, one each


def check_name(notebook: Notebook) -> Iterator[str]:
    """Does the name begin with a number, or for a record with its date?"""
    pattern = EXECUTED_NAME if notebook.executed else TEMPLATE_NAME
    if not pattern.fullmatch(notebook.path.name):
        yield "the name is not numbered. Hint: 02-indexing-oom.ipynb, lower case, with hyphens."


def check_kernel(notebook: Notebook) -> Iterator[str]:
    """Does it ask for the kernel that every installation has?"""
    name = notebook.content.get("metadata", {}).get("kernelspec", {}).get("name")
    if name != "python3":
        yield f"the kernel is {name!r}. Hint: set metadata.kernelspec.name to 'python3'."


def check_ids(notebook: Notebook) -> Iterator[str]:
    """Has each cell an id of its own, so that changes can be followed?"""
    ids = Counter(cell.get("id") for _, cell in notebook.cells)
    for cell_id, n in ids.items():
        if cell_id is None:
            yield f"{n} cells have no id. Hint: save it once more as nbformat 4.5."
        elif n > 1:
            yield f"the id {cell_id!r} is on {n} cells. Hint: delete the copies' ids and save."


def check_parameters(notebook: Notebook) -> Iterator[str]:
    """Is there one cell of parameters, each of them a JSON scalar?"""
    cells = [(n, cell) for n, cell in notebook.code_cells if "parameters" in tags(cell)]
    if len(cells) != 1:
        yield f"{len(cells)} cells are tagged 'parameters', not 1."
    for n, cell in cells:
        tree = syntax(cell)
        if tree is not None and not all(map(is_scalar_assignment, tree.body)):
            yield f"cell {n}: a parameter is not a JSON scalar. Hint: name = a string, number, True, False or None."


def is_scalar_assignment(statement: ast.stmt) -> bool:
    """Does the statement give one name one JSON scalar?"""
    if isinstance(statement, ast.AnnAssign):
        return isinstance(statement.target, ast.Name) and is_scalar(statement.value)
    if isinstance(statement, ast.Assign):
        return [type(target) for target in statement.targets] == [ast.Name] and is_scalar(statement.value)
    return False


def is_scalar(value: ast.expr | None) -> bool:
    """Can the value be given on a command line?"""
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
        value = value.operand
    return isinstance(value, ast.Constant) and isinstance(value.value, str | int | float | None)


def check_code(notebook: Notebook) -> Iterator[str]:
    """Are the code cells few, and without anything that wants a test of its own?"""
    if len(notebook.code_cells) > MOST_CODE_CELLS:
        yield f"{len(notebook.code_cells)} code cells, {MOST_CODE_CELLS} at most. Hint: one question a notebook."
    for n, cell in notebook.code_cells:
        tree = syntax(cell)
        if tree is None:
            yield f"cell {n}: does not parse as Python."
            continue
        for node in ast.walk(tree):
            if isinstance(node, NOT_IN_A_CELL):
                kind = type(node).__name__
                yield f"cell {n}: {kind} in line {node.lineno}. Hint: move it into the package, with a test."


def check_paths(notebook: Notebook) -> Iterator[str]:
    """Would it say the same on another machine?"""
    for n, cell in notebook.cells:
        for where, said in [("", source(cell)), (", in its output", output_text(cell))]:
            for path in sorted(set(MACHINE_PATH.findall(said))):
                yield f"cell {n}{where}: a path of one machine, {path!r}. Hint: a relative path, or a parameter."


def output_text(cell: Cell) -> str:
    """What the cell's outputs say, pictures aside."""
    said = []
    for output in cell.get("outputs", []):
        said.append(text(output.get("text", "")))
        data = {
            kind: value for kind, value in output.get("data", {}).items() if not kind.startswith("image/")
        }
        said.append(json.dumps(data))
    return "\n".join(said)


def check_outputs(notebook: Notebook) -> Iterator[str]:
    """Is a template empty, and a record free of errors?"""
    for n, cell in notebook.cells:
        if notebook.executed:
            yield from (
                f"cell {n}: an error among its outputs, {output.get('ename')}."
                for output in cell.get("outputs", [])
                if output["output_type"] == "error"
            )
        elif cell.get("outputs") or cell.get("execution_count") is not None:
            yield f"cell {n}: a template with outputs. Hint: jupyter nbconvert --clear-output --inplace FILE."


def check_size(notebook: Notebook) -> Iterator[str]:
    """Is it small enough for a repository, and for a git host's viewer?"""
    if notebook.n_bytes > MOST_BYTES:
        yield f"{notebook.n_bytes:,} bytes, {MOST_BYTES:,} at most. Hint: fewer points or smaller pictures."


RULES: tuple[Callable[[Notebook], Iterator[str]], ...] = (
    check_name,
    check_kernel,
    check_ids,
    check_parameters,
    check_code,
    check_paths,
    check_outputs,
    check_size,
)


# ------------------------------------------------------------------------------------------------------- run


def breaches(path: Path) -> list[str]:
    """Which rules does this notebook break, in a line each?"""
    raw = path.read_bytes()
    try:
        content = json.loads(raw)
    except ValueError as error:
        return [f"{path}: not a notebook: {error}"]
    notebook = Notebook(path=path, n_bytes=len(raw), content=content)
    return [f"{path}: {breach}" for rule in RULES for breach in rule(notebook)]


def main(folders: list[str]) -> int:
    """Lint every notebook under the folders; the exit status."""
    paths = sorted(path for folder in folders for path in Path(folder).rglob("*.ipynb"))
    paths = [path for path in paths if ".ipynb_checkpoints" not in path.parts]
    if not paths:
        print(
            f"No notebook under {folders}. Hint: python scripts/lint_notebooks.py notebooks", file=sys.stderr
        )
        return 2
    found = [breach for path in paths for breach in breaches(path)]
    print("\n".join([*found, f"{len(paths)} notebooks, {len(found)} breaches"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
