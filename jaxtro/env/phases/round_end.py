"""The end of a round: won, saved or lost; jokers, held cards, targets and the payout (run.md 5)."""

from dataclasses import replace

import jax
import jax.numpy as jnp
from jax import Array

from jaxtro.env import bits, rng, run_rules
from jaxtro.env import joker_events as ev
from jaxtro.env.areas import append, take_hand, under
from jaxtro.env.chance import hits
from jaxtro.env.generation.antes import round_targets, to_do_hand
from jaxtro.env.generation.items import ETERNAL_OK, pick_item
from jaxtro.env.generation.situation import add_existing
from jaxtro.env.joker_events import PAYOUTS, JokerEvents
from jaxtro.env.lookups import element, look_up
from jaxtro.env.loops import while_loop
from jaxtro.env.owned import (
    RENT,
    consumable_count,
    free_consumable_slots,
    get_consumable,
    has_voucher,
    lose_jokers,
    situation,
)
from jaxtro.env.phases.blind_select import BOSS, bits_without
from jaxtro.env.phases.tags import add_tag, config
from jaxtro.env.reductions import int_sum
from jaxtro.env.scoring.book import JokerBook
from jaxtro.env.scoring.hands import ranked
from jaxtro.env.state import BlindStatus, Phase, State, Targets
from jaxtro.env.work import Work, set_todo, update
from jaxtro.env.writes import put
from jaxtro.tables import ENHANCEMENTS, HANDS, SEALS, TAGS, VOUCHERS, item
from jaxtro.tables.pools import POOL_ID
from jaxtro.tables.streams import STREAM_ID

_GOLD = ENHANCEMENTS.keys.index("m_gold")
_GOLD_DOLLARS = ENHANCEMENTS.row(_GOLD)["round_end_dollars"]
_RED, _BLUE = SEALS.keys.index("Red"), SEALS.keys.index("Blue")
_GROS_MICHEL = item("j_gros_michel")
_INVESTMENT, _DOUBLE = TAGS.keys.index("tag_investment"), TAGS.keys.index("tag_double")
_INVESTMENT_DOLLARS = config(_INVESTMENT)["dollars"]
_PLANETS = [item(row["planet"]) for row in HANDS.rows]
_INTEREST_STEP, _INTEREST_CAP = 5, 25
_CAPS = tuple(
    (key, VOUCHERS.row(VOUCHERS.find(key))["changes"]["interest_cap"])
    for key in ("v_seed_money", "v_money_tree")
)
_NINE = 9
_ANTE_STREAM, _TAG_STREAM = STREAM_ID["Voucher{a}"], STREAM_ID["Voucher_fromtag"]


def interest_cap(state: State) -> Array:
    """Money beyond this bears no interest: 25, Seed Money 50, Money Tree 100. -> int32[]"""
    cap = jnp.int32(_INTEREST_CAP)
    for voucher, dollars in _CAPS:
        cap = jnp.where(has_voucher(state, voucher), dollars, cap)
    return cap


def is_over(work: Work) -> Array:
    """Whether the round ends: won, no hands left, or a hand that stays empty (corner case 78, run.md 4.1). -> bool[]"""
    state = work.state
    return work.todo.round_over | ((state.phase == Phase.SELECTING_HAND) & (state.piles.n_hand == 0))


def end_round(work: Work, book: JokerBook, events: JokerEvents) -> Work:
    """Ends the round; a lost one that nobody saves is the end of the run."""
    state = work.state
    now = state.round
    reached = now.chips >= now.target
    # Mr. Bones: the leftmost one that may save does so and is gone (corner cases 76, 77).
    share = now.chips / jnp.where(now.target > 0, now.target, 1.0)
    limit = ev.own(state.jokers, events.saves_at)
    may_save = (limit > 0) & (share >= limit) & ~reached
    saved = jnp.any(may_save)
    bones = may_save & (jnp.arange(may_save.shape[0]) == jnp.argmax(may_save))
    lost = ~reached & ~saved

    over = replace(state, phase=jnp.int8(Phase.GAME_OVER))
    won = _won_round(lose_jokers(state, bones), book, events, saved)
    work = Work(won, work.todo)
    boss = state.blinds.on_deck == BOSS
    work = set_todo(work, new_ante=boss & ~lost, voucher=boss & ~lost, targets=~lost, round_over=False)
    return Work(_choose(lost, over, work.state), work.todo)


def _choose(condition: Array, yes: State, no: State) -> State:
    return jax.tree.map(lambda a, b: a if a is b else jnp.where(condition, a, b), yes, no)


