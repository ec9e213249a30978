"""Blind select: choosing the blind, and what jokers do when one is chosen (run.md 3.1)."""

from dataclasses import replace

import jax.numpy as jnp
from jax import Array

from jaxtro.env import bits, rng, run_rules
from jaxtro.env import joker_events as ev
from jaxtro.env.areas import add_card, deck_size, keep_where, under
from jaxtro.env.bits import count_before
from jaxtro.env.generation.antes import next_boss, orbital_hands
from jaxtro.env.joker_events import JokerEvents
from jaxtro.env.lookups import look_up
from jaxtro.env.loops import while_loop
from jaxtro.env.owned import (
    by_creation,
    cards_added,
    discards_per_round,
    free_consumable_slots,
    hands_per_round,
    joker_count,
    joker_sell_values,
    joker_slots,
    lose_jokers,
)
from jaxtro.env.phases import boss_effects
from jaxtro.env.scoring.book import JokerBook
from jaxtro.env.state import DECK_CAPACITY, BlindStatus, Phase, State
from jaxtro.env.work import (
    DEAL_FIRST,
    SHUFFLE_ROUND,
    Work,
    create,
    creation,
    set_state,
    set_todo,
    update,
)
from jaxtro.env.writes import put
from jaxtro.tables import BLINDS, ENHANCEMENTS, HANDS, TAGS, VOUCHERS
from jaxtro.tables.pools import FRONT_RANK, FRONT_SUIT, FRONTS
from jaxtro.tables.streams import ANTES_KEPT

SMALL, BIG, BOSS = range(3)
_SMALL_BLIND, _BIG_BLIND = BLINDS.keys.index("bl_small"), BLINDS.keys.index("bl_big")
_JUGGLE = TAGS.keys.index("tag_juggle")
_JUGGLE_SIZE = TAGS.row(_JUGGLE)["config"]["h_size"]
_STONE = ENHANCEMENTS.keys.index("m_stone")
_RIFF_RAFF, _CARTOMANCER = creation("Joker", "riff_raff"), creation("Tarot", "cartomancer")
BOSS_REROLL_COST = VOUCHERS.row(VOUCHERS.find("v_directors_cut"))["extra"]


def blind_of(state: State, which: Array) -> Array:
    """The blind id of Small (0), Big (1) or Boss (2) of this ante. -> int32[]"""
    boss = state.blinds.boss.astype(jnp.int32)
    return jnp.where(which == SMALL, _SMALL_BLIND, jnp.where(which == BIG, _BIG_BLIND, boss))


def select(work: Work, book: JokerBook, events: JokerEvents) -> Work:
    """Selects the blind on deck, in the order of run.md 3.1."""
    state = work.state
    which = state.blinds.on_deck
    blind = blind_of(state, which)
    juggles = jnp.sum(state.tags == _JUGGLE, dtype=jnp.int32)
    target = run_rules.target(state.rules, state.run.ante, blind, state.run.blind_scale)
    state = replace(
        state,
        phase=jnp.int8(Phase.SELECTING_HAND),
        run=update(state.run, round=state.run.round + 1),
        blinds=replace(state.blinds, status=put(state.blinds.status, which, int(BlindStatus.CURRENT))),
        round=update(
            state.round,
            blind=blind,
            disabled=False,
            target=target,
            chips=0.0,
            hands_left=hands_per_round(state, events),
            discards_left=discards_per_round(state, events),
            hands_played=0,
            discards_used=0,
            hand_size_bonus=juggles * _JUGGLE_SIZE,
            eye_used=jnp.zeros(len(HANDS), bool),
            mouth_hand=-1,
            last_hand=-1,
            fish_armed=False,
            heart_armed=blind == boss_effects.HEART,
            forced=-1,
            payout=0,
        ),
        poker_hands=update(state.poker_hands, played_this_round=jnp.zeros(len(HANDS), jnp.int32)),
        shop=update(
            state.shop, rerolls_paid=0, free_rerolls=ev.total(state.jokers, events.free_rerolls)
        ),
        tags=bits_without(state.tags, state.tags == _JUGGLE),
    )  # fmt: skip
    state = boss_effects.take_hands_and_discards(state)
    state = boss_effects.shuffle_jokers(state, blind == boss_effects.ACORN)
    # Debuffs are found before the jokers react (run.md 3.1): one that the Dagger eats still counted.
    state = boss_effects.with_debuffs(state, book, jnp.ones(DECK_CAPACITY, bool))
    cards_before = deck_size(state.deck)
    work = _joker_reactions(Work(state, work.todo), book, events, which == BOSS)
    # Anew only for Marble Joker's stones, and for all cards where Chicot has switched the boss off.
    touched = (jnp.arange(DECK_CAPACITY) >= cards_before) | work.state.round.disabled
    return set_todo(work, shuffle=SHUFFLE_ROUND, deal=DEAL_FIRST, debuffs=touched)


