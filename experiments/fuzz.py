"""Plays random actions over all decks, stakes and challenges in large batches and checks invariants after every step.

`python experiments/fuzz.py --steps 20000000` prints the number of steps and, for each invariant, how often it was
broken. Exit status: 0 when none was. One action in twenty is drawn without looking at what is legal.

Invariants: every card of the deck lies in exactly one pile; no card of the deck is lost, changed or made but by what
may do so (and then only cards that were played, discarded or in the hand are lost); money changes by what the action
costs or pays (of plays by what `env.score` says, in every eighth step; ends of rounds and skips that pay are left
out); an action that is not legal changes nothing, one that is legal is done; no number is NaN; all counts are within
the capacities; an unfinished run has something legal to do; the observation does not depend on what is hidden (draw
order, random streams, the face of a face-down card, the order of face-down jokers; in every eighth step).
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
from jaxtro.agents.determinise import determinise
from jaxtro.agents.random_policy import random_action
from jaxtro.compile_cache import enable_compile_cache
from jaxtro.env import run_rules
from jaxtro.env.actions import NUM_KINDS, SLOTS, Action, Kind, finished, is_legal
from jaxtro.env.joker_events import events_of
from jaxtro.env.owned import (
    consumable_sell_values,
    joker_sell_values,
    offer_prices,
    pack_prices,
    voucher_price,
)
from jaxtro.env.phases.blind_select import BOSS_REROLL_COST
from jaxtro.env.phases.boss_effects import HOOK, TOOTH, boss_acts
from jaxtro.env.phases.shop import reroll_price
from jaxtro.env.scoring import BOOK
from jaxtro.env.state import HAND_CAPACITY, Phase, State
from jaxtro.tables import CHALLENGES, DECKS, ITEMS, JOKERS, STAKES, TAGS, item

BROKEN = (
    "cards", "cards lost or made", "money", "illegal action did something", "legal action refused", "nan",
    "capacity", "nothing legal", "observation shows what is hidden",
    "finished run changed",
)  # fmt: skip
_EVENTS = events_of(BOOK)
_USES = (Kind.USE, Kind.PICK, Kind.BUY_AND_USE)
# What may make cards of the deck, or destroy some.
_MAKES_CARDS = (Kind.SELECT, Kind.PLAY, Kind.BUY_CARD, *_USES)
_LOSES_CARDS = (Kind.PLAY, Kind.DISCARD, *_USES)
_CHANGES_CARDS = (Kind.PLAY, Kind.NEXT_ROUND, Kind.SELECT, *_USES)
_MOST_NEW_CARDS = 8
_PAYS_FOR_DISCARDS = [
    item(row["key"]) for row in JOKERS.rows if "dollars" in row.get("run", {}).get("discard", {})
]
_COPIES = [item("j_blueprint"), item("j_brainstorm")]
_PAYS_AT_ONCE = [TAGS.keys.index(key) for key in ("tag_handy", "tag_garbage", "tag_skip", "tag_economy")]
_HERMIT, _TEMPERANCE, _WRAITH, _IMMOLATE = (
    item(key) for key in ("c_hermit", "c_temperance", "c_wraith", "c_immolate")
)
_HERMIT_MOST, _TEMPERANCE_MOST, _IMMOLATE_PAYS = (
    ITEMS.row(card)["does"][word]
    for card, word in ((_HERMIT, "double_money"), (_TEMPERANCE, "sell_values"), (_IMMOLATE, "dollars"))
)
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


def _cards_explained(before: State, after: State, action: Action) -> Array:
    """Whether cards of the deck were lost, made or changed only by what may do so.

    Cards are told apart by their creation numbers.
    """
    old, new = before.deck, after.deck
    had, has = old.cards.rank > 0, new.cards.rank > 0
    same = (old.number[:, None] == new.number[None]) & had[:, None] & has[None]
    lost, made = had & ~jnp.any(same, axis=1), has & ~jnp.any(same, axis=0)
    among = lambda kinds: jnp.any(jnp.stack([action.kind == kind for kind in kinds]))  # noqa: E731
    in_hand = jnp.any(
        (jnp.arange(had.shape[0])[:, None] == before.piles.hand[None]) & (before.piles.hand >= 0)[None]
        & ((action.kind != Kind.PLAY) & (action.kind != Kind.DISCARD) | action.cards)[None],
        axis=1,
    )  # fmt: skip
    # A card drawn for a pack can be destroyed, too; The Hook discards unchosen cards and Trading Card eats one.
    may_lose = among(_LOSES_CARDS) & (
        in_hand | (before.round.blind > 0) & (action.kind == Kind.PLAY) & _held(before)
    )
    place = jnp.argmax(same, axis=1)
    face = (old.cards.rank != new.cards.rank[place]) | (old.cards.suit != new.cards.suit[place])
    face |= (old.cards.enhancement != new.cards.enhancement[place]) | (
        old.cards.seal != new.cards.seal[place]
    )
    changed = had & ~lost & face
    number = jnp.where(made, new.number, jnp.max(jnp.where(has, new.number, 0)))
    # A card on offer has had its number from that moment, so one bought later can be older.
    offered = (action.kind == Kind.BUY_CARD) | (action.kind == Kind.PICK)
    fresh = offered | (jnp.min(number) > jnp.max(jnp.where(had, old.number, 0)))
    ok = ~jnp.any(lost & ~may_lose) & (~jnp.any(changed) | among(_CHANGES_CARDS))
    ok &= ~jnp.any(made) | (among(_MAKES_CARDS) & fresh & (jnp.sum(made) <= _MOST_NEW_CARDS))
    return ok


def _held(state: State) -> Array:
    places = jnp.arange(state.deck.cards.rank.shape[0])
    return jnp.any((places[:, None] == state.piles.hand[None]) & (state.piles.hand >= 0)[None], axis=1)


def _expected_money(env: Any, state: State, action: Action, look: Array) -> tuple[Array, Array]:
    """The dollars that a legal action changes, and whether that is known before it."""
    slot = jnp.clip(action.slot, 0, 15)
    take = lambda values: values[jnp.minimum(slot, values.shape[0] - 1)]  # noqa: E731
    prices = offer_prices(state, _EVENTS, state.shop.cards)
    money, boss = state.run.money, boss_acts(state)
    score = jax.lax.cond(
        look & (action.kind == Kind.PLAY),
        lambda: env.score(state, action.cards).money,
        lambda: jnp.int32(0),
    )
    tooth = jnp.where(boss == TOOTH, jnp.sum(action.cards, dtype=jnp.int32), 0)
    used = {
        Kind.USE: take(state.consumables.id), Kind.PICK: take(state.pack.cards.id),
        Kind.BUY_AND_USE: take(state.shop.cards.id),
    }  # fmt: skip
    card = jnp.int32(0)
    for kind, ids in used.items():
        card = jnp.where(action.kind == kind, ids.astype(jnp.int32), card)
    worth = jnp.sum(jnp.where(state.jokers.id > 0, joker_sell_values(state), 0))
    effect = jnp.select(
        [card == _HERMIT, card == _TEMPERANCE, card == _WRAITH, card == _IMMOLATE],
        [
            jnp.clip(money, 0, _HERMIT_MOST),
            jnp.clip(worth, 0, _TEMPERANCE_MOST),
            -money,
            jnp.int32(_IMMOLATE_PAYS),
        ],
        jnp.int32(0),
    )
    paid = {
        Kind.BUY_CARD: -take(prices),
        Kind.BUY_VOUCHER: -voucher_price(state),
        Kind.BUY_PACK: -take(pack_prices(state, _EVENTS)),
        Kind.REROLL: -reroll_price(state),
        Kind.REROLL_BOSS: jnp.int32(-BOSS_REROLL_COST),
        Kind.SELL_JOKER: take(joker_sell_values(state)),
        Kind.SELL_CONSUMABLE: take(consumable_sell_values(state, _EVENTS)),
        Kind.CASH_OUT: state.round.payout,
        Kind.PLAY: score - tooth,
        Kind.DISCARD: -run_rules.of_challenge(state.rules, run_rules.DISCARD_COST),
        Kind.USE: effect,
        Kind.PICK: effect,
        Kind.BUY_AND_USE: -take(prices) + effect,
    }
    dollars = jnp.int32(0)
    for kind, amount in paid.items():
        dollars = jnp.where(action.kind == kind, amount, dollars)
    # Once the price is paid there is less to double, and with inflation jokers sell for more: left out.
    direct = (action.kind == Kind.BUY_AND_USE) & (
        (card == _HERMIT) | (card == _WRAITH) | (card == _TEMPERANCE)
    )
    pays = jnp.any(jnp.isin(state.jokers.id, jnp.asarray(_PAYS_FOR_DISCARDS + _COPIES)))
    pays |= boss == HOOK
    tag = state.blinds.tags[jnp.clip(state.blinds.on_deck, 0, 1)]
    known = ~direct & ((action.kind != Kind.PLAY) | (look & (boss != HOOK)))
    known &= (action.kind != Kind.DISCARD) | ~pays
    known &= (action.kind != Kind.SKIP) | ~jnp.any(tag == jnp.asarray(_PAYS_AT_ONCE))
    return dollars, known


def _nan(*trees: Any) -> Array:
    floats = [leaf for leaf in jax.tree.leaves(trees) if jnp.issubdtype(leaf.dtype, jnp.floating)]
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


def checked_step(env: Any, auto: Any, key: Array, look: Array) -> tuple[Any, Array, dict[str, Array]]:
    """One step of one game: a random action, then every invariant. -> game, bool[10] broken, counts

    look: bool[], the observation is compared in this step (dear, so in every eighth).
    """
    sampled, raw, which = jax.random.split(key, 3)
    before = auto.state
    legal = env.env.legal_actions(before)
    wild = jax.random.uniform(which) < RAW_SHARE
    action = jax.tree.map(lambda a, b: jnp.where(wild, a, b), raw_action(raw), random_action(sampled, legal))
    over = finished(before)
    allowed = is_legal(before, action, _EVENTS) | over
    observation, after, reward, terminated, truncated, info = env.env.step(before, action)
    dollars, known = _expected_money(env.env, before, action, look)
    # The end of a round pays and takes; a discard-free check of it is the cash-out itself.
    known &= ~((before.phase != Phase.ROUND_EVAL) & (after.phase == Phase.ROUND_EVAL))
    hidden = jax.lax.cond(
        look,
        lambda state: env.env.observe(determinise(jax.random.fold_in(raw, 1), state)),
        lambda state: observation,
        after,
    )
    forced_hidden = after.round.forced >= 0
    broken = jnp.stack(
        [
            ~_cards_lie_once(after),
            ~over & ~_cards_explained(before, after, action),
            allowed & ~over & known & (after.run.money - before.run.money != dollars),
            ~allowed & ~_same(before, after),
            ~wild & ~over & info.illegal,
            _nan(after, observation, reward, info),
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
        "overflow": info.overflow & ~(before.overflow | before.streams.overflow),
        "ante": after.run.ante,
        "action": action.kind.astype(jnp.int8),
    }
    _, auto = env.restart(auto, after, terminated | truncated)
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
    options = jaxtro.compiler_options()
    _, auto = jax.jit(jax.vmap(env.reset), compiler_options=options)(keys, params)

    def roll(auto: Any, key: Array) -> tuple[Any, Array, Any]:
        def one(auto: Any, step: tuple[Array, Array]) -> tuple[Any, tuple[Array, Any]]:
            key, look = step
            auto, broken, counts = jax.vmap(lambda game, key: checked_step(env, game, key, look))(
                auto, jax.random.split(key, games)
            )
            ante, actions = counts.pop("ante"), counts.pop("action")
            total = jax.tree.map(lambda values: jnp.sum(values, axis=0), counts)
            return auto, (broken, (total, jnp.max(ante), actions))

        looks = jnp.arange(length) % LOOK_EVERY == 0
        steps = (jax.random.split(key, length), looks)
        auto, (broken, (counts, ante, actions)) = jax.lax.scan(one, auto, steps)
        totals = jax.tree.map(lambda values: jnp.sum(values, axis=0), counts)
        return auto, broken, (totals, jnp.max(ante), actions)

    run = jax.jit(roll, donate_argnums=0, compiler_options=options)
    steps, start = 0, time.perf_counter()
    broken_total, totals, highest = np.zeros(len(BROKEN), np.int64), None, 0
    number = 0
    while steps < args.steps:
        auto, broken, (counts, ante, actions) = run(
            auto, jax.random.fold_in(jax.random.key(args.seed + 1), number)
        )
        broken, counts = np.asarray(broken), jax.device_get(counts)
        broken_total += broken.sum((0, 1))
        totals = counts if totals is None else jax.tree.map(lambda a, b: a + b, totals, counts)
        highest, steps, number = max(highest, int(ante)), steps + games * length, number + 1
        for kind in np.flatnonzero(broken.any((0, 1))):
            tick, game = np.argwhere(broken[:, :, kind])[0]
            done = int(np.asarray(actions)[tick, game])
            print(
                f"broken: {BROKEN[kind]!r} by {Kind(done).name if 0 <= done < NUM_KINDS else done} "
                f"at chunk {number - 1}, step {tick}, game {game}",
                file=sys.stderr,
                flush=True,
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
