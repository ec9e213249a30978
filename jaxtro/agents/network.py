"""The network: entities and scalars in, logits of a factored action and a value distribution out.

Every card, joker, offer and consumable is an entity: the sum of embeddings of its parts and, for items, of what the
tables say that they do. Entities are pooled for the trunk and are the keys that slots and cards are chosen by.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.agents.descriptors import item_descriptors, pack_descriptors
from jaxtro.agents.features import Entities, Features
from jaxtro.agents.taken_rows import all_places, where_taken
from jaxtro.env.actions import MOST_CARDS, NUM_KINDS, SLOTS, Kind
from jaxtro.tables import BLINDS, CHALLENGES, DECKS, EDITIONS, ENHANCEMENTS, SEALS, STAKES

_RANKS, _SUITS, _PHASES, _SORTS = 15, 5, 6, 4
_DTYPES = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of the network.

    Attributes:
      entity: width of an entity. hidden: width of the trunk. layers: of the trunk.
      attention: layers of self-attention among all entities, 0 = none. heads: of it.
      bins: of the value's distribution. value_range: symlog of the largest return that it tells apart.
      dtype: "float32" or "bfloat16", what is computed in; parameters are float32.
      exact: whether it is told the best play and exact scores (`exact_plays.py`); it makes each decision dearer.
    """

    entity: int = 32
    hidden: int = 128
    layers: int = 2
    attention: int = 0
    heads: int = 4
    bins: int = 51
    value_range: float = 6.0
    dtype: str = "float32"
    exact: bool = False

    def __post_init__(self) -> None:
        if self.dtype not in _DTYPES:
            raise ValueError(f"dtype {self.dtype!r}: give one of {', '.join(_DTYPES)}")
        for name in ("entity", "hidden", "layers", "heads"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: give 1 or more")
        if self.attention and self.entity % self.heads:
            raise ValueError(f"entity {self.entity} cannot be split over {self.heads} heads of attention")
        if self.bins < 3:
            raise ValueError(f"bins is {self.bins}: give 3 or more")

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for files."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "NetworkConfig":
        """From `as_dict`.

        Raises:
          ValueError: for a field that this version does not have.
        """
        unknown = set(data) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"unknown network settings {sorted(unknown)}")
        return cls(**data)


# For a small computer, for a small computer with time (cloning, where the expert takes most of it), for an accelerator.
SMALL = NetworkConfig()
MEDIUM = NetworkConfig(entity=64, hidden=256, layers=3)
LARGE = NetworkConfig(entity=64, hidden=512, layers=3, attention=2, bins=101, dtype="bfloat16")
SIZES = {"small": SMALL, "medium": MEDIUM, "large": LARGE}
Size = Literal["auto", "small", "medium", "large"]