def _won_round(state: State, book: JokerBook, events: JokerEvents, saved: Array) -> State:
    boss = state.blinds.on_deck == BOSS
    state = _jokers_at_round_end(state, book, events, boss)
    state = _ante_up(state, boss)
    run = state.run
    state = replace(state, run=update(run, unused_discards=run.unused_discards + state.round.discards_left))
    state = _held_cards(state, book)
    state = _return_cards(state)
    jokers = state.jokers  # Crimson Heart's debuff is lifted only now, behind the held cards
    state = replace(state, jokers=replace(jokers, debuffed=(jokers.id > 0) & (jokers.perish == 0)))
    deck_tag = run_rules.of_deck(state.rules, run_rules.DOUBLE_TAG_AFTER_BOSS)
    investments = jnp.where(boss, jnp.sum(state.tags == _INVESTMENT, dtype=jnp.int32), 0)
    payout = _payout(state, events, saved) + investments * _INVESTMENT_DOLLARS
    tags = bits_without(state.tags, (state.tags == _INVESTMENT) & boss)
    state = add_tag(replace(state, tags=tags), jnp.int32(_DOUBLE), boss & deck_tag)
    which = state.blinds.on_deck
    return replace(
        state,
        phase=jnp.int8(Phase.ROUND_EVAL),
        blinds=replace(state.blinds, status=put(state.blinds.status, which, int(BlindStatus.DEFEATED))),
        round=update(
            state.round, blind=0, disabled=False, hand_size_bonus=0, forced=-1, fish_armed=False,
            heart_armed=False, payout=payout,
        ),
    )  # fmt: skip


def _jokers_at_round_end(state: State, book: JokerBook, events: JokerEvents, boss: Array) -> State:
    """Each joker's own end of the round, then its rent, then its perishable counter (run.md 5.2)."""
    jokers = state.jokers
    own = lambda column: ev.own(jokers, column)  # noqa: E731
    there, places = jokers.id > 0, jnp.arange(jokers.id.shape[0])
    due = ~own(events.end_after_boss) | boss
    gain = jnp.where(due, own(events.end_gain), 0.0)
    stored = jokers.stored + gain
    stored = jnp.where(own(events.has_reset) & due, own(events.end_reset), stored)
    gone = (own(events.end_gain) < 0) & (stored <= 0)
    for_all = jnp.sum(own(events.end_sell_of_all), dtype=jnp.int32)
    sell_bonus = jokers.sell_bonus + jnp.where(there, own(events.end_sell) + for_all, 0)
    owned = state.consumables
    owned = replace(owned, sell_bonus=owned.sell_bonus + jnp.where(owned.id > 0, for_all, 0))

    # Rolls to be destroyed: Gros Michel, Cavendish. Each rolls on its own stream, left to right.
    ante = state.run.ante
    perish = jnp.where(there & (jokers.perish > 0), jokers.perish - 1, jokers.perish).astype(jnp.int8)
    odds, stream_of = own(events.end_odds), own(events.end_stream)

    def roll(place: Array, carry: tuple) -> tuple:
        streams, gone = carry
        u, streams = rng.uniform(streams, stream_of[place], ante)
        # What perishes further left (Oops! All 6s) no longer counts.
        perished = there & (perish == 0) & (places < place)
        probability = ev.probability(book, replace(jokers, debuffed=jokers.debuffed | perished))
        return streams, gone | ((places == place) & hits(u, probability, odds[place]))

    streams, gone = bits.for_each(bits.to_bits(odds > 0), roll, (state.streams, gone))
    extinct = state.run.gros_michel_extinct | jnp.any(gone & (jokers.id == _GROS_MICHEL))

    def redraw(place: Array, carry: tuple) -> tuple:
        streams, stored = carry
        current = stored[place].astype(jnp.int32)
        hand, streams = to_do_hand(
            streams, state.poker_hands.played, ante, current, order=state.rules.to_do_order
        )
        return streams, bits.put(stored, place, hand.astype(jnp.float64))

    streams, stored = bits.for_each(bits.to_bits(own(events.end_redraw)), redraw, (streams, stored))

    rent = jnp.sum(there & jokers.rental, dtype=jnp.int32) * RENT  # one that goes in this step pays, too
    state = replace(
        state,
        streams=streams,
        consumables=owned,
        jokers=replace(
            jokers,
            stored=stored,
            sell_bonus=sell_bonus,
            perish=perish,
            debuffed=jokers.debuffed | (there & (perish == 0)),
            face_down=jnp.zeros_like(jokers.face_down),
        ),
        run=update(state.run, money=state.run.money - rent, gros_michel_extinct=extinct),
    )
    return lose_jokers(state, gone)


