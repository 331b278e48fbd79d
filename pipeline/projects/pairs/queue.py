"""One expert's pairs in one project: what comes next, and keeping the answer."""

import hashlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice

from pipeline import artifacts
from pipeline.errors import ProjectError, UnknownNameError
from pipeline.i18n import N_
from pipeline.labels.history import LATER
from pipeline.labels.index import Index
from pipeline.labels.leases import Lease, Leases
from pipeline.people.access import Identity
from pipeline.people.names import name_key, same_person
from pipeline.projects.pairs.design import Pair
from pipeline.projects.pairs.judgements import PREFERENCE, Answer, Judgement, Judgements
from pipeline.projects.pairs.plan import Plan, plan_of
from pipeline.projects.progress import ProjectProgress
from pipeline.projects.project import PAIRS, Project
from pipeline.projects.quality import HEARD_WHOLE
from pipeline.projects.queue import EmptyQueue
from pipeline.projects.secret import secret_of
from pipeline.projects.turns import REPEAT_AFTER, falls, n_turns
from pipeline.records import Purpose, Recording
from pipeline.settings import Settings
from pipeline.times import now_iso

SOME = 8
HEARD_SOME = 0.5  # of each recording, before anybody can compare them
MAX_REASON_LENGTH = 200


@dataclass(frozen=True)
class PairItem:
    """Two recordings to compare, reserved under `lease`. Whether they come for the first time or again, the expert does
    not see."""

    left: Recording
    right: Recording
    purpose: Purpose
    lease: Lease


@dataclass(frozen=True)
class PairProgress:
    """Of one expert: pairs they `compared` and `skipped`, pairs `left` for them, and answers of the others."""

    compared: int
    skipped: int
    left: int
    by_others: int

    @property
    def done(self) -> int:
        return self.compared + self.skipped


class PairQueue:
    """Every method is safe from several processes. Raises AccessError for somebody who is no expert of the project."""

    def __init__(
        self, settings: Settings, project: Project, identity: Identity, now: Callable[[], float] = time.time
    ) -> None:
        project.require_expert(identity)
        if project.kind != PAIRS:
            raise ProjectError(N_("{project} is not a pair project."), project=project.title or project.name)
        self._settings, self._project, self._me, self._now = settings, project, identity.name, now
        self._index = Index(settings)
        self._leases = Leases(settings, now)
        self._judgements = Judgements(settings, project.name)

    @cached_property
    def _secret(self) -> str:
        return secret_of(self._settings, self._project.name)

    def next(self) -> PairItem | EmptyQueue:
        """What is open already (after a reload), else the next; reserved for this expert from now on."""
        if self._project.is_over:
            return EmptyQueue("over")
        self._index.ensure()
        plan = plan_of(self._settings, self._project)
        held = self._leases.of(self._project.name, self._me)
        state = self._state(plan)
        if held is not None and state.is_open(_pair_of(held.recording_id), Purpose(held.purpose)):
            self._leases.renew(held)
            return self._item(held, state)
        if held is not None:
            self._leases.release(held)
        candidates = state.candidates()
        while some := list(islice(candidates, SOME)):
            wanted = [(_key_of(pair), purpose) for pair, purpose in some]
            lease = self._leases.claim(
                self._project.name, self._me, wanted,
                lambda key, purpose: self._state(plan, _pair_of(key)).is_open(_pair_of(key), purpose),
            )  # fmt: skip
            if lease is not None:
                return self._item(lease, self._state(plan, _pair_of(lease.recording_id)))
        state = self._state(plan)
        waiting = [
            held
            for held in self._leases.held(self._project.name)
            if held.evaluator != self._me
            and not held.purpose
            and state.is_open(_pair_of(held.recording_id), Purpose.WORK)
        ]
        return EmptyQueue("wait", max(0.0, waiting[0].expires_at - self._now())) if waiting else EmptyQueue("done")

    def renew(self, item: PairItem) -> bool:
        """Whether it is still reserved."""
        return self._leases.renew(item.lease)

    def leave(self) -> None:
        """Give back what is open."""
        held = self._leases.of(self._project.name, self._me)
        if held is not None:
            self._leases.release(held)

    def save(self, item: PairItem, answer: Answer, *, heard: tuple[float, float], reason: str = "") -> Judgement:
        """Keep an answer or a skip; when this returns, it is on disk. It counts even if the reservation has ended
        meanwhile.

        Raises ProjectError for "no difference" where the project has no ties, a skip without a reason, an answer
        before both recordings were heard, and a pair that the expert has answered meanwhile (in another tab).
        """
        if answer is Answer.UNDO or (answer is Answer.TIE and not self._project.ties):
            raise ProjectError(N_("Choose the better recording; this project has no ties."))
        if answer is Answer.SKIP and not reason.strip():
            raise ProjectError(N_("Choose a reason first."))
        if answer in PREFERENCE and min(heard) < hear_share(self._project):
            raise ProjectError(N_("Listen to both recordings first, then choose."))
        judgement = Judgement(
            self._me, item.left.id, item.right.id, answer, now_iso(), reason.strip()[:MAX_REASON_LENGTH], item.purpose,
            round(max(0.0, self._now() - item.lease.taken_at), 1), heard,
        )  # fmt: skip

        def checked(standing: list[Judgement]) -> Judgement:
            before = [j for j in self._of_me(standing) if (j.pair, j.purpose) == (judgement.pair, judgement.purpose)]
            if before and not _is_put_off(before[-1]):
                raise ProjectError(N_("This pair is no longer open. The next one comes now."))
            return judgement

        self._judgements.add(checked)
        self._leases.release(item.lease)
        return judgement

    def undo(self) -> tuple[PairItem | None, Judgement]:
        """Take back the last answer or skip, and reserve its pair once more with the time it took; None where somebody
        else has it by now. Raises ProjectError where there is nothing to take back."""
        undone: list[Judgement] = []

        def undo(standing: list[Judgement]) -> Judgement:
            mine = self._of_me(standing)
            if not mine:
                raise ProjectError(N_("{name} has no answer to undo."), name=self._me)
            undone.append(mine[-1])
            return Judgement(self._me, mine[-1].left, mine[-1].right, Answer.UNDO, now_iso())

        self._judgements.add(undo)
        (last,) = undone
        wanted = [(_key_of((last.left, last.right)), last.purpose)]
        lease = self._leases.claim(self._project.name, self._me, wanted, lambda *_: True, before_s=last.took_s or 0.0)
        if lease is None:
            return None, last
        left, right = self._index.recording(last.left), self._index.recording(last.right)
        return PairItem(left, right, last.purpose, lease), last

    def can_undo(self) -> bool:
        return bool(self._of_me(self._judgements.standing()))

    def progress(self) -> PairProgress:
        """Every save makes `left` one fewer, repeats included, so that no figure tells which pair is one."""
        return self._state(plan_of(self._settings, self._project)).progress()

    def _of_me(self, standing: Sequence[Judgement]) -> list[Judgement]:
        mine = {name for name in {j.evaluator for j in standing} if same_person(name, self._me)}
        return [j for j in standing if j.evaluator in mine]

    def _state(self, plan: Plan, pair: Pair | None = None) -> "_State":
        """As it is now; as far as it concerns one pair, where one is given."""
        standing = self._judgements.standing()
        if pair is not None:
            key = frozenset(pair)
            standing = [judgement for judgement in standing if judgement.pair == key]
        return _State(self._project, self._me, plan, standing, self._secret)

    def _item(self, lease: Lease, state: "_State") -> PairItem:
        purpose = Purpose(lease.purpose)
        left, right = state.sides(_pair_of(lease.recording_id), purpose)
        try:
            return PairItem(self._index.recording(left), self._index.recording(right), purpose, lease)
        except UnknownNameError:
            self._leases.release(lease)
            raise


