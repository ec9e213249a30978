"""The public environment."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env import reward as rewards
from jaxtro.env.actions import Action, Kind, Legal, finished, is_legal, legal_actions
from jaxtro.env.calls import written_out
from jaxtro.env.joker_events import JokerEvents, events_of
from jaxtro.env.observation import Observation, observe
from jaxtro.env.owned import joker_count, joker_slots
from jaxtro.env.phases.playing import scoring_state
from jaxtro.env.phases.start import Params, make_params, new_run
from jaxtro.env.scoring import BOOK, HandScore, JokerBook, score_hand
from jaxtro.env.scoring.best import CHUNK, Ranking, best_play
from jaxtro.env.scoring.rolls import NUM_PLAYED, Luck
from jaxtro.env.state import Phase, ScoringState, State
from jaxtro.env.step import SCOPE, advance, before_score
from jaxtro.env.x64 import require_x64
from jaxtro.seed_text import MAX_SEED_LENGTH, RANDOM_SEED_CHARACTERS

ENV_ID = "Balatro-v0"
_SEED_CODES = np.frombuffer(RANDOM_SEED_CHARACTERS.encode("ascii"), np.uint8)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Info:
    """What a step tells beside the observation; scalars, int32 where nothing else is said.

    Attributes:
      illegal: bool, the action was not legal and nothing happened.
      overflow: bool, a limit of this program has decided something, see `State.overflow` and `Streams.overflow`.
      episode_step: legal actions so far. chips, blind_target: float64, of the round.
      ante, round, money. stage: `Phase`. blind_type: 0 Small, 1 Big, 2 Boss (the next one or the one being fought).
      plays_left, discards_left. score_delta: float64, chips gained. money_delta.
      last_action_type: `Kind`. last_action_cost: dollars paid for it (sales are negative).
      joker_count, joker_slot_limit. hand_type: poker hand played in this step, -1 = none.
      cards_played, cards_discarded: in this step, by the player.
      blind_cleared: bool, in this step (not where Mr. Bones saved the run).
      game_end: bool. won: bool, the boss of the win ante has fallen.
    """

    illegal: Array
    overflow: Array
    episode_step: Array
    chips: Array
    blind_target: Array
    ante: Array
    round: Array
    money: Array
    stage: Array
    blind_type: Array
    plays_left: Array
    discards_left: Array
    score_delta: Array
    money_delta: Array
    last_action_type: Array
    last_action_cost: Array
    joker_count: Array
    joker_slot_limit: Array
    hand_type: Array
    cards_played: Array
    cards_discarded: Array
    blind_cleared: Array
    game_end: Array
    won: Array


class Balatro:
    """The card game as pure functions; make one with `jaxtro.make`.

    `reset`, `step`, `legal_actions`, `observe` and `score` work under jit, vmap (also nested), scan and
    eval_shape. The usual call is `jax.jit(jax.vmap(env.step))(states, actions)`,
    best with `compiler_options=jaxtro.compiler_options()`.

    Attributes:
      book: the jokers of the game. default_params: Red Deck, White Stake, everything unlocked.
      debug: outside of jit an illegal action raises ValueError.
    """

    def __init__(self, book: JokerBook = BOOK, debug: bool = False) -> None:
        self.book, self.debug = book, debug
        self._events: JokerEvents = events_of(book)
        # Calls outside jit run the compiled program, too.
        self._score = jax.jit(
            lambda state, chosen, luck: score_hand(state, chosen, book, luck)[0], static_argnums=2
        )
        self._best_play = jax.jit(
            lambda state, forced, top, luck: best_play(state, forced, top, book, luck), static_argnums=(2, 3)
        )
        self._reset = jax.jit(self._reset_traced)
        self._step = jax.jit(self._step_traced)
        self._legal = jax.jit(lambda state: legal_actions(state, self._events))
        self._observe = jax.jit(lambda state: observe(state, book, self._events))
        self._before_score = jax.jit(
            lambda state, chosen, luck: self._prepared(state, chosen, luck), static_argnums=2
        )

    @property
    def about(self) -> str | None:
        """What programs made with this environment depend on, for `compile_cache.keep`; None: not told."""
        return f"Balatro, debug {self.debug}" if self.book is BOOK else None

    # --- starting ------------------------------------------------------------------------------------------

    @property
    def default_params(self) -> Params:
        """Red Deck, White Stake, everything unlocked, the real targets, the run ends with the win."""
        return make_params()

    def reset(self, key: Array, params: Params | None = None) -> tuple[Observation, State]:
        """A new run with a random seed text, drawn from the key as the game draws one.

        Args:
          key: a JAX random key. params: `make_params(...)`; None = `default_params`.
        """
        return self.reset_to_seed(random_seed(key), params)

    def reset_to_seed(self, seed: Array, params: Params | None = None) -> tuple[Observation, State]:
        """A new run of a seed.

        Args:
          seed: uint8[8], `jaxtro.encode_seed("OOOO155")`. params: as for `reset`.

        Raises:
          ValueError: for a seed of another shape or type.
        """
        dtype = getattr(seed, "dtype", type(seed).__name__)
        if np.shape(seed) != (MAX_SEED_LENGTH,) or dtype != jnp.uint8:
            raise ValueError(
                f"seed is {dtype}{list(np.shape(seed))}; give "
                'uint8[8] from jaxtro.encode_seed("...") (for a batch use jax.vmap)'
            )
        require_x64()
        return self._reset(seed, self.default_params if params is None else params)

    def _reset_traced(self, seed: Array, params: Params) -> tuple[Observation, State]:
        state = new_run(seed, params, self.book)
        return observe(state, self.book, self._events), state

    # --- playing -------------------------------------------------------------------------------------------

    def step(
        self, state: State, action: Action, weights: rewards.Weights = rewards.DEFAULT_WEIGHTS
    ) -> tuple[Observation, State, Array, Array, Array, Info]:
        """Does one action.

        An illegal action changes nothing and sets `info.illegal`. A finished run stays as it is, with reward 0.

        Args:
          state: the run. action: see `Action`. weights: of the reward's terms; traced values.

        Returns:
          observation, state, reward (float32[]), terminated, truncated (bool[]), info.

        Raises:
          ValueError: with `debug` and outside of jit, for an illegal action.
        """
        require_x64()
        out = self._step(state, action, weights)
        if self.debug and not isinstance(out[5].illegal, jax.core.Tracer) and bool(jnp.any(out[5].illegal)):
            kind = Kind(int(action.kind)).name if 0 <= int(action.kind) < len(Kind) else int(action.kind)
            phase = Phase(int(state.phase)).name
            raise ValueError(f"illegal action {kind} (slot {int(action.slot)}) in phase {phase}")
        return out

    def _step_traced(self, state: State, action: Action, weights: rewards.Weights) -> Any:
        over = finished(state)
        with jax.named_scope(SCOPE + "is_legal"):
            legal = is_legal(state, action, self._events) & ~over
            # Written out: the games of each kind of action would each be found from all that this depends on.
            legal, action = written_out((legal, action))
        work = advance(state, action, legal, self.book, self._events)
        after, illegal = work.state, ~legal & ~over
        played = legal & (action.kind == Kind.PLAY)
        discarded = legal & (action.kind == Kind.DISCARD)
        chosen = jnp.sum(action.cards, dtype=jnp.int32)
        fought = (state.phase == Phase.SELECTING_HAND) & legal
        new_chips = jnp.where(played, after.round.chips - state.round.chips, 0.0)
        info = Info(
            illegal=illegal,
            overflow=after.overflow | after.streams.overflow,
            episode_step=after.run.steps,
            chips=after.round.chips,
            blind_target=after.round.target,
            ante=after.run.ante,
            round=after.run.round,
            money=after.run.money,
            stage=after.phase.astype(jnp.int32),
            blind_type=jnp.maximum(after.blinds.on_deck, 0).astype(jnp.int32),
            plays_left=after.round.hands_left,
            discards_left=after.round.discards_left,
            score_delta=new_chips,
            money_delta=after.run.money - state.run.money,
            last_action_type=action.kind.astype(jnp.int32),
            last_action_cost=work.todo.cost,
            joker_count=joker_count(after.jokers),
            joker_slot_limit=joker_slots(after),
            hand_type=jnp.where(played, after.round.last_hand, -1).astype(jnp.int32),
            cards_played=jnp.where(played, chosen, 0),
            cards_discarded=jnp.where(discarded, chosen, 0),
            blind_cleared=fought & rewards.beaten(after),
            game_end=finished(after),
            won=after.run.won,
        )
        reward = jnp.where(over, jnp.float32(0), rewards.reward(state, after, illegal, weights))
        limit = after.run.max_steps
        truncated = (limit > 0) & (after.run.steps >= limit) & ~info.game_end
        with jax.named_scope(SCOPE + "observe"):
            observation = observe(after, self.book, self._events)
        return observation, after, reward, info.game_end, truncated, info

    def legal_actions(self, state: State) -> Legal:
        """What may be done now, part by part; a finished run reports everything as legal."""
        return self._legal(state)

    def finished(self, state: State) -> Array:
        """Whether the run is over: lost, or won and not endless. -> bool[]"""
        return finished(state)

    def reward_terms(self, before: State, after: State, illegal: Array) -> rewards.Weights:
        """The value of each term of the reward for one step, unweighted, in the shape of `Weights`. float32[] each"""
        return rewards.terms(before, after, illegal)

    def is_legal(self, state: State, action: Action) -> Array:
        """Whether an action may be done; True for every action of a finished run. -> bool[]"""
        return is_legal(state, action, self._events) | finished(state)

    def observe(self, state: State) -> Observation:
        """What the player may know."""
        return self._observe(state)

    # --- scoring -------------------------------------------------------------------------------------------

    def score(self, state: State | ScoringState, cards: Any, luck: Luck = "seeded") -> HandScore:
        """What playing these cards would give; nothing is drawn, nothing changed.

        Args:
          state: a run in a round, or a `ScoringState` (`notation.make_scoring_state`).
          cards: bool[H], the cards of the hand to play; outside jit also a list of their places.
          luck: "seeded": chance effects fall as the run's random streams have it. "never": only certain
            chances succeed and random numbers are lowest; "always": all succeed. An agent that may not look
            into the streams uses "never" or "always".

        Returns:
          `HandScore`; places are those of the hand after The Hook has discarded, if it does. Inside jit a call with
          no or more than five cards gives `legal` False and total 0.

        Raises:
          ValueError: outside jit, for no or more than five cards, places without a card, a level below 1.
        """
        hand = state.piles.hand if isinstance(state, State) else state.hand.rank
        chosen = _as_mask(cards, hand.shape[-1])
        if isinstance(state, State):
            _check_count(chosen, hand >= 0)
            scoring, chosen = self._before_score(state, chosen, luck)
            return self._score(scoring, chosen, luck)
        _check(state, chosen)
        return self._score(state, chosen, luck)

    def _prepared(self, state: State, chosen: Array, luck: Luck) -> tuple[ScoringState, Array]:
        """The scoring state after what happens before the score (The Hook, The Tooth)."""
        if luck != "seeded":  # the player does not know which cards The Hook takes
            return scoring_state(state, self.book), chosen
        return before_score(state, chosen, self.book, self._events)

    def best_play(
        self,
        state: State | ScoringState,
        forced: Array | None = None,
        top: int = CHUNK,
        luck: Luck = "seeded",
    ) -> Ranking:
        """Scores all legal sets of up to five cards of the hand at once and ranks them.

        What The Hook or The Tooth does before the score is left out.

        Args:
          state: a run in a round, or a `ScoringState`. forced: bool[H], cards that must be played; of a run
            the card that Cerulean Bell holds.
          top: how many plays to return, best first; 218 are all of an eight-card hand.
          luck: as for `score`.
        """
        if top < 1:
            raise ValueError(f"top is {top}; ask for 1 play or more")
        if isinstance(state, State):
            if forced is None:
                forced = (state.piles.hand >= 0) & (state.piles.hand == state.round.forced)
            state = scoring_state(state, self.book)
        return self._best_play(state, forced, top, luck)


def random_seed(key: Array) -> Array:
    """A seed text as the game makes them. -> uint8[8]"""
    places = jax.random.randint(key, (MAX_SEED_LENGTH,), 0, len(_SEED_CODES), dtype=jnp.int32)
    return jnp.asarray(_SEED_CODES)[places]


def _as_mask(cards: Any, places: int) -> Array:
    """The chosen cards as bool[places], from a mask or places of the hand."""
    wrong = (
        f"give bool[{places}], True for each card to play, or a list of places of the hand "
        "(for a batch use jax.vmap(env.score))"
    )
    try:
        mask = jnp.asarray(cards) if len(cards) else jnp.zeros(0, jnp.int32)
    except (TypeError, ValueError) as error:
        raise ValueError(f"cards is {cards!r}; {wrong}") from error
    if jnp.issubdtype(mask.dtype, jnp.integer) and mask.ndim == 1:
        if not isinstance(mask, jax.core.Tracer):
            given = mask.tolist()
            if any(not 0 <= card < places for card in given) or len(set(given)) != len(given):
                raise ValueError(f"cards {given}: give different places of the hand, 0 to {places - 1}")
        return jnp.zeros(places, bool).at[mask].set(True)
    if mask.dtype != bool or mask.shape != (places,):
        raise ValueError(f"cards is {mask.dtype}{list(mask.shape)}; {wrong}")
    return mask


def _check_count(chosen: Array, there: Array) -> None:
    """Errors about the chosen cards that can be seen outside jit."""
    if any(isinstance(leaf, jax.core.Tracer) for leaf in (chosen, there)):
        return
    count = int(np.sum(np.asarray(chosen)))
    if not 1 <= count <= NUM_PLAYED:
        raise ValueError(f"{count} cards chosen; a hand is 1 to {NUM_PLAYED} cards")
    empty = np.flatnonzero(np.asarray(chosen) & ~np.asarray(there))
    if len(empty):
        raise ValueError(f"no card at place {', '.join(map(str, empty))} of the hand")


def _check(state: ScoringState, chosen: Array) -> None:
    """Errors that can be seen outside jit."""
    if any(isinstance(leaf, jax.core.Tracer) for leaf in (chosen, state.hand.rank, state.poker_hands.level)):
        return
    _check_count(chosen, state.hand.rank > 0)
    if int(np.min(np.asarray(state.poker_hands.level))) < 1:
        raise ValueError("a poker hand has a level below 1")


def make(env_id: str = ENV_ID, *, book: JokerBook = BOOK, debug: bool = False) -> Balatro:
    """Makes the environment.

    Args:
      env_id: "Balatro-v0".
      book: the jokers of the game; `BOOK.with_joker(...)` adds one.
      debug: outside of jit an illegal action raises ValueError instead of setting `info.illegal`.

    Raises:
      ValueError: for an unknown id.
    """
    if env_id != ENV_ID:
        raise ValueError(f"unknown environment {env_id!r}; known: {ENV_ID}")
    return Balatro(book, debug)
