"""A policy that plays random legal actions: the baseline of benchmarks and of the fuzz test."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env.actions import Action, Kind, Legal
from jaxtro.env.bits import members_of
from jaxtro.env.calls import written_out

# How often a kind is chosen beside the others that are legal. Moving and sorting cards is always possible and
# changes little, so it is rare; selling is, too, or no joker would stay.
DEFAULT_WEIGHTS = np.ones(len(Kind), np.float32)
for _kind, _weight in (
    (Kind.SORT, 0.02), (Kind.MOVE_HAND, 0.02), (Kind.MOVE_JOKER, 0.02), (Kind.MOVE_CONSUMABLE, 0.02),
    (Kind.SELL_JOKER, 0.05), (Kind.SELL_CONSUMABLE, 0.05), (Kind.SKIP, 0.3), (Kind.REROLL_BOSS, 0.2),
    (Kind.SKIP_PACK, 0.2), (Kind.NEXT_ROUND, 0.7), (Kind.REROLL, 0.5), (Kind.PLAY, 2.0),
):  # fmt: skip
    DEFAULT_WEIGHTS[_kind] = _weight


def _pick(u: Array, weights: Array) -> Array:
    """The place that a float picks in proportion to the weights."""
    # Their running sum as a product, which is faster on CPUs; exact enough on GPUs only with full precision.
    upper = jnp.triu(jnp.ones((weights.shape[0],) * 2, weights.dtype))
    total = jnp.matmul(weights, upper, precision=jax.lax.Precision.HIGHEST)
    return jnp.minimum(jnp.sum(total <= u * total[-1], dtype=jnp.int32), weights.shape[0] - 1)


def _pick_member(u: Array, member: Array) -> Array:
    """The member that a float picks, each alike; the last place if there is none."""
    members = members_of(member)
    place = members.places(jnp.floor(u * members.count.astype(jnp.float32)).astype(jnp.int32), 1)[0]
    return jnp.minimum(place, member.shape[0] - 1)


def random_action(key: Array, legal: Legal, kind_weights: Array | np.ndarray = DEFAULT_WEIGHTS) -> Action:
    """A random legal action; kinds by weight, then slot, number of cards and cards uniformly.

    Args:
      key: a JAX random key. legal: of one game. kind_weights: float32[21].
    """
    places = legal.card.shape[0]
    u = jax.random.uniform(key, (places + 4,), jnp.float32)
    kind = _pick(u[0], legal.kind * jnp.asarray(kind_weights, jnp.float32))
    slot = _pick_member(u[1], legal.slot[kind])
    to = _pick_member(u[2], legal.to[kind])
    low, high = (jnp.int32(bound[kind, slot]) for bound in (legal.min_cards, legal.max_cards))
    allowed = legal.card & (~legal.plain_only[kind, slot] | legal.plain_card)
    forced = jnp.sum(legal.forced, dtype=jnp.int32) * (high > 0)
    high = jnp.minimum(high, jnp.sum(allowed, dtype=jnp.int32))
    low = jnp.minimum(jnp.maximum(low, forced), high)
    count = low + jnp.floor(u[3] * (high - low + 1)).astype(jnp.int32)
    # Written out: it would be computed again for each of the places that it is compared with.
    order = written_out(jnp.where(legal.forced, 2.0, u[4:]) * allowed)
    rank = jnp.sum(order[None, :] > order[:, None], axis=1, dtype=jnp.int8)
    cards = allowed & (rank < jnp.minimum(count, high)) & (high > 0)
    return Action(kind, cards, slot, to)