class _State:
    """Where a project stands for one expert, at one moment."""

    def __init__(self, project: Project, me: str, plan: Plan, standing: Sequence[Judgement], secret: str) -> None:
        self._project, self._me, self._plan, self._secret = project, me, plan, secret
        self._standing = standing
        key = name_key(me)
        mine = {name for name in {j.evaluator for j in standing} if name_key(name) == key}
        self._mine = [j for j in standing if j.evaluator in mine]
        self._n: Counter[frozenset[str]] = Counter()
        self._shown: Counter[str] = Counter()
        for judgement in standing:
            if judgement.answer is not Answer.SKIP and judgement.purpose is Purpose.WORK:
                self._n[judgement.pair] += 1
                self._shown.update((judgement.left, judgement.right))
        self._last: dict[tuple[frozenset[str], Purpose], Judgement] = {(j.pair, j.purpose): j for j in self._mine}

    def candidates(self) -> Iterator[tuple[Pair, Purpose]]:
        """In the order in which this expert gets them. Pairs of the recordings that were compared least come first, so
        that the design is balanced whenever the project stops; among those, each expert has an order of their own."""
        project = self._project
        open_pairs = [pair for pair in self._plan.pairs if self.is_open(pair, Purpose.WORK)]
        turn = len(self._last) + 1
        if open_pairs and falls(self._secret, self._me, Purpose.REPEAT, project.repeat_every, turn):
            yield from ((pair, Purpose.REPEAT) for pair in self._repeats())
        places = _order(self._plan.pairs, project.seed, self._me)
        ranked = sorted(
            (max(self._shown[pair[0]], self._shown[pair[1]]), places[pair], pair)
            for pair in open_pairs
            if not self._put_off(pair, Purpose.WORK)
        )
        yield from ((pair, Purpose.WORK) for _shown, _place, pair in ranked)
        # What was left for later comes back at the end, the longest put off first.
        for judgement in self._mine:
            pair = (judgement.left, judgement.right)
            if self._put_off(pair, judgement.purpose) and self.is_open(pair, judgement.purpose):
                yield pair, judgement.purpose

    def is_open(self, pair: Pair, purpose: Purpose) -> bool:
        """Whether the pair needs an answer by this expert, one left for later included."""
        key = self._plan.keys.get(pair) or frozenset(pair)
        mine = self._last.get((key, purpose))
        if (mine is not None and not _is_put_off(mine)) or not key <= self._plan.items.keys():
            return False
        return purpose is Purpose.REPEAT or self._n[key] < self._project.overlap

    def sides(self, pair: Pair, purpose: Purpose) -> Pair:
        """Left and right: as designed for the first answer, swapped for the next; of a repeat, swapped."""
        if purpose is Purpose.REPEAT:
            first = self._last[frozenset(pair), Purpose.WORK]
            return first.right, first.left
        left, right = pair if pair in self._plan.keys else pair[::-1]
        return (right, left) if self._n[frozenset(pair)] % 2 else (left, right)

    def progress(self) -> PairProgress:
        last = list(self._last.values())
        n_mine = sum(j.answer in PREFERENCE and j.purpose is Purpose.WORK for j in last)
        n_work = sum(self.is_open(pair, Purpose.WORK) for pair in self._plan.pairs)
        return PairProgress(
            compared=sum(j.answer in PREFERENCE for j in last),
            skipped=sum(j.answer is Answer.SKIP and j.reason != LATER for j in last),
            left=self._n_left(n_work),
            by_others=sum(self._n.values()) - n_mine,
        )

    def _n_left(self, n_open: int) -> int:
        """Of all turns those that are not taken; what was put off is not dealt with yet."""
        dealt_with = Counter(purpose for (_pair, purpose), last in self._last.items() if not _is_put_off(last))
        n_done = dealt_with.total()
        n_all = n_turns(
            self._secret, self._project, self._me, n_work=dealt_with[Purpose.WORK] + n_open, n_gold=0, n_done=n_done,
            after_work=False,
        )  # fmt: skip
        is_more = n_open or any(
            purpose is Purpose.REPEAT and _is_put_off(last) for (_pair, purpose), last in self._last.items()
        )
        return max(1, n_all - n_done) if is_more else 0

    def _repeats(self) -> list[Pair]:
        """Pairs that this expert compared and that did not come again, the earliest first."""
        compared = [j for j in self._mine if j.answer in PREFERENCE and j.purpose is Purpose.WORK]
        repeated = {j.pair for j in self._mine if j.purpose is Purpose.REPEAT}
        earlier = [j for j in compared[:-REPEAT_AFTER] if j.pair not in repeated]
        return [(j.left, j.right) for j in earlier if self.is_open((j.left, j.right), Purpose.REPEAT)]

    def _put_off(self, pair: Pair, purpose: Purpose) -> bool:
        last = self._last.get((self._plan.keys.get(pair) or frozenset(pair), purpose))
        return last is not None and _is_put_off(last)


