"""The chapter on what a step costs: each printed equation against what it is about.

Every test reads the formula from the page, see :mod:`printed`, and takes no argument, so that
:mod:`mutations` can call it again with the formula changed.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from copy import deepcopy
from functools import cache, partial
from itertools import pairwise, product

import numpy as np
import pytest
import torch
from printed import BOOK, equations, evaluate
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from descent.chapters.step_cost import theory
from descent.optim import OPTIMIZERS, Adam, AdamW, adam
from descent.press.claims import at_most

DIM = 64
DIGITS = {torch.bfloat16: 8, torch.float16: 11, torch.float32: 24}
RULES = {
    "gradient descent": ("gradient descent", {}),
    "SGD with momentum": ("SGD", {"momentum": 0.9}),
    "Adagrad": ("Adagrad", {}),
    "RMSprop": ("RMSprop", {}),
    "Adam": ("Adam", {}),
    "AdamW": ("AdamW", {}),
    "NAdam": ("NAdam", {}),
    "RAdam": ("RAdam", {}),
    "Adamax": ("Adamax", {}),
    "AMSGrad": ("Adam", {"amsgrad": True}),
}


class Meter(TorchDispatchMode):
    """Count the operations on large tensors, and the bytes that each reads and writes."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[str, int, int]] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        read, written = large(args), large(result)
        name = str(function)
        if name.startswith("aten.copy_"):
            read = read[1:]  # what it overwrites it need not read
        if read or written:
            read = {id(tensor): tensor for tensor in read}.values()  # what is taken twice
            sizes = (sum(tensor.nbytes for tensor in each) for each in (read, written))
            self.operations.append((name, *sizes))
        return result

    @property
    def bytes(self) -> int:
        return sum(read + written for _, read, written in self.operations)


def large(tree: object) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor) and leaf.ndim]


def started(row: str, dtype: torch.dtype = torch.float32) -> tuple[Tensor, torch.optim.Optimizer]:
    """Return a parameter whose optimizer, of a row of the page's table, has taken a step."""
    name, options = RULES[row]
    param = torch.ones(DIM, dtype=dtype, requires_grad=True)
    param.grad = torch.ones(DIM, dtype=dtype)
    optimizer = OPTIMIZERS[name]([param], lr=0.1, **options)
    optimizer.step()
    return param, optimizer