def _ante_up(state: State, boss: Array) -> State:
    """After a boss: the win, Typecast, the next ante, what The Ox will look for."""
    run, jokers = state.run, state.jokers
    eternal = boss & (run.ante == run_rules.of_challenge(state.rules, run_rules.ETERNAL_ANTE))
    # Not those that can never be eternal, nor perishable ones (corner case 87).
    can_be = look_up(ETERNAL_OK, jokers.id.astype(jnp.int32)) & (jokers.perish < 0)
    no_slots = boss & (run.ante == run_rules.of_challenge(state.rules, run_rules.NO_SLOTS_ANTE))
    most = jnp.argmax(state.poker_hands.played)  # hands are in order of strength: the better one of a tie
    deck = state.deck
    return replace(
        state,
        jokers=replace(jokers, eternal=jokers.eternal | (eternal & can_be)),
        deck=replace(deck, played_this_ante=deck.played_this_ante & ~boss),
        run=update(
            run,
            won=run.won | (boss & (run.ante == state.rules.win_ante)),
            ante=run.ante + boss,
            joker_slots=jnp.where(no_slots, 0, run.joker_slots),
            ox_hand=jnp.where(boss, most, run.ox_hand),
        ),
    )


def _held_cards(state: State, book: JokerBook) -> State:
    """Gold cards pay, Blue Seals make the planet of the last hand; Red Seals and Mime repeat."""
    cards = take_hand(state.deck, state.piles.hand)
    live = (cards.rank > 0) & ~cards.debuffed
    repeats = jnp.sum(look_up(book.columns["held_repeats"], ev.acting(book, state.jokers)), dtype=jnp.int32)
    gold = live & (cards.enhancement == _GOLD)
    times = jnp.sum(jnp.where(gold, 1 + (cards.seal == _RED) + repeats, 0), dtype=jnp.int32)
    blue = jnp.sum(live & (cards.seal == _BLUE), dtype=jnp.int32) * (1 + repeats)
    last = state.round.last_hand.astype(jnp.int32)
    planet = jnp.asarray(_PLANETS, jnp.int32)[jnp.maximum(last, 0)]
    count = jnp.where(last >= 0, jnp.minimum(blue, free_consumable_slots(state)), 0)
    state = replace(state, run=update(state.run, money=state.run.money + times * _GOLD_DOLLARS))
    room = state.consumables.id.shape[0] - consumable_count(state.consumables)

    def one(carry: tuple) -> tuple:
        number, consumables, next_number = carry
        now = replace(state, consumables=consumables, run=replace(state.run, next_number=next_number))
        now = get_consumable(now, planet)
        return number + 1, now.consumables, now.run.next_number

    start = (jnp.int32(0), state.consumables, state.run.next_number)
    fits = jnp.minimum(count, room)
    _, consumables, next_number = while_loop(lambda carry: carry[0] < fits, one, start)
    return replace(
        state,
        consumables=consumables,
        run=replace(state.run, next_number=next_number),
        overflow=state.overflow | (fits < count),
    )


def _return_cards(state: State) -> State:
    """Hand to discard pile, discard pile under the deck; nothing is debuffed or face down any more."""
    piles, deck = state.piles, state.deck
    discard, count = append(piles.discard, piles.n_discard, piles.hand, piles.hand >= 0)
    draw, n_draw = under(piles.draw, piles.n_draw, discard, count)
    none, zero = jnp.full_like(piles.discard, -1), jnp.int32(0)
    return replace(
        state,
        piles=replace(
            piles, draw=draw, n_draw=n_draw, hand=jnp.full_like(piles.hand, -1), n_hand=zero, discard=none,
            n_discard=zero,
        ),
        deck=replace(
            deck,
            face_down=jnp.zeros_like(deck.face_down),
            cards=replace(deck.cards, debuffed=deck.debuffed_for_good),
        ),
    )  # fmt: skip


