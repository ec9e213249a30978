"""The planning expert: exact plays, discards by sampled redraws, a shop by the simulated worth of what it offers.

A decision is made in stages that only the games of a batch run that need them (`dispatch.only_where`): the exact
best play of a hand, then, for discards, purchases and the order of jokers alike, twelve variants with some sampled
hands each. Only public information is used (see `view.py`); chances never fall well.
"""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.agents.experts import shopping
from jaxtro.agents.experts.consumables import use_owned
from jaxtro.agents.experts.discards import best_discard, round_variants, with_filler
from jaxtro.agents.experts.greedy import checked, choose, going_on, ranking, raw_key, simple_action
from jaxtro.agents.experts.priors import Priors, load_priors
from jaxtro.agents.experts.strength import Variants, best_totals
from jaxtro.agents.experts.view import SEEN, look, to_hand
from jaxtro.env.actions import MOST_CARDS, Action, Kind, Legal, finished
from jaxtro.env.dispatch import only_where
from jaxtro.env.observation import Observation
from jaxtro.env.owned import joker_sell_values
from jaxtro.env.phases import boss_effects
from jaxtro.env.state import Phase, State
from jaxtro.tables import BLINDS, HANDS, item

_CHUNK = 32  # games of a turn; each scores hundreds of hands
_COUNT_CARDS = np.array([item("j_half"), item("j_square")], np.int16)
_MOUTH = BLINDS.keys.index("bl_mouth")
# How surely a poker hand comes again in a round, by hand.
_CHANCE = {
    "High Card": 1.0, "Pair": 0.9, "Two Pair": 0.7, "Three of a Kind": 0.4, "Straight": 0.45, "Flush": 0.5,
    "Full House": 0.3,
}  # fmt: skip
_COMES_AGAIN = np.array([_CHANCE.get(name, 0.1) for name in HANDS.keys])
_TOP = 224  # plays that are looked at for one that also gets rid of worthless cards


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Plan:
    """What the stages pass on.

    Attributes:
      action: the best known so far. best: bool[16], visible cards of the best play. total: float64[], its score.
      samples: bool[], variants are to be compared.
    """

    action: Action
    best: Array
    total: Array
    samples: Array


def _play(plan: Plan, state: State, legal: Legal) -> Plan:
    """The exact best play; whether a discard could be better."""
    seen = look(state)
    found = ranking(seen, _TOP)
    there = seen.scoring.hand.rank > 0
    wins = found.total[0] >= state.round.target - state.round.chips
    # The Mouth: the first poker hand of the round is the only one, so it should be one that comes again.
    first = (boss_effects.boss_acts(state) == _MOUTH) & (state.round.mouth_hand < 0) & ~wins
    again = jnp.where(first, jnp.asarray(_COMES_AGAIN)[found.hand], 1.0) * found.total
    at = jnp.argmax(jnp.where(found.total >= 0, again, -1.0))
    total = jnp.maximum(found.total[at], 0.0)
    chosen = with_filler(seen.scoring.hand, found.cards, found.total, at, there)
    chosen = jnp.where(wins, found.cards[at], chosen)
    playable = total > 0
    cards = to_hand(chosen, seen.place)
    # Face-down cards are of no use: they leave with the play, unless a joker counts the cards.
    counts = jnp.any(jnp.isin(state.jokers.id, jnp.asarray(_COUNT_CARDS)))
    room = jnp.where(wins | counts, 0, MOST_CARDS - jnp.sum(cards))
    cards |= seen.down & (jnp.cumsum(seen.down) <= room)
    play = simple_action(Kind.PLAY, 0, cards)
    hidden = seen.down & (jnp.cumsum(seen.down) <= MOST_CARDS)
    # Nothing scores: face-down cards are as good as any.
    blind_play = choose(jnp.any(hidden), simple_action(Kind.PLAY, 0, hidden), plan.action)
    return Plan(
        action=choose(playable, play, blind_play),
        best=found.cards[at],
        total=total,
        samples=legal.kind[Kind.DISCARD] & ~wins,
    )