def states(param: Tensor, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    return {name: each for name, each in optimizer.state[param].items() if each.ndim}


def passes(row: str, dtype: torch.dtype = torch.float32) -> Meter:
    """Meter one step after the first."""
    _, optimizer = started(row, dtype)
    with Meter() as meter:
        optimizer.step()
    return meter


# What must one step move?


@pytest.mark.equation("cost-traffic")
def test_a_rule_moves_what_it_takes_and_gives():
    for row, dtype in product(RULES, (torch.float32, torch.float64)):
        name, options = RULES[row]
        param, optimizer = started(row, dtype)
        before, grad = states(param, optimizer), param.grad.clone()
        rule, options = OPTIMIZERS[name].rule, OPTIMIZERS[name].complete(lr=0.1, **options)
        new, after = rule(param.detach(), param.grad, dict(optimizer.state[param]), **options)
        moved = [param, param.grad, new, *large(before), *large(after)]
        assert evaluate(
            "cost-traffic",
            q=sum(tensor.nbytes for tensor in moved) / DIM,
            k=len(before),
            w=dtype.itemsize,
        ).equal()
        assert torch.equal(param.grad, grad)


@cache
def table() -> dict[str, list[str]]:
    """Read the table of the page: rule to its other cells; rules that are alike share a row."""
    page = (BOOK / "step_cost.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+) \|$", page, re.MULTILINE)
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    return {name: others for names, *others in cells for name in names.split(", ") if name in RULES}


@pytest.mark.parametrize("row", RULES)
def test_the_table_holds_what_the_optimizers_keep(row):
    count, moved, kept, billions = table()[row]
    param, optimizer = started(row)
    remembered = states(param, optimizer)
    assert int(count) == len(remembered)
    assert int(moved) == theory.step_traffic(len(remembered))
    in_memory = sum(each.nbytes for each in (param, param.grad, *remembered.values())) / DIM
    assert int(kept) == in_memory
    assert billions == f"{7 * in_memory:.0f} GB"


def test_every_row_of_the_table_is_measured():
    assert list(table()) == list(RULES)


# How long must that take?


def pipeline(chunks: int, loading: float, computing: float) -> float:
    """Return when the last chunk is done, if each is loaded while those before it are computed."""
    loaded = done = 0.0
    for _ in range(chunks):
        loaded += loading / chunks
        done = max(done, loaded) + computing / chunks
    return done


MACHINES = [
    # operations and bytes per parameter, operations and bytes per second
    (13.0, 28.0, 8.0, 2.0),
    (2.0, 12.0, 3.0, 20.0),
    (5.0, 20.0, 1.0, 4.0 - 1e-6),
    (5.0, 20.0, 1.0, 4.0 + 1e-6),
    (40.0, 7.0, 2.0, 5.0),
]


@pytest.mark.equation("cost-bound")
def test_no_pipeline_is_faster_than_its_memory():
    for operations, traffic, speed, bandwidth in MACHINES:
        loading, computing = 6 * traffic / bandwidth, 6 * operations / speed
        for chunks in (1, 10, 10**5):
            time = pipeline(chunks, loading, computing)
            equation = evaluate(
                "cost-bound", {r"\tau": "time"}, time=time, q=traffic, d=6, R=bandwidth
            )
            assert equation.signs == ("≥",)
            assert equation.holds()
    free = pipeline(10, loading, 0.0)
    assert evaluate("cost-bound", {r"\tau": "time"}, time=free, q=traffic, d=6, R=bandwidth).tight()


@pytest.mark.equation("cost-roofline")
def test_a_pipeline_takes_the_longer_of_its_parts():
    for operations, traffic, speed, bandwidth in MACHINES:
        numbers = {"A": operations, "q": traffic, "S": speed, "R": bandwidth, "d": 6}
        loading, computing = 6 * traffic / bandwidth, 6 * operations / speed
        for chunks in (1, 10, 10**5):
            time = pipeline(chunks, loading, computing)
            equation = evaluate("cost-roofline", {r"\tau": "time"}, time=time, **numbers)
            assert equation.signs == ("≥",)
            assert equation.holds()
        assert equation.tight(rtol=1e-4)


@pytest.mark.claim(
    cite="williams2009roofline",
    says="The performance that a kernel can reach is the smaller of the machine's peak and of its "
    "bandwidth times the kernel's operations per byte.",
    conditions="a pipeline of 100 000 parts, simulated for five kernels and machines",
)
def test_a_kernel_reaches_the_roof(record):
    for operations, traffic, speed, bandwidth in MACHINES:
        time = pipeline(10**5, traffic / bandwidth, operations / speed)
        record(operations / time, min(speed, bandwidth * operations / traffic), rel=1e-4)


@pytest.mark.equation("cost-ridge")
def test_memory_is_the_limit_where_more_of_it_helps():
    for operations, traffic, speed, bandwidth in MACHINES:
        loading, computing = traffic / bandwidth, operations / speed
        slowed = pipeline(10**5, 1.01 * loading, computing) > 1.005 * pipeline(
            10**5, loading, computing
        )
        equation = evaluate("cost-ridge", A=operations, q=traffic, S=speed, R=bandwidth)
        assert equation.signs == ("<",)
        assert bool(equation.holds()) == (loading > computing)
        if abs(loading - computing) > 0.01 * loading:
            assert slowed == (loading > computing)


def test_no_rule_does_as_many_operations_as_it_moves_bytes():
    counted = {}
    for row in RULES:
        kinds = Counter(name.split(".")[1] for name, *_ in passes(row).operations)
        del kinds["copy_"], kinds["_to_copy"]
        scaled = sum(
            name.startswith("aten.add.") and read > DIM * torch.float32.itemsize
            for name, read, _ in passes(row).operations
        )
        # Three numbers in one operation are three of arithmetic, a scaled sum of two is two.
        three = kinds["lerp"] + kinds["addcmul"] + kinds["addcdiv"]
        counted[row] = kinds.total() + 2 * three + scaled
        assert counted[row] < theory.step_traffic(int(table()[row][0]))
    assert counted["gradient descent"] == 2
    assert counted["Adam"] == 13


@pytest.mark.equation("cost-allocate")
def test_a_copy_reads_what_it_overwrites():
    def apparent(move: Callable[[], object], overwritten: int) -> float:
        """Return bytes counted per byte moved: a line is read before it is first written to."""
        with Meter() as meter:
            move()
        (_, read, written) = meter.operations[0]
        return (read + written) / (read + written + (written - overwritten))

    source, target = torch.ones(DIM), torch.ones(DIM)
    copied = apparent(lambda: target.copy_(source), overwritten=0)
    in_place = apparent(lambda: source.mul_(2.0), overwritten=source.nbytes)
    names = {r"R_{\text{copy}}": "copied"}
    assert evaluate("cost-allocate", names, copied=5 * copied, R=5 * in_place).equal()
    for row in RULES:  # which overwrite only what they have read
        param, optimizer = started(row)
        kept = large(states(param, optimizer))
        read = {id(each) for each in (param, param.grad, *kept)}
        assert {id(each) for each in (param, *kept)} <= read


# Why does readable code take longer?


def kinds(meter: Meter) -> dict[str, int]:
    """Count the operations with one large operand, with two and with three."""
    width = DIM * torch.float32.itemsize
    counted = Counter(read // width for _, read, _ in meter.operations)
    assert counted.keys() <= {1, 2, 3}
    assert all(written == width for _, _, written in meter.operations)
    return {"one": counted[1], "two": counted[2], "three": counted[3]}


ONE_PASS_EACH = ("gradient descent", "SGD with momentum", "Adam", "AdamW", "AMSGrad", "NAdam")


@pytest.mark.equation("cost-eager")
def test_each_operation_is_a_pass():
    for row in ONE_PASS_EACH:
        counted = kinds(passes(row))
        double = passes(row, torch.float64)
        for meter, itemsize in ((passes(row), 4), (double, 8)):
            assert evaluate(
                "cost-eager",
                {r"q_{\text{eager}}": "traffic", "n_1": "one", "n_2": "two", "n_3": "three"},
                traffic=meter.bytes / DIM,
                w=itemsize,
                **counted,
            ).equal()
    assert kinds(passes("Adam")) == {"one": 5, "two": 2, "three": 1}
    assert passes("Adam").bytes == 20 * DIM * 4


@pytest.mark.equation("cost-slowdown")
def test_the_passes_move_more_than_they_must():
    for row in ONE_PASS_EACH:
        param, optimizer = started(row)
        count = len(states(param, optimizer))
        assert evaluate(
            "cost-slowdown",
            {r"q_{\text{eager}}": "traffic", "n_1": "one", "n_2": "two", "n_3": "three"},
            traffic=passes(row).bytes / DIM,
            q=theory.step_traffic(count),
            k=count,
            **kinds(passes(row)),
        ).equal()


class Asked(TorchDispatchMode):
    """Count the large results that no operand had the memory for."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        taken = {tensor.data_ptr() for tensor in large((args, kwargs))}
        result = function(*args, **(kwargs or {}))
        self.count += sum(tensor.data_ptr() not in taken for tensor in large(result))
        return result


def test_in_place_two_results_need_fresh_memory_and_else_seven():
    for kind, options, results in ((Adam, {}, 7), (torch.optim.Adam, {"foreach": False}, 2)):
        param = torch.ones(DIM, requires_grad=True)
        param.grad = torch.ones(DIM)
        optimizer = kind([param], lr=0.1, **options)
        optimizer.step()
        with Asked() as asked:
            optimizer.step()
        assert asked.count == results, kind


def test_pytorchs_loop_makes_passes_over_18_numbers_for_adam_and_8_for_sgd():
    for optimizer, options, numbers in (
        (torch.optim.Adam, {}, 18),
        (torch.optim.SGD, {"momentum": 0.9}, 8),
    ):
        param = torch.ones(DIM, requires_grad=True)
        param.grad = torch.ones(DIM)
        stepping = optimizer([param], lr=0.1, foreach=False, **options)
        stepping.step()
        with Meter() as meter:
            stepping.step()
        assert meter.bytes == numbers * DIM * 4


def code_with(words: str) -> str:
    """Return the page's block of Python that has these words."""
    page = (BOOK / "step_cost.md").read_text(encoding="utf-8")
    (block,) = (each for each in re.findall(r"(?s)```python\n(.*?)```", page) if words in each)
    return block


def test_the_printed_compiled_step_takes_the_parameters_of_a_model(monkeypatch):
    # How it is compiled is the compiler's; here it is about what the code asks of it.
    monkeypatch.setattr(torch, "compile", lambda step: partial(step))
    names = {"torch": torch, "adam": adam, "options": Adam.complete(lr=0.1)}
    exec(code_with("@torch.compile"), names)
    param, twin = (torch.nn.Parameter(torch.ones(DIM)) for _ in "ab")
    optimizer = Adam([twin], lr=0.1)
    twin.grad = torch.linspace(-1, 1, DIM)
    optimizer.step()
    state = {name: each.clone() for name, each in optimizer.state[twin].items()}
    param.data.copy_(twin.data)
    names["step"](param, twin.grad, state)
    optimizer.step()
    assert torch.equal(param, twin)
    assert torch.equal(state["exp_avg_sq"], optimizer.state[twin]["exp_avg_sq"])


@pytest.mark.parametrize("kept", [True, False])
def test_a_compiled_step_copies_gradients_that_are_new(monkeypatch, kept):
    # How it is compiled is the compiler's; here it is about what happens before.
    monkeypatch.setattr(torch, "compile", lambda step, **_: step)
    monkeypatch.setattr("descent.optim._base.can_compile", lambda _: True)
    params = [torch.nn.Parameter(torch.ones(DIM)) for _ in "ab"]
    optimizer = Adam(params, lr=0.1)
    optimizer.compile()
    for _ in range(3):
        optimizer.zero_grad(set_to_none=not kept)
        sum((param**2).sum() for param in params).backward()
        with Meter() as meter:
            optimizer.step()
    copies = [name for name, *_ in meter.operations if "_foreach_copy_" in name]
    assert len(copies) == (0 if kept else 1)


# Many small tensors


def serial(launches: int, overhead: float, working: float) -> float:
    """Return when a processor is done that starts operations and then does them."""
    now = 0.0
    for _ in range(launches):
        now += overhead
        now += working / launches
    return now


def queued(launches: int, overhead: float, working: float) -> float:
    """Return when a device is done that takes operations from a queue."""
    launched = done = 0.0
    for _ in range(launches):
        launched += overhead
        done = max(done, launched) + working / launches
    return done


LOADS = [
    # launches, seconds each, bytes per parameter, parameters, bytes per second
    (200, 0.5, 28.0, 30.0, 3.0),
    (1000, 0.01, 12.0, 500.0, 7.0),
    (500, 0.3, 20.0, 40.0, 16.0),
]


@pytest.mark.equation("cost-launch-serial")
def test_launches_come_on_top():
    for n, a, q, d, bandwidth in LOADS:
        time = serial(n, a, q * d / bandwidth)
        assert evaluate(
            "cost-launch-serial", {r"\tau": "time"}, time=time, n=n, a=a, q=q, d=d, R=bandwidth
        ).equal()
        settings = {"launches": n, "overhead": a}
        assert theory.step_time(d, q, bandwidth, **settings) == pytest.approx(time)


@pytest.mark.equation("cost-launch-overlap")
def test_a_queue_hides_the_shorter_part():
    for n, a, q, d, bandwidth in LOADS:
        time = queued(n, a, q * d / bandwidth)
        equation = evaluate(
            "cost-launch-overlap", {r"\tau": "time"}, time=time, n=n, a=a, q=q, d=d, R=bandwidth
        )
        assert equation.signs == ("≈",)
        assert abs(equation.left - equation.right) <= (1 + 1e-9) * (time / n)


@pytest.mark.equation("cost-crossover")
def test_at_the_crossover_a_step_is_half_launches():
    for n, a, q, _, bandwidth in LOADS:
        size = theory.crossover_size(q, bandwidth, launches=n, overhead=a)
        assert serial(n, a, q * size / bandwidth) == pytest.approx(2 * serial(n, a, 0.0))
        fragments = {r"d^\star": "size"}
        assert evaluate("cost-crossover", fragments, size=size, n=n, a=a, q=q, R=bandwidth).equal()


def operations_of(optimizer: type[torch.optim.Optimizer], **options: object) -> list[str]:
    params = [torch.ones(DIM, requires_grad=True) for _ in range(3)]
    for param in params:
        param.grad = torch.ones(DIM)
    optimizer = optimizer(params, lr=0.1, **options)
    optimizer.step()
    with Meter() as meter:
        optimizer.step()
    return [name for name, *_ in meter.operations]


def test_pytorch_takes_the_loop_on_a_cpu_unless_asked():
    loop = operations_of(torch.optim.Adam, foreach=False)
    assert operations_of(torch.optim.Adam) == loop
    assert not any("_foreach" in name for name in loop)
    many = operations_of(torch.optim.Adam, foreach=True)
    assert all("_foreach" in name for name in many)
    assert len(many) < len(loop)
    (fused,) = operations_of(torch.optim.Adam, fused=True)
    assert "_fused_adam" in fused


def test_four_optimizers_can_be_fused():
    for name in ("SGD", "Adagrad", "Adam", "AdamW"):
        (fused,) = operations_of(getattr(torch.optim, name), fused=True)
        assert "_fused_" in fused
    params = [torch.ones(1, requires_grad=True)]
    for name in ("RMSprop", "NAdam", "RAdam", "Adamax"):
        with pytest.raises(TypeError, match="fused"):
            getattr(torch.optim, name)(params, fused=True)


# What has to fit in memory?


@pytest.mark.equation("cost-memory")
def test_memory_is_parameters_gradients_and_states():
    for row, dtype in product(RULES, (torch.float32, torch.float64)):
        param, optimizer = started(row, dtype)
        kept = large(states(param, optimizer))
        assert evaluate(
            "cost-memory",
            M=sum(each.nbytes for each in (param, param.grad, *kept)),
            k=len(kept),
            w=dtype.itemsize,
            d=DIM,
        ).equal()


@cache
def mixed() -> dict[str, list[Tensor]]:
    """Take a step in mixed precision; return what lies in memory, and what moved."""
    weights = torch.ones(DIM, dtype=torch.bfloat16)
    grad = torch.ones_like(weights)
    master = weights.float()
    _, state = Adam.rule(master, grad.float(), {}, **Adam.complete())
    after, new = Adam.rule(master, grad.float(), state, **Adam.complete())
    rounded = after.bfloat16()
    return {
        "kept": [weights, grad, master, *large(state)],
        "read": [grad, master, *large(state)],
        "written": [after, *large(new), rounded],
    }


def bytes_of(tensors: Iterable[Tensor]) -> list[float]:
    return [tensor.nbytes / DIM for tensor in tensors]


def prints_sum(label: str, terms: list[float]) -> bool:
    """Say whether these terms are printed, in this order, with their sum."""
    printed = [float(number) for number in re.findall(r"\d+", equations()[label])]
    equation = evaluate(label)
    return equation.equal() and equation.right == sum(terms) and printed == [*terms, sum(terms)]


@pytest.mark.equation("cost-mixed")
def test_mixed_precision_keeps_sixteen_bytes():
    assert prints_sum("cost-mixed", bytes_of(mixed()["kept"]))


@pytest.mark.claim(
    cite="rajbhandari2020zero",
    says="Adam in mixed precision keeps 16 bytes per parameter.",
    conditions="weights and gradients in 16 bits; a float32 copy and two float32 states",
)
def test_adam_in_mixed_precision_keeps_16_bytes(record):
    record(sum(bytes_of(mixed()["kept"])), 16.0)


@pytest.mark.claim(
    cite="micikevicius2018mixed",
    says="A float32 copy beside 16-bit weights takes half as much memory again as float32 weights.",
    conditions="the weights alone; with gradients and Adam's states both take 16 bytes",
)
def test_a_copy_makes_weights_half_as_large_again(record):
    weights, _, master, *_ = bytes_of(mixed()["kept"])
    record((weights + master) / torch.float32.itemsize, 1.5)


def test_autocast_keeps_sixteen_bytes_and_two_while_it_runs():
    layer, seen = torch.nn.Linear(DIM, DIM, bias=False), []
    sample = torch.ones(3, DIM, requires_grad=True)

    def note(tensor):
        seen.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, note):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = layer(sample)
        output.float().sum().backward()
    stepping = torch.optim.Adam(layer.parameters())
    stepping.step()
    kept = [layer.weight, layer.weight.grad, *states(layer.weight, stepping).values()]
    assert sum(each.nbytes for each in kept) / layer.weight.numel() == 16
    copies = {each.data_ptr(): each for each in seen if each.shape == layer.weight.shape}
    assert [each.dtype for each in copies.values()] == [torch.bfloat16]


@pytest.mark.equation("cost-mixed-traffic")
def test_mixed_precision_moves_as_much():
    moved = bytes_of(mixed()["read"] + mixed()["written"])
    assert prints_sum("cost-mixed-traffic", moved)
    assert sum(moved) == theory.step_traffic(2)


# What makes it smaller


def test_the_table_of_savings_holds_what_is_left_of_16_bytes():
    page = (BOOK / "step_cost.md").read_text(encoding="utf-8")
    _, part = page.split("### What makes it smaller")
    rows = re.findall(r"^\| (.+?) \| (.+?) \| .+ \|$", part.partition("**Step")[0], re.MULTILINE)
    left = dict(rows[1:])
    weight, grad, *averages = (torch.ones(2048) for _ in range(4))
    coded = [each for state in averages for each in in_blocks(state, 2048)[0]]
    for words, tensors in (
        ("step during the backward pass", [weight, *averages]),
        ("keep the averages in 8 bits", [weight, grad, *coded]),
        ("keep sums of rows and columns", [weight, grad]),
    ):
        size = sum(each.nbytes for each in tensors) / weight.numel()
        assert left[words] == f"about {size:.0f}"
    assert left["share among $J$ devices"] == "from $4 + 12/J$ to $16/J$"
    for devices in (2, 8, 64):
        assert on_each_device(STAGES[12], devices) == 4 + 12 / devices
        assert on_each_device(STAGES[16], devices) == 16 / devices


@pytest.mark.claim(
    cite="lv2024full",
    says="If each parameter steps as soon as its gradient is there, the gradients take no more "
    "memory than the largest of them.",
    conditions="four layers of 32 by 32; Adam, as printed on the page: the most bytes held at once",
)
def test_gradients_that_are_used_at_once_take_the_largest_ones_place(record):
    model = torch.nn.Sequential(*(torch.nn.Linear(32, 32) for _ in range(4)))
    names = {"torch": torch, "model": model}
    held = []

    def note(param):
        held.append(sum(p.grad.nbytes for p in model.parameters() if p.grad is not None))

    for param in model.parameters():
        param.register_post_accumulate_grad_hook(note)
    exec(code_with("register_post_accumulate_grad_hook"), names)
    twin = deepcopy(model)
    sample = torch.linspace(-1, 1, 5 * 32).reshape(5, 32)
    stepping = torch.optim.Adam(twin.parameters())
    for _ in range(3):
        model(sample).square().mean().backward()
        stepping.zero_grad()
        twin(sample).square().mean().backward()
        stepping.step()
    record(max(held), 32 * 32 * 4)
    for one, other in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def in_blocks(state: Tensor, length: int) -> tuple[list[Tensor], Tensor]:
    """Keep a state in blocks of 8 bits, evenly spaced; return what is kept, and it decoded."""
    blocks = state.reshape(-1, length)
    largest = blocks.abs().amax(1, keepdim=True)
    levels = (blocks / largest * 127).round().to(torch.int8)
    return [levels, largest], (levels.float() / 127 * largest).reshape(state.shape)


@pytest.mark.equation("cost-blocks")
def test_a_block_costs_a_byte_a_number_and_its_largest():
    state = torch.linspace(-1, 1, 2**12)
    for length in (2**12, 2048, 64, 8):
        kept, decoded = in_blocks(state, length)
        assert (decoded - state).abs().max() <= state.abs().max() / 253
        size = sum(each.nbytes for each in kept) / state.numel()
        assert evaluate("cost-blocks", w=size, h=length).equal()


def test_an_average_in_8_bits_moves_with_its_block_alone():
    for squares, moves in ((torch.tensor([1.0, 0.0]), False), (torch.tensor([0.0, 0.0]), True)):
        average = torch.tensor([1.0, 0.5])
        for _ in range(100):
            average = in_blocks(0.999 * average + 0.001 * squares, 2)[1]
        # The first keeps the block's largest number; the second should fall in both cases.
        assert average[0].item() == pytest.approx(0.999**100 if moves else 1.0, rel=1e-5)
        assert (average[1] < 0.46).item() == moves


@pytest.mark.claim(
    cite="dettmers2022eightbit",
    says="The 32-bit states of SGD with momentum take 4 bytes per parameter and those of Adam 8; "
    "in blocks of 2048 numbers of 8 bits they take a quarter of that.",
    conditions="and 4 bytes for each block, which are 0.2 %",
)
def test_states_in_8_bits_take_a_quarter(record):
    for row, size in (("SGD with momentum", 4.0), ("Adam", 8.0)):
        kept = states(*started(row)).values()
        record(sum(each.nbytes for each in kept) / DIM, size)
        blocks = [in_blocks(torch.ones(2**13), 2048)[0] for _ in kept]
        record(sum(each.nbytes for block in blocks for each in block) / 2**13, size / 4, rel=0.002)


def rows_and_columns(squares: Tensor) -> Tensor:
    """Rebuild what torch.optim.Adafactor divides by, up to a factor, after one step."""
    matrix = torch.nn.Parameter(torch.ones_like(squares))
    matrix.grad = squares.sqrt()
    stepping = torch.optim.Adafactor([matrix], lr=1.0)
    stepping.step()
    kept = {n: each for n, each in stepping.state[matrix].items() if n != "step"}
    assert sum(each.numel() for each in kept.values()) == sum(squares.shape)
    moved = (1 - matrix).detach()
    return (squares.sqrt() / moved) ** 2


def some_squares(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(shape, generator=generator, dtype=torch.float64) + 0.1


@pytest.mark.equation("cost-factored")
def test_rows_and_columns_stand_for_the_matrix():
    squares = some_squares(5, 3)
    found = rows_and_columns(squares)
    total = squares.sum()
    found = found * (total / found.sum())  # the length of the step is another matter
    equation = evaluate(
        "cost-factored",
        {r"\hat v_{ij}": "mean", "r_i": "row", r"\sum_j r'_j": "total", "r'_j": "column"},
        mean=found,
        row=squares.sum(1, keepdim=True),
        column=squares.sum(0, keepdim=True),
        total=total,
    )
    assert equation.equal(rtol=1e-6)


@pytest.mark.claim(
    cite="shazeer2018adafactor",
    says="Of all matrices of rank one, the product of the sums of rows and columns, divided by the "
    "sum of all, is nearest in the generalized Kullback-Leibler divergence.",
    conditions="a matrix of 6 by 4: by what share an entry of the nearest one, found by 2000 steps "
    "of Adam, is off at most",
)
def test_no_matrix_of_rank_one_is_nearer(record):
    squares = some_squares(6, 4)
    rows, columns = (torch.zeros(size, dtype=torch.float64, requires_grad=True) for size in (6, 4))
    stepping = torch.optim.Adam([rows, columns], lr=0.02)

    def product():
        return torch.outer(rows.exp(), columns.exp())

    for _ in range(2000):
        stepping.zero_grad()
        near = product()
        (squares * (squares / near).log() - squares + near).sum().backward()
        stepping.step()
    expected = torch.outer(squares.sum(1), squares.sum(0)) / squares.sum()
    record((product() / expected - 1).abs().max(), 0.0, abs=1e-4)


def on_each_device(shared: Iterable[int], devices: int) -> float:
    """Count the bytes per parameter on one device if some of the tensors of a step are cut up."""
    return (
        sum(
            (tensor.chunk(devices)[0] if index in shared else tensor).nbytes
            for index, tensor in enumerate(mixed()["kept"])
        )
        / DIM
    )


STAGES = {12: (2, 3, 4), 14: (1, 2, 3, 4), 16: (0, 1, 2, 3, 4)}


@pytest.mark.equation("cost-zero")
def test_what_is_shared_out_is_cut_up():
    for (shared, tensors), devices in product(STAGES.items(), (1, 2, 8, 64)):
        assert evaluate(
            "cost-zero", M=1000 * on_each_device(tensors, devices), s=shared, J=devices, d=1000
        ).equal()


@pytest.mark.claim(
    cite="rajbhandari2020zero",
    says="For 7.5 billion parameters on 64 devices, sharing out the optimizer's states, the "
    "gradients as well, and the weights as well leaves 31.4, 16.6 and 1.9 GB of 120 on each.",
    conditions="Adam in mixed precision, without activations",
    where="Figure 1",
)
def test_sharing_among_64_devices(record):
    record(7.5 * on_each_device((), 64), 120.0)
    for tensors, gigabytes in zip(STAGES.values(), (31.4, 16.6, 1.9), strict=True):
        record(7.5 * on_each_device(tensors, 64), gigabytes, abs=0.05)


# Weights that stop moving


def mantissas(dtype: torch.dtype) -> Tensor:
    """Return floats of four binades: all of bfloat16, and as many of a longer type."""
    digits = DIGITS[dtype]
    whole = torch.linspace(2 ** (digits - 1), 2**digits - 1, 128, dtype=torch.float64).round()
    floats = torch.cat([whole * 2.0 ** (e + 1 - digits) for e in (-3, 0, 1, 6)])
    assert torch.equal(floats.to(dtype).double(), floats)
    return floats


def exponents(floats: Tensor) -> np.ndarray:
    return np.floor(np.log2(floats.abs().numpy()))


@pytest.mark.equation("cost-spacing")
def test_spacing_is_the_way_to_the_next_float():
    for dtype, digits in DIGITS.items():
        floats = mantissas(dtype)
        after = torch.nextafter(floats.to(dtype), torch.tensor(torch.inf, dtype=dtype)).double()
        assert evaluate(
            "cost-spacing",
            {r"\Delta(x)": "gap", "E": "exponent"},
            gap=after - floats,
            exponent=exponents(floats),
            p=digits,
        ).equal()
        assert torch.equal(theory.float_spacing(floats, digits), after - floats)


def lost(floats: Tensor, updates: Tensor, dtype: torch.dtype) -> Tensor:
    """Say which sums round back to where they came from."""
    return (floats + updates).to(dtype).double() == floats


# PyTorch rounds a double to single precision on its way to 16 bits.
ON_THE_WAY = 2e-4


def largest_lost(floats: Tensor, dtype: torch.dtype, sign: float) -> Tensor:
    """Search for the largest updates that are lost, of one sign relative to the float's."""
    low, high = torch.zeros_like(floats), floats.abs()
    for _ in range(60):
        middle = (low + high) / 2
        stays = lost(floats, sign * middle, dtype)
        low, high = torch.where(stays, middle, low), torch.where(stays, high, middle)
    return low


@pytest.mark.equation("cost-stall")
def test_half_a_gap_is_lost():
    for dtype in (torch.bfloat16, torch.float16):
        floats = mantissas(dtype)
        gap = torch.nextafter(floats.to(dtype), torch.tensor(torch.inf, dtype=dtype)).double()
        found = largest_lost(floats, dtype, 1.0)
        fragments = {r"u^\star": "update", r"\Delta(x)": "gap"}
        equation = evaluate("cost-stall", fragments, update=found, gap=gap - floats)
        assert equation.equal(rtol=ON_THE_WAY)
        in_theory = theory.stall_threshold(floats, DIGITS[dtype])
        np.testing.assert_allclose(in_theory, found, rtol=ON_THE_WAY)


@pytest.mark.equation("cost-stall-ratio")
def test_what_is_lost_of_a_weight():
    for dtype in (torch.bfloat16, torch.float16):
        floats = mantissas(dtype)
        found = torch.cat([largest_lost(floats, dtype, sign) for sign in (1.0, -1.0)])
        fragments = {r"\frac{u^\star}{|x|}": "ratio"}
        ratio = found / torch.cat([floats, floats])
        equation = evaluate("cost-stall-ratio", fragments, ratio=ratio, p=DIGITS[dtype])
        assert equation.signs == ("≤", "≤")
        assert equation.holds(rtol=ON_THE_WAY).all()
        least, middle, most = equation.sides
        assert np.isclose(least, middle, rtol=ON_THE_WAY, atol=0).any()
        assert np.isclose(middle, most, rtol=ON_THE_WAY, atol=0).any()
        assert least[0] == theory.stall_ratio(DIGITS[dtype])


CHANGES = [2.0**-9, 2.0**-12, 2.0**-9 * 1.02, 2.0**-12 * 1.02, 1e-5, 1e-3, 2.0**-8, 2.0**-11]
CHANGES += [2.0**-9 * 0.98, 2.0**-12 * 0.98]


@pytest.mark.equation("cost-stall-decay")
def test_a_small_decay_reaches_no_weight():
    for dtype, change in product((torch.bfloat16, torch.float16), CHANGES):
        floats = mantissas(dtype).to(dtype)
        # AdamW's own product, with the digits in which a scalar is multiplied by a short float
        decayed = (floats.double() * (1 - change)).to(dtype)
        values = {"lr": change / 0.25, "decay": 0.25, "p": DIGITS[dtype]}
        fragments = {r"\eta": "lr", r"\lambda": "decay"}
        equation = evaluate("cost-stall-decay", fragments, **values)
        assert equation.signs == ("≤",)
        assert bool(equation.holds()) == torch.equal(decayed, floats)


def test_the_default_decay_does_nothing_in_bfloat16():
    for optimizer, dtype in product((AdamW, torch.optim.AdamW), (torch.bfloat16, torch.float32)):
        param = torch.nn.Parameter(mantissas(torch.bfloat16).to(dtype))
        param.grad, before = torch.zeros_like(param), param.detach().clone()
        stepping = optimizer([param])
        for _ in range(100):
            stepping.step()
        assert torch.equal(param, before) == (dtype is torch.bfloat16)


def test_only_the_fused_kernel_rounds_decay_and_step_together():
    def after(decay, **way):
        param = torch.nn.Parameter(mantissas(torch.bfloat16)[128:256].bfloat16())
        stepping = torch.optim.AdamW([param], lr=3.9e-3, weight_decay=decay, **way)
        for _ in range(50):
            param.grad = torch.ones_like(param)
            stepping.step()
        return param.detach()

    for way in ({"foreach": False}, {"foreach": True}):
        assert torch.equal(after(0.0, **way), after(0.01, **way))
    assert not torch.equal(after(0.0, fused=True), after(0.01, fused=True))


def test_in_float16_a_small_gradient_divides_by_zero():
    for way, finite in (({"foreach": False}, False), ({"fused": True}, True)):
        param = torch.ones(1, dtype=torch.float16, requires_grad=True)
        param.grad = torch.full_like(param, 1e-3)
        torch.optim.Adam([param], **way).step()
        assert bool(param.isfinite()) == finite
        assert finite or param.item() == -torch.inf
        unmoved = torch.ones(1, dtype=torch.float16, requires_grad=True)
        unmoved.grad = torch.zeros_like(unmoved)
        torch.optim.Adam([unmoved], **way).step()
        assert bool(unmoved.isnan()) != finite


@pytest.mark.equation("cost-stall-beta")
def test_an_average_of_squares_does_not_fall():
    for dtype, change in product((torch.bfloat16, torch.float16), CHANGES):
        squares = mantissas(dtype)
        after = (squares * (1 - change)).to(dtype).double()
        values = {"beta": 1 - change, "p": DIGITS[dtype]}
        equation = evaluate("cost-stall-beta", {r"\beta_2": "beta"}, **values)
        assert equation.signs == ("≤",)
        assert bool(equation.holds()) == torch.equal(after, squares)


@pytest.mark.parametrize(
    "optimizer", [Adam, torch.optim.Adam, partial(torch.optim.Adam, fused=True)]
)
def test_in_bfloat16_adam_never_forgets_a_large_gradient(optimizer):
    averages = {}
    for dtype in (torch.bfloat16, torch.float16):
        param = torch.ones(1, dtype=dtype, requires_grad=True)
        stepping = optimizer([param], lr=0.0)
        for step in range(2000):
            param.grad = torch.full_like(param, 100.0 if step == 0 else 0.01)
            stepping.step()
            averages.setdefault(dtype, []).append(stepping.state[param]["exp_avg_sq"].item())
    assert min(averages[torch.bfloat16]) == averages[torch.bfloat16][0] == pytest.approx(10, 0.01)
    assert averages[torch.float16][-1] < 0.2 * averages[torch.float16][0]


@pytest.mark.equation("cost-count")
def test_a_sum_of_equal_steps_ends():
    for dtype, update in product((torch.bfloat16, torch.float16), (1.0, 0.25, 2.0)):
        step, total = torch.tensor(update, dtype=dtype), torch.tensor(0.0, dtype=dtype)
        for _ in range(5000):
            total = total + step
        fragments = {r"x_{\max}": "total"}
        assert evaluate(
            "cost-count", fragments, total=total.item(), p=DIGITS[dtype], u=update
        ).equal()
    million = torch.tensor(2.0**24)
    assert million + 1 == million
    assert million - 1 + 1 == million


def test_equal_steps_end_between_256_and_512_of_them():
    for update in torch.linspace(1, 2, 37, dtype=torch.float64):
        step, total = update.bfloat16(), torch.tensor(0.0, dtype=torch.bfloat16)
        for _ in range(1500):
            total = total + step
        assert total + step == total
        assert 256 * step <= total <= 512 * step


# Two repairs


@pytest.mark.equation("cost-master")
def test_a_rounded_copy_is_off_by_half_a_gap():
    for dtype, digits in ((torch.bfloat16, 8), (torch.float16, 11)):
        master = torch.tensor(1.0)
        offs, gaps = [], []
        for _ in range(3000):
            master = master - 3e-5
            rounded = master.to(dtype)
            offs.append((rounded.double() - master.double()).abs().item())
            gaps.append(theory.float_spacing(master.item(), digits))
        # The sum in single precision has its own, much smaller, errors.
        assert master.item() == pytest.approx(1 - 3000 * 3e-5, abs=3000 * 2**-25)
        fragments = {r"|x_t - \tilde x_t|": "off", r"\Delta(\tilde x_t)": "gap"}
        equation = evaluate("cost-master", fragments, off=offs, gap=gaps)
        assert equation.signs == ("≤",)
        assert equation.holds().all()
        assert equation.tight(rtol=0.01).any()


@cache
def tosses(value: float) -> Tensor:
    """Round a float32 to bfloat16 as the page does, with each random number that there is."""
    x = torch.full((2**16,), value)
    bits = x.view(torch.int32) + torch.arange(2**16, dtype=torch.int32)
    rounded = (bits >> 16 << 16).view(torch.float32)
    assert torch.equal(rounded.bfloat16().float(), rounded)
    return rounded.double()


@cache
def coin(value: float) -> dict[str, float]:
    """Say where a float32 goes, how often up, and the moments of this."""
    rounded = tosses(value)
    low, high = rounded.min().item(), rounded.max().item()
    return {
        "x": torch.tensor(value).item(),
        "low": low,
        "high": high,
        "up": (rounded == high).double().mean().item(),
        "var": rounded.var(correction=0).item(),
    }


COINS = [1.001, 1.0039062, 1.00390625, -1.003, 3.0071, 0.01234, -250.3]


def gap_of(value: dict[str, float]) -> float:
    return value["high"] - value["low"]


NEIGHBOURS = {r"x_-": "low", r"x_+": "high"}


@pytest.mark.equation("cost-up")
def test_the_coin_is_the_fraction():
    for thrown in map(coin, COINS):
        assert evaluate(
            "cost-up",
            {r"\Pr[\operatorname{SR}(x) = x_+]": "up", "x_-": "low", r"\Delta": "gap"},
            up=thrown["up"],
            x=thrown["x"],
            low=thrown["low"],
            gap=gap_of(thrown),
        ).equal()


@pytest.mark.equation("cost-unbiased")
def test_the_coin_is_fair():
    for value in COINS:
        fragments = {r"\mathbb{E}": "", r"\operatorname{SR}(x)": "rounded"}
        rounded, x = tosses(value), torch.tensor(value).item()
        equation = evaluate("cost-unbiased", fragments, rounded=rounded, x=x)
        assert equation.signs == ("=",)
        assert equation.left.mean() == pytest.approx(equation.right[0], rel=1e-9)


VARIANCE = r"\operatorname{Var}[\operatorname{SR}(x)]"


@pytest.mark.equation("cost-variance")
def test_what_a_coin_adds():
    for thrown in map(coin, COINS):
        equation = evaluate(
            "cost-variance",
            {VARIANCE: "var"} | NEIGHBOURS,
            **{name: thrown[name] for name in ("var", "x", "low", "high")},
        )
        assert equation.equal(rtol=1e-6)
        offset = thrown["x"] - thrown["low"]
        expected = theory.stochastic_rounding_variance(offset, gap_of(thrown))
        assert expected == pytest.approx(thrown["var"])


@pytest.mark.equation("cost-variance-max")
def test_what_a_coin_adds_at_most():
    for thrown in map(coin, COINS):
        fragments = {VARIANCE: "var", r"\Delta": "gap"}
        equation = evaluate("cost-variance-max", fragments, var=thrown["var"], gap=gap_of(thrown))
        assert equation.signs == ("≤",)
        assert equation.holds()
        assert equation.tight(rtol=1e-6) == (thrown["up"] == 0.5)
    assert any(coin(value)["up"] == 0.5 for value in COINS)


@cache
def drift(update: float, steps: int) -> tuple[float, float, float]:
    """Follow all that can happen to a weight of 1; return its gap and its moments."""
    gap = coin(1 + update)["high"] - 1.0
    chances = {1.0: 1.0}
    for _ in range(steps):
        after: dict[float, float] = {}
        for weight, chance in chances.items():
            thrown = coin(weight + update)
            for place, part in ((thrown["high"], thrown["up"]), (thrown["low"], 1 - thrown["up"])):
                after[place] = after.get(place, 0.0) + chance * part
        chances = after
    moved = np.array(list(chances)) - 1.0
    weights = np.array(list(chances.values()))
    mean = (weights * moved).sum()
    return gap, mean, (weights * (moved - mean) ** 2).sum()


# Multiples of a float32's own gap, so that each sum is exact before it is rounded.
DRIFTS = [(2.0**-10, 12), (3 * 2.0**-12, 7), (5 * 2.0**-14, 20)]


@pytest.mark.claim(
    cite="connolly2021stochastic",
    says="Errors of stochastic rounding have mean zero.",
    conditions="bfloat16, all coins that there are; 12, 7 and 20 sums",
)
def test_coins_leave_the_mean_of_a_sum(record):
    for update, steps in DRIFTS:
        _, mean, _ = drift(update, steps)
        record(mean, steps * update, rel=1e-6)


@pytest.mark.claim(
    cite="connolly2021stochastic",
    says="Over a sum of t numbers errors of stochastic rounding grow like the root of t, and those "
    "of rounding to nearest may grow like t.",
    conditions="four times as many equal steps of a bfloat16 within one binade",
)
def test_errors_grow_like_the_root(record):
    update = 2.0**-10
    spread = {steps: drift(update, steps)[2] ** 0.5 for steps in (5, 20)}
    record(spread[20] / spread[5], 2.0, rel=1e-6)
    error = {}
    for steps in spread:
        weight = torch.tensor(1.0, dtype=torch.bfloat16)
        for _ in range(steps):
            weight = (weight.double() + update).bfloat16()
        error[steps] = 1 + steps * update - weight.item()
    record(error[20] / error[5], 4.0)


@pytest.mark.equation("cost-drift")
def test_coins_of_many_steps():
    for update, steps in DRIFTS:
        gap, mean, var = drift(update, steps)
        assert mean == pytest.approx(steps * update)
        fragments = {r"\operatorname{Var}[x_t]": "var", r"\Delta": "gap"}
        equation = evaluate("cost-drift", fragments, var=var, t=steps, u=update, gap=gap)
        assert equation.equal(rtol=1e-6)
        assert var == pytest.approx(steps * theory.stochastic_rounding_variance(update, gap))


@pytest.mark.equation("cost-drift-ratio")
def test_the_coins_average_out():
    for update, steps in DRIFTS:
        gap, mean, var = drift(update, steps)
        assert mean == pytest.approx(steps * update)
        fragments = {r"\operatorname{Var}[x_t]": "var", r"\Delta": "gap"}
        equation = evaluate("cost-drift-ratio", fragments, var=var, t=steps, u=update, gap=gap)
        assert equation.equal(rtol=1e-6)


@pytest.mark.claim(
    cite="micikevicius2018mixed",
    says="A weight more than 2048 times as large as its update loses it in float16.",
    but="Beside a power of two an update away from zero is lost from 2048 times on; beside other "
    "weights, or toward zero, it may take up to 4096 times.",
    verdict="corrected here",
    where="Section 3.1",
    conditions="the ratio at which powers of two lose an update away from zero, and toward it; the "
    "largest of all weights; and the share of the weights that lose one 2049 times smaller, toward "
    "zero",
)
def test_it_takes_between_2048_and_4096_times(record):
    floats = mantissas(torch.float16)
    away, toward = (floats / largest_lost(floats, torch.float16, sign) for sign in (1.0, -1.0))
    powers = floats.log2() % 1 == 0
    record(away[powers].max(), 2048.0, rel=ON_THE_WAY)
    record(toward[powers].min(), 4096.0, rel=ON_THE_WAY)
    record(torch.cat([away, toward]).max(), 4096.0, rel=ON_THE_WAY)
    record(lost(floats, -floats / 2049, torch.float16).double().mean(), at_most(0.1))


# Gradients that vanish in float16


SCALES = [1.0, 8.0, 2.0**16]


def in_half(gradient: float, scale: float) -> float:
    return torch.tensor(gradient * scale, dtype=torch.float64).half().item()


@pytest.mark.equation("cost-scale")
def test_a_scaled_gradient_is_lost_below_half_the_smallest_float():
    for scale, share in product(SCALES, (0.4, 0.999, 1.0, 1.001, 1.9)):
        gradient = share * 2.0**-25 / scale
        fragments = {"|g|": "size"}
        equation = evaluate("cost-scale", fragments, size=gradient, c=scale)
        assert equation.signs == ("≤",)
        assert bool(equation.holds()) == (in_half(gradient, scale) == 0)


@pytest.mark.equation("cost-overflow")
def test_a_scaled_gradient_is_infinite_above_the_largest_float():
    for scale, scaled in product(SCALES, (40_000.0, 65_504.0, 65_519.5, 65_520.0, 70_000.0)):
        gradient = scaled / scale
        equation = evaluate("cost-overflow", {"|g|": "size"}, size=gradient, c=scale)
        assert equation.signs == ("≥",)
        assert bool(equation.holds()) == (in_half(gradient, scale) == torch.inf)


@pytest.mark.claim(
    cite="micikevicius2018mixed",
    says="Every value smaller in size than $2^{-24}$ becomes zero in float16.",
    but="Every value of at most $2^{-25}$ in size does; between the two it is rounded up.",
    verdict="corrected here",
    where="Section 3.1",
    conditions="what becomes of a value just above $2^{-25}$, over $2^{-24}$, and of $2^{-25}$",
)
def test_below_the_smallest_float_is_not_yet_zero(record):
    record(in_half(1.001 * 2.0**-25, 1.0) * 2.0**24, 1.0)
    record(in_half(2.0**-25, 1.0), 0.0)


# When does a step matter?


@cache
def dense(widths: tuple[int, ...], batch: int) -> tuple[int, int]:
    """Return the parameters of a network, and the operations of both its passes."""
    layers = [torch.nn.Linear(*pair, bias=False) for pair in pairwise(widths)]
    net = torch.nn.Sequential(*[each for layer in layers for each in (layer, torch.nn.Tanh())])
    samples = torch.ones(batch, widths[0], requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        net(samples).sum().backward()
    return sum(param.numel() for param in net.parameters()), counter.get_total_flops()


NETWORKS = [(5, 7, 3), (8, 2, 2, 6)]


@pytest.mark.equation("cost-passes")
def test_each_weight_costs_six_operations_per_sample():
    for widths, batch in product(NETWORKS, (1, 4, 9)):
        size, counted = dense(widths, batch)
        assert evaluate("cost-passes", C=counted, d=size, B=batch).equal()


@pytest.mark.equation("cost-batch")
def test_at_this_batch_the_step_takes_as_long_as_the_passes():
    for widths, (_, traffic, speed, bandwidth) in product(NETWORKS, MACHINES):
        size, of_one_sample = dense(widths, 1)
        step = theory.step_time_bound(size, traffic, bandwidth)
        fragments = {r"B^\star": "batch"}
        batch = step / (of_one_sample / speed)
        numbers = {"q": traffic, "S": speed, "R": bandwidth}
        assert evaluate("cost-batch", fragments, batch=batch, **numbers).equal()
