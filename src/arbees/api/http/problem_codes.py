"""The codes of problems: what each means, and what to do.

Guarantees that a code which the interface answers is explained, and that none is explained which it
does not answer; a test compares. Codes of denials are no problems: they stand in
`core/language/codes.py`.
"""

PROBLEM_CODES: dict[str, str] = {
    "ACKNOWLEDGE_REQUIRED": "a halt that the gateway raised by itself remains in force; look at "
    "its cause, then send `acknowledge: true`",
    "AGREES": "the venue agrees with the book by now, so that there is nothing to take over",
    "AHEAD_OF_JOURNAL": "no record has that sequence yet; `head` names the newest",
    "AMBIGUOUS_ORDER_ID": "two venues have an order of that id; name the platform, or use our "
    "own id",
    "HOST_REFUSED": "`Host` does not name this gateway; a page that rebinds its own name would "
    "send its own",
    "INSUFFICIENT_BALANCE": "a withdrawal of more than the paper account has available; nothing "
    "was moved",
    "INTERNAL": "a fault; what became of the request is not known, come again with the same key",
    "JOURNAL_FAILED": "the journal cannot be written; what was decided last is not known, come "
    "again with the same key",
    "KEY_LIMIT": "the key has asked as often this minute as it may, or holds as many connections; "
    "nothing was decided, `Retry-After` says when to come again",
    "KEY_NAME_TAKEN": "another key in force has that name; revoke it first, or take another name",
    "KEY_REQUIRED": "no API key in force came along as `Authorization: Bearer`",
    "MALFORMED": "body, query, path or head cannot be read; `field` names the field, no key is "
    "spent",
    "METHOD_NOT_ALLOWED": "`Allow` names the methods that are offered here",
    "NOT_ABSENT": "some of the order was at the venue, so it cannot be ended as `not_sent`",
    "NOT_COMPARED": "the venue cannot be compared with the book there just now; come again",
    "NOT_FOUND": "nothing is known under that name, or there is no such path",
    "NOT_READY": "nothing is decided now; `reasons` say why",
    "NOT_UNKNOWN": "the order ended, is on its way or works at its venue: not ended by hand",
    "ORIGIN_REFUSED": "a web page asks that is not this gateway's own",
    "OVERLOADED": "too many connections at once; come again",
    "VENUE_SPEAKS": "the venue tells its own books and settlements here, nobody feeds them",
    "PAPER_ONLY": "live trading takes quotes and settlements from the venues alone",
    "QUEUE_FULL": "more requests wait than may; nothing was decided, come again with the same key",
    "REQUEST_TIMEOUT": "head or body did not come in time (10 s each)",
    "SCOPE_REQUIRED": "the key has not the scope for this; see the table of scopes",
    "SHUTTING_DOWN": "the gateway ends; come again with the same key",
    "STARTING": "the gateway reads its journal; nothing was decided, come again with the same key",
    "STRATEGY_REFUSED": "the key is bound to a strategy, and this is another's or the account's",
    "TOO_LARGE": "the body is longer than 64 KiB (lists: 1 MiB), or the head than 32 KiB",
    "TOO_MANY_KEYS": "as many keys are in force as there may be; revoke some",
    "TOO_MANY_HALTS": "so many halts of less than everything stand already, of this key or in all; "
    "halt scope all, or lift some first",
    "UNSUPPORTED_MEDIA_TYPE": "no `Content-Type: application/json`, or a compressed body",
}