def _compare(plan: Plan, state: State, legal: Legal, key: Array, priors: Priors) -> Plan:
    """Compares variants: of the hand in a round, of what is owned elsewhere."""
    seen = look(state)
    in_round, ordering = state.phase == Phase.SELECTING_HAND, state.phase == Phase.BLIND_SELECT
    hands, gone, there = round_variants(state, seen, plan.best, key)
    what = shopping.offered(state)
    bought, ordered = (
        shopping.shop_variants(seen, what, shopping.rounds_left(state), priors),
        shopping.move_variants(seen, priors),
    )
    jokers, level = jax.tree.map(lambda a, b: jnp.where(ordering, a, b), ordered, bought)
    shopped = shopping.strength_variants(state, jokers, level, priors)
    variants: Variants = jax.tree.map(lambda a, b: jnp.where(in_round, a, b), hands, shopped)
    scoring = jax.tree.map(
        lambda a, b: jnp.where(in_round, a, b), seen.scoring, shopping.between_rounds(seen.scoring, state)
    )
    totals = best_totals(scoring, variants)

    number, gain = best_discard(state, totals, there, plan.total, priors)
    discard = simple_action(Kind.DISCARD, 0, gone[number])
    in_hand = choose((number > 0) & (gain > 0), discard, plan.action)
    shop = shopping.shop_action(state, legal, totals, what, priors)
    order = shopping.move_action(state, totals, priors, plan.action)
    action = choose(in_round, in_hand, choose(ordering, order, shop))
    return replace(plan, action=action)


def _quick(state: State, legal: Legal, priors: Priors, action: Action) -> tuple[Action, Array]:
    """What needs no simulation: consumables, Verdant Leaf. -> action, whether it is to be done"""
    use, uses = use_owned(state, legal, jnp.asarray(priors.number["price"]), priors)
    action = choose(uses, use, action)
    # Verdant Leaf debuffs every card until a joker is sold.
    jokers = state.jokers
    leaf = (boss_effects.boss_acts(state) == boss_effects.LEAF) & (state.phase == Phase.SELECTING_HAND)
    sellable = legal.slot[Kind.SELL_JOKER, : jokers.id.shape[0]]
    ids = jokers.id.astype(jnp.int32)
    keep = (
        jnp.asarray(priors.joker)[ids]
        + 0.1 * joker_sell_values(state)
        + 2.0 * jnp.asarray(priors.multiplies)[ids]
    )
    keep -= jnp.asarray(priors.money)[ids]
    sale = simple_action(Kind.SELL_JOKER, jnp.argmin(jnp.where(sellable, keep, jnp.inf)))
    sells = leaf & jnp.any(sellable)
    return choose(sells, sale, action), uses | sells


class PlannerAgent:
    """The planning expert; `params` are its beliefs (`priors.Priors`), which can be changed without compiling."""

    name = about = "planner"

    def __init__(self, params: Priors | None = None) -> None:
        self.params: Any = load_priors() if params is None else params

    def act(self, params: Any, key: Array, state: State, observation: Observation, legal: Legal) -> Action:
        """The planner's decision."""
        del observation
        key = raw_key(key)
        live = ~finished(state)
        action, done = _quick(state, legal, params, going_on(state))
        phase = state.phase
        playing = live & ~done & (phase == Phase.SELECTING_HAND)
        # A choice must be left: something to buy or pick, or an order that matters.
        buys = jnp.any(jnp.stack([legal.kind[kind] for kind in (
            Kind.BUY_CARD, Kind.BUY_PACK, Kind.BUY_VOUCHER, Kind.REROLL, Kind.BUY_AND_USE, Kind.PICK,
        )])) | (state.jokers.id[0] > 0)  # fmt: skip
        shops = ((phase == Phase.SHOP) | (phase == Phase.PACK)) & buys
        orders = (phase == Phase.BLIND_SELECT) & shopping.order_matters(state, params)
        plan = Plan(action, jnp.zeros(SEEN, bool), jnp.float64(0), live & ~done & (shops | orders))
        plan = only_where(playing, _play, plan, state, legal, chunk=_CHUNK)
        plan = only_where(plan.samples, _compare, plan, state, legal, key, params, chunk=_CHUNK)
        return checked(state, legal, key, plan.action)
