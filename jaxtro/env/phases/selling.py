"""Selling jokers and consumables, and moving cards about."""

from dataclasses import replace

import jax.numpy as jnp
from jax import Array

from jaxtro.env import joker_events as ev
from jaxtro.env import rng
from jaxtro.env.areas import moved, sorted_hand
from jaxtro.env.joker_events import JokerEvents
from jaxtro.env.owned import (
    MANACLE,
    by_creation,
    consumable_sell_values,
    copy_joker,
    joker_sell_values,
    lose_consumable,
    lose_jokers,
)
from jaxtro.env.phases import boss_effects
from jaxtro.env.phases.dealing import DEAL_ONE
from jaxtro.env.phases.tags import add_tag
from jaxtro.env.state import DECK_CAPACITY, Phase, State
from jaxtro.env.work import Work, set_todo, update


def _others_react(state: State, events: JokerEvents, sold: Array) -> State:
    """Campfire: grows for every card sold. sold: bool[J], the joker that leaves."""
    gain = jnp.where(sold, 0.0, ev.own(state.jokers, events.other_sold_gain))
    return replace(state, jokers=replace(state.jokers, stored=state.jokers.stored + gain))


def sell_joker(work: Work, place: Array, events: JokerEvents) -> Work:
    """Sells a joker: its own effect, the other jokers, the money (run.md 7.5)."""
    state = work.state
    jokers = state.jokers
    sold = jnp.arange(jokers.id.shape[0]) == place
    value = joker_sell_values(state)[place]
    mine = lambda column: ev.own(jokers, column)[place]  # noqa: E731
    in_round = state.phase == Phase.SELECTING_HAND

    # Luchador switches the boss off; at Verdant Leaf any joker's sale does.
    boss = boss_effects.boss_acts(state)
    fights = in_round & (boss >= boss_effects.FIRST_BOSS)
    off = fights & (mine(events.sold_disables_boss) | (boss == boss_effects.LEAF))
    draws = off & (boss == MANACLE)
    tag = mine(events.sold_tag).astype(jnp.int32)
    state = add_tag(state, tag, tag > 0)

    # Invisible Joker: a copy of a random other joker.
    needed = mine(events.sold_copies)
    others = (jokers.id > 0) & ~sold
    ready = (needed > 0) & (jokers.stored[place] >= needed) & jnp.any(others)
    order, count = by_creation(jokers.number, others), jnp.sum(others, dtype=jnp.int32)
    nth, streams = rng.pick(state.streams, "invisible", state.run.ante, count, ready)
    source = order[jnp.clip(nth, 0, order.shape[0] - 1)]

    state = _others_react(replace(state, streams=streams), events, sold)
    state = replace(state, run=update(state.run, money=state.run.money + value))
    state = lose_jokers(state, sold)
    state = copy_joker(state, source - (source > place), ready)
    state = replace(state, jokers=boss_effects.pinned_first(state.jokers))
    state = boss_effects.disable(state, off)
    return set_todo(
        Work(state, work.todo),
        debuffs=jnp.broadcast_to(off, (DECK_CAPACITY,)),
        deal=jnp.where(draws, DEAL_ONE, 0),
        cost=-value,
    )


def sell_consumable(work: Work, place: Array, events: JokerEvents) -> Work:
    """Sells a consumable."""
    state = work.state
    value = consumable_sell_values(state, events)[place]
    state = _others_react(state, events, jnp.zeros(state.jokers.id.shape, bool))
    state = replace(state, run=update(state.run, money=state.run.money + value))
    return set_todo(Work(lose_consumable(state, place), work.todo), cost=-value)


def sort_hand(work: Work, mode: Array) -> Work:
    """Sorts the hand; the mode stays for later draws. mode: 0 rank, 1 suit, 2 and 3 the same ascending."""
    state = work.state
    state = replace(
        state,
        run=update(state.run, sort_mode=mode),
        piles=replace(
            state.piles, hand=sorted_hand(state.deck, state.piles.hand, mode, state.rules.sort_by_age)
        ),
    )
    return Work(state, work.todo)


def move_hand_card(work: Work, source: Array, target: Array) -> Work:
    """Moves a card of the hand to another place."""
    piles = work.state.piles
    piles = replace(piles, hand=moved(piles.hand, source, target))
    return Work(replace(work.state, piles=piles), work.todo)


def move_joker(work: Work, source: Array, target: Array) -> Work:
    """Moves a joker to another place; pinned ones stay leftmost."""
    jokers = boss_effects.pinned_first(moved(work.state.jokers, source, target))
    return Work(replace(work.state, jokers=jokers), work.todo)


def move_consumable(work: Work, source: Array, target: Array) -> Work:
    """Moves a consumable to another place."""
    consumables = moved(work.state.consumables, source, target)
    return Work(replace(work.state, consumables=consumables), work.todo)