def bits_without(tags: Array, gone: Array) -> Array:
    """Held tags without some of them, the rest moved up."""
    return keep_where(tags, (tags > 0) & ~gone)


def _joker_reactions(work: Work, book: JokerBook, events: JokerEvents, boss: Array) -> Work:
    """ "Blind selected", left to right; each joker sees what those before it did."""
    state = work.state
    jokers, now = state.jokers, state.round
    acting, places = ev.acting(book, jokers), jnp.arange(state.jokers.id.shape[0], dtype=jnp.int32)
    works, sells = ev.working(jokers), joker_sell_values(state)
    has = lambda column: look_up(column, acting)  # noqa: E731
    own = lambda column: ev.own(jokers, column)  # noqa: E731
    hands, riff_raff, tarots, stones = (
        has(column)
        for column in (events.burglar, events.makes_jokers, events.makes_tarots, events.makes_stones)
    )
    chicot, eats, madness = own(events.disables_boss), own(events.eats), own(events.madness)
    reacts = works & (
        (hands > 0)
        | (riff_raff > 0)
        | (tarots > 0)
        | (stones > 0)
        | chicot
        | (eats > 0)
        | ((madness > 0) & ~boss)
    )
    acting_boss = boss_effects.boss_acts(state)
    acting_boss = jnp.where(acting_boss >= boss_effects.FIRST_BOSS, acting_boss, 0)
    seed_hash = state.streams.seed_hash
    first_free_jokers = joker_slots(state) - joker_count(jokers)
    first_free_consumables = free_consumable_slots(state)
    oldest_first = by_creation(jokers.number, jokers.id > 0)

    def react(place: Array, carry: tuple) -> tuple:
        hands_left, discards_left, off, stored, doomed, eaten, n_jokers, n_tarots, n_stones, number = carry
        alive = ~doomed[place]
        # Chicot: what the boss took comes back at once; the rest of its effect ends after the loop.
        switches = alive & chicot[place] & ~off
        hands_left += jnp.where(switches & (acting_boss == boss_effects.NEEDLE), now.hands_taken, 0)
        discards_left += jnp.where(switches & (acting_boss == boss_effects.WATER), now.discards_taken, 0)
        off |= switches
        # Madness: Small and Big Blind only.
        mad = alive & (madness[place] > 0) & ~boss
        member = (jokers.id > 0) & ~jokers.eternal & ~doomed & (places != place)
        in_order = member[jnp.minimum(oldest_first, places[-1])] & (oldest_first < places.shape[0])
        count = jnp.sum(in_order, dtype=jnp.int32)
        u, number = rng.draw_from(number, seed_hash, mad & (count > 0))
        nth = rng.to_index(u, count.astype(jnp.float64))
        victim = oldest_first[jnp.argmax(in_order & (count_before(in_order) == nth))]
        doomed |= mad & (count > 0) & (places == victim)
        # Ceremonial Dagger: the joker to the right, if it is not eternal and not doomed already.
        right = jnp.minimum(place + 1, places[-1])
        can_eat = (
            (place + 1 < places.shape[0]) & (jokers.id[right] > 0) & ~jokers.eternal[right] & ~doomed[right]
        )
        eat = alive & (eats[place] > 0) & can_eat
        doomed |= eat & (places == right)
        eaten += eat
        gain = jnp.where(mad, madness[place], 0.0) + jnp.where(eat, jnp.abs(eats[place] * sells[right]), 0.0)
        stored = stored + jnp.where(places == place, gain, 0.0)
        # Burglar, Riff-raff, Cartomancer, Marble Joker; copies count.
        burgles = alive & (hands[place] > 0)
        hands_left += jnp.where(alive, hands[place], 0)
        discards_left = jnp.where(burgles, 0, discards_left)
        # A slot that the Dagger emptied counts as free, one that Madness emptied does not yet (U).
        free = jnp.maximum(first_free_jokers + eaten - n_jokers, 0)
        n_jokers += jnp.where(alive, jnp.minimum(riff_raff[place], free), 0)
        free = jnp.maximum(first_free_consumables - n_tarots, 0)
        n_tarots += jnp.where(alive, jnp.minimum(tarots[place], free), 0)
        n_stones += jnp.where(alive, stones[place], 0)
        return hands_left, discards_left, off, stored, doomed, eaten, n_jokers, n_tarots, n_stones, number

    zero = jnp.int32(0)
    number = rng.stream_state(state.streams, "madness", state.run.ante)
    start = (
        now.hands_left, now.discards_left, acting_boss == 0, jokers.stored, jnp.zeros(places.shape, bool), zero, zero,
        zero, zero, number,
    )  # fmt: skip
    end = bits.for_each(bits.to_bits(reacts), react, start)
    hands_left, discards_left, off, stored, doomed, _, n_jokers, n_tarots, n_stones, number = end
    streams = rng.set_stream_state(state.streams, "madness", state.run.ante, number)
    state = replace(
        state,
        streams=streams,
        round=update(now, hands_left=hands_left, discards_left=discards_left),
        jokers=replace(jokers, stored=stored),
    )
    state = boss_effects.disable(state, off & (acting_boss > 0), give_back=False)
    state = _add_stones(lose_jokers(state, doomed), events, n_stones)
    work = create(Work(state, work.todo), _RIFF_RAFF, n_jokers)
    return create(work, _CARTOMANCER, n_tarots)


