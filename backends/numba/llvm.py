"""Writes LLVM IR as text: typed values with operators, functions, modules.

`V` is an SSA value or literal of some `Type` (element and lanes); arithmetic on it
emits instructions into its function, so that vector math reads like maths. Scalars and
vectors share all code: lanes == 1 is a scalar. Text, since building llvmlite.ir objects
costs ten times more, and LLVM parses it at about 10 us a line or less.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import lru_cache

FLOATS = ("half", "float", "double")
_BITS = {"half": 16, "float": 32, "double": 64, "ptr": 64}


@dataclass(frozen=True, slots=True)
class Type:
    """An LLVM type: element ("float", "i32", "ptr" ...) and lanes (1: a scalar)."""

    elem: str
    lanes: int = 1

    def __str__(self) -> str:
        return _type_text(self.elem, self.lanes)

    @property
    def bits(self) -> int:
        """Width of an element in bits."""
        return element_bits(self.elem)

    @property
    def suffix(self) -> str:
        """How intrinsics name the type: f32, v16f32, v8i64, p0."""
        return _suffix(self.elem, self.lanes)

    def with_elem(self, elem: str) -> Type:
        return Type(elem, self.lanes)


@lru_cache(None)
def _type_text(elem: str, lanes: int) -> str:
    return elem if lanes == 1 else f"<{lanes} x {elem}>"


@lru_cache(None)
def element_bits(elem: str) -> int:
    return _BITS.get(elem) or int(elem[1:])


@lru_cache(None)
def _suffix(elem: str, lanes: int) -> str:
    one = "p0" if elem == "ptr" else elem
    one = f"f{_BITS[elem]}" if elem in FLOATS else one
    return one if lanes == 1 else f"v{lanes}{one}"


def literal(elem: str, value) -> str:
    """A scalar literal's text."""
    # for a cache 0 and -0 are the same
    negative = elem in FLOATS and math.copysign(1, value) < 0
    return _literal(elem, value, negative)


@lru_cache(4096)
def _literal(elem: str, value, negative: bool) -> str:
    if elem in FLOATS:
        value = float(value)
        if elem == "half":
            return f"0xH{struct.unpack('<H', struct.pack('<e', value))[0]:04X}"
        if elem == "float":
            value = struct.unpack("<f", struct.pack("<f", value))[0]
        return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
    if elem == "i1":
        return "true" if value else "false"
    if elem == "ptr":
        return "null"
    bits = element_bits(elem)
    value = int(value) & ((1 << bits) - 1)
    return str(value - (1 << bits) if value >> (bits - 1) else value)


class V:
    """A value: `text` is a register or literal; operators emit into `b`'s function."""

    __slots__ = ("b", "text", "type")

    def __init__(self, b: Function, type: Type, text: str):
        self.b, self.type, self.text = b, type, text

    def __str__(self) -> str:
        return f"{self.type} {self.text}"

    @property
    def is_float(self) -> bool:
        return self.type.elem in FLOATS

    def _binary(self, name: str, other, flip: bool = False) -> V:
        other = self.b.like(self, other)
        a, c = (other, self) if flip else (self, other)
        flags = " contract" if name in _CONTRACT and self.b.contract else ""
        return self.b.emit(self.type, f"{name}{flags} {self.type} {a.text}, {c.text}")

    def __add__(self, o):
        return self._binary("fadd" if self.is_float else "add", o)

    def __sub__(self, o):
        return self._binary("fsub" if self.is_float else "sub", o)

    def __mul__(self, o):
        return self._binary("fmul" if self.is_float else "mul", o)

    def __truediv__(self, o):
        return self._binary("fdiv", o)

    def __radd__(self, o):
        return self._binary("fadd" if self.is_float else "add", o, True)

    def __rsub__(self, o):
        return self._binary("fsub" if self.is_float else "sub", o, True)

    def __rmul__(self, o):
        return self._binary("fmul" if self.is_float else "mul", o, True)

    def __rtruediv__(self, o):
        return self._binary("fdiv", o, True)

    def __neg__(self):
        if self.is_float:
            return self.b.emit(self.type, f"fneg {self}")
        return self._binary("sub", 0, True)

    def __and__(self, o):
        return self._binary("and", o)

    def __or__(self, o):
        return self._binary("or", o)

    def __xor__(self, o):
        return self._binary("xor", o)

    def __invert__(self):
        return self._binary("xor", -1 if self.type.elem != "i1" else 1)

    def __lshift__(self, o):
        return self._binary("shl", o)

    def __rshift__(self, o):
        """Arithmetic shift; see `lshr` for the logical one."""
        return self._binary("ashr", o)

    def lshr(self, o):
        return self._binary("lshr", o)

    def __lt__(self, o):
        return self.cmp("olt" if self.is_float else "slt", o)

    def __le__(self, o):
        return self.cmp("ole" if self.is_float else "sle", o)

    def __gt__(self, o):
        return self.cmp("ogt" if self.is_float else "sgt", o)

    def __ge__(self, o):
        return self.cmp("oge" if self.is_float else "sge", o)

    def eq(self, o):
        """Ordered equality."""
        return self.cmp("oeq" if self.is_float else "eq", o)

    def ne(self, o):
        """Inequality, true for NaN."""
        return self.cmp("une" if self.is_float else "ne", o)

    def cmp(self, predicate: str, o) -> V:
        o = self.b.like(self, o)
        op = "fcmp" if self.is_float else "icmp"
        return self.b.emit(
            self.type.with_elem("i1"), f"{op} {predicate} {self}, {o.text}"
        )

    def isnan(self) -> V:
        return self.cmp("uno", self)

    def where(self, a, c) -> V:
        """self ? a : c, for a self of i1; numbers take the other's type."""
        a = a if isinstance(a, V) else self.b.like(c, a)
        c = self.b.like(a, c)
        if self.type.lanes != a.type.lanes and a.type.lanes == 1:
            a, c = (self.b.splat(v, self.type.lanes) for v in (a, c))
        return self.b.emit(a.type, f"select {self}, {a}, {c}")

    def cast(self, op: str, elem: str) -> V:
        """A conversion instruction (sext, sitofp, fptrunc ...) to another element."""
        if elem == self.type.elem:
            return self
        to = self.type.with_elem(elem)
        return self.b.emit(to, f"{op} {self} to {to}")

    def bits(self) -> V:
        """The bits of a float, as integers of its width."""
        return self.cast("bitcast", f"i{self.type.bits}")

    def as_float(self) -> V:
        """Integers of 32 or 64 bits reinterpreted as floats."""
        return self.cast(
            "bitcast", {16: "half", 32: "float", 64: "double"}[self.type.bits]
        )

    def call(self, name: str, *others) -> V:
        """The intrinsic llvm.<name> on values of one type."""
        return self.b.intrinsic(name, self, *others)


