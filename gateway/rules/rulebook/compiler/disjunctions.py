"""`a = 'x' or a = 'y'`: how the sheets ask for one of several codes. Asked as `a = ('x', 'y')`, `a` is read once."""

from __future__ import annotations

from gateway.rules.rulebook.compiler.xpath import Binary, Expr, Literal, Sequence


def gathered(expr: Binary) -> Expr | None:
    """The same, with each `a` asked for all its codes at once; None where no `a` is asked twice."""
    if expr.op != "or":
        return None
    codes: dict[Expr, list[Expr]] = {}
    disjuncts = _disjuncts(expr)
    for disjunct in disjuncts:
        compared = _compared(disjunct)
        if compared is not None:
            codes.setdefault(compared[0], []).append(compared[1])
    if all(len(several) == 1 for several in codes.values()):
        return None
    whole: Expr | None = None
    for disjunct in disjuncts:
        compared = _compared(disjunct)
        if compared is not None:
            several = codes.pop(compared[0], None)
            if several is None:
                continue  # it stands where the first one stood
            disjunct = disjunct if len(several) == 1 else Binary("=", compared[0], Sequence(tuple(several)))
        whole = disjunct if whole is None else Binary("or", whole, disjunct)
    return whole


def _compared(expr: Expr) -> tuple[Expr, Expr] | None:
    """What is compared with a literal string, and that string."""
    match expr:
        case Binary("=", asked, Literal(str()) as code) | Binary("=", Literal(str()) as code, asked):
            return asked, code
    return None


def _disjuncts(expr: Expr) -> list[Expr]:
    if isinstance(expr, Binary) and expr.op == "or":
        return [*_disjuncts(expr.left), *_disjuncts(expr.right)]
    return [expr]