def of_size(size: Size) -> NetworkConfig:
    """The network of a size; auto: small on CPUs, large on accelerators."""
    return SIZES[size if size != "auto" else "small" if jax.default_backend() == "cpu" else "large"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Encoded:
    """What the network makes of one observation, before anything is chosen.

    Attributes:
      kind: float32[21], logits of the kinds. value: float32[bins], logits of the value's distribution.
      trunk: [hidden]. entities: cards of the hand [32, entity], jokers [16, entity], the other items [35, entity]
        in the order of `_ITEMS`, ways to sort [4, entity]. To join them would cost more than to use them.
    """

    kind: Array
    value: Array
    trunk: Array
    entities: tuple[Array, ...]


_HAND, _JOKERS = 32, 16
# Consumables, offers and packs stand in one row.
_ITEMS = {"consumables": 16, "shop_cards": 4, "vouchers": 6, "packs": 4, "pack_cards": 5}
_ITEM_STARTS = dict(zip(_ITEMS, np.cumsum([0, *_ITEMS.values()])[:-1].tolist(), strict=True))
_GROUP_ENDS = (_HAND, _HAND + _JOKERS, _HAND + _JOKERS + sum(_ITEMS.values()))
_STARTS = {"hand": 0, "jokers": _HAND} | {
    name: start + _GROUP_ENDS[1] for name, start in _ITEM_STARTS.items()
}
_SORT_START = _GROUP_ENDS[2]
# Where the slots of each kind begin among the entities; kinds without slots have a single one.
AREA_OF = {
    Kind.SORT: _SORT_START, Kind.MOVE_HAND: _STARTS["hand"], Kind.MOVE_JOKER: _STARTS["jokers"],
    Kind.MOVE_CONSUMABLE: _STARTS["consumables"], Kind.USE: _STARTS["consumables"],
    Kind.SELL_JOKER: _STARTS["jokers"], Kind.SELL_CONSUMABLE: _STARTS["consumables"],
    Kind.BUY_CARD: _STARTS["shop_cards"], Kind.BUY_VOUCHER: _STARTS["vouchers"],
    Kind.BUY_PACK: _STARTS["packs"], Kind.PICK: _STARTS["pack_cards"], Kind.BUY_AND_USE: _STARTS["shop_cards"],
}  # fmt: skip
_AREA_START = np.array([AREA_OF.get(kind, 0) for kind in Kind], np.int32)
NUM_ENTITIES = _SORT_START + _SORTS
# Which table each place of the row belongs to.
_ITEM_TABLE = np.repeat(np.arange(len(_ITEMS)), list(_ITEMS.values()))


def _things() -> np.ndarray:
    """Descriptors of all items, then of all packs, side by side."""
    items, packs = item_descriptors(), pack_descriptors()
    table = np.zeros((len(items) + len(packs), items.shape[1] + packs.shape[1]), np.float32)
    table[: len(items), : items.shape[1]] = items
    table[len(items) :, items.shape[1] :] = packs
    return table


_THINGS = _things()
# Packs have ids of their own, which follow those of the items here.
_OFFSETS = {"packs": item_descriptors().shape[0]}
_ITEM_OFFSET = np.repeat([_OFFSETS.get(name, 0) for name in _ITEMS], list(_ITEMS.values()))


def places_of(kind: Array) -> Array:
    """Which entity each slot of a kind means. -> int32[32]"""
    return jnp.minimum(jnp.asarray(_AREA_START)[kind] + jnp.arange(SLOTS), NUM_ENTITIES - 1)


def _logits_of(encoded: Encoded, query: Array) -> Array:
    """The match of every entity with a query. -> float32[91], ways to sort last"""
    return jnp.concatenate([row.astype(jnp.float32) @ query for row in encoded.entities])


def _entity_at(encoded: Encoded, place: Array) -> Array:
    """One entity. -> [entity]"""
    hit = (jnp.arange(NUM_ENTITIES) == place).astype(encoded.trunk.dtype)
    parts = zip(jnp.split(hit, _GROUP_ENDS), encoded.entities, strict=True)
    return sum((share @ row for share, row in parts), jnp.zeros((), encoded.trunk.dtype))


def _dense(layer: Mapping[str, Array], *parts: Array) -> Array:
    """A layer on parts side by side. [..., N] each -> [..., width]"""
    kernel = layer["kernel"]
    return jnp.concatenate([part.astype(kernel.dtype) for part in parts], axis=-1) @ kernel + layer["bias"]


def _front(weights: dict[str, Any], part: Entities) -> Array:
    return weights["front"][part.rank.astype(jnp.int32) * _SUITS + part.suit.astype(jnp.int32)]


def _finish(weights: dict[str, Any], part: Entities) -> Array:
    wide = lambda values: values.astype(jnp.int32)  # noqa: E731
    place = wide(part.enhancement) * len(EDITIONS) + wide(part.edition)
    return weights["finish"][place * len(SEALS) + wide(part.seal)]


def _mixed(weights: dict[str, Any], embedded: Array) -> Array:
    row = nn.relu(embedded)
    return nn.relu(_dense(weights["mixing"], row)) + row


def _embed_hand(weights: dict[str, Any], rows: tuple[Any, ...]) -> Array:
    """Cards of the hand, with what the network is told beyond them."""
    hand, *best = rows
    given = _dense(weights["of_hand"], hand.numbers, hand.flags, *best)
    return _mixed(weights, _front(weights, hand) + _finish(weights, hand) + given)


def _embed_jokers(weights: dict[str, Any], rows: tuple[Any, ...]) -> Array:
    (jokers,) = rows
    given = _dense(weights["of_jokers"], jokers.numbers, jokers.flags)
    return _mixed(weights, weights["things"][jokers.id.astype(jnp.int32)] + _finish(weights, jokers) + given)


def _embed_items(weights: dict[str, Any], rows: tuple[Any, ...]) -> Array:
    """Everything else, with the table that it stands in and where the ids of that table begin."""
    items, table, offset = rows
    thing = weights["things"][items.id.astype(jnp.int32) + offset]
    looks = _front(weights, items) + _finish(weights, items) + weights["tables"][table]
    return _mixed(weights, thing + looks + _dense(weights["of_items"], items.numbers, items.flags))


class PolicyValue(nn.Module):
    """Policy and value network of one observation; `jax.vmap` its `apply` for a batch.

    Methods are called in the order of a decision: `encode`, `slot_logits`, `card_query`, `to_logits`.

    Attributes:
      listed: see `in_lists`.
    """

    config: NetworkConfig
    listed: bool = False

    def setup(self) -> None:
        """Makes the layers (called by Flax)."""
        config, width = self.config, self.config.entity
        self.dtype = _DTYPES[config.dtype]
        embed = lambda count, size=width: nn.Embed(  # noqa: E731
            count, size, embedding_init=nn.initializers.normal(0.3), dtype=self.dtype
        )
        dense = lambda size, **options: nn.Dense(  # noqa: E731
            size, dtype=self.dtype, kernel_init=nn.initializers.he_normal(), **options
        )
        # The last layers start small: at first everything legal is about equally likely.
        final = lambda size, scale: nn.Dense(  # noqa: E731
            size, dtype=jnp.float32, kernel_init=nn.initializers.variance_scaling(scale, "fan_in", "normal")
        )
        self.things, self.effects = embed(_THINGS.shape[0]), dense(width, use_bias=False)
        self.ranks, self.suits = embed(_RANKS), embed(_SUITS)
        self.enhancements, self.editions = embed(len(ENHANCEMENTS)), embed(len(EDITIONS))
        self.seals, self.sorts = embed(len(SEALS)), embed(_SORTS)
        self.tables = embed(len(_ITEMS))
        self.of_hand, self.of_jokers, self.of_items = dense(width), dense(width), dense(width)
        self.mixing = dense(width)
        self.attention = [
            nn.MultiHeadDotProductAttention(config.heads, dtype=self.dtype) for _ in range(config.attention)
        ]
        self.norms = [nn.LayerNorm(dtype=self.dtype) for _ in range(config.attention)]
        self.phases, self.blinds = embed(_PHASES), embed(len(BLINDS))
        self.bosses, self.decks = embed(len(BLINDS)), embed(len(DECKS))
        self.stakes, self.challenges = embed(len(STAKES)), embed(len(CHALLENGES))
        self.inner, self.of_globals = dense(config.hidden), dense(config.hidden, use_bias=False)
        self.trunk = [dense(config.hidden) for _ in range(config.layers - 1)]
        self.kind_head, self.value_head = final(NUM_KINDS, 1e-4), final(config.bins, 1e-4)
        self.kinds, self.card_steps = embed(NUM_KINDS, config.hidden), embed(MOST_CARDS, config.hidden)
        self.slot_query, self.to_query = final(width, 1e-2), final(width, 1e-2)
        self.slot_mix, self.card_mix = dense(config.hidden), dense(config.hidden)
        self.chosen_mix, self.card_head = dense(config.hidden), final(width + 1, 1e-2)

    def __call__(self, features: Features) -> Encoded:
        """Touches every parameter; for `init`."""
        encoded = self.encode(features)
        kind = jnp.int32(Kind.PLAY)
        self.slot_logits(encoded, kind)
        self.to_logits(encoded, kind, jnp.int32(0))
        self.card_query(
            self.card_context(encoded, kind, jnp.int32(0)), jnp.zeros(self.config.entity), jnp.int32(0)
        )
        return encoded

    def _weights(self) -> dict[str, Any]:
        """What the embedding of rows needs: tables to look things up in, and the layers."""
        width, layers = self.config.entity, self.variables["params"]
        # What goes together is looked up at once, in a table of all its sums.
        front = (self.ranks.embedding[:, None] + self.suits.embedding[None]).reshape(-1, width)
        finish = (
            self.enhancements.embedding[:, None, None]
            + self.editions.embedding[None, :, None]
            + self.seals.embedding[None, None]
        ).reshape(-1, width)
        things = self.things.embedding.astype(self.dtype) + self.effects(jnp.asarray(_THINGS, self.dtype))
        tables = {"front": front, "finish": finish, "things": things, "tables": self.tables.embedding}
        dense = {name: layers[name] for name in ("of_hand", "of_jokers", "of_items", "mixing")}
        return jax.tree.map(lambda leaf: leaf.astype(self.dtype), tables | dense)

    def _entities(self, features: Features) -> tuple[Array, ...]:
        """Cards of the hand [32, entity], jokers [16, entity], other items [35, entity]; zero where nothing is."""
        hand, jokers = features.hand, features.jokers
        items: Entities = jax.tree.map(
            lambda *leaves: jnp.concatenate(leaves), *[getattr(features, name) for name in _ITEMS]
        )
        if self.is_initializing():  # these layers exist for their parameters, which `_dense` uses as they are
            for part, layer, more in (
                (hand, self.of_hand, int(self.config.exact)), (jokers, self.of_jokers, 0), (items, self.of_items, 0),
            ):  # fmt: skip
                layer(jnp.zeros(part.numbers.shape[-1] + part.flags.shape[-1] + more, self.dtype))
            self.mixing(jnp.zeros(self.config.entity, self.dtype))
        weights = self._weights()
        best = (features.best[:, None],) if self.config.exact else ()
        embed = where_taken if self.listed else all_places
        out = [
            embed(_embed_hand, weights, (hand, *best), hand.mask),
            embed(_embed_jokers, weights, (jokers,), jokers.mask),
            embed(
                _embed_items,
                weights,
                (items, jnp.asarray(_ITEM_TABLE), jnp.asarray(_ITEM_OFFSET)),
                items.mask,
            ),
        ]
        if self.attention:
            whole = jnp.concatenate(out)
            mask = jnp.concatenate([part.mask for part in (hand, jokers, items)])
            seen = mask[None, None, :] | jnp.eye(mask.shape[0], dtype=bool)[None]
            for attend, norm in zip(self.attention, self.norms, strict=True):
                whole = norm(whole + attend(whole, mask=seen))
            out = jnp.split(jnp.where(mask[:, None], whole, 0), _GROUP_ENDS[:2])
        return tuple(out)

    def encode(self, features: Features) -> Encoded:
        """Logits of the kinds, the value, and what the later choices need."""
        entities = self._entities(features)
        # The sum of each table, over the root of its count.
        row = entities[2]
        tables = {"hand": entities[0], "jokers": entities[1]} | {
            name: row[start : start + _ITEMS[name]] for name, start in _ITEM_STARTS.items()
        }

        def pool(name: str, there: Array) -> Array:
            count = jnp.sum(getattr(features, name).mask, dtype=jnp.float32)
            return jnp.sum(there, axis=0) * jax.lax.rsqrt(jnp.maximum(count, 1.0)).astype(self.dtype)

        pooled = [pool(name, there) for name, there in tables.items()]
        scalars = [
            embed(getattr(features, name).astype(jnp.int32))
            for embed, name in (
                (self.phases, "phase"), (self.blinds, "blind"), (self.bosses, "boss"), (self.decks, "deck"),
                (self.stakes, "stake"), (self.challenges, "challenge"),
            )
        ]  # fmt: skip
        given = [features.globals, features.tags, *([features.exact] if self.config.exact else [])]
        flat = jnp.concatenate([values.astype(self.dtype) for values in given])
        # Two layers, as nothing before the given numbers needs a gradient.
        trunk = nn.relu(self.inner(jnp.concatenate([*pooled, *scalars])) + self.of_globals(flat))
        for layer in self.trunk:
            trunk = trunk + nn.relu(layer(trunk))
        sorts = self.sorts.embedding.astype(self.dtype)
        return Encoded(self.kind_head(trunk), self.value_head(trunk), trunk, (*entities, sorts))

    def _of_kind(self, encoded: Encoded, kind: Array) -> Array:
        return encoded.trunk + self.kinds(kind)

    def slot_logits(self, encoded: Encoded, kind: Array) -> Array:
        """float32[32]: logits of the slots of a kind."""
        query = self.slot_query(nn.relu(self.slot_mix(self._of_kind(encoded, kind))))
        return _logits_of(encoded, query)[places_of(kind)]

    def to_logits(self, encoded: Encoded, kind: Array, slot: Array) -> Array:
        """float32[32]: logits of the places that a move ends at."""
        moved = _entity_at(encoded, places_of(kind)[slot]).astype(jnp.float32)
        query = self.to_query(jnp.concatenate([self._of_kind(encoded, kind).astype(jnp.float32), moved]))
        return _logits_of(encoded, query)[places_of(kind)]

    def card_context(self, encoded: Encoded, kind: Array, slot: Array) -> Array:
        """[hidden]: what the choice of cards starts from."""
        used = _entity_at(encoded, places_of(kind)[slot])
        return self.card_mix(jnp.concatenate([self._of_kind(encoded, kind), used]))

    def card_query(self, context: Array, chosen: Array, step: Array) -> Array:
        """float32[entity + 1]: the query for the next card, and last the logit of stopping.

        context: of `card_context`. chosen: [entity], sum of the cards so far. step: int32[], how many there are.
        """
        mixed = context + self.chosen_mix(chosen.astype(self.dtype))
        return self.card_head(nn.relu(mixed + self.card_steps(step)))


def in_lists(net: PolicyValue) -> PolicyValue:
    """The same network for a batch of decisions under a single `jax.vmap`: on CPUs it embeds what is there as one list.

    Gradients have to be taken outside of that `vmap` (`taken_rows.where_taken`).
    """
    return net.clone(listed=jax.default_backend() == "cpu")


def apply(net: PolicyValue, params: Any, *args: Any, method: str) -> Any:
    """Calls a method of the network with its parameters."""
    return net.apply(params, *args, method=method)
