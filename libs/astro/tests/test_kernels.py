"""What no kernel may do: allocate in its loops, or read what can change under it."""

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

import libs.astro

ALLOCATING = {
    "arange",
    "array",
    "append",
    "concatenate",
    "copy",
    "empty",
    "empty_like",
    "full",
    "full_like",
    "hstack",
    "linspace",
    "ones",
    "ones_like",
    "repeat",
    "stack",
    "tile",
    "vstack",
    "zeros",
    "zeros_like",
}
CHANGING = {
    "append",
    "clear",
    "extend",
    "fill",
    "insert",
    "itemset",
    "pop",
    "put",
    "remove",
    "resize",
    "setflags",
    "sort",
    "update",
}
# Kernels that allocate and may be called in a loop.
CALLED = {
    "airspace_index._toggle": "once a ring, when a file is read",
    "airspace_track._with_room": "doubles its room, so that the calls are a logarithm of the crossings",
    "airspace_track.cross": "once a track: a piece in a band of levels, a hundred points each",
    "decay.trajectory": "once a flight; its own loop over steps allocates nothing",
}
# Kernels whose loops allocate.
LOOPED = {
    "airspace_index._covered": "doubles its room, when a file is read",
    "airspace_index._toggle": "once a row of cells, when a file is read",
    "airspace_stays.stays": "makes room for what it found, when there is more than ever before",
    "airspace_validity._meetings": "doubles its room, when a file is read",
    "decay_legs._follow": "once a sample, on the day from which its later coefficient holds",
}
Kernel = Any


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(libs.astro.__path__):
        if not found.ispkg:
            yield importlib.import_module(f"libs.astro.{found.name}")


def kernels() -> dict[str, Kernel]:
    found: dict[str, Kernel] = {}
    for module in modules():
        for thing in vars(module).values():
            if isinstance(thing, Dispatcher) and thing.__module__ == module.__name__:
                found[name_of(thing)] = thing
    return found


def name_of(kernel: Kernel) -> str:
    return f"{kernel.__module__.removeprefix('libs.astro.')}.{kernel.py_func.__name__}"


@cache
def tree_of(kernel: Kernel) -> ast.FunctionDef:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kernel.py_func))).body
    assert isinstance(tree, ast.FunctionDef)
    return tree


def loops(kernel: Kernel) -> Iterator[ast.AST]:
    """All that is done again and again."""
    for node in ast.walk(tree_of(kernel)):
        if isinstance(node, ast.For | ast.While):
            for inner in node.body:
                yield from ast.walk(inner)


def value_of(kernel: Kernel, node: ast.AST) -> Any:
    """What a name, or a name in a module, stands for when the kernel is compiled; None where it is its own."""
    if isinstance(node, ast.Name):
        return kernel.py_func.__globals__.get(node.id)
    if isinstance(node, ast.Attribute) and isinstance(value_of(kernel, node.value), ModuleType):
        return getattr(value_of(kernel, node.value), node.attr, None)
    return None


def allocates(node: ast.AST) -> bool:
    if isinstance(node, ast.List | ast.ListComp | ast.Dict | ast.DictComp | ast.Set | ast.SetComp):
        return True
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ALLOCATING


@cache
def allocates_somewhere(kernel: Kernel) -> bool:
    """Itself, or what it calls, but for what is known to do so seldom."""
    if name_of(kernel) in CALLED:
        return False
    body = [node for statement in tree_of(kernel).body for node in ast.walk(statement)]
    called = [value_of(kernel, node.func) for node in body if isinstance(node, ast.Call)]
    return any(map(allocates, body)) or any(
        isinstance(one, Dispatcher) and one is not kernel and allocates_somewhere(one) for one in called
    )


KERNELS = kernels()


def test_all_kernels_are_looked_at():
    """As many as the decorators in the sources: a kernel behind another name would escape."""
    sources = "".join(inspect.getsource(module) for module in modules())
    assert len(KERNELS) == len(re.findall(r"^ *@njit\(", sources, re.MULTILINE))
    assert {*CALLED, *LOOPED} <= set(KERNELS)


@pytest.mark.parametrize("kernel", [one for name, one in KERNELS.items() if name not in LOOPED], ids=name_of)
def test_no_kernel_allocates_in_its_loops(kernel: Kernel):
    """INVARIANT: an allocation each step costs more than the step, and makes threads wait for each other."""
    for node in loops(kernel):
        where = f"line {getattr(node, 'lineno', 0)} of {name_of(kernel)}"
        assert not allocates(node), f"{where} allocates in a loop"
        called = value_of(kernel, node.func) if isinstance(node, ast.Call) else None
        if isinstance(called, Dispatcher):
            assert not allocates_somewhere(called), f"{where} calls {name_of(called)}, which allocates, in a loop"


def read_by(kernel: Kernel) -> Iterator[tuple[str, Any]]:
    own = {one.arg for one in tree_of(kernel).args.args}
    for node in (node for statement in tree_of(kernel).body for node in ast.walk(statement)):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            value = None if isinstance(node, ast.Name) and node.id in own else value_of(kernel, node)
            if value is not None:
                yield ast.unparse(node), value


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_no_kernel_reads_a_global_that_can_change(kernel: Kernel):
    """INVARIANT: numba freezes what a kernel reads; a list or dict that grew later would go unnoticed."""
    for name, value in read_by(kernel):
        assert not isinstance(value, list | dict | set | bytearray), f"{name_of(kernel)} reads {name}"
        assert not isinstance(value, tuple) or all(isinstance(one, int | float) for one in value)


def written(module: ModuleType) -> Iterator[str]:
    """Names of a module's own arrays that a function of it stores into or has changed."""
    own = {name for name, value in vars(module).items() if isinstance(value, np.ndarray)}
    for function in (
        node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.FunctionDef)
    ):
        inside = [node for statement in function.body for node in ast.walk(statement)]
        local = {node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        local |= {one.arg for one in [*function.args.args, *function.args.kwonlyargs]}
        for node in inside:
            target = None
            if isinstance(node, ast.Global):
                yield from node.names
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                target = node.value
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING:
                target = node.func.value
            elif isinstance(node, ast.keyword) and node.arg == "out":
                target = node.value
            while isinstance(target, ast.Subscript):
                target = target.value
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                behind = vars(module).get(target.value.id)
                if isinstance(behind, ModuleType) and isinstance(getattr(behind, target.attr, None), np.ndarray):
                    yield f"{target.value.id}.{target.attr}"
            if isinstance(target, ast.Name) and target.id in own - local:
                yield target.id


@pytest.mark.parametrize("module", list(modules()), ids=lambda module: module.__name__.removeprefix("libs.astro."))
def test_no_function_writes_into_an_array_of_a_module(module: ModuleType):
    """INVARIANT: kernels keep the array as it was when they were compiled, Python sees the changed one."""
    assert list(written(module)) == []