def _is_put_off(judgement: Judgement) -> bool:
    return judgement.answer is Answer.SKIP and judgement.reason == LATER


def hear_share(project: Project) -> float:
    """Of each recording, which share (0-1) must be heard before an answer."""
    return HEARD_WHOLE if project.hear_all else HEARD_SOME


def progress_of(settings: Settings, project: Project) -> ProjectProgress:
    """Over all pairs: answers there are of those needed, and recordings all of whose pairs are answered."""
    plan = plan_of(settings, project)
    n = Counter(
        j.pair
        for j in Judgements(settings, project.name).standing()
        if j.answer in PREFERENCE and j.purpose is Purpose.WORK
    )
    unfinished: defaultdict[str, int] = defaultdict(int)
    for pair in plan.pairs:
        if n[plan.keys[pair]] < project.overlap:
            unfinished[pair[0]] += 1
            unfinished[pair[1]] += 1
    return ProjectProgress(
        items=len(plan.items),
        finished=sum(not unfinished[key] for key in plan.items),
        needed=project.overlap * len(plan.pairs),
        done=sum(min(project.overlap, n[plan.keys[pair]]) for pair in plan.pairs),
        at_work=len(Leases(settings).held(project.name)),
    )


def _key_of(pair: Pair) -> str:
    """As a lease names the pair, whatever its sides."""
    return json.dumps(sorted(pair), ensure_ascii=False)


def _pair_of(key: str) -> Pair:
    left, right = artifacts.loads(key)
    return left, right


@lru_cache(maxsize=64)
def _order(pairs: tuple[Pair, ...], seed: int, evaluator: str) -> dict[Pair, bytes]:
    """Of each pair, its place in this expert's order."""
    return {pair: hashlib.sha256(f"{seed}|{evaluator}|{pair[0]}|{pair[1]}".encode()).digest()[:8] for pair in pairs}
