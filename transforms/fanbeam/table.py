"""The operations of the library `fanbeam`: blends of records, each after the paper that its docstring names."""

from collections.abc import Mapping

from transforms.fanbeam import audio, images, objects, text
from transforms.fanbeam.operation import Operation
from transforms.fanbeam.partners import SCOPES
from transforms.operation_parameters import Spec
from transforms.values import LABEL_KINDS

_PARTNERS = {"partners": Spec("choice", "any", choices=SCOPES)}
_SMALLEST, _LARGEST = 0.01, 1000.0


def _alpha(default: float) -> dict[str, Spec]:
    return {"alpha": Spec("number", default, _SMALLEST, _LARGEST), **_PARTNERS}


_IMAGE = frozenset(LABEL_KINDS["image"])
_END = """
Partners come from the donor shelf, a sample of the training records: `any` of them, those of the `same_class`, or of an
`other_class`. All parents and their shares stand in the lineage, soft labels in the column `label_weights`.
"""

OPERATIONS: Mapping[str, Operation] = {
    "MixUp": Operation(
        {"image": images.mix_up, "audio": audio.mix_up},
        _alpha(0.2),
        f"""Weighted mean of two pictures or sounds: shares drawn from Beta(alpha, alpha), the larger for the record.

Zhang, Cisse, Dauphin, Lopez-Paz: mixup: Beyond Empirical Risk Minimization, ICLR 2018. Alpha 0.1 to 0.4 there for
ImageNet, 1 for CIFAR; with 0.2 the partner of every second copy weighs less than 2 %, with 1 of every 25th. Pictures:
the partner is scaled until it covers the picture, and cut at the centre; boxes, points and instance masks of both stay,
of masks of class numbers the picture's own. Sounds: a longer partner is cut, a shorter one stands at a drawn place;
segments of both stay.
{_END}""",
        _IMAGE,
    ),
    "CutMix": Operation(
        {"image": images.cut_mix},
        _alpha(1.0),
        f"""A rectangle of the partner over the picture: the smaller share of Beta(alpha, alpha), then clipped.

Yun, Han, Oh, Chun, Choe, Yoo: CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features,
ICCV 2019. Labels of the partner come along, clipped to the rectangle; boxes beneath shrink to what is seen of them.
{_END}""",
        _IMAGE,
    ),
    "Mosaic": Operation(
        {"image": images.mosaic},
        {"center": Spec("range", [0.3, 0.7], 0.0, 1.0), **_PARTNERS},
        f"""Four pictures around a point drawn from `center`, shares of width and height; the size stays.

Bochkovskiy, Wang, Liao: YOLOv4: Optimal Speed and Accuracy of Object Detection, 2020. Each picture is scaled until it
covers its quarter, and cut to it; labels of all four are clipped to their quarters.
{_END}""",
        _IMAGE,
    ),
    "CopyPaste": Operation(
        {"image": objects.copy_paste},
        {
            "scale": Spec("number", [0.1, 2.0], 0.01, 100.0),
            "flip": Spec("probability", 0.5, 0.0, 1.0),
            **_PARTNERS,
        },
        f"""Objects of the partner, cut out along their masks, over the picture: a drawn number of them.

Ghiasi, Cui, Srinivas, Qian, Lin, Cubuk, Le, Zoph: Simple Copy-Paste is a Strong Data Augmentation Method for Instance
Segmentation, CVPR 2021. The partner is mirrored with chance `flip`, and scaled: at 1 it just fits into the picture.
Needs masks: instances; or class numbers, of which what lies in a box, or without boxes each number, is an object. Own
masks lose what is covered, own boxes shrink to what is seen of them.
{_END}""",
        _IMAGE,
        frozenset({"masks"}),
    ),
    "AddFromSet": Operation(
        {"audio": audio.add_from_set},
        {
            "snr_db": Spec("number", [3.0, 30.0], -100.0, 100.0),
            "labels": Spec("choice", "mixed", choices=("mixed", "own")),
            **_PARTNERS,
        },
        f"""Another record as background, from a drawn place and over again, at a drawn ratio of levels in dB.

Salamon, Bello: Deep Convolutional Neural Networks and Data Augmentation for Environmental Sound Classification, IEEE
SPL 2017 (background noise). Shares are those of the power: at 10 dB the background is 1/11. `labels: own` leaves label
weights and segments to the sound itself.
{_END}""",
        frozenset(LABEL_KINDS["audio"]),
    ),
    "SentenceMix": Operation(
        {"text": text.sentence_mix},
        _alpha(1.0),
        f"""Sentences of another text in place of some of the text's own: the smaller share of Beta(alpha, alpha).

CutMix (Yun et al., ICCV 2019) on sentences, as Yoon, Kim, Park: SSMix, Findings of ACL 2021, does it on spans. At least
one sentence of each stays. Lines and the marks . ! ? … 。！？ end sentences. Spans stay on their sentences.
{_END}""",
        frozenset(LABEL_KINDS["text"]),
    ),
}
