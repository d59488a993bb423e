"""In which order a desk takes what the feed tells: nothing of an earlier term, and nothing past a gap."""

from collections.abc import Mapping

from tradedesk.firm.feed.packets import FeedHead, Message


class FeedOrder:
    """What of the feed's messages was heard, so that it is known what may be taken of the next."""

    def __init__(self) -> None:
        self.epoch = 0
        self._seq: int | None = None
        self._known = set[str]()
        self._vouched = frozenset[str]()

    def rejoined(self) -> None:
        """Messages may have been missed: nothing is vouched for before the hash was read."""
        self._seq = None
        self._known = set()

    def is_of_now(self, head: FeedHead) -> bool:
        """Whether a quote from the hash is of the feed's present term, or a later one, which begins then."""
        if head.epoch > self.epoch:
            self.epoch, self._seq, self._known = head.epoch, None, set()
        return head.epoch == self.epoch

    def knows(self, keys: frozenset[str]) -> bool:
        """Whether each of these was told in this term."""
        return keys <= self._known

    def take(self, message: Message) -> tuple[bool, bool]:
        """Whether a message counts, and whether the hash must be read again since some are missing."""
        head, before = message.head, self.epoch
        if not self.is_of_now(head) or (self._seq is not None and head.seq <= self._seq):
            return False, False
        gap = head.epoch != before or (self._seq is not None and head.seq != self._seq + 1)
        if gap:
            self._known = set()
        self._seq = head.seq
        return True, gap

    def told(self, records: Mapping[str, bytes]) -> None:
        """These quotes are known as of now."""
        self._known.update(records)

    def vouched(self, message: Message) -> frozenset[str]:
        """The quotes that a message vouches for, the same object while they are the same."""
        found = self._known - message.not_vouched
        if found != self._vouched:
            self._vouched = frozenset(found)
        return self._vouched
