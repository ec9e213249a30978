"""Plays random actions over all decks, stakes and challenges in large batches and checks invariants after every step.

`python experiments/fuzz.py --steps 20000000` prints the number of steps and, for each invariant, how often it was
broken. Exit status: 0 when none was. One action in twenty is drawn without looking at what is legal.

Invariants: every card of the deck lies in exactly one pile; money changes by what the action costs or pays; an
action that is not legal changes nothing, one that is legal is done; no number is NaN; all counts are within the
capacities; an unfinished run has something legal to do; the observation does not depend on what is hidden (draw
order, random streams, faces of face-down cards; looked at in every eighth step).
"""

import argparse
import json
import sys
import time
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

import jaxtro
from jaxtro.agents.random_policy import random_action
from jaxtro.compile_cache import enable_compile_cache
from jaxtro.env.actions import NUM_KINDS, SLOTS, Action, Kind, finished, is_legal
from jaxtro.env.joker_events import events_of
from jaxtro.env.owned import (
    consumable_sell_values,
    is_consumable,
    joker_sell_values,
    offer_prices,
    pack_prices,
    voucher_price,
)
from jaxtro.env.phases.blind_select import BOSS_REROLL_COST
from jaxtro.env.phases.shop import reroll_price
from jaxtro.env.scoring import BOOK
from jaxtro.env.state import HAND_CAPACITY, Phase, State
from jaxtro.tables import CHALLENGES, DECKS, STAKES

BROKEN = (
    "cards", "money", "illegal action did something", "legal action refused", "nan", "capacity", "nothing legal",
    "observation shows what is hidden", "finished run changed",
)  # fmt: skip
_EVENTS = events_of(BOOK)
_UNCHECKED = (Kind.PLAY, Kind.DISCARD, Kind.USE, Kind.SKIP, Kind.PICK, Kind.BUY_AND_USE)
RAW_SHARE = 0.05
LOOK_EVERY = 8


def all_params(games: int, seed: int) -> Any:
    """Parameters of a batch: every deck, stake and challenge, several target scales, some runs endless."""
    g = np.random.default_rng(seed)
    base = jaxtro.make_params()
    challenge = np.where(g.random(games) < 0.3, g.integers(1, len(CHALLENGES), games), 0)
    stake = np.where(challenge > 0, 1, g.integers(1, len(STAKES), games))
    batch = jax.tree.map(lambda value: np.repeat(np.asarray(value)[None], games, 0), base)
    return replace(
        batch,
        deck=g.integers(1, len(DECKS) - 1, games).astype(np.int32),
        stake=stake.astype(np.int32),
        challenge=challenge.astype(np.int32),
        blind_scale=g.choice([0.0, 0.0, 0.02, 0.2, 1.0], games),
        endless=g.random(games) < 0.5,
        max_steps=np.full(games, 3000, np.int32),
    )


def raw_action(key: Array) -> Action:
    """An action drawn without looking at what is legal."""
    kinds, slots, cards = jax.random.split(key, 3)
    kind = jax.random.randint(kinds, (), -1, NUM_KINDS + 1, jnp.int32)
    slot, to = jax.random.randint(slots, (2,), -1, SLOTS + 1, jnp.int32)
    few = jax.random.uniform(cards, (HAND_CAPACITY,)) < 0.1
    return Action(kind, few, jnp.where(slot > 12, 0, slot), to)


def _cards_lie_once(state: State) -> Array:
    """Whether every card of the deck is in exactly one pile, and the piles hold nothing else."""
    piles, size = state.piles, state.deck.cards.rank.shape[0]
    seen = jnp.zeros(size + 1, jnp.int32)
    for pile in (piles.draw, piles.hand, piles.discard):
        seen = seen.at[jnp.where(pile >= 0, pile.astype(jnp.int32), size)].add(1)
    counts = [jnp.sum(pile >= 0) for pile in (piles.draw, piles.hand, piles.discard)]
    right = (counts[0] == piles.n_draw) & (counts[1] == piles.n_hand) & (counts[2] == piles.n_discard)
    numbers = state.deck.number
    rising = jnp.all((numbers[1:] > numbers[:-1]) | (state.deck.cards.rank[1:] == 0))
    return right & rising & jnp.all(seen[:size] == (state.deck.cards.rank > 0))