_CONTRACT = frozenset(("fadd", "fsub", "fmul"))


class Function:
    """One function being written: instructions go to the current block, in order."""

    def __init__(
        self,
        module: Module,
        name: str,
        params: list[tuple[str, str, str]],
        result: str = "void",
        attributes: str = "",
        linkage: str = "",
        contract: bool = True,
    ):
        """params: (type, attributes, name) each, types as text."""
        self.module, self.name, self.result = module, name, result
        self.contract = contract
        words = ", ".join(" ".join(filter(None, (t, a, f"%{n}"))) for t, a, n in params)
        link = f"{linkage} " if linkage else ""
        self.head = f"define {link}{result} @{name}({words}) {attributes}".rstrip()
        self.lines: list[str] = []
        self.allocas: list[str] = []
        self.block = "entry"
        self._count = 0

    # -- instructions ----------------------------------------------------------------
    def fresh(self, stem: str = "v") -> str:
        self._count += 1
        return f"%{stem}{self._count}"

    def emit(self, type: Type, text: str) -> V:
        """An instruction with a result."""
        name = f"%v{self._count}"
        self._count += 1
        self.lines.append(f"  {name} = {text}")
        return V(self, type, name)

    def do(self, text: str) -> None:
        """An instruction without a result."""
        self.lines.append(f"  {text}")

    def const(self, type: Type, value) -> V:
        """A literal, in all lanes."""
        text = literal(type.elem, value)
        if type.lanes > 1:
            text = f"splat ({type.elem} {text})"
        return V(self, type, text)

    def like(self, model: V, value) -> V:
        """A number as a literal of model's type; a scalar V is splat to its lanes."""
        if not isinstance(value, V):
            return self.const(model.type, value)
        if value.type.lanes == 1 and model.type.lanes > 1:
            return self.splat(value, model.type.lanes)
        return value

    def splat(self, value: V, lanes: int) -> V:
        """A scalar in all lanes."""
        if lanes == 1 or value.type.lanes == lanes:
            return value
        to = Type(value.type.elem, lanes)
        if not value.text.startswith("%"):
            return V(self, to, f"splat ({value})")
        one = self.emit(to, f"insertelement {to} poison, {value}, i64 0")
        return self.shuffle(one, one, [0] * lanes)

    def extract(self, value: V, lane: int) -> V:
        if value.type.lanes == 1:
            return value
        to = Type(value.type.elem)
        return self.emit(to, f"extractelement {value}, i64 {lane}")

    def vector(self, elem: str, values) -> V:
        """A literal vector of numbers."""
        words = ", ".join(f"{elem} {literal(elem, v)}" for v in values)
        return V(self, Type(elem, len(values)), f"<{words}>")

    def shuffle(self, a: V, c: V, mask) -> V:
        """shufflevector; one lane makes a scalar."""
        if len(mask) == 1 and mask[0] < a.type.lanes:
            return self.extract(a, mask[0])
        to = Type(a.type.elem, len(mask))
        if not any(mask):
            words = "zeroinitializer"
        else:
            words = "<" + ", ".join(f"i32 {m}" for m in mask) + ">"
        ctype = f"<{len(mask)} x i32>"
        return self.emit(to, f"shufflevector {a}, {c}, {ctype} {words}")

    def intrinsic(self, name: str, first: V, *others, flags: str = "") -> V:
        """llvm.<name> over values (or numbers) of the first's type."""
        args = [first, *(self.like(first, o) for o in others)]
        full = f"llvm.{name}.{first.type.suffix}"
        t = str(first.type)
        self.module.declare(f"{t} @{full}({', '.join([t] * len(args))})")
        words = ", ".join(map(str, args))
        return self.emit(first.type, f"call{flags} {t} @{full}({words})")

    def fma(self, a: V, b, c) -> V:
        """a * b + c, rounded once."""
        return self.intrinsic("fma", *self._three(a, b, c))

    def muladd(self, a, b, c) -> V:
        """a * b + c, fused where the machine can."""
        return self.intrinsic("fmuladd", *self._three(a, b, c))

    def _three(self, a, b, c):
        model = next(v for v in (a, b, c) if isinstance(v, V))
        return (self.like(model, v) for v in (a, b, c))

    def call(self, type: Type, name: str, *args: V) -> V:
        """Call a function of this module by name."""
        return self.emit(type, f"call {type} @{name}({', '.join(map(str, args))})")

    def gep(self, elem: str, base: V, offset: V) -> V:
        """base + offset elements."""
        to = Type("ptr", max(base.type.lanes, offset.type.lanes))
        if not offset.text.startswith("%") and offset.text == "0":
            return base
        return self.emit(to, f"getelementptr inbounds {elem}, {base}, {offset}")

    def load(self, type: Type, pointer: V, align: int, tags: str = "") -> V:
        return self.emit(type, f"load {type}, {pointer}, align {align}{tags}")

    def store(self, value: V, pointer: V, align: int) -> None:
        self.do(f"store {value}, {pointer}, align {align}")

    def alloca(self, elem: str, count: int, align: int = 64) -> V:
        """Stack memory of the function, taken once in the entry block."""
        name = self.fresh("a")
        self.allocas.append(f"  {name} = alloca [{count} x {elem}], align {align}")
        return V(self, Type("ptr"), name)

    # -- control flow ----------------------------------------------------------------
    def label(self, stem: str) -> str:
        self._count += 1
        return f"{stem}{self._count}"

    def begin(self, label: str) -> None:
        """Start a block; the one before must have ended with a branch."""
        self.lines.append(f"{label}:")
        self.block = label

    def jump(self, label: str, tags: str = "") -> None:
        self.do(f"br label %{label}{tags}")

    def branch(self, cond: V, yes: str, no: str, tags: str = "") -> None:
        self.do(f"br i1 {cond.text}, label %{yes}, label %{no}{tags}")

    def phi(self, type: Type, first: V, first_block: str) -> tuple[V, int]:
        """A phi whose second edge is filled in later with `close_phi`."""
        name = self.fresh("p")
        self.lines.append(f"  {name} = phi {type} [ {first.text}, %{first_block} ]")
        return V(self, type, name), len(self.lines) - 1

    def close_phi(self, place: int, value: V, block: str) -> None:
        self.lines[place] += f", [ {value.text}, %{block} ]"

    def merge(self, a: V, a_block: str, c: V, c_block: str) -> V:
        """phi of two values."""
        words = f"[ {a.text}, %{a_block} ], [ {c.text}, %{c_block} ]"
        return self.emit(a.type, f"phi {a.type} {words}")

    def ret(self, value: V | None = None) -> None:
        self.do(f"ret {value}" if value is not None else "ret void")

    def __str__(self) -> str:
        body = "\n".join([*self.allocas, *self.lines])
        return f"{self.head} {{\nentry:\n{body}\n}}"


class Module:
    """Functions and the declarations they need; `str(module)` is the IR.

    avx512: the machine it is for has these instructions.
    """

    def __init__(self, avx512: bool = False) -> None:
        self.avx512 = avx512
        self.declarations: dict[str, None] = {}
        self.globals: dict[str, str] = {}
        self.functions: dict[str, str] = {}

    def declare(self, signature: str) -> None:
        """Declare an external function: `type @name(types)`."""
        self.declarations[signature] = None

    def constant(self, name: str, text: str) -> None:
        """A private constant: name and `[4 x i32] [...]`."""
        self.globals[name] = f"@{name} = private unnamed_addr constant {text}, align 64"

    def add(self, function: Function) -> None:
        self.functions[function.name] = str(function)

    def merge(self, other: Module) -> None:
        """Take over another module's content; equal names mean equal functions."""
        self.declarations.update(other.declarations)
        self.globals.update(other.globals)
        self.functions.update(other.functions)

    def __str__(self) -> str:
        parts = [*self.globals.values()]
        parts += [f"declare {d}" for d in self.declarations]
        return "\n".join([*parts, *self.functions.values(), "!0 = !{}"]) + "\n"
