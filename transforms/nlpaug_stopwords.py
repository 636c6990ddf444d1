"""Stopwords of nlpaug's ContextualWordEmbsAug, in texts with words that the tokenizer does not know.

nlpaug hides stopwords behind the tokenizer's unknown token and puts them back one by one at every unknown token that it
meets, so a word that really is unknown gets a stopword for it, and the list runs out. Here only those that stand for a
stopword get theirs back.
"""

from typing import Any


def methods(cls: Any) -> dict[str, Any]:
    """Give the methods that replace those of the class."""

    def split_text(self: Any, data: str) -> Any:
        found, hidden = cls.split_text(self, data)
        self.stands_for_stopword = _standing(self, data) if hidden else []
        return found, hidden

    return {"split_text": split_text, "substitute_back_reserved_stopwords": _put_back}


def _unknown(augmenter: Any) -> str:
    return str(augmenter.model.get_unknown_token() or augmenter.model.UNKNOWN_TOKEN)


def _standing(augmenter: Any, text: str) -> list[bool]:
    """For each unknown token of the text with its stopwords hidden: whether it is one of them."""
    unknown = _unknown(augmenter)
    hidden, _ = augmenter.replace_stopword_by_reserved_word(text, augmenter.stopword_reg, unknown)
    tokenizer = augmenter.model.get_tokenizer()
    encoded = tokenizer(hidden, add_special_tokens=False, return_offsets_mapping=True)
    pairs = zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
    return [hidden[begin:end].strip() == unknown for number, (begin, end) in pairs if number == tokenizer.unk_token_id]


def _put_back(self: Any, doc: Any, hidden: list[str], change_seq: int) -> tuple[Any, int]:
    """As nlpaug's `substitute_back_reserved_stopwords`; `hidden` holds the last stopword first."""
    words = list(hidden)
    standing = iter(self.stands_for_stopword)
    for place, token in enumerate(doc.get_augmented_tokens()):
        if token == _unknown(self) and next(standing, False) and words:
            change_seq += 1
            doc.update_change_log(
                place, token=words.pop(), action="substitute", change_seq=self.parent_change_seq + change_seq
            )
    return doc, change_seq
