"""A factored policy over legal actions: kind, then slot, then where a move ends, then a set of cards.

The set of cards is chosen card by card from left to right, each step masked so that it can still be completed; so
every legal set has exactly one sequence, its probability is exact and positive, and no illegal set has any.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.agents.features import Features
from jaxtro.agents.network import Encoded, PolicyValue, apply
from jaxtro.env.actions import CARD_KINDS, MOST_CARDS, MOVES, Action, Kind, Legal
from jaxtro.env.bits import count_before
from jaxtro.env.state import HAND_CAPACITY

_NEVER = -1e9
_TAKES_CARDS = np.array([kind in CARD_KINDS for kind in Kind])
_MOVES = np.array([kind in MOVES for kind in Kind])


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Taken:
    """An action with the masks of its own path, all that a learner needs to find its probability again.

    Attributes:
      kind, slot, to: int8[]. cards: bool[32].
      kinds: bool[21], legal kinds. slots: bool[32], legal slots of the kind. places: bool[32], legal ends of the move.
      allowed, forced: bool[32], cards that can, that must be chosen. low, high: int8[], how many cards.
    """

    kind: Array
    slot: Array
    to: Array
    cards: Array
    kinds: Array
    slots: Array
    places: Array
    allowed: Array
    forced: Array
    low: Array
    high: Array

    def action(self) -> Action:
        """The action for the environment."""
        wide = lambda value: value.astype(jnp.int32)  # noqa: E731
        return Action(wide(self.kind), self.cards, wide(self.slot), wide(self.to))


def masked(logits: Array, mask: Array) -> Array:
    """Log-probabilities over what the mask allows; elsewhere a very low number."""
    return jax.nn.log_softmax(jnp.where(mask, logits.astype(jnp.float32), _NEVER))


def entropy_of(log_probs: Array) -> Array:
    """Entropy of masked log-probabilities. -> float32[]"""
    return -jnp.sum(jnp.where(log_probs > _NEVER / 2, jnp.exp(log_probs) * log_probs, 0.0))


def _path(legal: Legal, kind: Array, slot: Array) -> dict[str, Array]:
    """The masks of what follows a kind and a slot."""
    takes = jnp.asarray(_TAKES_CARDS)[kind]
    allowed = legal.card & (~legal.plain_only[kind, slot] | legal.plain_card)
    high = jnp.where(takes, legal.max_cards[kind, slot], 0).astype(jnp.int32)
    return {
        "places": jnp.where(jnp.asarray(_MOVES)[kind], legal.to[kind], jnp.arange(legal.to.shape[1]) == 0),
        "allowed": allowed & (high > 0),
        "forced": legal.forced & (high > 0),
        "low": jnp.where(takes, legal.min_cards[kind, slot], 0).astype(jnp.int32),
        "high": high,
    }


def card_masks(
    allowed: Array, forced: Array, low: Array, high: Array, last: Array, count: Array
) -> tuple[Array, Array]:
    """What the next step of a card set may be.

    Args:
      allowed, forced: bool[H], cards that can, that must be in the set. low, high: int32[], size of the set.
      last: int32[], place of the card chosen last, -1 = none. count: int32[], cards chosen so far.

    Returns:
      bool[H], cards that may come next; bool[], whether the set may end here. One of them always holds.
    """
    places = jnp.arange(allowed.shape[0])
    behind = allowed & (places > last)
    after = jnp.sum(behind) - count_before(behind) - behind  # allowed cards further right
    must = forced & (places > last)
    must_before = count_before(must)
    must_after = jnp.sum(must) - must_before - must
    skipped = must_before > 0  # a forced card would be left out
    may = behind & ~skipped & (count < high) & (count + 1 + after >= low) & (count + 1 + must_after <= high)
    return may, (count >= low) & ~jnp.any(must)


def _next_card(
    net: PolicyValue, params: dict, context: Array, keys: Array, chosen: Array, count: Array
) -> Array:
    """Logits of the next card and, last, of stopping. -> float32[H + 1]"""
    query = apply(net, params, context, chosen @ keys, count, method="card_query")
    return jnp.concatenate([keys @ query[:-1], query[-1:]])


def act(
    net: PolicyValue,
    params: dict,
    features: Features,
    legal: Legal,
    key: Array,
    temperature: Array | float = 1.0,
) -> tuple[Taken, Array, Encoded]:
    """Chooses an action of one game.

    Args:
      legal: of an unfinished run. key: a JAX random key.
      temperature: float32[], of the draw: 1 as the policy says, towards 0 the likeliest of each part ever more often.

    Returns:
      the action, its log-probability at temperature 1 (float32[]), what the network made of the observation.
    """
    encoded: Encoded = apply(net, params, features, method="encode")
    noise = jax.random.gumbel(key, (3 + MOST_CARDS, HAND_CAPACITY + 1), jnp.float32)
    noise *= jnp.asarray(temperature, jnp.float32)

    def choose(log_probs: Array, row: int) -> Array:
        return jnp.argmax(log_probs + noise[row, : log_probs.shape[0]]).astype(jnp.int32)

    kinds = masked(encoded.kind, legal.kind)
    kind = choose(kinds, 0)
    of_slots = masked(apply(net, params, encoded, kind, method="slot_logits"), legal.slot[kind])
    slot = choose(of_slots, 1)
    total = kinds[kind] + of_slots[slot]
    path = _path(legal, kind, slot)
    ends = masked(apply(net, params, encoded, kind, slot, method="to_logits"), path["places"])
    to = choose(ends, 2)
    total += ends[to]
    keys = encoded.entities[0].astype(jnp.float32)
    context = apply(net, params, encoded, kind, slot, method="card_context")
    cards, last, done = jnp.zeros(keys.shape[0], bool), jnp.int32(-1), path["high"] == 0
    for step in range(MOST_CARDS):
        count = jnp.int32(step)
        may, end = card_masks(path["allowed"], path["forced"], path["low"], path["high"], last, count)
        logits = _next_card(net, params, context, keys, cards.astype(jnp.float32), count)
        steps = masked(logits, jnp.append(may, end))
        chosen = choose(steps, 3 + step)
        total += jnp.where(done, 0.0, steps[chosen])
        done |= chosen == keys.shape[0]
        cards |= (jnp.arange(keys.shape[0]) == chosen) & ~done
        last = jnp.where(done, last, chosen)
    small = lambda value: value.astype(jnp.int8)  # noqa: E731
    taken = Taken(
        kind=small(kind), slot=small(slot), to=small(to), cards=cards, kinds=legal.kind, slots=legal.slot[kind],
        places=path["places"], allowed=path["allowed"], forced=path["forced"], low=small(path["low"]),
        high=small(path["high"]),
    )  # fmt: skip
    return taken, total, encoded


def taken_of(action: Action, legal: Legal) -> Taken:
    """An action chosen by someone else (an expert), with the masks of its path."""
    small = lambda value: value.astype(jnp.int8)  # noqa: E731
    slot = jnp.where(jnp.any(legal.slot[action.kind, 1:]), action.slot, 0)
    path = _path(legal, action.kind, slot)
    return Taken(
        kind=small(action.kind), slot=small(slot), to=small(jnp.where(jnp.asarray(_MOVES)[action.kind], action.to, 0)),
        cards=action.cards & (path["high"] > 0), kinds=legal.kind, slots=legal.slot[action.kind],
        places=path["places"], allowed=path["allowed"], forced=path["forced"], low=small(path["low"]),
        high=small(path["high"]),
    )  # fmt: skip


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Parts:
    """The choices on the path of an action: kind, slot, end of a move, then the steps of the card set.

    Attributes:
      log_probs: float32[8, 33], of every choice. chosen: int32[8]. active: bool[8], the choice was made at all.
    """

    log_probs: Array
    chosen: Array
    active: Array


def parts_of(net: PolicyValue, params: dict, features: Features, taken: Taken) -> tuple[Parts, Encoded]:
    """The choices of an action taken before, and what the network made of the observation."""
    encoded: Encoded = apply(net, params, features, method="encode")
    wide = lambda value: value.astype(jnp.int32)  # noqa: E731
    kind, slot, to = wide(taken.kind), wide(taken.slot), wide(taken.to)
    kinds = masked(encoded.kind, taken.kinds)
    of_slots = masked(apply(net, params, encoded, kind, method="slot_logits"), taken.slots)
    ends = masked(apply(net, params, encoded, kind, slot, method="to_logits"), taken.places)
    keys = encoded.entities[0].astype(jnp.float32)
    context = apply(net, params, encoded, kind, slot, method="card_context")
    size, low, high = keys.shape[0], wide(taken.low), wide(taken.high)
    places, order = jnp.arange(size), count_before(taken.cards) + taken.cards
    count = jnp.sum(taken.cards, dtype=jnp.int32)

    def step(number: Array) -> tuple[Array, Array, Array]:
        before = taken.cards & (order <= number)
        last = jnp.max(jnp.where(before, places, -1))
        may, end = card_masks(taken.allowed, taken.forced, low, high, last, number)
        logits = _next_card(net, params, context, keys, before.astype(jnp.float32), number)
        upcoming = jnp.argmax(taken.cards & (order == number + 1))
        chosen = jnp.where(number < count, upcoming, size).astype(jnp.int32)
        return masked(logits, jnp.append(may, end)), chosen, (number <= count) & (number < high)

    steps, chosen, active = jax.vmap(step)(jnp.arange(MOST_CARDS, dtype=jnp.int32))
    fill = lambda row: jnp.full(size + 1, _NEVER, jnp.float32).at[: row.shape[0]].set(row)  # noqa: E731
    first = jnp.stack([fill(kinds), fill(of_slots), fill(ends)])
    return Parts(
        log_probs=jnp.concatenate([first, steps]).astype(jnp.float32),
        chosen=jnp.concatenate([jnp.stack([kind, slot, to]), chosen]),
        active=jnp.concatenate([jnp.ones(3, bool), active]),
    ), encoded


def log_prob(
    net: PolicyValue, params: dict, features: Features, taken: Taken
) -> tuple[Array, Array, Encoded]:
    """The log-probability of an action taken before.

    Returns:
      log-probability, entropy along the path (its mean over actions is the policy's entropy), encoding.
    """
    parts, encoded = parts_of(net, params, features, taken)
    of_chosen = jnp.take_along_axis(parts.log_probs, parts.chosen[:, None], axis=1)[:, 0]
    entropies = jax.vmap(entropy_of)(parts.log_probs)
    total = jnp.sum(jnp.where(parts.active, of_chosen, 0.0))
    return total, jnp.sum(jnp.where(parts.active, entropies, 0.0)), encoded


def worst_rank(net: PolicyValue, params: dict, features: Features, taken: Taken) -> Array:
    """How many likelier choices there were at the worst point of an action's path; 0 = the greedy action. -> int32[]"""
    parts, _ = parts_of(net, params, features, taken)
    of_chosen = jnp.take_along_axis(parts.log_probs, parts.chosen[:, None], axis=1)
    ranks = jnp.sum(parts.log_probs > of_chosen, axis=1, dtype=jnp.int32)
    return jnp.max(jnp.where(parts.active, ranks, 0))
