"""The second level: Redis, which all processes of the service share."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import redis

from recsys_lib.serving.caching.entry import Entry
from recsys_lib.serving.degradation import CircuitBreaker
from recsys_lib.stores import StoreUnavailable


class RedisLevel:
    """Entries in Redis, each valid for one generation of its user.

    A user's generation is a random word under ``prefix:generation:<key>``. An event writes a new
    one, and every entry of an older generation is void, whichever process made it and however
    late it is written. The word outlives all entries of the time before it. Users without one
    share the word of this Redis (``prefix:epoch``), so that a restart voids what processes keep.
    Redis must not evict keys before their time: without the word, an older entry would hold again.

    Redis counts the time to live, so that the clocks of processes need not agree.

    Parameters
    ----------
    client : redis.Redis
        With short timeouts: a request waits for it.
    prefix : str
        Of all keys.
    longest_ttl_s : float
        No entry lives longer.
    encode, decode : functions
        Between a value and something JSON can hold.
    breaker : CircuitBreaker, optional
        Spares requests the wait for a Redis that does not answer.
    """

    def __init__(
        self,
        client: redis.Redis,
        *,
        prefix: str = "list",
        longest_ttl_s: float = 3_600.0,
        encode: Callable[[Any], Any] = lambda value: value,
        decode: Callable[[Any], Any] = lambda value: value,
        breaker: CircuitBreaker | None = None,
    ):
        self.client = client
        self.prefix = prefix
        self.longest_ttl_s = longest_ttl_s
        self.encode = encode
        self.decode = decode
        self.breaker = breaker or CircuitBreaker(window=20, min_calls=5, open_s=1.0, trials=3)
        self._unsent: set[str] = set()  # keys whose events Redis has not heard of

    def generation(self, key) -> str:
        """Return the generation of a user.

        Raises
        ------
        StoreUnavailable
            Redis does not answer; as for all methods.
        """
        names = [self._key("generation", key), f"{self.prefix}:epoch"]
        return self._word(*self._ask(lambda: self.client.mget(names)))

    def read(self, key, version: str, now_s: float) -> tuple[str, Entry | None]:
        """Return the generation of a user and the entry that holds for it, in one round trip."""
        name = self._key(version, key)
        with self.client.pipeline(transaction=True) as trip:
            trip.mget([self._key("generation", key), f"{self.prefix}:epoch", name]).pttl(name)
            (stored, epoch, text), left_ms = self._ask(trip.execute)
        generation = self._word(stored, epoch)
        fields = {} if text is None else json.loads(text)
        if fields.get("generation") != generation:
            return generation, None
        expires_s = now_s + left_ms / 1_000
        value = fields["value"] if fields["value"] is None else self.decode(fields["value"])
        return generation, Entry(version, generation, value, fields["cost_s"], expires_s)

    def write(self, key, entry: Entry, now_s: float) -> None:
        """Keep an entry until it expires."""
        value = entry.value if entry.value is None else self.encode(entry.value)
        fields = {"generation": entry.generation, "cost_s": entry.cost_s, "value": value}
        left_ms = max(round(min(entry.expires_s - now_s, self.longest_ttl_s) * 1_000), 1)
        name, text = self._key(entry.version, key), json.dumps(fields)
        self._ask(lambda: self.client.set(name, text, px=left_ms))

    def forget(self, key) -> None:
        """Begin a new generation of a user: something new is known.

        While Redis does not answer, the key is remembered and sent with the next call that gets
        through.
        """
        try:
            self._ask(lambda: self._renew(key))
        except StoreUnavailable:
            self._unsent.add(key)
            raise

    def lease(self, key, version: str, generation: str, lease_s: float) -> bool:
        """Return whether this process is the one that makes the answer.

        The lease ends by itself, in case its holder dies.
        """
        name = self._key(f"lease:{version}:{generation}", key)
        left_ms = max(round(lease_s * 1_000), 1)
        return bool(self._ask(lambda: self.client.set(name, 1, nx=True, px=left_ms)))

    def release(self, key, version: str, generation: str) -> None:
        """End a lease: its answer is there, or its holder gave up."""
        self._ask(lambda: self.client.delete(self._key(f"lease:{version}:{generation}", key)))

    def _ask(self, call: Callable[[], Any]) -> Any:
        """Call Redis behind the breaker, after the events it has not heard of yet."""
        if not self.breaker.allows():
            raise StoreUnavailable("Redis has failed of late and is left alone for a moment.")
        try:
            self._send_unsent()
            answer = call()
        except redis.RedisError as error:
            self.breaker.record(False)
            raise StoreUnavailable(f"Redis does not answer: {error}") from error
        self.breaker.record(True)
        return answer

    def _send_unsent(self) -> None:
        while self._unsent:
            key = self._unsent.pop()
            try:
                self._renew(key)
            except redis.RedisError:
                self._unsent.add(key)
                raise

    def _renew(self, key) -> None:
        left_ms = round(2_000 * self.longest_ttl_s)
        self.client.set(self._key("generation", key), uuid.uuid4().hex, px=left_ms)

    def _word(self, generation: bytes | None, epoch: bytes | None) -> str:
        """Return the word that counts; a Redis without an epoch begins one."""
        if epoch is None:
            name = f"{self.prefix}:epoch"
            self._ask(lambda: self.client.set(name, uuid.uuid4().hex, nx=True))
            epoch = self._ask(lambda: self.client.get(name))
        return (generation or epoch).decode()

    def _key(self, kind: str, key) -> str:
        return f"{self.prefix}:{kind}:{key}"
