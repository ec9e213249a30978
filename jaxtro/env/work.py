"""One step in progress: the state and what later stages of the step still have to do."""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxtro.env.scoring.book import CREATED
from jaxtro.env.state import DECK_CAPACITY, HAND_CAPACITY, State

MOST_CREATED = 32  # items that one step may make: 16 consumables, or jokers, and as many more
# What can be made: the consumables of `CREATED`, then jokers.
CREATED_JOKERS = ("judgement", "soul", "wraith", "riff_raff", "top_up_tag")
CREATIONS = (*CREATED, *(("Joker", source) for source in CREATED_JOKERS))
NO_SHUFFLE, SHUFFLE_ROUND, SHUFFLE_CASH_OUT = range(3)
# Why cards are dealt: the opening hand, after a play, after a discard, anything else (packs, a hand that grew).
NO_DEAL, DEAL_FIRST, DEAL_PLAY, DEAL_DISCARD, DEAL_MORE = range(5)


def creation(kind: str, source: str) -> int:
    """The code of something to make: "Tarot", "Planet", "Spectral" or "Joker", and its source."""
    return 1 + CREATIONS.index((kind, source))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Todo:
    """What the handler of an action leaves to later stages; scalars, where nothing else is said.

    Attributes:
      created: int8[32], codes of `creation`, in order. n_created: int32.
      in_use: int16, item id of the consumable being used; it still counts as existing.
      played: bool[D], cards of the deck that are played. discarded: bool[H], cards of the hand that are discarded,
        by the player or (with `played`) by The Hook.
      doomed: bool[D], playing cards to destroy.
      close_pack: bool. blind_tags: bool, blind-select tags fire. bosses: int32, bosses to draw.
      shuffle, deal: int8, see the constants above; `deal` stays set, as three stages look at it.
      debuffs: bool[D], cards whose debuff is found anew.
      round_over: bool. new_ante: bool, the ante has changed (a boss was beaten, Hieroglyph).
      new_blinds: bool, boss and tags of the next ante.
      targets: bool, jokers' targets are drawn. voucher: bool, the ante's voucher is drawn.
      voucher_tags: int32, extra vouchers for the shop.
      build_shop: bool. fill: bool[4], shop slots to fill.
      open_pack: int8, pack id, 0 = none. pack_by_tag: bool.
      show_blinds: bool, blind select is entered.
      rolling: float64[K], the streams that scoring rolls on (`JokerBook.streams`) as the score left them. rolled: bool,
        it used some.
      cost: int32, dollars paid for the action.
    """

    created: Array
    n_created: Array
    in_use: Array
    played: Array
    discarded: Array
    doomed: Array
    close_pack: Array
    blind_tags: Array
    bosses: Array
    shuffle: Array
    deal: Array
    debuffs: Array
    round_over: Array
    new_ante: Array
    new_blinds: Array
    targets: Array
    voucher: Array
    voucher_tags: Array
    build_shop: Array
    fill: Array
    open_pack: Array
    pack_by_tag: Array
    show_blinds: Array
    rolling: Array
    rolled: Array
    cost: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Work:
    """A step in progress."""

    state: State
    todo: Todo


def nothing_to_do(shop_slots: int, rolls: int) -> Todo:
    """The start of a step. rolls: streams that scoring rolls on."""
    flag, number, small = jnp.bool_(False), jnp.int32(0), jnp.int8(0)
    return Todo(
        created=jnp.zeros(MOST_CREATED, jnp.int8),
        n_created=number,
        in_use=jnp.int16(0),
        played=jnp.zeros(DECK_CAPACITY, bool),
        discarded=jnp.zeros(HAND_CAPACITY, bool),
        doomed=jnp.zeros(DECK_CAPACITY, bool),
        close_pack=flag,
        blind_tags=flag,
        bosses=number,
        shuffle=small,
        deal=small,
        debuffs=jnp.zeros(DECK_CAPACITY, bool),
        round_over=flag,
        new_ante=flag,
        new_blinds=flag,
        targets=flag,
        voucher=flag,
        voucher_tags=number,
        build_shop=flag,
        fill=jnp.zeros(shop_slots, bool),
        open_pack=small,
        pack_by_tag=flag,
        show_blinds=flag,
        rolling=jnp.zeros(rolls, jnp.float64),
        rolled=flag,
        cost=number,
    )


def set_todo(work: Work, **fields: Any) -> Work:
    """The work with some fields of `todo` replaced, cast to their types."""
    values = {
        name: jnp.asarray(value).astype(getattr(work.todo, name).dtype) for name, value in fields.items()
    }
    return replace(work, todo=replace(work.todo, **values))


def update(tree: Any, **fields: Any) -> Any:
    """A struct of arrays with some fields replaced, cast to their types."""
    return replace(
        tree, **{name: jnp.asarray(value).astype(getattr(tree, name).dtype) for name, value in fields.items()}
    )


def set_state(work: Work, **parts: Any) -> Work:
    """The work with some parts of the state replaced."""
    return replace(work, state=replace(work.state, **parts))


def create(work: Work, code: Array | int, count: Array | int = 1) -> Work:
    """Leaves `count` things of a kind to make (in a later stage, where a free slot is checked again)."""
    todo = work.todo
    places = jnp.arange(MOST_CREATED, dtype=jnp.int32)
    new = (places >= todo.n_created) & (places < todo.n_created + count)
    created = jnp.where(new, jnp.asarray(code, jnp.int8), todo.created)
    return set_todo(work, created=created, n_created=jnp.minimum(todo.n_created + count, MOST_CREATED))
