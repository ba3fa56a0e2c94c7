"""Runs the text of a notebook cell as the main program of a fresh process.

This text is written into a script (see ``cell_source``), so it runs in the target's interpreter, whatever version from
3.9 on that is, and imports nothing that an interpreter has not loaded when it starts.  A process that
``multiprocessing`` spawns runs the same script again, and so knows what the cell defines.
"""

# No "from __future__" and no typing: they would be imports of the program.
# mypy: ignore-errors

import sys

_TOP_LEVEL_AWAIT = 0x2000  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_IS_COROUTINE = 0x80  # inspect.CO_COROUTINE


class _Source:
    """The loader of the main module: from here traceback, inspect and pdb have the cell's lines."""

    def __init__(self, text):
        self._text = text

    def get_source(self, name):
        return self._text


class _Traceback:
    """Prints exceptions as the interpreter does, with the cell's lines and without ours above them."""

    def __init__(self, label, ours):
        self._label = label
        self._ours = ours

    def show(self, kind, error, trace):
        import traceback

        traceback.print_exception(kind, error, self._of_cell(trace) or self._without_ours(trace))
        if kind is KeyboardInterrupt:
            self._interrupt_again()

    def _interrupt_again(self):
        """The interpreter then ends itself with SIGINT; an import here may have made it forget that it must."""
        try:  # noqa: SIM105 - contextlib would be an import of the program
            exec("raise KeyboardInterrupt")
        except KeyboardInterrupt:
            pass

    def show_of_thread(self, args):
        if args.exc_type is not SystemExit:
            name = args.thread.name if args.thread is not None else "?"
            print(f"Exception in thread {name}:", file=sys.stderr)
            self.show(args.exc_type, args.exc_value, args.exc_traceback)

    def _of_cell(self, trace):
        while trace is not None and trace.tb_frame.f_code.co_filename != self._label:
            trace = trace.tb_next
        return trace

    def _without_ours(self, trace):
        while trace is not None and trace.tb_frame.f_code.co_filename in self._ours:
            trace = trace.tb_next
        return trace

    def take_over(self):
        import _thread

        sys.excepthook = self.show
        _thread._excepthook = self.show_of_thread  # threading takes it from here when it is imported
        if "threading" in sys.modules:
            sys.modules["threading"].excepthook = self.show_of_thread


def start(names, label, text, given):
    """Execute the cell in these names, those of ``__main__``."""
    script = names.get("_script") or names["__file__"]  # spawned: runpy has set it
    for name in [name for name in names if not name.startswith("__")]:
        del names[name]
    names.update(given)
    names["__file__"] = sys.argv[0] = script  # multiprocessing finds it there
    names["__loader__"] = _Source(text)
    if sys.stdout is not None:
        sys.stdout.reconfigure(line_buffering=True)  # it is shown as it comes
    _Traceback(label, (script, __file__, "<string>")).take_over()
    code = compile(text, label, "exec", flags=_TOP_LEVEL_AWAIT, dont_inherit=True)
    if code.co_flags & _IS_COROUTINE:
        import asyncio

        asyncio.run(eval(code, names))
    else:
        exec(code, names)
