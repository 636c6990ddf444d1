"""Small language models for examples and tests, made on the spot: real architectures, a few thousand random weights."""

import re
from collections.abc import Sequence
from importlib import util
from pathlib import Path

import numpy as np

_TEXT = (
    "the quick brown fox jumps over lazy dog because it was hungry a good day . , ! ? and red blue green house car "
    "tree big small run walk see another text with other in second sentence"
)
WORDS = _TEXT.split()
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def _quiet() -> None:
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.manual_seed(5)


def masked(folder: Path) -> Path:
    """A BERT with whole words, and some endings."""
    _quiet()
    from transformers import BertConfig, BertForMaskedLM, BertTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, *WORDS, "##s", "##ing", "##ed"]) + "\n")
    tokenizer = BertTokenizer(vocab=str(folder / "vocab.txt"))
    tokenizer.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=64,
    )  # fmt: skip
    BertForMaskedLM(config).save_pretrained(folder)
    return folder


def _byte_level(folder: Path, special: list[str]) -> None:
    """vocab.json and merges.txt of a byte-level tokenizer that knows every word as a whole."""
    from tokenizers import ByteLevelBPETokenizer

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(
        [f" {' '.join(WORDS)}"] * 5, vocab_size=600, min_frequency=1, special_tokens=special, show_progress=False
    )
    tokenizer.save_model(str(folder))


def roberta(folder: Path) -> Path:
    """A RoBERTa."""
    _quiet()
    from transformers import RobertaConfig, RobertaForMaskedLM, RobertaTokenizer

    _byte_level(folder, ["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    tokenizer = RobertaTokenizer(vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"))
    tokenizer.save_pretrained(folder)
    config = RobertaConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=66, type_vocab_size=1,
    )  # fmt: skip
    RobertaForMaskedLM(config).save_pretrained(folder)
    return folder


def causal(folder: Path) -> Path:
    """A GPT-2."""
    _quiet()
    from transformers import GPT2Config, GPT2LMHeadModel, GPT2Tokenizer

    _byte_level(folder, ["<|endoftext|>"])
    tokenizer = GPT2Tokenizer(vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"))
    tokenizer.save_pretrained(folder)
    size = len(tokenizer)
    config = GPT2Config(
        vocab_size=size, n_positions=256, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


def xlnet(folder: Path) -> Path:
    """An XLNet with the tokenizer of `sequence`."""
    _quiet()
    from transformers import XLNetConfig, XLNetLMHeadModel, XLNetTokenizer

    pieces = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), ("<pad>", 0.0), ("<cls>", 0.0), ("<sep>", 0.0)]
    pieces += [("<mask>", 0.0), ("<eod>", 0.0), ("<eop>", 0.0), ("▁", -2.0)]
    letters = sorted(set("".join(WORDS) + "TIWA"))
    vocabulary = [*pieces, *((f"▁{word}", -3.0) for word in WORDS), *((letter, -6.0) for letter in letters)]
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = XLNetTokenizer(vocab=vocabulary)
    tokenizer.save_pretrained(folder)
    config = XLNetConfig(vocab_size=len(tokenizer), d_model=16, n_layer=1, n_head=2, d_inner=16)
    XLNetLMHeadModel(config).save_pretrained(folder)
    return folder


def sequence(folder: Path, start: int = 5) -> Path:
    """A T5 with whole words; `start` chooses the random weights."""
    _quiet()
    import torch
    from transformers import T5Config, T5ForConditionalGeneration, T5Tokenizer

    letters = sorted(set("".join(WORDS) + "TIWA"))
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [*((f"▁{word}", -3.0) for word in WORDS), *((letter, -6.0) for letter in letters)]
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = T5Tokenizer(vocab=pieces, extra_ids=0)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(start)
    config = T5Config(
        vocab_size=len(tokenizer), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2, decoder_start_token_id=0,
    )  # fmt: skip
    T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def write_models(folder: Path, texts: Sequence[str]) -> None:
    """models/: word vectors of the texts, and models of random weights that show how trained ones are named."""
    (folder / "models").mkdir(parents=True, exist_ok=True)
    (folder / "models" / "vectors.txt").write_text(word_vectors(texts), encoding="utf-8")
    if util.find_spec("transformers") is not None:
        masked(folder / "models" / "bert")
        sequence(folder / "models" / "there")
        sequence(folder / "models" / "back", start=6)


def word_vectors(texts: Sequence[str], size: int = 24, window: int = 4) -> str:
    """GloVe's text format: words that stand near the same words get near vectors (their counts' singular vectors)."""
    lines = [re.findall(r"[a-z]+", text.lower()) for text in texts]
    words = sorted({word for line in lines for word in line})
    places = {word: n for n, word in enumerate(words)}
    together = np.zeros((len(words), len(words)))
    for line in lines:
        for n, word in enumerate(line):
            for other in line[max(0, n - window) : n]:
                together[places[word], places[other]] += 1
                together[places[other], places[word]] += 1
    vectors, strengths, _ = np.linalg.svd(np.log1p(together))
    vectors = np.round(vectors[:, :size] * strengths[:size], 4)
    return "".join(f"{word} {' '.join(map(str, row.tolist()))}\n" for word, row in zip(words, vectors, strict=True))