def _add_stones(state: State, events: JokerEvents, count: Array) -> State:
    """Marble Joker: Stone cards with random fronts go into the deck."""
    size = state.deck.cards.rank.shape[0]
    fits = jnp.minimum(count, size - deck_size(state.deck))
    seed_hash = state.streams.seed_hash

    def more(carry: tuple) -> Array:
        return carry[0] < fits

    def one(carry: tuple) -> tuple:
        number, stream, deck, draw, n_draw = carry
        created = state.run.next_number + number
        u, stream = rng.draw_from(stream, seed_hash)
        front = rng.to_index(u, jnp.float64(len(FRONTS)))
        place, zero = deck_size(deck), jnp.int8(0)
        rank, suit = look_up(FRONT_RANK, front), look_up(FRONT_SUIT, front)
        deck = add_card(deck, rank, suit, jnp.int8(_STONE), zero, zero, created)
        draw, n_draw = under(draw, n_draw, place.astype(jnp.int8)[None], jnp.int32(1))
        return number + 1, stream, deck, draw, n_draw

    stream = rng.stream_state(state.streams, "marb_fr", state.run.ante)
    start = (jnp.int32(0), stream, state.deck, state.piles.draw, state.piles.n_draw)
    _, stream, deck, draw, n_draw = while_loop(more, one, start)
    state = replace(
        state,
        deck=deck,
        piles=replace(state.piles, draw=draw, n_draw=n_draw),
        run=update(state.run, next_number=state.run.next_number + fits),
        streams=rng.set_stream_state(state.streams, "marb_fr", state.run.ante, stream),
        overflow=state.overflow | (fits < count),
    )
    return cards_added(state, events, fits)


def reroll_boss(work: Work) -> Work:
    """Director's Cut or Retcon: another boss for $10."""
    state = work.state
    run = update(state.run, money=state.run.money - BOSS_REROLL_COST, boss_rerolled=True)
    return set_todo(set_state(work, run=run), bosses=1, cost=BOSS_REROLL_COST)


def draw_boss(state: State) -> State:
    """Draws a boss for the ante (rng.md 5.3)."""
    boss, used, streams = next_boss(
        state.streams, state.rules, state.run.bosses_used.astype(jnp.int32), state.run.ante
    )
    return replace(
        state,
        streams=streams,
        blinds=update(state.blinds, boss=boss),
        run=update(state.run, bosses_used=used),
    )


def show_blinds(work: Work) -> Work:
    """Draws the hands of Orbital Tags when the blinds of an ante number are shown for the first time."""
    state = work.state
    row = state.run.ante % ANTES_KEPT
    hands, streams = orbital_hands(state.streams, state.poker_hands.played, state.run.ante)
    run = update(
        state.run,
        orbital=put(state.run.orbital, row, hands),
        orbital_ante=put(state.run.orbital_ante, row, state.run.ante),
    )
    return set_state(work, streams=streams, run=run)


def needs_orbital_hands(work: Work) -> Array:
    """Whether blind select was entered for an ante whose Orbital hands are not drawn."""
    run = work.state.run
    return work.todo.show_blinds & (run.orbital_ante[run.ante % ANTES_KEPT] != run.ante)
