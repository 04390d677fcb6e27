"""What the page says, to whoever has JavaScript and to whoever has not: one wording for both."""

from __future__ import annotations

__all__ = ["PROBLEMS", "WORDS"]

WORDS = {
    "accept": "Keep {primary} ({name}) as the primary category: its probability is {share}.",
    "propose": "Propose {primary} ({name}) in place of {declared}: its probability is {share}.",
    "propose_first": "Propose {primary} ({name}) as the primary category: its probability is "
    "{share}.",
    "abstain": "The model abstains: it is not sure enough of {declared}, nor of any other "
    "category. A person should decide.",
    "abstain_unknown": "The model does not know {declared}, so it cannot judge whether the paper "
    "belongs there. A person should decide.",
    "abstain_first": "The model abstains: it is not sure enough of any category. A person should "
    "decide.",
    "cross_lists": "Suggest a cross-list to {list}.",
    "verdict_accept": "Accept",
    "verdict_propose": "Propose",
    "verdict_abstain": "Abstain",
    "assigned": "Assigned: it reaches its threshold of {threshold}.",
    "below": "Not assigned: its threshold is {threshold}.",
    "unknown": "This model does not know the category.",
    "truncated": "The text is longer than the model reads. It read the first {tokens} tokens; what "
    "follows played no part.",
    "strongly": "strongly",
    "clearly": "clearly",
    "slightly": "slightly",
    "for": "Speaks {how} for {category}",
    "against": "Speaks {how} against {category}",
    "nothing": "No sentence makes a difference by itself.",
    "unexplained": "Which sentences mattered is not known this time: {reason}",
    "another_model": "another model answers since. Classify the paper again.",
    "status": "Classified. Best category: {category}, {share}.",
    "working": "Classifying…",
    "explaining": "Looking for the sentences that mattered…",
    "empty": "Give a title, an abstract, or both.",
    "no_key": "This server asks for an API key, and none that it knows was sent.",
    "unread": "This form is larger than the {bytes} bytes that are read before its key is known.",
    "no_lookup": "This server does not look papers up by their arXiv identifier: paste title and "
    "abstract.",
}
"""Sentences by name; what stands in braces is put in."""

PROBLEMS = {
    "0": (
        "The service cannot be reached",
        "Check the connection and send it again. Your text is still in the form.",
    ),
    "400": ("The service cannot use this", "Correct what is named above and send it again."),
    "401": (
        "The service asks for an API key",
        "Type it into the field above the title and send it again.",
    ),
    "404": ("There is no such paper", "Check the identifier, or paste title and abstract."),
    "408": ("The form did not arrive in time", "Check the connection and send it again."),
    "413": ("The text is too long", "Send only the title and the abstract, not the whole paper."),
    "415": ("The form arrived in another form", "Send it from this page."),
    "422": ("Something is missing or wrong", "Correct what is named above and send it again."),
    "429": (
        "The service is busy",
        "Wait {seconds} s and send it again. Your text is still in the form.",
    ),
    "500": (
        "The service failed",
        "It is not your text's fault. Send it again; if it fails again, tell whoever runs it.",
    ),
    "502": ("arXiv did not answer", "Paste title and abstract, or try again later."),
    "503": (
        "The service is stopping",
        "Another will take its place: wait {seconds} s and send it again.",
    ),
    "504": ("This took too long", "It is slow at the moment: send it again later."),
}
"""By status: what happened, and what to do. 0: there was no answer."""
