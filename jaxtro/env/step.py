"""One step of the game: the handler of the action, then what it left to do, stage by stage.

Stages run in a fixed order; each game of a batch takes part only in those it needs (`dispatch.py`). The order
follows the game: what an action makes exists before a pack closes, cards are dealt before a round can be
over, a new ante is entered before anything is drawn for it, and packs open last.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxtro.env import joker_events as ev
from jaxtro.env.actions import Action, Kind
from jaxtro.env.areas import hand_mask_of, keep_where, remove_cards
from jaxtro.env.dispatch import Packing, only_where
from jaxtro.env.joker_events import JokerEvents
from jaxtro.env.owned import is_consumable
from jaxtro.env.phases import (
    blind_select,
    boss_effects,
    consumables,
    creation,
    dealing,
    discarding,
    packs,
    playing,
    round_end,
    selling,
    shop,
    tags,
)
from jaxtro.env.reductions import any_of, int_sum
from jaxtro.env.scoring.book import JokerBook
from jaxtro.env.state import SHOP_SLOTS, ScoringState, State
from jaxtro.env.work import NO_DEAL, NO_SHUFFLE, Work, nothing_to_do, set_todo, update

_MOST_NUMBERS = 32000  # creation numbers are kept in 16 bits
# What many games of a batch need at once.
_OFTEN = {Kind.SELECT.name, Kind.PLAY.name, "discard", "score", "shuffle", "deal", "end_round"}
Handler = Callable[[Work, Action], Work]
SCOPE = "part_"  # of the names that experiments/profile_step.py finds in compiled programs


def _handlers(book: JokerBook, events: JokerEvents) -> dict[Kind, Handler]:
    """What each kind of action does; consumables are handled apart, as they come from three places."""
    return {
        Kind.SELECT: lambda work, action: blind_select.select(work, book, events),
        Kind.SKIP: lambda work, action: tags.skip(work),
        Kind.REROLL_BOSS: lambda work, action: blind_select.reroll_boss(work),
        Kind.PLAY: lambda work, action: playing.press_play(work, action.cards),
        Kind.DISCARD: lambda work, action: set_todo(work, discarded=action.cards),
        Kind.SORT: lambda work, action: selling.sort_hand(work, action.slot),
        Kind.MOVE_HAND: lambda work, action: selling.move_hand_card(work, action.slot, action.to),
        Kind.MOVE_JOKER: lambda work, action: selling.move_joker(work, action.slot, action.to),
        Kind.MOVE_CONSUMABLE: lambda work, action: selling.move_consumable(work, action.slot, action.to),
        Kind.SELL_JOKER: lambda work, action: selling.sell_joker(work, action.slot, events),
        Kind.SELL_CONSUMABLE: lambda work, action: selling.sell_consumable(work, action.slot, events),
        Kind.CASH_OUT: lambda work, action: shop.cash_out(work, events),
        Kind.BUY_CARD: lambda work, action: shop.buy_card(work, action.slot, book, events),
        Kind.BUY_VOUCHER: lambda work, action: shop.buy_voucher(work, action.slot, events),
        Kind.BUY_PACK: lambda work, action: shop.buy_pack(work, action.slot, events),
        Kind.REROLL: lambda work, action: shop.reroll(work, events),
        Kind.PICK: lambda work, action: packs.pick_card(work, action.slot, book, events),
        Kind.SKIP_PACK: lambda work, action: packs.skip_pack(work, events),
        Kind.NEXT_ROUND: lambda work, action: shop.leave_shop(work, book, events),
    }


def _stages(book: JokerBook, events: JokerEvents) -> list[tuple[Any, ...]]:
    """What follows the handler: (its name in profiles, which games need it, the stage, what it is told besides).

    All but the first are functions of the work; the stage's further arguments are what the last ones give.
    """
    return [
        ("hook", playing.hooks, lambda work: playing.hook(work, book)),
        ("discard", lambda work: any_of(work.todo.discarded), lambda work: discarding.discard(work, book, events)),
        (
            "score",
            lambda work: any_of(work.todo.played),
            lambda work, rolling: playing.score_played(work, rolling, book),
            lambda work: playing.rolling_of(work.state, book),
        ),
        ("use_rolls", lambda work: work.todo.rolled, lambda work: playing.use_rolls(work, book)),
        ("destroy", lambda work: any_of(work.todo.doomed), _destroy),
        ("create", lambda work: work.todo.n_created > 0, lambda work: creation.create_items(work, book, events)),
        ("close_pack", lambda work: work.todo.close_pack, packs.close_pack),
        ("blind_tags", lambda work: work.todo.blind_tags | (work.todo.bosses > 0), tags.fire_blind_tags),
        ("shuffle", lambda work: work.todo.shuffle != NO_SHUFFLE, dealing.shuffle_deck),
        ("hide_cards", dealing.hides_cards, lambda work: dealing.hide_cards(work, book, events)),
        ("deal", lambda work: work.todo.deal != NO_DEAL, lambda work: dealing.deal_cards(work, events)),
        (
            "after_deal",
            lambda work: dealing.acts_after_deal(work, events),
            lambda work: dealing.after_deal(work, book, events),
        ),
        ("end_round", round_end.is_over, lambda work: round_end.end_round(work, book, events)),
        ("next_ante", lambda work: work.todo.new_ante, round_end.enter_next_ante),
        ("targets", lambda work: work.todo.targets, round_end.new_targets),
        ("new_blinds", lambda work: work.todo.new_blinds, shop.new_blinds),
        ("fill_shop", lambda work: jnp.any(work.todo.fill), lambda work: shop.fill_shop(work, book, events)),
        ("build_shop", lambda work: work.todo.build_shop, shop.build_shop),
        (
            "vouchers",
            lambda work: work.todo.voucher | (work.todo.voucher_tags > 0),
            lambda work: round_end.draw_vouchers(work, events),
        ),
        ("open_pack", lambda work: work.todo.open_pack > 0, lambda work: packs.open_pack(work, book, events)),
        ("show_blinds", blind_select.needs_orbital_hands, blind_select.show_blinds),
        (
            "debuffs",
            lambda work: any_of(work.todo.debuffs) & (work.state.round.blind > 0),
            lambda work: Work(boss_effects.with_debuffs(work.state, book, work.todo.debuffs), work.todo),
        ),
    ]  # fmt: skip


def _destroy(work: Work) -> Work:
    """Takes destroyed playing cards out of the deck."""
    state = work.state
    gone, forced = work.todo.doomed, state.round.forced.astype(jnp.int32)
    deck, piles = remove_cards(state.deck, state.piles, gone)
    # What names places of the deck follows.
    before = int_sum(gone & (jnp.arange(gone.shape[0]) < forced))
    lost = (forced < 0) | gone[jnp.maximum(forced, 0)]
    state = replace(
        state,
        deck=deck,
        piles=piles,
        round=update(state.round, forced=jnp.where(lost, -1, forced - before)),
    )
    debuffs = keep_where(work.todo.debuffs, ~gone)
    return set_todo(Work(state, work.todo), debuffs=debuffs)


def advance(state: State, action: Action, legal: Array, book: JokerBook, events: JokerEvents) -> Work:
    """Does an action; where `legal` is False nothing happens.

    Returns:
      The state afterwards, and what the step noted on the way (`todo.cost`).
    """
    start = Work(state, nothing_to_do(SHOP_SLOTS, len(book.streams)))
    packing = Packing(jax.eval_shape(lambda: start), _part)

    def where(name: str, needed: Array, stage: Callable[..., Work], rows: Any, *args: Any) -> Any:
        def packed(rows: Any, *args: Any) -> Any:
            work = packing.unpack(rows)
            return packing.repack(rows, work, stage(work, *args))

        with jax.named_scope(SCOPE + name):
            return only_where(needed, packed, rows, *args, often=name in _OFTEN)

    rows = packing.pack(start)
    for kind, handler in _handlers(book, events).items():
        active = legal & (action.kind == kind)
        if kind == Kind.PICK:
            active &= ~_picks_consumable(state, action)
        rows = where(kind.name, active, handler, rows, action)

    uses = (action.kind == Kind.USE) | (action.kind == Kind.BUY_AND_USE)
    uses |= (action.kind == Kind.PICK) & _picks_consumable(state, action)
    source = jnp.where(
        action.kind == Kind.USE,
        consumables.FROM_AREA,
        jnp.where(action.kind == Kind.PICK, consumables.FROM_PACK, consumables.FROM_SHOP),
    )
    rows = where(
        Kind.USE.name,
        legal & uses,
        lambda work, action, source: consumables.use(work, source, action.slot, action.cards, book, events),
        rows,
        action,
        source,
    )
    for name, needed, stage, *seen in _stages(book, events):
        look = packing.look(rows)
        rows = where(name, needed(look), stage, rows, *(see(look) for see in seen))
    work = packing.unpack(rows)
    with jax.named_scope(SCOPE + "settle"):
        settled = _settle(state, work.state, action, events)
    run = update(settled.run, steps=settled.run.steps + legal)
    return Work(replace(settled, run=run), work.todo)


def _part(path: tuple[Any, ...]) -> Any:
    """What is moved together: each part of the state, the notes of the step."""
    names = [getattr(key, "name", None) for key in path]
    return names[:2] if names[0] == "state" else names[:1]


def before_score(
    state: State, chosen: Array, book: JokerBook, events: JokerEvents
) -> tuple[ScoringState, Array]:
    """What a hand is scored from, after The Hook and The Tooth have acted. -> it, the chosen cards bool[H]"""
    work = Work(state, nothing_to_do(SHOP_SLOTS, len(book.streams)))
    work = playing.press_play(work, chosen)
    work = only_where(playing.hooks(work), lambda work: playing.hook(work, book), work)
    played = work.todo.played
    work = only_where(any_of(work.todo.discarded), lambda work: discarding.discard(work, book, events), work)
    scoring = playing.scored_from(work, book, playing.rolling_of(work.state, book))
    return scoring, hand_mask_of(work.state.piles, played)


def _picks_consumable(state: State, action: Action) -> Array:
    slot = jnp.clip(action.slot, 0, state.pack.cards.id.shape[0] - 1)
    return is_consumable(state.pack.cards.id[slot])


def _settle(before: State, state: State, action: Action, events: JokerEvents) -> State:
    """Discards and free rerolls follow the jokers at once when such a joker is gained, lost or debuffed."""
    more = ev.total(state.jokers, events.discards) - ev.total(before.jokers, events.discards)
    free = ev.total(state.jokers, events.free_rerolls) - ev.total(before.jokers, events.free_rerolls)
    resets = action.kind == Kind.CASH_OUT
    discards = jnp.maximum(state.round.discards_left + jnp.where(resets, 0, more), 0)
    rerolls = jnp.maximum(state.shop.free_rerolls + free, 0)
    return replace(
        state,
        round=update(state.round, discards_left=discards),
        shop=update(state.shop, free_rerolls=rerolls),
        overflow=state.overflow | (state.run.next_number > _MOST_NUMBERS),
    )
