"""Proximal policy optimisation: advantages and minibatch epochs over what a rollout brought, on the device."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array, lax

from jaxtro.agents import policy
from jaxtro.agents.batching import mean_gradient
from jaxtro.agents.network import PolicyValue, in_lists
from jaxtro.agents.rollout import Trajectory
from jaxtro.agents.value import mean_value, value_loss


@dataclass(frozen=True)
class PPOConfig:
    """Settings of the learner."""

    rollout_steps: int = 16
    """Decisions of each game between two updates."""
    epochs: int = 1
    """Passes over the decisions of a rollout."""
    minibatch: int = 2048
    """Decisions of one gradient step, of all devices together."""
    learning_rate: float = 6e-4
    """Learning rate at the start."""
    anneal: bool = True
    """The learning rate falls linearly to 0 at the end of training."""
    gamma: float = 0.997
    """Discount."""
    gae_lambda: float = 0.95
    """Of the generalised advantage estimates."""
    clip: float = 0.2
    """Of the probability ratio."""
    entropy: float = 0.01
    """Weight of the policy's entropy."""
    value_loss: float = 0.5
    """Weight of the value's loss."""
    max_grad_norm: float = 0.5
    """Gradients are clipped to this norm."""
    target_kl: float = 0.05
    """An update stops early when the policy has moved this far; 0 = never."""

    def __post_init__(self) -> None:
        for name in ("rollout_steps", "epochs", "minibatch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: give 1 or more")
        for name in ("gamma", "gae_lambda"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}: give 0 to 1")
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate is {self.learning_rate}: give more than 0")


def advantages(
    trajectory: Trajectory, last_value: Array, gamma: float, gae_lambda: float
) -> tuple[Array, Array]:
    """Generalised advantage estimates.

    Args:
      trajectory: [T, N]. last_value: float32[N], of the state behind the last step.

    Returns:
      advantages and value targets, float32[T, N].
    """

    def back(
        carry: tuple[Array, Array], step: tuple[Array, Array, Array]
    ) -> tuple[tuple[Array, Array], Array]:
        advantage, next_value = carry
        reward, value, done = step
        going = 1.0 - done.astype(jnp.float32)
        delta = reward + gamma * next_value * going - value
        advantage = delta + gamma * gae_lambda * going * advantage
        return (advantage, value), advantage

    steps = (trajectory.reward, trajectory.value, trajectory.done)
    _, found = lax.scan(back, (jnp.zeros_like(last_value), last_value), steps, reverse=True)
    return found, found + trajectory.value


def optimiser(config: PPOConfig) -> optax.GradientTransformation:
    """Adam behind gradient clipping; the learning rate is applied by the learner (it is a traced value)."""
    return optax.chain(optax.clip_by_global_norm(config.max_grad_norm), optax.scale_by_adam(eps=1e-5))


def make_learn(
    net: PolicyValue, config: PPOConfig, axis: str | None = None
) -> Callable[..., tuple[Any, Any, dict]]:
    """A function that improves the parameters on one rollout.

    Args:
      axis: name of the device axis that gradients are averaged over; None = a single device.

    Returns:
      (params, opt_state, trajectory, last_value, key, progress) -> params, opt_state, metrics (float32[] each).
      progress: float32[], share of the training that is over.
    """
    net, transform, value_range = in_lists(net), optimiser(config), net.config.value_range
    mean = (lambda tree: lax.pmean(tree, axis)) if axis else (lambda tree: tree)

    def loss_of(params: Any, batch: tuple) -> tuple[Array, dict[str, Array]]:
        sample, advantage, target = batch
        log_prob, entropy, encoded = jax.vmap(lambda f, t: policy.log_prob(net, params, f, t))(
            sample.features, sample.taken
        )
        # An action with a single legal choice has log-probability 0 before and after.
        change = log_prob - sample.log_prob
        ratio = jnp.exp(change)
        clipped = jnp.clip(ratio, 1 - config.clip, 1 + config.clip)
        policy_loss = -jnp.mean(jnp.minimum(ratio * advantage, clipped * advantage))
        critic = jnp.mean(value_loss(encoded.value, target, value_range))
        spread = jnp.mean(entropy)
        total = policy_loss + config.value_loss * critic - config.entropy * spread
        error = target - mean_value(encoded.value, value_range)
        return total, {
            "loss": total, "policy_loss": policy_loss, "value_loss": critic, "entropy": spread,
            "kl": jnp.mean(ratio - 1 - change),
            "clipped": jnp.mean((jnp.abs(ratio - 1) > config.clip).astype(jnp.float32)),
            "explained_variance": 1 - jnp.var(error) / (jnp.var(target) + 1e-8),
        }  # fmt: skip

    def learn(
        params: Any, opt_state: Any, trajectory: Trajectory, last_value: Array, key: Array, progress: Array
    ) -> tuple[Any, Any, dict[str, Array]]:
        found, targets = advantages(trajectory, last_value, config.gamma, config.gae_lambda)
        # The spread over all devices.
        average = mean(jnp.mean(found))
        deviation = jnp.sqrt(mean(jnp.mean((found - average) ** 2)) + 1e-8)
        flat = jax.tree.map(
            lambda values: values.reshape(-1, *values.shape[2:]),
            (trajectory, (found - average) / deviation, targets),
        )
        samples = targets.size
        devices = lax.psum(1, axis) if axis else 1
        size = max(1, min(config.minibatch // devices, samples))
        number = samples // size
        rate = config.learning_rate * (jnp.where(config.anneal, 1.0 - progress, 1.0))

        def step(carry: tuple, places: Array) -> tuple[tuple, dict[str, Array]]:
            def improve(carry: tuple) -> tuple[tuple, dict[str, Array]]:
                params, opt_state, _ = carry
                batch = jax.tree.map(lambda values: values[places], flat)
                grads, metrics = mean(mean_gradient(loss_of, params, batch))
                metrics["grad_norm"] = optax.tree.norm(grads)
                updates, opt_state = transform.update(grads, opt_state, params)
                params = optax.apply_updates(params, jax.tree.map(lambda value: -rate * value, updates))
                stop = (metrics["kl"] > config.target_kl) & (config.target_kl > 0)
                return (params, opt_state, stop), metrics | {"gradient_steps": jnp.float32(1)}

            shape = jax.eval_shape(improve, carry)[1]
            nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shape)
            return lax.cond(carry[2], lambda carry: (carry, nothing), improve, carry)

        orders = jax.vmap(lambda key: jax.random.permutation(key, samples)[: number * size])(
            jax.random.split(key, config.epochs)
        )
        batches = orders.reshape(config.epochs * number, size)
        (params, opt_state, _), metrics = lax.scan(step, (params, opt_state, jnp.bool_(False)), batches)
        done = jnp.maximum(jnp.sum(metrics["gradient_steps"]), 1)
        averages = {name: jnp.sum(values) / done for name, values in metrics.items()}
        averages["gradient_steps"] = jnp.sum(metrics["gradient_steps"])
        averages["learning_rate"] = rate
        return params, opt_state, averages

    return learn