def _payout(state: State, events: JokerEvents, saved: Array) -> Array:
    """The rows of the cash-out, without tags (run.md 5.3). -> int32[]"""
    now, rules, jokers, money = state.round, state.rules, state.jokers, state.run.money
    blind = run_rules.reward(rules, now.blind.astype(jnp.int32), state.blinds.on_deck.astype(jnp.int32))
    blind = jnp.where(saved, 0, blind)
    hands = jnp.maximum(now.hands_left, 0) * run_rules.dollars_per_hand(rules)
    discards = jnp.maximum(now.discards_left, 0) * run_rules.of_deck(rules, run_rules.MONEY_PER_DISCARD)
    cards = state.deck.cards
    nines = int_sum(ranked(cards) & (cards.rank == _NINE))
    planets = jnp.sum(state.run.planets_used, dtype=jnp.int32)
    unused = jnp.where(now.discards_used == 0, jnp.maximum(now.discards_left, 0), 0)
    counts = {
        "": jnp.int32(0),
        "nines_in_deck": nines,
        "planets_used": planets,
        "discards_if_none_used": unused,
    }
    per = ev.own(jokers, events.payout_per).astype(jnp.int32)
    zero = jnp.int32(0)
    factor = jnp.stack([counts.get(name, zero) for name in PAYOUTS])[per]
    factor = jnp.where(per == PAYOUTS.index("stored"), jokers.stored.astype(jnp.int32), factor)
    paid = ev.own(jokers, events.payout_dollars) + ev.own(jokers, events.payout_each) * factor
    amount = 1 + ev.total(jokers, events.interest)
    fives = jnp.minimum(money // _INTEREST_STEP, interest_cap(state) // _INTEREST_STEP)
    interest = jnp.where((money >= _INTEREST_STEP) & ~run_rules.no_interest(rules), amount * fives, 0)
    return blind + hands + discards + jnp.sum(paid, dtype=jnp.int32) + interest


def enter_next_ante(work: Work) -> Work:
    """Starts the streams of an ante that was never reached before."""
    state = work.state
    streams = rng.enter_ante(state.streams, state.run.ante)
    return set_todo(Work(replace(state, streams=streams), work.todo), new_ante=False)


def draw_targets(state: State, first: bool = False) -> State:
    """Idol, Mail-In Rebate, Castle and Ancient Joker ask for something new (after a boss: with the new ante)."""
    cards, old = state.deck.cards, state.targets
    ancient = jnp.int32(-1) if first else old.ancient_suit.astype(jnp.int32)
    found, streams = round_targets(state.streams, state.run.ante, cards.enhancement, cards.rank > 0, ancient)
    size = cards.rank.shape[0]

    def of(place: Array, values: Array, default: int) -> Array:
        # Without a card that has a rank: the Ace of Spades (corner case 3).
        return jnp.where(place < size, element(values, jnp.minimum(place, size - 1)), default).astype(
            jnp.int8
        )

    ace, spades = 14, 3
    return replace(
        state,
        streams=streams,
        targets=Targets(
            idol_rank=of(found.idol, cards.rank, ace),
            idol_suit=of(found.idol, cards.suit, spades),
            mail_rank=of(found.mail, cards.rank, ace),
            ancient_suit=found.ancient.astype(jnp.int8),
            castle_suit=of(found.castle, cards.suit, spades),
        ),
    )


def new_targets(work: Work) -> Work:
    """`draw_targets` as a stage."""
    return set_todo(Work(draw_targets(work.state), work.todo), targets=False)


def draw_vouchers(work: Work, events: JokerEvents) -> Work:
    """The voucher of a new ante, or the extra ones of Voucher Tags in the shop that is being built."""
    state, todo = work.state, work.todo
    start, ante = situation(state, events), state.run.ante
    by_tag = ~todo.voucher
    stream = jnp.where(by_tag, _TAG_STREAM, _ANTE_STREAM)

    def one(carry: tuple) -> tuple:
        left, streams, exists, vouchers, voucher = carry
        now = replace(start, exists=exists)
        picked, streams = pick_item(streams, now, stream, POOL_ID["Voucher"], ante)
        free = jnp.argmin(vouchers > 0)
        shown = jnp.where(by_tag, put(vouchers, free, picked), vouchers)
        return left - 1, streams, add_existing(now, picked).exists, shown, jnp.where(by_tag, voucher, picked)

    count = jnp.where(by_tag, todo.voucher_tags, 1)
    first = (
        count,
        state.streams,
        start.exists,
        state.shop.vouchers,
        state.run.next_voucher.astype(jnp.int32),
    )
    _, streams, _, vouchers, voucher = while_loop(lambda carry: carry[0] > 0, one, first)
    state = replace(
        state,
        streams=streams,
        shop=replace(state.shop, vouchers=vouchers),
        run=update(state.run, next_voucher=voucher),
    )
    return set_todo(Work(state, todo), voucher=False, voucher_tags=0)