def _expected_money(state: State, action: Action) -> tuple[Array, Array]:
    """The dollars that an action changes, and whether that is known before it."""
    slot = jnp.clip(action.slot, 0, 15)
    take = lambda values: values[jnp.minimum(slot, values.shape[0] - 1)]  # noqa: E731
    paid = {
        Kind.BUY_CARD: -take(offer_prices(state, _EVENTS, state.shop.cards)),
        Kind.BUY_VOUCHER: -voucher_price(state),
        Kind.BUY_PACK: -take(pack_prices(state, _EVENTS)),
        Kind.REROLL: -reroll_price(state),
        Kind.REROLL_BOSS: jnp.int32(-BOSS_REROLL_COST),
        Kind.SELL_JOKER: take(joker_sell_values(state)),
        Kind.SELL_CONSUMABLE: take(consumable_sell_values(state, _EVENTS)),
        Kind.CASH_OUT: state.round.payout,
    }
    dollars = jnp.int32(0)
    for kind, amount in paid.items():
        dollars = jnp.where(action.kind == kind, amount, dollars)
    known = jnp.bool_(True)
    for kind in _UNCHECKED:
        known &= action.kind != kind
    # A pack card that is not used is free; selecting can end the round of an empty hand at once.
    pick = (action.kind == Kind.PICK) & ~is_consumable(state.pack.cards.id[jnp.clip(slot, 0, 4)])
    return dollars, known | pick


def _nan(state: State) -> Array:
    floats = [state.round.chips, state.round.target, state.jokers.stored, state.shop.cards.stored]
    return jnp.any(jnp.stack([jnp.any(jnp.isnan(values)) for values in floats]))


def _within(state: State) -> Array:
    """Whether counts are in range."""
    piles, jokers, owned = state.piles, state.jokers, state.consumables
    closed = lambda ids: jnp.all((ids[:-1] > 0) | (ids[1:] == 0))  # noqa: E731
    ok = (piles.n_hand >= 0) & (piles.n_hand <= HAND_CAPACITY) & (piles.n_draw >= 0) & (piles.n_discard >= 0)
    ok &= closed(jokers.id) & closed(owned.id) & closed(state.tags) & closed(state.shop.packs)
    ok &= (state.phase >= 0) & (state.phase <= Phase.GAME_OVER) & (state.shop.free_rerolls >= 0)
    ok &= (state.round.hands_left >= 0) & (state.round.discards_left >= 0) & (state.run.ante >= -2)
    return ok & jnp.all(state.poker_hands.level >= 1)


def _same(one: Any, other: Any) -> Array:
    equal = [
        jnp.all((a == b) | ((a != a) & (b != b)))
        for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    ]
    return jnp.all(jnp.stack(equal))


def _hidden_changed(state: State) -> State:
    """The state with everything that is hidden replaced: draw order, streams, faces of hidden cards."""
    piles, deck = state.piles, state.deck
    places = jnp.arange(piles.draw.shape[0])
    draw = piles.draw[jnp.where(places < piles.n_draw, piles.n_draw - 1 - places, places)]
    streams = replace(
        state.streams, states=1.0 - state.streams.states, seed_hash=1.0 - state.streams.seed_hash
    )
    # Face-down hand cards trade their faces with each other and with the draw pile's next card.
    at = jnp.maximum(piles.hand, 0).astype(jnp.int32)
    down = (piles.hand >= 0) & deck.face_down[at]
    first = jnp.argmax(down)
    hidden = jnp.any(down) & (piles.n_draw > 0)
    card = jnp.where(hidden, at[first], 0)
    top = jnp.where(hidden, jnp.maximum(draw[0], 0), 0).astype(jnp.int32)
    hand = piles.hand.at[jnp.where(hidden, first, HAND_CAPACITY)].set(top.astype(jnp.int8), mode="drop")
    draw = draw.at[jnp.where(hidden, 0, draw.shape[0])].set(card.astype(jnp.int8), mode="drop")
    face_down = deck.face_down.at[card].set(jnp.where(hidden, False, deck.face_down[card]))
    face_down = face_down.at[top].set(jnp.where(hidden, True, face_down[top]))
    return replace(
        state,
        streams=streams,
        piles=replace(piles, draw=draw, hand=hand),
        deck=replace(deck, face_down=face_down),
    )


