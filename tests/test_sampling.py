import itertools

import pytest
import torch

from descent.tasks.sampling import reshuffled, with_replacement

SAMPLERS = pytest.mark.parametrize("sampler", [with_replacement, reshuffled])


def take(batches, count):
    return torch.stack(list(itertools.islice(batches, count)))


@SAMPLERS
@pytest.mark.parametrize("batch_size", [1, 3, 7])
def test_a_batch_holds_as_many_indices_as_it_should_in_int64_on_the_cpu(sampler, batch_size):
    batch = next(sampler(7, batch_size, seed=0))
    assert batch.shape == (batch_size,)
    assert batch.dtype == torch.int64
    assert batch.device.type == "cpu"


@SAMPLERS
def test_a_device_set_as_the_default_plays_no_part(sampler):
    plain = take(sampler(7, 3, seed=0), 5)
    with torch.device("meta"):
        other = list(itertools.islice(sampler(7, 3, seed=0), 5))
    assert torch.equal(plain, torch.stack(other))


@SAMPLERS
def test_a_seed_repeats_and_another_differs(sampler):
    first, again, other = (take(sampler(50, 8, seed=seed), 20) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@SAMPLERS
def test_the_global_generator_neither_matters_nor_moves(sampler):
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first = take(sampler(50, 8, seed=3), 20)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(1)
    assert torch.equal(first, take(sampler(50, 8, seed=3), 20))


@SAMPLERS
def test_a_batch_that_is_kept_is_not_overwritten(sampler):
    batches = sampler(6, 2, seed=0)
    kept = next(batches)
    copy = kept.clone()
    take(batches, 10)
    assert torch.equal(kept, copy)
    assert kept.untyped_storage().nbytes() == 2 * 8


@pytest.mark.parametrize(
    ("num_samples", "batch_size", "batches"), [(12, 4, 3), (13, 4, 3), (15, 4, 3), (5, 5, 1)]
)
def test_an_epoch_meets_no_sample_twice_and_the_next_one_has_another_order(
    num_samples, batch_size, batches
):
    epochs = take(reshuffled(num_samples, batch_size, seed=0), 40 * batches).reshape(40, -1)
    for epoch in epochs:
        assert epoch.unique().numel() == batches * batch_size
        assert epoch.min() >= 0
        assert epoch.max() < num_samples
    assert len({tuple(epoch.tolist()) for epoch in epochs}) > 1
    # What one epoch leaves out, another takes in.
    assert epochs.unique().numel() == num_samples


def test_draws_with_replacement_are_uniform_and_repeat_within_a_batch():
    num_samples, batch_size, count = 10, 5, 20_000
    batches = take(with_replacement(num_samples, batch_size, seed=0), count)
    frequency = batches.flatten().bincount(minlength=num_samples).double() / batches.numel()
    # Five standard errors of a frequency of 1/10 in 100000 draws.
    error = (0.1 * 0.9 / batches.numel()) ** 0.5
    assert (frequency - 0.1).abs().max() < 5 * error
    # All five differ with probability 0.9 * 0.8 * 0.7 * 0.6 = 0.3024.
    distinct = torch.stack([(row.unique().numel() == 5) * torch.ones(()) for row in batches]).mean()
    assert abs(distinct - 0.3024) < 5 * (0.3024 * 0.6976 / count) ** 0.5


def test_every_order_of_an_epoch_is_as_likely_as_any_other():
    epochs = take(reshuffled(3, 3, seed=0), 6000)
    counts = (epochs @ torch.tensor([9, 3, 1])).unique(return_counts=True)[1]
    assert len(counts) == 6
    assert (counts - 1000).abs().max() < 5 * (6000 / 6 * 5 / 6) ** 0.5


def test_a_batch_with_replacement_may_exceed_the_samples():
    assert next(with_replacement(2, 9, seed=0)).shape == (9,)


@SAMPLERS
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0, 1, 0), ValueError, "num_samples must be an integer of at least 1, got 0"),
        ((5.0, 1, 0), TypeError, r"num_samples must be an integer of at least 1, got 5\.0"),
        ((5, 0, 0), ValueError, "batch_size must be an integer of at least 1, got 0"),
        ((5, True, 0), TypeError, "batch_size must be an integer of at least 1, got True"),
        ((5, 1, -1), ValueError, "seed must be an integer of at least 0, got -1"),
        ((5, 1, 2**32), ValueError, r"seed must be in \[0, 4294967296\), got 4294967296"),
    ],
)
def test_bad_arguments_are_named_at_the_call(sampler, arguments, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        sampler(*arguments)


def test_an_epoch_too_short_for_one_batch_is_refused():
    with pytest.raises(ValueError, match=r"^batch_size must be at most num_samples = 5, got 6$"):
        reshuffled(5, 6, seed=0)