def checked_step(env: Any, auto: Any, key: Array, look: Array) -> tuple[Any, Array, dict[str, Array]]:
    """One step of one game: a random action, then every invariant. -> game, bool[9] broken, counts

    look: bool[], the observation is compared in this step (dear, so in every eighth).
    """
    sampled, raw, which = jax.random.split(key, 3)
    before = auto.state
    legal = env.env.legal_actions(before)
    wild = jax.random.uniform(which) < RAW_SHARE
    action = jax.tree.map(lambda a, b: jnp.where(wild, a, b), raw_action(raw), random_action(sampled, legal))
    over = finished(before)
    allowed = is_legal(before, action, _EVENTS, legal) | over
    observation, after, _, terminated, truncated, info = env.env.step(before, action)
    dollars, known = _expected_money(before, action)
    # The end of a round pays and takes; a discard-free check of it is the cash-out itself.
    known &= ~((before.phase != Phase.ROUND_EVAL) & (after.phase == Phase.ROUND_EVAL))
    hidden = jax.lax.cond(
        look, lambda state: env.env.observe(_hidden_changed(state)), lambda state: observation, after
    )
    forced_hidden = after.round.forced >= 0
    broken = jnp.stack(
        [
            ~_cards_lie_once(after),
            allowed & ~over & known & (after.run.money - before.run.money != dollars),
            ~allowed & ~_same(before, after),
            allowed & ~over & info.illegal,
            _nan(after),
            ~_within(after),
            ~over & ~jnp.any(legal.kind),
            ~forced_hidden & ~_same(observation, hidden),
            over & ~_same(before, after),
        ]
    )
    counts = {
        "kind": (jnp.arange(NUM_KINDS) == action.kind) & allowed,
        "illegal": ~allowed,
        "ended": terminated | truncated,
        "won": info.won & ~before.run.won,
        "overflow": after.overflow & ~before.overflow,
        "ante": after.run.ante,
    }
    _, auto = env.restart(auto, after, observation, terminated | truncated)
    return auto, broken, counts


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=float, default=1e6, help="steps of all games together (default 1e6)")
    parser.add_argument("--num-envs", type=int, default=2048, help="games in the batch (default 2048)")
    parser.add_argument("--seed", type=int, default=0, help="of the random actions and games (default 0)")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    args = parser.parse_args()
    if args.num_envs < 1 or args.steps < 1:
        parser.error("--steps and --num-envs must be 1 or more")
    enable_compile_cache()
    games, length = args.num_envs, 32
    env = jaxtro.AutoReset(jaxtro.make())
    params = all_params(games, args.seed)
    keys = jax.random.split(jax.random.key(args.seed), games)
    _, auto = jax.jit(jax.vmap(env.reset))(keys, params)

    def roll(auto: Any, key: Array) -> tuple[Any, Array, Any]:
        def one(auto: Any, step: tuple[Array, Array]) -> tuple[Any, tuple[Array, Any]]:
            key, look = step
            auto, broken, counts = jax.vmap(lambda game, key: checked_step(env, game, key, look))(
                auto, jax.random.split(key, games)
            )
            ante = counts.pop("ante")
            total = jax.tree.map(lambda values: jnp.sum(values, axis=0), counts)
            return auto, (broken, (total, jnp.max(ante)))

        looks = jnp.arange(length) % LOOK_EVERY == 0
        steps = (jax.random.split(key, length), looks)
        auto, (broken, (counts, ante)) = jax.lax.scan(one, auto, steps)
        return auto, broken, (jax.tree.map(lambda values: jnp.sum(values, axis=0), counts), jnp.max(ante))

    run = jax.jit(roll, donate_argnums=0)
    steps, start = 0, time.perf_counter()
    broken_total, totals, highest = np.zeros(len(BROKEN), np.int64), None, 0
    number = 0
    while steps < args.steps:
        auto, broken, (counts, ante) = run(auto, jax.random.fold_in(jax.random.key(args.seed + 1), number))
        broken, counts = np.asarray(broken), jax.device_get(counts)
        broken_total += broken.sum((0, 1))
        totals = counts if totals is None else jax.tree.map(lambda a, b: a + b, totals, counts)
        highest, steps, number = max(highest, int(ante)), steps + games * length, number + 1
        if broken.any():
            where = np.argwhere(broken)[0]
            print(
                f"broken: {BROKEN[where[2]]!r} at chunk {number - 1}, step {where[0]}, game {where[1]}",
                file=sys.stderr,
            )
        if number % 20 == 0:
            rate = steps / (time.perf_counter() - start)
            print(
                f"{steps:,} steps, {rate:,.0f} steps/s, broken {int(broken_total.sum())}",
                file=sys.stderr,
                flush=True,
            )
    assert totals is not None
    report = {
        "steps": steps,
        "games_ended": int(totals["ended"]),
        "won": int(totals["won"]),
        "illegal_actions_offered": int(totals["illegal"]),
        "overflows": int(totals["overflow"]),
        "highest_ante": highest,
        "actions": {kind.name.lower(): int(totals["kind"][kind]) for kind in Kind},
        "broken": {name: int(count) for name, count in zip(BROKEN, broken_total, strict=True)},
        "seconds": time.perf_counter() - start,
    }
    if args.json:
        print(json.dumps(report))
    else:
        for name, value in report.items():
            print(f"{name}: {value:,}" if isinstance(value, int) else f"{name}: {value}")
    return int(broken_total.any())


if __name__ == "__main__":
    sys.exit(main())
